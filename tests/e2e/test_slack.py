"""Slack as a bot: one message an episode, updated and replied to, against a strict Web API."""
import json

import pytest

from fake_slack import CHANNEL, TOKEN, Slack, error
from fakes import alert, wait_for
from programs import newer, run, slack, slack_bot

GREEN, GREY, ORANGE = "#2eb67d", "#8d8d8d", "#e8532c"


def bot(scene, trouble=None, **keys):
    fake = Slack(trouble)
    return fake, slack_bot("chat", scene.receiver(fake), **keys)


def colour(message):
    return message["shown"]["attachments"][0]["color"]


def told(message):
    return message["shown"]["text"]


def step(scene, daemon, sim, alert_id, status):
    """The alert changes, and all that comes of it has ended."""
    events = scene.count("SELECT count(*) FROM v_events")
    more = {"resolved_at": newer()} if status == "resolved" else {}
    sim.change(alert_id, status=status, **more)
    daemon.poll()
    wait_for(lambda: scene.count("SELECT count(*) FROM v_events") > events, what=status)
    scene.wait_drained()


def begin(scene, fake, sink, **source_keys):
    sim = scene.sim()
    sim.put(alert(1, created_at=newer()))
    daemon = scene.tocsin(sim, [sink], source_keys=source_keys)
    wait_for(fake.top, what="the first message")
    scene.wait_drained()
    return sim, daemon


def clean(fake):
    """Nothing was refused, and nothing asked that should not be."""
    assert not fake.blunders
    bad = [(m, a) for m, _, a in fake.calls if not a.get("ok")]
    assert not bad, bad[:3]


# ---- one message an episode ------------------------------------------------------------------


def test_a_message_is_updated_and_replied_to(scene):
    fake, sink = bot(scene)
    sim, daemon = begin(scene, fake, sink)
    first = fake.top()[0]
    assert colour(first) == ORANGE and told(first) == "[HIGH] opened: Title 1"
    step(scene, daemon, sim, "al-1", "acknowledged")
    assert colour(first) == GREY and told(first) == "[HIGH] acknowledged: Title 1"
    step(scene, daemon, sim, "al-1", "resolved")
    assert colour(first) == GREEN and told(first) == "✔ [HIGH] resolved: Title 1"
    assert len(fake.top()) == 1 and len(first["edits"]) == 2
    assert [told(m) for m in fake.replies(first["ts"])] == [
        "[HIGH] acknowledged: Title 1", "✔ [HIGH] resolved: Title 1"]
    assert [m for m, _, _ in fake.calls] == ["chat.postMessage"] + ["chat.update", "chat.postMessage"] * 2
    handles = scene.query("SELECT DISTINCT handle FROM v_deliveries")
    assert handles == [{"handle": f"{CHANNEL} {first['ts']}"}]
    assert "possible repeat" not in json.dumps(fake.messages)
    assert not [l for l in daemon.err if " level=warning " in l and "sink=chat" in l]
    clean(fake)


def test_a_reopened_alert_is_a_new_message(scene):
    fake, sink = bot(scene)
    sim, daemon = begin(scene, fake, sink)
    step(scene, daemon, sim, "al-1", "resolved")
    step(scene, daemon, sim, "al-1", "open")
    step(scene, daemon, sim, "al-1", "resolved")
    first, second = fake.top()
    assert [told(m) for m in fake.replies(first["ts"])] == ["✔ [HIGH] resolved: Title 1"]
    assert [told(m) for m in fake.replies(second["ts"])] == ["✔ [HIGH] resolved: Title 1"]
    assert len(first["edits"]) == 1 and second["edits"][0]["text"] == "[HIGH] reopened: Title 1"
    clean(fake)


@pytest.mark.parametrize("thread,update,methods", [
    (True, False, ["chat.postMessage"] * 3),
    (False, True, ["chat.postMessage"] + ["chat.update", "chat.postMessage"] * 2),
    (False, False, ["chat.postMessage"] * 3),
])
def test_threads_and_updates_can_be_turned_off(scene, thread, update, methods):
    fake, sink = bot(scene, thread=thread, update=update)
    sim, daemon = begin(scene, fake, sink)
    first = fake.top()[0]
    step(scene, daemon, sim, "al-1", "acknowledged")
    step(scene, daemon, sim, "al-1", "resolved")
    assert [m for m, _, _ in fake.calls] == methods
    assert len(first["edits"]) == (2 if update else 0)
    assert len(fake.replies(first["ts"])) == (2 if thread else 0)
    assert len(fake.top()) == (1 if thread else 3)
    clean(fake)


def test_a_message_that_was_deleted_is_followed_by_a_new_one(scene):
    fake, sink = bot(scene)
    sim, daemon = begin(scene, fake, sink)
    fake.delete(fake.top()[0]["ts"])
    step(scene, daemon, sim, "al-1", "acknowledged")
    anew = fake.top()[0]
    assert told(anew) == "[HIGH] acknowledged: Title 1" and not anew["edits"]
    step(scene, daemon, sim, "al-1", "resolved")
    assert colour(anew) == GREEN and [told(m) for m in fake.replies(anew["ts"])] == [
        "✔ [HIGH] resolved: Title 1"]
    assert len(fake.top()) == 1 and not fake.blunders


@pytest.mark.parametrize("word", ["cannot_reply_to_message", "restricted_action_thread_locked"])
def test_a_thread_that_takes_no_replies_is_followed_by_a_new_message(scene, word):
    fake, sink = bot(scene, lambda method, body: error(word) if "thread_ts" in body else None)
    sim, daemon = begin(scene, fake, sink)
    step(scene, daemon, sim, "al-1", "resolved")
    first, anew = fake.top()
    assert colour(first) == colour(anew) == GREEN
    assert told(anew) == "✔ [HIGH] resolved: Title 1"


def test_a_requeued_open_rings_in_the_channel_again(scene):
    fake, sink = bot(scene)
    sim, daemon = begin(scene, fake, sink)
    row = scene.query("SELECT id FROM v_deliveries")[0]["id"]
    done = run(daemon.config, "requeue", str(row))
    assert done.returncode == 0, done.stderr
    reply = wait_for(lambda: fake.replies(fake.top()[0]["ts"]), what="the reply")[0]
    assert reply["is_broadcast"] and told(reply) == "[HIGH] opened: Title 1"
    scene.wait_drained()
    step(scene, daemon, sim, "al-1", "resolved")
    assert len(fake.top()) == 1 and colour(fake.top()[0]) == GREEN
    clean(fake)


# ---- refusals --------------------------------------------------------------------------------


def once(answer, method="chat.postMessage"):
    """trouble: the first request of that method meets this answer."""
    left = [answer]
    return lambda asked, body: left.pop() if left and asked == method else None


def test_what_slack_refuses_goes_out_as_plain_text(scene):
    refusal = error("invalid_blocks", errors=["must be less than 3001 characters"])
    fake, sink = bot(scene, once(refusal))
    _, daemon = begin(scene, fake, sink)
    assert fake.top()[0]["shown"] == {"text": "[HIGH] opened: Title 1"}
    line = daemon.says("retry", sink="chat")
    assert "must be less than 3001 characters" in line["reason"] and "template" in line["hint"]
    assert line["level"] == "warning"


def test_what_slack_refuses_even_as_plain_text_is_a_dead_letter(scene):
    scene.expect("msg=dead")
    refusal = error("invalid_blocks")
    chat = scene.receiver(Slack(lambda method, body: refusal))
    daemon = scene.tocsin(scene.api([alert(1)]), [slack_bot("chat", chat)])
    assert "invalid_blocks" in daemon.says("dead", sink="chat")["reason"]
    assert len(chat.seen) == 2


def test_an_update_that_is_refused_keeps_no_reply_back(scene):
    fake, sink = bot(scene, lambda method, body: error("msg_too_long") if method == "chat.update" else None)
    sim, daemon = begin(scene, fake, sink)
    step(scene, daemon, sim, "al-1", "resolved")
    assert [told(m) for m in fake.replies(fake.top()[0]["ts"])] == ["✔ [HIGH] resolved: Title 1"]
    assert fake.count("chat.update") == 2  # once more as plain text


def test_a_webhook_is_sent_plain_text_too(scene):
    answers = [{"status": 400, "body": "invalid_blocks"}]
    chat = scene.receiver(lambda call: answers.pop() if answers else {})
    scene.tocsin(scene.api([alert(1)]), [slack("chat", chat)])
    wait_for(chat.accepted)
    assert chat.bodies() == [{"text": "[HIGH] opened: Title 1", "unfurl_links": False,
                              "unfurl_media": False}]


def mend_scope(fake):
    fake.tokens[TOKEN] = "chat:write"


def mend_archive(fake):
    fake.is_archived = False


HELD = {
    # how it is broken, what the hint says, how it is mended
    "missing_scope": (lambda f: f.tokens.update({TOKEN: "commands"}), "chat:write (it has commands)", mend_scope),
    "invalid_auth": (lambda f: f.tokens.clear(), "token", mend_scope),
    "is_archived": (lambda f: setattr(f, "is_archived", True), "channel", mend_archive),
}


@pytest.mark.parametrize("word", HELD)
def test_what_the_operator_must_mend_holds_the_sink_and_loses_nothing(scene, word):
    broken, hint, mend = HELD[word]
    scene.expect("msg=sink-down")
    fake, sink = bot(scene)
    broken(fake)
    daemon = scene.tocsin(scene.api([alert(1)]), [sink])
    line = daemon.says("sink-down", sink="chat")
    assert line["level"] == "error" and word in line["reason"] and hint in line["hint"]
    mend(fake)
    scene.wait_drained()
    assert len(fake.top()) == 1
    assert TOKEN not in "\n".join(daemon.err)


def test_a_slow_down_is_obeyed_and_a_word_that_is_not_known_is_tried_again(scene):
    answers = [error("something_new"), error("ratelimited", 429, headers={"Retry-After": "1"})]
    fake = Slack(lambda method, body: answers.pop() if answers else None)
    chat = scene.receiver(fake)
    daemon = scene.tocsin(scene.api([alert(1)]), [slack_bot("chat", chat)])
    wait_for(fake.top)
    scene.wait_drained()
    seen = [s.at for s in chat.seen]
    assert seen[1] - seen[0] >= 1.0
    assert "something_new" in daemon.says("retry", sink="chat", reason="something_new")["reason"]


# ---- killed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["chat.update", "chat.postMessage"])
def test_a_kill_between_the_steps_repeats_nothing_that_is_not_marked(scene, at):
    """The request is heard and its answer never: killed while it is under way."""
    gate = {"delay": 0}

    def trouble(method, body):
        is_here = method == at and gate["delay"] and ("thread_ts" in body or method == "chat.update")
        return {"after": True, "delay": gate["delay"], "body": "{}"} if is_here else None

    fake, sink = bot(scene, trouble)
    sim, daemon = begin(scene, fake, sink)
    first = fake.top()[0]
    gate["delay"] = 1.5
    before = fake.count(at)
    sim.change("al-1", status="resolved", resolved_at=newer())
    daemon.poll()
    wait_for(lambda: fake.count(at) > before, what=at)
    daemon.kill9()
    gate["delay"] = 0
    daemon = scene.start(daemon.config)
    wait_for(lambda: scene.count("SELECT count(*) FROM v_deliveries WHERE state = 'done'") == 2)
    replies = fake.replies(first["ts"])
    marked = ["possible repeat" in json.dumps(m["shown"]) for m in replies]
    assert marked in ([True], [False, True]) and len(replies) == (1 if at == "chat.update" else 2)
    assert len(fake.top()) == 1 and colour(first) == GREEN and not fake.blunders


def test_a_step_that_is_done_is_not_done_again_after_a_kill(scene):
    """The reply meets a 503 and waits; the update before it is stored."""
    scene.expect("msg=sink-down")
    down = [True]

    def trouble(method, body):
        return {"status": 503, "body": ""} if down[0] and "thread_ts" in body else None

    fake, sink = bot(scene, trouble)
    sim, daemon = begin(scene, fake, sink)
    sim.change("al-1", status="resolved", resolved_at=newer())
    daemon.poll()
    wait_for(lambda: scene.query("SELECT progress FROM v_deliveries WHERE progress = 'updated' "
                                 "AND attempt > 0 AND state = 'due'"), what="the reply to fail")
    daemon.kill9()
    down[0] = False
    scene.start(daemon.config)
    wait_for(lambda: fake.replies(fake.top()[0]["ts"]), what="the reply")
    scene.wait_drained()
    assert fake.count("chat.update") == 1 and len(fake.messages) == 2


# ---- by hand ---------------------------------------------------------------------------------


def test_send_shows_the_request_without_the_token(scene):
    fake, sink = bot(scene)
    config = scene.config(scene.api(), [sink])
    done = run(config, "send", "chat")
    assert done.returncode == 0, done.stdout + done.stderr
    assert TOKEN not in done.stdout + done.stderr and len(fake.top()) == 1
    assert told(fake.top()[0]).startswith("[TEST]")
    clean(fake)
