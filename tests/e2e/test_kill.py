"""Killed at any moment, nothing is lost, and what may have been heard twice says so."""
import random
import time

import kills
from fakes import alert, heard, notes, wait_for
from programs import plain_email, run, slack, webhook

WINDOW = 8


def three(scene, delay=0.02):
    """Three receivers that take a moment, and their sinks."""
    hook, chat = scene.receiver({"delay": delay}), scene.receiver({"delay": delay})
    post = scene.mail()
    post.delay = delay
    sinks = [
        webhook("hook", hook, window=WINDOW),
        slack("chat", chat, window=WINDOW, collapse=False),
        plain_email("post", post, window=WINDOW, collapse=False),
    ]
    return {"hook": hook, "chat": chat, "post": post}, sinks


def test_kills_at_every_point_lose_nothing_and_repeat_at_most_a_window_each_and_marked(scene):
    """Invariants 1 to 6. With more kills: tests/run.sh --kills."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    print(kills.trial(scene, len(kills.points()), seed))


def test_term_under_load_exits_0_and_loses_and_repeats_nothing(scene):
    """Invariant 11."""
    sim = scene.sim()
    fakes, sinks = three(scene, delay=0.05)
    config = scene.config(sim, sinks)
    sim.put(*(alert(n) for n in range(200)))
    for round_ in range(3):
        daemon = scene.start(config)
        daemon.says("delivered")
        wait_for(lambda r=round_: all(len(heard(f)) > 40 * r for f in fakes.values()))
        scene.stop(daemon)
        claimed = "SELECT count(*) FROM v_deliveries WHERE state = 'claimed'"
        assert scene.count(claimed) == 0 and not scene.drained(), "it was not under load"
    scene.start(config)
    scene.wait_drained()
    for fake in fakes.values():
        assert heard(fake) == {(f"al-{n}", "opened"): 1 for n in range(200)}
        assert not any(note[2] for note in notes(fake))


def test_a_stop_waits_for_what_is_in_flight_and_cuts_it_after_the_grace(scene):
    """Invariant 11: `grace`, then what is cut is marked and comes again."""
    sim, hook = scene.sim(), scene.receiver({"kind": "hang"})
    config = scene.config(sim, [webhook("hook", hook)], grace="500ms")
    sim.put(alert(1))
    daemon = scene.start(config)
    wait_for(lambda: hook.seen)
    began = time.monotonic()
    scene.stop(daemon)
    assert 0.5 <= time.monotonic() - began < 5
    assert scene.query("SELECT state, maybe_sent FROM v_deliveries") == [
        {"state": "due", "maybe_sent": 1}]
    hook.behave = {}
    scene.start(config)
    wait_for(hook.accepted)
    assert notes(hook) == [("al-1", "opened", True)]
    assert hook.seen[0].headers["webhook-id"] == hook.seen[1].headers["webhook-id"]


def test_a_second_term_stops_at_once_still_losing_nothing(scene):
    sim, hook = scene.sim(), scene.receiver({"kind": "hang"})
    config = scene.config(sim, [webhook("hook", hook)], grace="60s")
    sim.put(alert(1))
    daemon = scene.start(config)
    wait_for(lambda: hook.seen)
    daemon.process.terminate()
    daemon.says("stopping")
    daemon.process.terminate()
    assert daemon.wait(10) == 0
    assert scene.query("SELECT state, maybe_sent FROM v_deliveries") == [
        {"state": "due", "maybe_sent": 1}]


def test_a_second_daemon_on_the_store_is_refused_with_the_pid_of_the_first(scene):
    """Invariant 13."""
    sim, hook = scene.sim(), scene.receiver()
    config = scene.config(sim, [webhook("hook", hook)])
    first = scene.start(config)
    first.says("started")
    second = run(config, "run")
    assert second.returncode == 1
    assert str(first.process.pid) in second.stderr
    sim.put(alert(1))
    wait_for(lambda: hook.seen)
    first.kill9()
    # the lock goes with its holder, however that ended
    third = scene.start(config)
    third.says("started")
