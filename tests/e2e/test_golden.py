"""What the shipped templates make of each type at each event, byte by byte.

tests/golden/samples/NAME.txt holds all of them, one after another. GOLDEN=write writes it anew: read
the difference before it is committed. Digests, marks and whole mails have files of their own
(tests/golden/slack, tests/golden/email), presets theirs (tests/golden/presets).
"""
import difflib
import os

import pytest

from support import TEMPLATES, TOP, tocsin

GOLDEN = TOP / "tests/golden/samples"
NAMES = ["webhook.json", "slack.slack.json", "slack.reply.slack.json", "email.subject.txt", "email.txt"]
TYPES = ["policy_violation", "budget_exceeded", "anomaly_detected", "security_event"]
EVENTS = ["opened", "acknowledged", "resolved", "reopened", "changed"]


def rendered(conf, name):
    for kind in TYPES:
        for event in EVENTS:
            done = tocsin("render", name, "--sample", kind, "--event", event, conf=conf)
            assert done.returncode == 0, done.stderr
            yield f"#### {kind} {event}\n{done.stdout}"


@pytest.mark.parametrize("name", NAMES)
def test_each_sample_reads_as_it_did(tmp_path, name):
    conf = tmp_path / "tocsin.conf"
    conf.write_text(f'templates = "{TEMPLATES}";\n')
    got, path = "\n".join(rendered(conf, name)), GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(got)
    wanted = path.read_text() if path.exists() else ""
    diff = difflib.unified_diff(wanted.splitlines(), got.splitlines(), str(path), "rendered", lineterm="")
    assert got == wanted, "\n".join(diff) + "\n(GOLDEN=write writes it)"
