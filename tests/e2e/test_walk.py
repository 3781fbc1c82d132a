"""A long walk: it tells how far it is, and what is new meanwhile is not kept waiting."""
import time

from fakes import heard, wait_for
from programs import answers, run, webhook

HISTORY = 20000
LIMIT = ["--limit-rpm", "480"]  # a quarter of it at once, then six requests a second


def walk_of(config):
    return answers(config, "status")[0]["sources"][0]["pass"]


def test_a_long_walk_shows_its_progress_and_keeps_nothing_new_waiting(scene):
    sim, hook = scene.sim("--history", str(HISTORY), *LIMIT), scene.receiver()
    routes = [{"name": "live", "match": ["title = Live"], "to": ["hook"]}]
    keys = {"start": "all", "poll_every": "2s", "sweep_every": "1h"}
    daemon = scene.tocsin(sim, [webhook("hook", hook)], routes, source_keys=keys)
    wait_for(lambda: sim.lists()[("unfiltered", "further")] >= 100, 30)
    walk = wait_for(lambda: walk_of(daemon.config), 5)
    assert walk["kind"] == "full" and walk["total"] >= HISTORY
    assert 0 < walk["pages"] and 0 < walk["items"] <= 100 * walk["pages"] < HISTORY
    assert "full" in run(daemon.config, "status").stdout
    live = sim.add(n=1, title="Live")
    added_at = time.time()
    wait_for(lambda: heard(hook)[(live[0], "opened")] == 1)
    assert hook.all()[0].at - added_at < 4, "a poll is not behind the walk"
    line = daemon.says("pass-progress", 30)
    assert line["pass"] == "full" and line["source"] == "acme"
    assert int(line["items"]) == 100 * int(line["pages"]) <= int(line["of"])
    left = int(line["left_ms"])
    told_at = time.time()
    wait_for(lambda: daemon.log("polled", **{"pass": "full"}), 40)
    assert abs(time.time() - told_at - left / 1000) < 12, "the estimate is of use"
    assert scene.count("SELECT count(*) FROM v_alerts") == HISTORY + 1
    assert len(daemon.log("pass-progress")) <= 3 and len(hook.seen) == 1
    wait_for(lambda: walk_of(daemon.config) is None, 5)


def test_a_short_walk_says_nothing_of_its_progress(scene):
    sim, hook = scene.sim("--history", "3000"), scene.receiver()
    routes = [{"name": "none", "match": ["title = Live"], "to": ["hook"]}]
    daemon = scene.tocsin(sim, [webhook("hook", hook)], routes)
    daemon.says("polled", 30, **{"pass": "full", "items": "3000"})
    assert not daemon.log("pass-progress")
