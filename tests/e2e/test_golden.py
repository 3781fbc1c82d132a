"""What the shipped templates make of each type at each event, byte by byte.

tests/golden/samples/NAME.txt holds all of them, one after another, of alerts that nothing more is
known of; NAME.behind.txt those with a context. GOLDEN=write writes them anew: read the difference
before it is committed. Digests, marks and whole mails have files of their own
(tests/golden/slack, tests/golden/email), presets theirs (tests/golden/presets).
"""
import difflib
import os

import pytest

from support import TEMPLATES, TOP, tocsin

GOLDEN = TOP / "tests/golden/samples"
NAMES = ["webhook.json", "slack.slack.json", "slack.reply.slack.json", "email.subject.txt", "email.txt"]
BEHIND = ["webhook.json", "slack.slack.json", "email.txt"]
TYPES = ["policy_violation", "budget_exceeded", "anomaly_detected", "security_event"]
EVENTS = ["opened", "acknowledged", "resolved", "reopened", "changed"]


def rendered(conf, name, events, *more):
    for kind in TYPES:
        for event in events:
            done = tocsin("render", name, "--sample", kind, "--event", event, *more, conf=conf)
            assert done.returncode == 0, done.stderr
            yield f"#### {kind} {event}\n{done.stdout}"


@pytest.fixture
def conf(tmp_path):
    path = tmp_path / "tocsin.conf"
    path.write_text(f'templates = "{TEMPLATES}";\n')
    return path


@pytest.mark.parametrize("name", NAMES)
def test_each_sample_reads_as_it_did(conf, name):
    expect(f"{name}.txt", rendered(conf, name, EVENTS, "--context", "none"))


@pytest.mark.parametrize("name", [*BEHIND, "email.html"])
def test_each_sample_says_who_and_what_is_behind_it(conf, name):
    expect(f"{name}.behind.txt", rendered(conf, name, ["opened"]))


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(BEHIND)))
def test_the_others_say_nothing_of_it(conf, name):
    assert list(rendered(conf, name, ["changed"])) == list(rendered(conf, name, ["changed"], "--context", "none"))


def test_a_context_may_be_a_file(conf, tmp_path):
    alert, behind = tmp_path / "alert.json", tmp_path / "behind.json"
    alert.write_text('{"id": "al-1", "user_id": "u-1"}')
    behind.write_text('{"user": {"name": "Jane Smith", "department": "Engineering"}}')
    both = ["--alert", alert, "--context", behind]
    assert "User:     Jane Smith (Engineering)\n" in tocsin("render", "email.txt", *both, conf=conf).stdout
    assert "User:     u-1\n" in tocsin("render", "email.txt", *both[:2], conf=conf).stdout
    for text in ("[]", "{", '"user"'):
        behind.write_text(text)
        done = tocsin("render", "email.txt", *both, conf=conf)
        assert done.returncode == 1 and f"{behind}: " in done.stderr and done.stdout == ""


def expect(name, pieces):
    got, path = "\n".join(pieces), GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(got)
    wanted = path.read_text() if path.exists() else ""
    diff = difflib.unified_diff(wanted.splitlines(), got.splitlines(), str(path), "rendered", lineterm="")
    assert got == wanted, "\n".join(diff) + "\n(GOLDEN=write writes it)"
