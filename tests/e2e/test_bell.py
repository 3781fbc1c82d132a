"""The whole job on real input: what the API lists is heard by every sink, once, and followed."""
import json
import time

import pytest

from fakes import alert, flaky, heard, notes, wait_for
from programs import newer, plain_email, slack, webhook

SEED = 20261124


def events_seen(scene, kind):
    return scene.count("SELECT count(*) FROM v_events WHERE kind = ?", kind)


def resolve(sim, alert_id):
    sim.change(alert_id, status="resolved", resolved_at=newer())


def test_a_thousand_alerts_reach_three_sinks_once_each_though_one_is_flaky_and_one_down(scene):
    """Invariants 4, 5 and 7: each event of each alert once to each sink, an alert that is
    acknowledged and resolved followed on all, a dead sink slowing no other."""
    sim = scene.sim()
    hook, chat, post = scene.receiver(flaky(SEED)), scene.receiver(), scene.mail()
    chat.down()
    up_at = time.monotonic() + 10
    sinks = [
        webhook("hook", hook, timeout="1500ms", retry={"min": "20ms", "max": "200ms"}),
        slack("chat", chat, collapse=False),
        plain_email("post", post, collapse=False),
    ]
    sim.put(*(alert(n, created_at=newer(n / 100)) for n in range(1000)))
    daemon = scene.tocsin(sim, sinks, source_keys={"poll_every": "1s"})
    daemon.says("sink-down", sink="chat")
    wait_for(lambda: events_seen(scene, "opened") == 1000, what="1000 opened")
    for n in range(250):
        sim.change(f"al-{n}", status="acknowledged")
    daemon.poll()
    wait_for(lambda: events_seen(scene, "acknowledged") == 250, what="250 acknowledged")
    for n in range(400):
        resolve(sim, f"al-{n}")
    daemon.poll()
    wait_for(lambda: events_seen(scene, "resolved") == 400, what="400 resolved")

    want = {(f"al-{n}", "opened"): 1 for n in range(1000)}
    want |= {(f"al-{n}", "acknowledged"): 1 for n in range(250)}
    want |= {(f"al-{n}", "resolved"): 1 for n in range(400)}
    # the others do not wait for the one that is down
    wait_for(lambda: len(post.mails) == len(want), 60, "the mail sink to be through")
    probes = len(daemon.log("retry", sink="chat"))
    assert not chat.seen and 2 <= probes < 300, "held, not hammered"
    wait_for(lambda: time.monotonic() >= up_at)
    chat.up()
    scene.wait_drained(60)

    for fake in (hook, chat, post):
        assert heard(fake) == want
        assert_in_order(notes(fake))
    ends = scene.query("SELECT sink, state, count(*) AS n FROM v_deliveries GROUP BY 1, 2")
    assert sorted(map(tuple, (e.values() for e in ends))) == [
        ("chat", "done", 1650), ("hook", "done", 1650), ("post", "done", 1650)]
    assert len(hook.seen) > 1850, "the flaky one was not flaky"
    # what met a reset or a silence may have been heard, and says so when it comes again
    unsure = {s.headers["webhook-id"] for s in hook.all() if s.status == 0}
    for seen in hook.accepted():
        repeat = json.loads(seen.body)["data"].get("possible_repeat", False)
        assert repeat == (seen.headers["webhook-id"] in unsure)
    assert not any(note[2] for note in notes(post) + notes(chat))


def assert_in_order(notes):
    """Invariant 6: a close never overtakes its open."""
    rank = {"opened": 0, "acknowledged": 1, "resolved": 2}
    last = {}
    for alert_id, event, _ in notes:
        assert rank[event] > last.get(alert_id, -1), (alert_id, event)
        last[alert_id] = rank[event]


def test_what_is_listed_again_rings_once_whatever_the_poll_or_restart(scene):
    sim, hook = scene.sim("--history", "250"), scene.receiver()
    config = scene.config(sim, [webhook("hook", hook)])
    daemon = scene.start(config)
    wait_for(lambda: len(hook.seen) >= 100)
    wait_for(lambda: sim.requests("/v1/alerts") >= 12, what="four passes of three pages")
    scene.wait_drained()
    scene.stop(daemon)
    first = heard(hook)
    assert set(first.values()) == {1} and scene.count("SELECT count(*) FROM v_alerts") == 250
    before = sim.requests("/v1/alerts")
    scene.start(config)
    wait_for(lambda: sim.requests("/v1/alerts") >= before + 6, what="two passes more")
    scene.wait_drained()
    assert heard(hook) == first


def test_every_change_of_status_is_an_event_and_a_reopened_alert_a_new_episode(scene):
    sim, hook = scene.sim(), scene.receiver()
    sim.put(alert(1))
    daemon = scene.tocsin(sim, [webhook("hook", hook)])
    steps = [("acknowledged", "acknowledged"), ("resolved", "resolved"), ("open", "reopened"),
             ("resolved", "resolved")]
    wait_for(lambda: len(hook.seen) == 1)
    for count, (status, _) in enumerate(steps, 2):
        sim.change("al-1", status=status)
        daemon.poll()
        wait_for(lambda c=count: len(hook.seen) == c, what=status)
    bodies = hook.bodies()
    assert [b["type"] for b in bodies] == ["alert.opened"] + ["alert." + kind for _, kind in steps]
    assert [b["data"]["alert"]["status"] for b in bodies] == ["open"] + [s for s, _ in steps]
    rows = scene.query("SELECT kind, episode FROM v_events ORDER BY id")
    assert [r["episode"] for r in rows] == [1, 1, 1, 2, 2]


def test_the_alerts_own_bytes_are_forwarded_as_they_came(scene):
    """Numbers past 2^53, unknown fields, odd spacing: byte for byte."""
    raw = ('{"id":"al-9","type":"quantum_event","severity":"apocalyptic","status":"odd", '
           '"title":"T","n":12345678901234567890.10,"x":{"b":[1,  2],"a":null},"id2":"\\u00e9"}')
    sim, hook = scene.sim(), scene.receiver()
    sim.put({"raw": raw})
    scene.tocsin(sim, [webhook("hook", hook)])
    wait_for(lambda: hook.seen)
    assert raw.encode() in hook.seen[0].body


def test_start_now_records_the_history_silently_and_rings_what_is_new(scene):
    sim, hook = scene.sim(), scene.receiver()
    sim.put(alert(1), alert(2, status="resolved", resolved_at="2026-01-16T10:30:00Z"))
    config = scene.config(sim, [webhook("hook", hook)], source_keys={"start": "now"})
    daemon = scene.start(config)
    states = "SELECT count(*) FROM v_alerts WHERE state = 'silent'"
    daemon.says("ready")
    assert scene.count(states) == 2
    sim.change("al-1", status="acknowledged")
    sim.put(alert(3, created_at=newer(2)))
    wait_for(lambda: hook.seen)
    scene.stop(daemon)
    # the baseline is that of the first start: what is new between two runs rings
    sim.put(alert(4, created_at=newer(2)), alert(5, created_at="2026-01-17T00:00:00Z"))
    sim.change("al-1", status="resolved")
    scene.start(config)
    wait_for(lambda: len(hook.seen) == 2)
    wait_for(lambda: scene.count("SELECT count(*) FROM v_alerts") == 5)
    scene.wait_drained()
    assert heard(hook) == {("al-3", "opened"): 1, ("al-4", "opened"): 1}
    assert scene.count(states) == 3


def test_an_alert_first_seen_resolved_is_one_event_that_says_so(scene):
    sim, hook, chat = scene.sim(), scene.receiver(), scene.receiver()
    sim.put(alert(1, status="resolved", resolved_at="2026-01-16T10:30:00Z"))
    scene.tocsin(sim, [webhook("hook", hook), slack("chat", chat)])
    wait_for(lambda: hook.seen and chat.seen)
    scene.wait_drained()
    body = hook.bodies()[0]
    assert body["type"] == "alert.resolved" and body["data"]["first"] is True
    assert "opened and resolved" in json.loads(chat.seen[0].body)["text"]
    assert len(hook.seen) == len(chat.seen) == 1


# ---- who we are to the API -------------------------------------------------------------------


def test_a_token_is_renewed_ahead_so_that_no_request_is_refused(scene):
    sim, hook = scene.sim("--token-ttl", "3s"), scene.receiver()
    login = {"client_id": "sandbox", "client_secret": "sandbox"}
    began = time.monotonic()
    scene.tocsin(sim, [webhook("hook", hook)], source_keys=login)
    wait_for(lambda: sim.requests("/v1/oauth/token") == 2, 20, "a renewal")
    assert time.monotonic() - began < 3, "ahead of the end"
    wait_for(lambda: time.monotonic() > began + 3, what="the end of the first token")
    before = sim.requests("/v1/alerts")
    wait_for(lambda: sim.requests("/v1/alerts") > before + 1, what="a poll by the second")
    assert sim.requests("/v1/alerts", 401) == 0


def test_a_token_that_is_refused_is_renewed_once_and_the_request_repeated(scene):
    sim, hook = scene.sim(), scene.receiver()
    login = {"client_id": "sandbox", "client_secret": "sandbox"}
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=login)
    daemon.says("token-renewed")
    wait_for(lambda: sim.requests("/v1/alerts") > 2)
    sim.expire(tokens=True)
    sim.put(alert(1))
    wait_for(lambda: hook.seen)
    assert sim.requests("/v1/alerts", 401) == 1
    assert len(daemon.log("token-renewed")) == sim.requests("/v1/oauth/token") == 2
    assert not daemon.log("poll-failed")


@pytest.mark.parametrize("login,msg", [
    ({"api_key": "hunter2-hunter2"}, "poll-failed"),
    ({"client_id": "sandbox", "client_secret": "hunter2-hunter2"}, "token-failed"),
])
def test_credentials_that_are_wrong_are_told_with_the_knob_and_never_printed(scene, login, msg):
    scene.expect(f"msg={msg}")
    sim, hook = scene.sim(), scene.receiver()
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=login)
    line = daemon.says(msg)
    assert line["level"] == "error" and line["source"] == "acme"
    assert list(login)[-1] in line["hint"]
    assert "hunter2" not in "\n".join(daemon.err)
    assert sim.requests("/v1/alerts", 401) + sim.requests("/v1/oauth/token", 401) <= 4


def test_the_api_key_is_read_again_when_it_is_refused(scene):
    """A secret that is rotated needs no restart."""
    key = scene.folder / "key"
    key.write_text("old-key\n")
    scene.expect("msg=poll-failed")
    sim, hook = scene.sim(), scene.receiver()
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys={"api_key": f"file:{key}"})
    daemon.says("poll-failed")
    sim.put(alert(1))
    key.write_text("sandbox-key\n")
    daemon.poll()
    wait_for(lambda: hook.seen)


def test_the_rate_limit_is_kept_and_a_429_waited_for(scene):
    sim, hook = scene.sim(), scene.receiver()
    daemon = scene.tocsin(sim, [webhook("hook", hook)])
    wait_for(lambda: sim.requests("/v1/alerts") > 2)
    sim.fault(path="/v1/alerts", kind="status", status=429, retry_after=2, count=1)
    line = daemon.says("poll-failed", reason="429")
    before = sim.requests("/v1/alerts")
    sim.put(alert(1))
    wait_for(lambda: hook.seen)
    seen = daemon.log("polled")[-1]
    assert stamp(seen) - stamp(line) >= 2.0 and sim.requests("/v1/alerts") > before
    assert len(daemon.log("poll-failed")) == 1


def stamp(line):
    """Seconds within the day of a log line."""
    hours, minutes, seconds = line["time"].split("T")[1].rstrip("Z").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


# ---- who hears -------------------------------------------------------------------------------


def test_a_severity_that_rises_is_routed_again_and_the_newly_matched_hear_it_open_and_close(scene):
    """Invariant 5, first half."""
    sim, hook, pager = scene.sim(), scene.receiver(), scene.receiver()
    routes = [
        {"name": "page", "match": ["severity = critical"], "to": ["pager"], "continue": True},
        {"name": "rest", "to": ["hook"]},
    ]
    sim.put(alert(1, severity="low"))
    daemon = scene.tocsin(sim, [webhook("hook", hook), webhook("pager", pager)], routes)
    wait_for(lambda: hook.seen)
    sim.change("al-1", severity="critical")
    daemon.poll()
    wait_for(lambda: pager.seen)
    sim.change("al-1", status="resolved")
    daemon.poll()
    wait_for(lambda: len(pager.seen) == 2 and len(hook.seen) == 2)
    scene.wait_drained()
    once = {("al-1", "opened"): 1, ("al-1", "resolved"): 1}
    assert heard(hook) == once and heard(pager) == once


def test_follow_ups_go_to_those_that_heard_the_open_whatever_the_routes_say_now(scene):
    """Invariant 5, second half, over a change of the configuration."""
    sim, one, two = scene.sim(), scene.receiver(), scene.receiver()
    sinks = [webhook("one", one), webhook("two", two)]
    sim.put(alert(1))
    daemon = scene.tocsin(sim, sinks, [{"name": "first", "to": ["one"]}])
    wait_for(lambda: one.seen)
    scene.stop(daemon)
    sim.change("al-1", status="resolved")
    sim.put(alert(2))
    scene.tocsin(sim, sinks, [{"name": "second", "to": ["two"]}])
    wait_for(lambda: two.seen and len(one.seen) == 2)
    scene.wait_drained()
    assert heard(one) == {("al-1", "opened"): 1, ("al-1", "resolved"): 1}
    assert heard(two) == {("al-2", "opened"): 1}


def test_the_first_route_wins_unless_it_continues_and_an_unrouted_alert_is_recorded(scene):
    sim, one, two = scene.sim(), scene.receiver(), scene.receiver()
    routes = [
        {"name": "a", "match": ["severity >= high"], "to": ["one"], "continue": True},
        {"name": "b", "match": ["title =~ \"Title [12]\""], "to": ["one", "two"]},
        {"name": "c", "match": ["id = al-3"], "to": ["two"], "events": ["resolved"]},
    ]
    sim.put(alert(1, severity="high"), alert(2, severity="low"), alert(3), alert(4, severity="low"))
    sim.change("al-3", severity="low")
    daemon = scene.tocsin(sim, [webhook("one", one), webhook("two", two)], routes)
    wait_for(lambda: len(two.seen) == 2 and len(one.seen) == 2)
    sim.change("al-3", status="resolved")
    daemon.poll()
    wait_for(lambda: len(two.seen) == 3)
    scene.wait_drained()
    assert heard(one) == {("al-1", "opened"): 1, ("al-2", "opened"): 1}
    assert heard(two) == {**heard(one), ("al-3", "resolved"): 1}
    assert one.bodies()[0]["data"]["route"] in ("a", "b")
    assert scene.count("SELECT count(*) FROM v_alerts WHERE id = 'al-4'") == 1
    dropped = scene.query("SELECT alert_id, reason FROM v_deliveries WHERE state = 'dropped'")
    assert dropped == [{"alert_id": "al-3", "reason": "event not chosen"}]
