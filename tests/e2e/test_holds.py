"""What routes hold, with the real program: nothing is lost by it, closes are heard where opens were,
and holds outlive a kill and a reload."""
import collections
import json
import signal
import time

from fakes import alert, heard, wait_for
from programs import newer, webhook


def bodies(fake):
    return [json.loads(seen.body) for seen in fake.all()]


def digests(fake):
    return [b for b in bodies(fake) if b["type"] == "alert.digest"]


def told(fake):
    """(alert, event) of every event, alone or in a digest."""
    count = collections.Counter()
    for body in bodies(fake):
        for item in body["data"]["items"] if body["type"] == "alert.digest" else [body]:
            count[item["data"]["alert"]["id"], item["type"].removeprefix("alert.")] += 1
    return count


def held(scene, reason):
    return scene.count("SELECT count(*) FROM v_deliveries WHERE state = 'held' AND reason = ?", reason)


def route(**keys):
    return [{"name": "all", "to": ["hook"], **keys}]


def window(begins, ends):
    """Quiet hours in UTC from so many minutes before now to so many after."""
    now = time.time()
    return {"from": time.strftime("%H:%M", time.gmtime(now + begins * 60)),
            "until": time.strftime("%H:%M", time.gmtime(now + ends * 60))}


def started(scene, hook, routes, **top):
    sim = scene.sim()
    config = scene.config(sim, [webhook("hook", hook)], routes, {"sweep_every": "1s"}, **top)
    return sim, config, scene.start(config)


def test_a_webhook_that_collapses_hears_each_alert_all_the_same(scene):
    hook = scene.receiver()
    sim = scene.sim()
    scene.start(scene.config(sim, [webhook("hook", hook, collapse=True)],
                             route(group={"wait": "2s", "max": 1000})))
    sim.put(*(alert(n, created_at=newer()) for n in range(30)))
    wait_for(lambda: scene.count("SELECT count(*) FROM v_deliveries") == 30)
    scene.wait_drained()
    assert sorted(told(hook)) == sorted((f"al-{n}", "opened") for n in range(30))


def test_a_group_goes_out_as_one_and_a_retry_is_the_same(scene):
    hook = scene.receiver(lambda call: {"status": 503 if call.number == 1 else 200})
    sim, _, _ = started(scene, hook, route(group={"by": ["type"], "wait": "2s", "max": 10}))
    sim.put(alert(1, created_at=newer()), alert(2, created_at=newer()),
            alert(3, type="budget_exceeded", created_at=newer()))
    wait_for(lambda: scene.count("SELECT count(*) FROM v_deliveries") == 3)
    scene.wait_drained()
    group = [b for b in digests(hook)]
    assert {i["data"]["alert"]["id"] for i in group[-1]["data"]["items"]} == {"al-1", "al-2"}
    assert group[-1]["data"]["why"] == "group" and group[-1]["data"]["count"] == 2
    ids = collections.defaultdict(set)
    for seen in hook.all():
        ids[seen.headers["webhook-id"]].add(seen.body)
    assert all(len(each) == 1 for each in ids.values()), "a retry is not the same"
    assert told(hook)["al-3", "opened"] >= 1


def test_quiet_hours_hold_across_a_kill_and_a_reload_and_what_breaks_through_does(scene):
    hook = scene.receiver()
    quiet = {**window(-5, 60), "except": ["severity = critical"]}
    sim, config, daemon = started(scene, hook, route(quiet=[quiet]))
    sim.put(alert(1, created_at=newer()), alert(2, created_at=newer()),
            alert(3, severity="critical", created_at=newer()))
    wait_for(lambda: told(hook)["al-3", "opened"] == 1)
    wait_for(lambda: held(scene, "quiet") == 2)
    daemon.kill9()
    daemon = scene.start(config)
    sim.change("al-3", status="resolved")
    wait_for(lambda: told(hook)["al-3", "resolved"] == 1)
    sim.change("al-1", status="resolved")
    wait_for(lambda: held(scene, "quiet") == 3)
    assert set(told(hook)) == {("al-3", "opened"), ("al-3", "resolved")}
    # A row that waits keeps its time; a new one is held as the route says now.
    scene.config(sim, [webhook("hook", hook)], route(), {"sweep_every": "1s"})
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: daemon.log("reloaded"))
    sim.put(alert(4, created_at=newer()))
    wait_for(lambda: told(hook)["al-4", "opened"] == 1)
    assert held(scene, "quiet") == 3


def test_a_delay_drops_what_is_over_within_it_and_lets_the_rest_through(scene):
    hook = scene.receiver()
    sim, _, _ = started(scene, hook, route(delay="3s"))
    sim.put(alert(1, created_at=newer()), alert(2, created_at=newer()),
            alert(3, severity="critical", created_at=newer()))
    wait_for(lambda: told(hook)["al-3", "opened"] == 1)
    sim.change("al-1", status="resolved")
    wait_for(lambda: told(hook)["al-2", "opened"] == 1)
    scene.wait_drained()
    assert ("al-1", "opened") not in told(hook)
    reasons = scene.query("SELECT DISTINCT reason FROM v_deliveries WHERE alert_id = 'al-1'")
    assert [r["reason"] for r in reasons] == ["resolved within delay"]


def test_a_storm_is_told_and_then_held(scene):
    hook = scene.receiver()
    sim, _, _ = started(scene, hook, route(storm={"over": 5, "within": "3s"}))
    sim.put(*[alert(n, created_at=newer()) for n in range(1, 31)],
            alert(99, severity="critical", created_at=newer()))
    wait_for(lambda: sum(told(hook).values()) == 31)
    words = [d["data"]["storm"] for d in digests(hook)]
    assert words[0] == "began" and words[-1] in ("going on", "over")
    assert set(told(hook).values()) == {1}
    assert digests(hook)[0]["data"]["count"] == 1
    alone = [b for b in bodies(hook) if b["type"] == "alert.opened"]
    assert "al-99" in {b["data"]["alert"]["id"] for b in alone}


def test_what_stays_open_escalates_and_what_is_acknowledged_does_not(scene):
    hook, boss = scene.receiver(), scene.receiver()
    sim = scene.sim()
    routes = [{"name": "all", "to": ["hook"], "escalate": [{"after": "3s", "to": ["boss"]}]}]
    config = scene.config(sim, [webhook("hook", hook), webhook("boss", boss)], routes,
                          {"sweep_every": "1s"})
    daemon = scene.start(config)
    sim.put(alert(1, created_at=newer()), alert(2, created_at=newer()))
    wait_for(lambda: held(scene, "escalation") == 2)
    sim.change("al-1", status="acknowledged")
    wait_for(lambda: heard(hook)["al-1", "acknowledged"] == 1)
    daemon.kill9()
    scene.start(config)
    wait_for(lambda: heard(boss)["al-2", "opened"] == 1)
    sim.change("al-1", status="resolved")
    sim.change("al-2", status="resolved")
    wait_for(lambda: heard(boss)["al-2", "resolved"] == 1)
    scene.wait_drained()
    assert set(heard(boss)) == {("al-2", "opened"), ("al-2", "resolved")}
    assert heard(hook)["al-1", "resolved"] == 1


def test_what_stays_open_is_told_again_until_somebody_takes_care(scene):
    hook = scene.receiver()
    sim, _, _ = started(scene, hook, route(repeat="1m"))
    sim.put(alert(1, created_at=newer()))
    wait_for(lambda: held(scene, "repeat") == 1)
    sim.change("al-1", status="acknowledged")
    wait_for(lambda: heard(hook)["al-1", "acknowledged"] == 1)
    scene.wait_drained()
    assert scene.count("SELECT count(*) FROM v_deliveries WHERE reason = 'no longer open'") == 1


def test_a_digest_that_is_refused_goes_out_one_by_one(scene):
    def refuse_digests(call):
        return {"status": 400 if b"alert.digest" in call.body else 200}

    hook = scene.receiver(refuse_digests)
    sim, _, _ = started(scene, hook, route(group={"wait": "1s"}))
    sim.put(*[alert(n, created_at=newer()) for n in range(1, 6)])
    wait_for(lambda: scene.count("SELECT count(*) FROM v_deliveries WHERE state = 'done'") == 5)
    assert sum(1 for b in bodies(hook) if b["type"] == "alert.opened") == 5


def test_an_alert_that_opens_again_and_again_is_told_as_one_with_how_it_ended(scene):
    hook = scene.receiver()
    sim, _, _ = started(scene, hook, route(), flap={"over": 1, "within": "6s"})
    sim.put(alert(1, created_at=newer()))
    wait_for(lambda: heard(hook)["al-1", "opened"] == 1)
    for turn in range(1, 5):
        for status, event in (("resolved", "resolved"), ("open", "reopened")):
            sim.change("al-1", status=status)
            wait_for(lambda: scene.count("SELECT count(*) FROM v_events WHERE kind = ?", event) == turn)
    wait_for(lambda: heard(hook)["al-1", "reopened"] == 2, 30)
    scene.wait_drained()
    assert heard(hook) == {("al-1", "opened"): 1, ("al-1", "resolved"): 2, ("al-1", "reopened"): 2}
    dropped = scene.query("SELECT DISTINCT reason FROM v_deliveries WHERE state = 'dropped'")
    assert [r["reason"] for r in dropped] == ["flapping"]


def soon():
    """The next full minute that is some seconds off, as a time of the day in UTC."""
    return time.strftime("%H:%M", time.gmtime(time.time() + 65))


# One route a mechanism, each for a type of its own; what is held for how long.
MECHANISMS = {
    "group": {"group": {"wait": "6s"}},
    "delay": {"delay": "6s"},
    "storm": {"storm": {"over": 1, "within": "6s"}},
    "digest": {"digest": {"at": []}},
    "quiet": {"quiet": [{"from": "", "until": ""}]},
    "escalation": {"escalate": [{"after": "6s", "to": ["boss"]}]},
}


def routes_of_all():
    MECHANISMS["digest"]["digest"]["at"] = [soon()]
    MECHANISMS["quiet"]["quiet"][0] = {**window(-5, 0), "until": soon()}
    return [{"name": name, "match": [f"type = {name}"], "to": ["hook"], **keys}
            for name, keys in MECHANISMS.items()]


def test_each_mechanism_outlives_a_kill_and_a_reload(scene):
    hook, boss, sim = scene.receiver(), scene.receiver(), scene.sim()
    config = scene.config(sim, [webhook("hook", hook), webhook("boss", boss)], routes_of_all(),
                          {"sweep_every": "1s"})
    daemon = scene.start(config)
    names = list(MECHANISMS)
    sim.put(*[alert(f"{name}-{n}", type=name, created_at=newer()) for name in names for n in range(3)])
    wait_for(lambda: all(held(scene, name) > 0 for name in names))
    daemon.kill9()
    daemon = scene.start(config)
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: daemon.log("reloaded"))
    wait_for(scene.drained, 120, "what is held to go out")
    assert set(told(hook)) == {(f"al-{name}-{n}", "opened") for name in names for n in range(3)}
    assert {i for i, _ in heard(boss)} == {f"al-escalation-{n}" for n in range(3)}
    repeats = [b for b in bodies(hook) if b["data"].get("possible_repeat")]
    assert sum(told(hook).values()) - len(told(hook)) <= 3 * len(repeats)
    whys = {d["data"]["why"] for d in digests(hook)}
    assert whys == {"group", "digest", "quiet", "storm"}
