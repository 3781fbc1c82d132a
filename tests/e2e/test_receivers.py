"""A receiver may do what it likes: there is a verdict, a line with the knob, and a retry."""
import base64
import email.utils
import json
import time

import pytest

from fakes import alert, check_signature, flaky, heard, notes, wait_for
from programs import newer, slack, webhook

KEY_ONE = "whsec_" + base64.b64encode(b"1" * 32).decode()
KEY_TWO = "whsec_" + base64.b64encode(b"2" * 32).decode()


def at_first(*behaviours):
    """The first requests meet these, each later one is accepted."""
    return lambda call: behaviours[call.number - 1] if call.number <= len(behaviours) else {}


# ---- broken conversations --------------------------------------------------------------------

BROKEN = {
    "reset": ({"kind": "reset"}, "cut", True),
    "hang": ({"kind": "hang", "seconds": 3}, "timed out", True),
    "cut in mid-answer of a failure": ({"status": 500, "body": "oh", "length": 99}, "", None),
    "huge failure": ({"status": 500, "body": "x" * (4 << 20)}, "500", False),
    "endless failure": ({"kind": "endless", "status": 503}, "503", False),
    "binary": ({"status": 502, "body": bytes(range(256)) * 9}, "502", False),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_is_a_verdict_a_line_and_a_retry_of_the_same_delivery(scene, name):
    """Invariant 2: what may have been heard comes again marked, under the same webhook-id."""
    behaviour, reason, unsure = BROKEN[name]
    hook = scene.receiver(at_first(behaviour))
    sink = webhook("hook", hook, timeout="500ms", secret=KEY_ONE)
    daemon = scene.tocsin(scene.api([alert(1)]), [sink])
    wait_for(hook.accepted)
    line = daemon.log("retry")[0]
    assert line["sink"] == "hook" and reason in line["reason"] and len(line["reason"]) < 400
    assert (line.get("maybe_sent") == "true") == bool(unsure) or unsure is None
    first, second = hook.seen
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    repeat = json.loads(second.body)["data"].get("possible_repeat", False)
    assert repeat == (line.get("maybe_sent") == "true")
    assert all(check_signature(s, KEY_ONE) for s in hook.seen)
    assert all(len(l) < 3000 and l.isprintable() for l in daemon.err)


@pytest.mark.parametrize("behaviour", [
    {"body": "y" * (2 << 20)},
    {"kind": "endless"},
    {"body": "ok", "length": 4096},
])
def test_a_yes_is_a_yes_whatever_follows_it_and_64_kib_of_it_are_read(scene, behaviour):
    hook = scene.receiver(behaviour)
    daemon = scene.tocsin(scene.api([alert(1)]), [webhook("hook", hook, timeout="10s")])
    line = daemon.says("delivered")
    assert line["attempt"] == "1" and int(line["took_ms"]) < 3000
    scene.wait_drained()
    assert len(hook.seen) == 1
    if "kind" in behaviour:
        wait_for(lambda: hook.poured)
        assert hook.poured[0] < 32 << 20, "it was read to the end"


def test_a_redirect_is_never_followed_and_the_operator_told(scene):
    scene.expect("msg=sink-down sink=hook")
    trap = scene.receiver()
    hook = scene.receiver()
    hook.behave = at_first({"status": 302, "headers": {"Location": trap.url()}},
                           {"status": 307, "headers": {"Location": trap.url("/again")}})
    daemon = scene.tocsin(scene.api([alert(1)]), [webhook("hook", hook)])
    wait_for(hook.accepted)
    line = daemon.log("sink-down")[0]
    assert line["level"] == "error" and "302" in line["reason"] and "sinks: hook: url" in line["hint"]
    assert not trap.seen


# ---- what they say ---------------------------------------------------------------------------


def test_retry_after_in_seconds_is_obeyed_to_the_second_and_holds_the_whole_sink(scene):
    hook = scene.receiver(at_first({"status": 429, "headers": {"Retry-After": "2"}}))
    api = scene.api([alert(1)])
    daemon = scene.tocsin(api, [webhook("hook", hook)])
    line = daemon.says("sink-down")
    api.items.append(alert(2))
    assert "429" in line["reason"] and "sinks: hook: rate" in line["hint"]
    wait_for(lambda: len(hook.accepted()) == 2)
    assert 2.0 <= hook.seen[1].at - hook.seen[0].at < 4.0
    assert not any(note[2] for note in notes(hook))


def test_retry_after_as_a_date_is_obeyed(scene):
    until = time.time() + 3
    date = email.utils.formatdate(until, usegmt=True)
    hook = scene.receiver(at_first({"status": 503, "headers": {"Retry-After": date}}))
    scene.tocsin(scene.api([alert(1)]), [webhook("hook", hook)])
    wait_for(hook.accepted)
    assert int(until) <= hook.seen[1].at < until + 3


@pytest.mark.parametrize("value", ["never", "-5", "99999999999999999999", ""])
def test_a_nonsensical_retry_after_is_an_ordinary_wait(scene, value):
    hook = scene.receiver(at_first({"status": 503, "headers": {"Retry-After": value}}))
    sink = webhook("hook", hook, retry_after_max="500ms")
    scene.tocsin(scene.api([alert(1)]), [sink])
    wait_for(hook.accepted)
    assert hook.seen[1].at - hook.seen[0].at < 3


def test_retry_after_survives_a_restart(scene):
    """Sinks have a stored state."""
    hook = scene.receiver(at_first({"status": 429, "headers": {"Retry-After": "3"}}))
    config = scene.config(scene.api([alert(1)]), [webhook("hook", hook)])
    daemon = scene.start(config)
    daemon.says("sink-down")
    scene.stop(daemon)
    scene.start(config).says("ready")
    wait_for(hook.accepted)
    assert hook.seen[1].at - hook.seen[0].at >= 3.0


def test_one_refused_payload_is_a_dead_letter_and_the_others_go_on(scene):
    """Invariant 7."""
    scene.expect("msg=dead sink=hook")
    hook = scene.receiver(lambda call: {"status": 400, "body": "no such field"}
                          if b'"al-7"' in call.body else {})
    daemon = scene.tocsin(scene.api([alert(n) for n in range(20)]), [webhook("hook", hook)])
    line = daemon.says("dead")
    assert line["alert"] == "al-7" and line["status"] == "400" and "no such field" in line["reason"]
    assert "sinks: hook: template" in line["hint"]
    scene.wait_drained()
    assert heard(hook) == {(f"al-{n}", "opened"): 1 for n in range(20) if n != 7}
    assert not daemon.log("sink-down")
    dead = scene.query("SELECT alert_id, reason FROM v_deliveries WHERE state = 'dead'")
    assert [d["alert_id"] for d in dead] == ["al-7"] and "no such field" in dead[0]["reason"]


def test_five_payloads_refused_in_a_row_hold_the_sink_instead_of_emptying_the_queue(scene):
    """Invariant 7."""
    scene.expect("msg=dead", "msg=sink-down")
    hook = scene.receiver({"status": 422, "body": "bad"})
    daemon = scene.tocsin(scene.api([alert(n) for n in range(30)]), [webhook("hook", hook, window=1)])
    line = daemon.says("sink-down")
    wait_for(lambda: len(hook.seen) > 7)
    assert len(daemon.log("dead")) == 4
    assert line["level"] == "error" and "5 payloads refused in a row" in line["reason"]
    assert scene.count("SELECT count(*) FROM v_deliveries WHERE state = 'dead'") == 4
    hook.behave = {}
    scene.wait_drained()
    assert len(hook.accepted()) == 26


HELD = {401: "secret", 403: "secret", 404: "url", 405: "url", 410: "url"}


@pytest.mark.parametrize("status", HELD)
def test_a_revoked_address_or_login_holds_the_sink_and_names_sink_reason_and_knob(scene, status):
    """Invariant 7: the queue is kept, another sink goes on."""
    scene.expect("msg=sink-down sink=hook")
    hook, other = scene.receiver({"status": status, "body": "go away"}), scene.receiver()
    api = scene.api([alert(n) for n in range(12)])
    daemon = scene.tocsin(api, [webhook("hook", hook, secret=KEY_ONE), webhook("other", other)])
    line = daemon.says("sink-down", sink="hook")
    assert line["level"] == "error" and str(status) in line["reason"] and "go away" in line["reason"]
    assert "sinks: hook: " in line["hint"] and HELD[status] in line["hint"]
    wait_for(lambda: len(other.accepted()) == 12)
    wait_for(lambda: len(hook.seen) >= 10, what="a probe after the first window")
    assert not daemon.log("dead") and len(daemon.log("sink-down")) == 1
    hook.behave = {}
    scene.wait_drained()
    daemon.says("sink-up", sink="hook")
    assert heard(hook) == heard(other)


def test_what_a_receiver_echoes_of_our_secrets_is_masked(scene):
    scene.expect("msg=sink-down")
    hook = scene.receiver()
    path = "/T0/B0/verysecretpath"
    hook.behave = {"status": 404, "body": f"no {path} here, {KEY_ONE}, tok-hunter2-hunter2"}
    sink = webhook("hook", hook, url=hook.url(path), secret=KEY_ONE, bearer="tok-hunter2-hunter2")
    daemon = scene.tocsin(scene.api([alert(1)]), [sink])
    assert "***" in daemon.says("sink-down")["reason"]
    wait_for(lambda: len(daemon.log("retry")) >= 2)
    scene.stop(daemon)
    store = str(scene.query("SELECT * FROM v_attempts") + scene.query("SELECT * FROM v_deliveries")
                + scene.query("SELECT * FROM v_sinks"))
    for text in ("verysecretpath", KEY_ONE, "hunter2"):
        assert text not in "\n".join(daemon.err) and text not in store


# ---- what they get ---------------------------------------------------------------------------


def test_a_signature_is_right_for_each_of_two_secrets_and_fresh_at_each_attempt(scene):
    hook = scene.receiver(at_first({"status": 503}))
    sink = webhook("hook", hook, secret=[KEY_ONE, KEY_TWO], headers={"X-Team": "sec"},
                   retry={"min": "3s", "max": "4s"})
    daemon = scene.tocsin(scene.api([alert(1, title="Grüße \" 東京")]), [sink])
    daemon.says("retry")
    wait_for(hook.accepted)
    for seen in hook.seen:
        assert check_signature(seen, KEY_ONE) and check_signature(seen, KEY_TWO)
        assert not check_signature(seen, "whsec_" + base64.b64encode(b"3" * 32).decode())
        assert abs(int(seen.headers["webhook-timestamp"]) - seen.at) < 3
        assert "." not in seen.headers["webhook-id"]
        assert seen.headers["content-type"] == "application/json"
        assert seen.headers["x-team"] == "sec" and seen.headers["user-agent"].startswith("tocsin/")
    assert hook.seen[0].headers["webhook-id"] == hook.seen[1].headers["webhook-id"]


SLACK = {
    # answer: (status, body), what becomes of the row, part of what is said
    "invalid_payload": ((400, "invalid_payload"), "dead", "template"),
    "no_text by 200": ((200, "no_text"), "dead", "template"),
    "no_service": ((404, "no_service"), "held", "sinks: chat: url"),
    "invalid_token as 400": ((400, "invalid_token"), "held", "sinks: chat: url"),
    "invalid_token as 403": ((403, "invalid_token"), "held", "sinks: chat: url"),
    "channel_is_archived": ((410, "channel_is_archived"), "held", "channel"),
    "a page by 200": ((200, "<html>Welcome</html>"), "held", "incoming webhook"),
    "ok:false by 200": ((200, '{"ok":false,"error":"no_service"}'), "held", "sinks: chat: url"),
    "rate_limited": ((429, "rate_limited"), "waits", "rate"),
    "rollup_error": ((500, "rollup_error"), "waits", ""),
}


@pytest.mark.parametrize("name", SLACK)
def test_slack_is_judged_by_its_words(scene, name):
    (status, body), becomes, said = SLACK[name]
    scene.expect("msg=dead" if becomes == "dead" else "msg=sink-down")
    answer = {"status": status, "body": body, "headers": {"Content-Type": "text/html"}}
    chat = scene.receiver(answer if becomes == "dead" else at_first(answer))
    daemon = scene.tocsin(scene.api([alert(1)]), [slack("chat", chat)])
    line = daemon.says("dead" if becomes == "dead" else "sink-down", sink="chat")
    assert said in line.get("hint", "") and line["level"] == ("warning" if becomes == "waits" else "error")
    if becomes != "dead":
        wait_for(lambda: len(chat.seen) == 2)
    scene.wait_drained()
    state = scene.query("SELECT state, attempt FROM v_deliveries")
    assert state == ([{"state": "dead", "attempt": 1}] if becomes == "dead" else
                     [{"state": "done", "attempt": 2}])


def test_nothing_of_an_alert_can_mention_or_link_in_slack_and_the_json_is_valid(scene):
    evil = '<!channel> & <https://evil|click> "quote" \\ \n\t\u2028 ' + "&" * 3000
    chat = scene.receiver()
    scene.tocsin(scene.api([alert(1, title=evil, message=evil, type="<!here>")]), [slack("chat", chat)])
    wait_for(chat.accepted)
    body = chat.accepted()[0].body.decode()
    message = json.loads(body)
    assert "<!channel>" not in body and "<https://evil" not in body and "<!here>" not in body
    assert "&lt;!channel&gt; &amp; &lt;https://evil|click&gt;" in message["text"]
    for part in message["blocks"] + message["attachments"][0]["blocks"]:
        texts = [part["text"]] if "text" in part else part.get("fields") or part["elements"]
        assert all(0 < len(t["text"]) <= 3000 for t in texts)


# ---- order and collapse ----------------------------------------------------------------------


def test_a_close_never_overtakes_its_open_at_a_flaky_receiver(scene):
    """Invariant 6, with one in flight per sink and alert."""
    chance = flaky(7, share=0.4, hang=0.1)
    flying, clashes = {}, []

    def behave(call):
        alert_id = json.loads(call.body)["data"]["alert"]["id"]
        flying[alert_id] = flying.get(alert_id, 0) + 1
        if flying[alert_id] > 1:
            clashes.append(alert_id)
        time.sleep(0.003)
        flying[alert_id] -= 1
        return chance(call)

    sim, hook = scene.sim(), scene.receiver(behave)
    sink = webhook("hook", hook, timeout="1s", retry={"min": "10ms", "max": "50ms"})
    sim.put(*(alert(n) for n in range(60)))
    daemon = scene.tocsin(sim, [sink])
    for status, kind in (("acknowledged",) * 2, ("resolved",) * 2, ("open", "reopened")):
        wait_for(lambda: hook.count > 20)
        for n in range(60):
            sim.change(f"al-{n}", status=status)
        daemon.poll()
        sql = "SELECT count(*) FROM v_events WHERE kind = ?"
        wait_for(lambda k=kind: scene.count(sql, k) == 60, what=kind)
    scene.wait_drained(60)
    told = {}
    for alert_id, event, _ in notes(hook):
        told.setdefault(alert_id, []).append(event)
    assert len(told) == 60 and not clashes
    assert all(t == ["opened", "acknowledged", "resolved", "reopened"] for t in told.values())


def test_collapse_folds_what_waits_into_the_newest_and_says_so(scene):
    sim, chat, hook = scene.sim(), scene.receiver({"status": 503}), scene.receiver({"status": 503})
    sinks = [slack("chat", chat, collapse=True), webhook("hook", hook, collapse=False)]
    sim.put(alert(1), alert(2))
    daemon = scene.tocsin(sim, sinks)
    daemon.says("sink-down", sink="chat")
    daemon.says("sink-down", sink="hook")
    for status, kind in (("acknowledged",) * 2, ("resolved",) * 2):
        sim.change("al-1", status=status, resolved_at=newer())
        daemon.poll()
        wait_for(lambda k=kind: scene.count("SELECT count(*) FROM v_events WHERE kind = ?", k))
    chat.behave = hook.behave = {}
    scene.wait_drained()
    assert heard(hook) == {("al-1", "opened"): 1, ("al-1", "acknowledged"): 1,
                           ("al-1", "resolved"): 1, ("al-2", "opened"): 1}
    assert heard(chat) == {("al-1", "resolved"): 1, ("al-2", "opened"): 1}
    dropped = scene.query("SELECT event, reason FROM v_deliveries WHERE state = 'dropped' ORDER BY id")
    assert [(d["event"], d["reason"]) for d in dropped] == [
        ("opened", "superseded"), ("acknowledged", "superseded")]


def test_a_row_that_may_have_been_heard_is_never_folded_away(scene):
    sim, chat = scene.sim(), scene.receiver({"kind": "reset"})
    sim.put(alert(1))
    daemon = scene.tocsin(sim, [slack("chat", chat, collapse=True)])
    daemon.says("retry", sink="chat")
    sim.change("al-1", status="resolved", resolved_at=newer())
    daemon.poll()
    wait_for(lambda: scene.count("SELECT count(*) FROM v_events") == 2)
    chat.behave = {}
    scene.wait_drained()
    assert notes(chat) == [("al-1", "opened", True), ("al-1", "resolved", False)]
