"""What people see in Slack: every alert at every event within Block Kit's limits, and as it was."""
import difflib
import json
import os
import subprocess

import pytest

import block_kit
from fake_slack import Slack
from fakes import TOP, alert, wait_for
from programs import TEMPLATES, TOCSIN, slack_bot

GREEN = "#2eb67d"
BODY, REPLY = "slack.slack.json", "slack.reply.slack.json"

EVIL = [
    "<!channel> <!here> <!everyone> <@U1> <#C1> <!subteam^S1> <https://evil.example|click>",
    "&" * 4000,
    "<" * 4000,
    "x" * 118 + "&" * 10,
    "x" * 118 + "\U0001f514" * 10,
    "\U0001f469\u200d\U0001f4bb" * 900,
    "\r\n\r\n.\r\n\t",
    "a\0b\x01\x1b[31m\x7f",
    " ",
    "",
    '"}],"channel":"C9","text":"\\',
    "1^{ago}^https://evil.example|",
    "*b* _i_ ~s~ `c` ```d``` > e {{title}} {{{raw}}}",
    "\u202e\u0301\u2028\ufeff",
]


def behind(text, percent=104.2):
    """All that is known behind an alert says the same."""
    return {
        "user": {"id": text, "name": text, "email": text, "department": text},
        "policy": {"id": text, "name": text},
        "budget": {"name": text, "amount": text, "currency": text, "period": text, "percent": percent},
        "usage": {"date": text, "estimated_cost_usd": text, "own": {"model": text, "estimated_cost_usd": text}},
    }


def evil_alert(n, text, **more):
    fields = ("type", "severity", "title", "message", "user_id", "policy_id", "created_at")
    return {**alert(n), **dict.fromkeys(fields, text), "metadata": {"model": text}, **more}


def expect_clean(payload, text_max=block_kit.TEXT_MAX):
    found = block_kit.faults(payload, text_max)
    assert not found, (found[:3], json.dumps(payload)[:2000])


def test_slack_takes_every_hostile_alert_at_every_event(scene):
    items = [evil_alert(n, text) for n, text in enumerate(EVIL)]
    items.append(alert(89, message="&" * 1_000_000))  # with more it would be set aside
    items.append(alert(90, title="\U0001f514" * 80_000))
    items.append(alert(91, title=None, message=None, type=None, severity=None, created_at=None))
    items.append(alert(92, metadata={"model": {"a": 1}, "x": [1]}))
    # halves of surrogate pairs are no JSON text: the page is mended
    broken = json.dumps(alert(93, title="a@b", message="@")).replace("@", "\\ud83d").encode()
    api = scene.api([*items, broken])
    fake = Slack()
    daemon = scene.tocsin(api, [slack_bot("chat", scene.receiver(fake), window=16)], source_keys={"sweep_every": "1s"})
    count = len(api.items)
    wait_for(lambda: len(fake.top()) == count, 20, "all to open")
    for status in ("acknowledged", "resolved"):
        api.items = [json.dumps({**i, "status": status, "resolved_at": i.get("created_at")}).encode()
                     for i in items]
        api.items.append(broken.replace(b'"open"', f'"{status}"'.encode()))
        daemon.poll()
        wait_for(lambda s=status: scene.count("SELECT count(*) FROM v_deliveries WHERE state = 'done' "
                                              "AND event = ?", s) == count, 20, status)
    assert fake.count("chat.update") == 2 * count and len(fake.messages) == 3 * count
    assert not fake.blunders and all(answer.get("ok") for _, _, answer in fake.calls)
    assert all(len(t) <= 3000 for m in fake.messages.values() for t in block_kit.texts(m["shown"]))


def rendered(*arguments):
    done = subprocess.run([TOCSIN, "render", *arguments], capture_output=True, timeout=30, check=False,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def template(name):
    return os.path.join(TEMPLATES, name + ".mustache")


TYPES = ["policy_violation", "budget_exceeded", "anomaly_detected", "security_event"]
EVENTS = ["opened", "acknowledged", "resolved", "reopened", "changed"]


@pytest.mark.parametrize("name", [BODY, REPLY])
def test_slack_takes_every_sample_at_every_event(name):
    for kind in TYPES:
        for event in EVENTS:
            payload = rendered("--sample", kind, "--event", event, template(name))
            expect_clean(payload)
            bars = {a["color"] for a in payload["attachments"]}
            assert (bars == {GREEN}) == (event == "resolved")
            assert ("✔" in payload["text"]) == (event == "resolved")


def digest(count, make=alert, **more):
    """A message as templates see it."""
    seen = {"source": "acme", "at": "2026-11-24T03:45:56Z", "link": "https://app.example.com/a?x=1&y=2"}
    events = ["opened", "resolved", "acknowledged"]
    alerts = [{**make(n), **seen, "event": events[n % 3], "index": n, "last": n == count - 1}
              for n in range(count)]
    return {"count": count, "event": "digest", "why": "quiet", "alerts": alerts, **more}


def data(tmp_path, message):
    path = tmp_path / "message.json"
    path.write_text(json.dumps(message))
    return rendered("--data", str(path), template(BODY))


def test_a_digest_lists_twenty_and_counts_the_rest(tmp_path):
    payload = data(tmp_path, digest(20, rest={"count": 5}))
    expect_clean(payload)
    assert len(payload["attachments"]) == 21
    assert "*+5 more*, not listed here" in json.dumps(payload["attachments"][-1])
    assert payload["blocks"][0]["text"]["text"] == "*20 alerts*, held back: quiet"
    assert len(data(tmp_path, digest(20))["attachments"]) == 20
    for text in EVIL:
        evil = digest(20, lambda n, t=text: evil_alert(n, t), rest={"count": 5})
        expect_clean(data(tmp_path, evil), text_max=40000)
        evil = digest(20, lambda n, t=text: {**evil_alert(n, t), **behind(t)}, rest={"count": 5})
        expect_clean(data(tmp_path, evil), text_max=40000)


def test_whatever_is_behind_an_alert_slack_takes_it(tmp_path):
    path, about = tmp_path / "alert.json", tmp_path / "behind.json"
    for text in EVIL:
        path.write_text(json.dumps(evil_alert(1, text)))
        for percent in (104.2, text):
            about.write_text(json.dumps(behind(text, percent)))
            for event in ("opened", "resolved"):
                expect_clean(rendered("--alert", str(path), "--context", str(about), "--event", event, template(BODY)))


# ---- golden files ----------------------------------------------------------------------------

GOLDEN = os.path.join(TOP, "tests/golden/slack")


def of_sample(kind, event, name=BODY, more=("--context", "none")):
    return lambda folder: rendered("--sample", kind, "--event", event, *more, template(name))


CASES = {
    "opened": of_sample("policy_violation", "opened"),
    "resolved": of_sample("policy_violation", "resolved"),
    "acknowledged-reply": of_sample("anomaly_detected", "acknowledged", REPLY),
    "resolved-reply": of_sample("anomaly_detected", "resolved", REPLY),
    "changed-reply": of_sample("budget_exceeded", "changed", REPLY),
    "behind": of_sample("policy_violation", "opened", more=()),
    "behind-over": of_sample("budget_exceeded", "resolved", more=()),
    "digest": lambda folder: data(folder, digest(3, rest={"count": 5})),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_sent_looks_as_it_did(case, tmp_path):
    """GOLDEN=write writes the files anew: to be read, then committed."""
    path = os.path.join(GOLDEN, case + ".json")
    text = json.dumps(CASES[case](tmp_path), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get("GOLDEN") == "write":
        os.makedirs(GOLDEN, exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
    with open(path, encoding="utf-8") as file:
        was = file.read()
    assert text == was, "".join(difflib.unified_diff(was.splitlines(True), text.splitlines(True)))


def test_the_reading_of_block_kit_finds_what_is_wrong():
    good = {"text": "t", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "verbatim": True,
                                                                   "text": "a &amp; <https://x.y|b>"}}]}
    expect_clean(good)

    def wrong(**text):
        inner = {**good["blocks"][0]["text"], **text}
        return block_kit.faults({"text": "t", "blocks": [{"type": "section", "text": inner}]})

    for text in ("", " \n", "x" * 3001, "<!channel>", "<@U1>", "a & b", "&am", "<!date^1^{ago}^https://e|x>",
                 "\ud83d", "<https://x.y|b", "<#C1>"):
        assert wrong(text=text), text
    assert wrong(verbatim=False) and wrong(type="html") and wrong(more=1)
    assert block_kit.faults({"blocks": []}) and block_kit.faults({"text": "t", "token": "x"})
    assert block_kit.faults({"text": "t", "blocks": good["blocks"] * 51})
    bars = [{"color": "#000000", "blocks": good["blocks"] * 26}] * 2
    assert block_kit.faults({"text": "t", "attachments": bars})
    assert block_kit.faults({"text": "x" * 4001})
