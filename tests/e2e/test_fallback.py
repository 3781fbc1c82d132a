"""A sink with a fallback: what dies at it and what waits too long is told elsewhere, once."""
import time

from fakes import alert, heard, wait_for
from programs import newer, run, webhook


def pager_and_mate(scene, pager, mate, **keys):
    sinks = [webhook("pager", pager, fallback="mate", fallback_after="2s", **keys)]
    return sinks + [webhook("mate", mate)], [{"name": "all", "to": ["pager"]}]


def states(scene, sink):
    sql = "SELECT state, count(*) AS n FROM v_deliveries WHERE sink = ? GROUP BY state"
    return {row["state"]: row["n"] for row in scene.query(sql, sink)}


def resolve(api, alerts):
    for a in alerts:
        a.update(status="resolved", resolved_at=newer())


def test_invariants_4_and_5_a_long_outage_is_told_by_the_fallback_once_and_so_are_the_closes(scene):
    """With a restart in the midst of it; the sink comes back for what is new."""
    pager, mate = scene.receiver(), scene.receiver()
    pager.down()
    alerts = [alert(n) for n in range(90)]
    api = scene.api(alerts)
    sinks, routes = pager_and_mate(scene, pager, mate)
    config = scene.config(api, sinks, routes)
    daemon = scene.start(config)
    daemon.says("sink-down", sink="pager")
    scene.stop(daemon)
    assert not mate.seen
    daemon = scene.start(config)
    line = daemon.says("moved", sink="pager", to="mate")
    assert "down for 2 s" in line["reason"] and "fallback_after" in line["hint"]
    wait_for(lambda: len(heard(mate)) == 90)
    assert states(scene, "pager") == {"moved": 90}
    resolve(api, alerts)
    wait_for(lambda: len(heard(mate)) == 180)
    scene.wait_drained()
    assert set(heard(mate).values()) == {1}
    reasons = scene.query("SELECT DISTINCT reason FROM v_deliveries WHERE sink = 'pager'")
    assert all(row["reason"].startswith("to mate: down for 2 s: ") for row in reasons)

    pager.up()
    api.items.append(alert(900))
    line = daemon.says("sink-up", sink="pager")
    # Told once each way: where its rows go, and how many went.
    assert len(daemon.log("moved", sink="pager")) == 1 and int(line["moved"]) == 90
    wait_for(lambda: heard(pager))
    scene.wait_drained()
    assert heard(pager) == {("al-900", "opened"): 1}
    assert len(mate.accepted()) == 180


def test_invariant_5_who_heard_the_open_hears_the_close_whatever_the_fallback_took(scene):
    pager, mate = scene.receiver(), scene.receiver()
    early, late = [alert(n) for n in range(5)], [alert(n) for n in range(5, 10)]
    api = scene.api(list(early))
    daemon = scene.tocsin(api, *pager_and_mate(scene, pager, mate))
    wait_for(lambda: len(heard(pager)) == 5)
    scene.wait_drained()
    pager.down()
    api.items += late
    resolve(api, early)
    wait_for(lambda: len(heard(mate)) == 5)
    pager.up()
    wait_for(lambda: len(heard(pager)) == 10)
    scene.wait_drained()
    assert heard(mate) == {(f"al-{n}", "opened"): 1 for n in range(5, 10)}
    assert heard(pager) == {(f"al-{n}", e): 1 for n in range(5) for e in ("opened", "resolved")}
    assert not daemon.log("dead")


def test_an_outage_shorter_than_fallback_after_moves_nothing(scene):
    pager, mate = scene.receiver(), scene.receiver()
    pager.down()
    daemon = scene.tocsin(scene.api([alert(n) for n in range(20)]), *pager_and_mate(scene, pager, mate))
    daemon.says("sink-down")
    pager.up()
    scene.wait_drained()
    assert len(heard(pager)) == 20 and not mate.seen and not daemon.log("moved")


def test_invariant_7_a_refused_payload_moves_alone_and_its_close_follows(scene):
    pager = scene.receiver(lambda call: {"status": 400, "body": "no"} if b'"al-3"' in call.body else {})
    mate = scene.receiver()
    alerts = [alert(n) for n in range(10)]
    api = scene.api(alerts)
    daemon = scene.tocsin(api, *pager_and_mate(scene, pager, mate))
    line = daemon.says("moved", sink="pager")
    assert line["alert"] == "al-3" and line["to"] == "mate" and line["status"] == "400"
    assert line["reason"].startswith("to mate: ")
    wait_for(lambda: heard(mate) == {("al-3", "opened"): 1})
    resolve(api, alerts)
    wait_for(lambda: len(heard(mate)) == 2 and len(heard(pager)) == 18)
    scene.wait_drained()
    assert heard(mate) == {("al-3", "opened"): 1, ("al-3", "resolved"): 1}
    assert len(daemon.log("moved")) == 1 and not daemon.log("dead")
    story = run(daemon.config, "explain", "al-3").stdout
    assert "moved" in story and "to mate: " in story and "by fallback" in story


def test_invariant_8_what_is_given_up_is_told_by_the_fallback(scene):
    pager, mate = scene.receiver({"status": 409}), scene.receiver()
    daemon = scene.tocsin(scene.api([alert(1)]), *pager_and_mate(scene, pager, mate, give_up="1s"))
    assert "to mate: gave up after 1" in daemon.says("moved")["reason"]
    wait_for(lambda: heard(mate) == {("al-1", "opened"): 1})


def test_fallbacks_do_not_chain(scene):
    scene.expect("msg=dead sink=mate")
    pager, mate, last = scene.receiver({"status": 400}), scene.receiver({"status": 400}), scene.receiver()
    sinks, routes = pager_and_mate(scene, pager, mate)
    sinks[1].update(fallback="last", fallback_after="1s")
    sinks.append(webhook("last", last))
    daemon = scene.tocsin(scene.api([alert(1)]), sinks, routes)
    daemon.says("dead", sink="mate")
    scene.wait_drained()
    assert states(scene, "pager") == {"moved": 1} and states(scene, "mate") == {"dead": 1}
    assert not last.seen


def test_who_hears_it_anyway_hears_it_once(scene):
    """The fallback is routed to as well."""
    pager, mate = scene.receiver(), scene.receiver()
    pager.down()
    alerts = [alert(n) for n in range(30)]
    api = scene.api(alerts)
    sinks, _ = pager_and_mate(scene, pager, mate)
    daemon = scene.tocsin(api, sinks)
    daemon.says("moved")
    wait_for(lambda: states(scene, "pager") == {"moved": 30})
    resolve(api, alerts)
    wait_for(lambda: len(heard(mate)) == 60)
    scene.wait_drained()
    assert set(heard(mate).values()) == {1} and states(scene, "mate") == {"done": 60}


def test_invariant_2_kills_while_rows_move_lose_nothing_and_repeat_nothing_unmarked(scene):
    pager, mate = scene.receiver(), scene.receiver()
    pager.down()
    config = scene.config(scene.api([alert(n) for n in range(400)]), *pager_and_mate(scene, pager, mate))
    for _ in range(4):
        daemon = scene.start(config)
        before = len(mate.seen)
        wait_for(lambda: len(mate.seen) > before or len(mate.seen) >= 400, 20)
        time.sleep(0.03)
        daemon.kill9()
    scene.start(config)
    wait_for(lambda: len(heard(mate)) == 400)
    scene.wait_drained()
    plain = [b["data"]["alert"]["id"] for b in mate.bodies() if not b["data"].get("possible_repeat")]
    assert len(plain) == len(set(plain)) <= 400


def test_check_refuses_fallbacks_that_go_round(scene):
    hook = scene.receiver()
    sinks = [webhook("a", hook, fallback="b"), webhook("b", hook, fallback="a")]
    done = run(scene.config(scene.api(), sinks), "check")
    assert done.returncode == 78
    assert 'sink "a": the fallbacks go round in a circle' in done.stdout + done.stderr
