"""Slack on a bad day: errors of every kind, answers that get lost, messages deleted by people, and
kills; yet every close is told, and nothing twice that does not say so."""
import collections
import json
import random
import re

from fake_slack import Slack, error
from fakes import alert, wait_for
from programs import newer, slack_bot

ALERTS, KILLS = 40, 3


def weather(seed):
    """trouble: about every fourth request meets some; "after" means that it is done all the same.
    An update that is refused, or in words that nobody knows, is left: its message stays as it was,
    and the reply tells. Here it meets neither, since each message is to show its close; nor is a
    message refused that has no blocks, since none is to die."""
    chance = random.Random(seed)
    refused, unknown = error("invalid_blocks", errors=["no"]), error("something_new")
    kinds = [
        {"status": 503, "body": "<html>busy</html>"},
        {"status": 500, "body": ""},
        {"kind": "reset"},
        {"kind": "reset", "after": True},
        {"after": True, "body": '{"ok":true,"chan', "length": 400},
        {**error("fatal_error"), "after": True},
        error("internal_error"),
        error("ratelimited", 429),
        error("service_unavailable"),
    ]

    def trouble(method, body):
        some = list(kinds)
        if method != "chat.update":
            some += [unknown] + [refused] * ("blocks" in (body or ()))
        return dict(chance.choice(some)) if trouble.is_bad and chance.random() < 0.25 else None

    trouble.is_bad = True
    return trouble


def notes(fake):
    """(alert, event, marked) of every post and reply, as they were told first."""
    for message in list(fake.messages.values()):
        told = (message["edits"] or [message["shown"]])[0]
        event, number = re.search(r"(\w+): Title (\d+)$", told["text"]).groups()
        yield int(number), event, "possible repeat" in json.dumps(told)


def test_every_close_is_told_and_nothing_twice_that_does_not_say_so(scene):
    scene.expect("msg=sink-down")
    trouble = weather(17)
    fake = Slack(trouble)
    soon = {"min": "10ms", "max": "50ms"}
    sink = slack_bot("chat", scene.receiver(fake), window=8, retry=soon, collapse=False, timeout="5s")
    sim = scene.sim()
    sim.put(*(alert(n, created_at=newer()) for n in range(ALERTS)))
    daemon = scene.tocsin(sim, [sink], source_keys={"sweep_every": "1s"})
    chance, before = random.Random(17), 0
    for n, status in enumerate(("acknowledged", "resolved", None)):
        wait_for(lambda b=before: len(fake.calls) > b + 15, what="some requests")
        daemon.kill9()
        before = len(fake.calls)  # not after the start: by then most of them may have been made
        for ts in chance.sample(list(fake.messages), 3) if n < 2 else ():
            if not fake.replies(ts):
                fake.delete(ts)
        if status:
            more = {"resolved_at": newer()} if status == "resolved" else {}
            for number in range(ALERTS):
                sim.change(f"al-{number}", status=status, **more)
        daemon = scene.start(daemon.config)
    closes = "SELECT count(*) FROM v_events WHERE kind = 'resolved'"
    wait_for(lambda: scene.count(closes) == ALERTS, 20, "all closes to be seen")
    trouble.is_bad = False
    scene.wait_drained(30)
    told = collections.Counter(note[:2] for note in notes(fake) if not note[2])
    assert not [note for note, count in told.items() if count > 1]
    heard = {note[:2] for note in notes(fake)}
    assert {number for number, event in heard if event == "resolved"} == set(range(ALERTS))
    green = {re.search(r"Title (\d+)$", m["shown"]["text"]).group(1) for m in fake.top()
             if "✔" in m["shown"]["text"]}
    assert len(green) == ALERTS
    assert scene.count("SELECT count(*) FROM v_deliveries WHERE state != 'done'") == 0
    assert not fake.blunders and not daemon.log("dead")
