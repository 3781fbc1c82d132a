"""Killed at any moment, nothing is lost, and what may have been heard twice says so."""
import collections
import random
import threading
import time

from fakes import alert, heard, notes, wait_for
from programs import newer, plain_email, run, slack, webhook

WINDOW = 8
KILLS = 5
ALERTS = 240


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


class Load:
    """Alerts that open and change in the background until stopped or all are there."""

    def __init__(self, sim, seed):
        self.sim = sim
        self.chance = random.Random(seed)
        self.opened, self.failure = 0, None
        self.status = {}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while self.opened < ALERTS and not self.ended.is_set():
                count = self.chance.randint(1, 12)
                numbers = range(self.opened, min(self.opened + count, ALERTS))
                self.sim.put(*(alert(n, created_at=newer()) for n in numbers))
                self.opened += len(numbers)
                self._change(self.chance.randrange(self.opened))
                self.ended.wait(self.chance.uniform(0.01, 0.1))
        except OSError as failure:
            self.failure = failure

    def _change(self, number):
        if number not in self.status:
            self.status[number] = self.chance.choice(["acknowledged", "resolved"])
            self.sim.change(f"al-{number}", status=self.status[number])

    def finish(self):
        """Waits for the last alert, and resolves all."""
        self.thread.join(60)
        assert self.failure is None and self.opened == ALERTS
        for n in range(ALERTS):
            if self.status.get(n) != "resolved":
                self.sim.change(f"al-{n}", status="resolved", resolved_at=newer())

    def close(self):
        self.ended.set()
        self.thread.join(10)


def test_five_kills_lose_nothing_and_repeat_at_most_a_window_each_and_marked(scene):
    """Invariants 1, 2 and 4."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    sim = scene.sim()
    fakes, sinks = three(scene)
    config = scene.config(sim, sinks)
    load = scene.keep(Load(sim, seed))
    for kill in range(KILLS):
        daemon = scene.start(config)
        daemon.says("delivered", seconds=30)
        moment = chance.uniform(0.0, 0.6)
        print(f"kill {kill} after {moment:.3f} s")
        daemon.process.poll()
        time.sleep(moment)  # the moment of the kill, not a wait for something
        daemon.kill9()
    daemon = scene.start(config)
    load.finish()
    daemon.poll()
    resolved = "SELECT count(*) FROM v_alerts WHERE state = 'resolved'"
    wait_for(lambda: scene.count(resolved) == ALERTS, 30, "all to be seen resolved")
    scene.wait_drained(60)
    scene.stop(daemon)

    rows = scene.query("SELECT alert_id, event, sink, state, episode FROM v_deliveries")
    assert {r["state"] for r in rows} == {"done"}
    for name, fake in fakes.items():
        want = {(r["alert_id"], r["event"]) for r in rows if r["sink"] == name}
        assert len([w for w in want if w[1] == "resolved"]) == ALERTS
        assert set(heard(fake)) == want, f"{name}: lost or never meant"
        assert_repeats_are_few_and_marked(name, fake)


def delivery_ids(name, fake):
    """What makes a repeat invisible to its receiver, in the order of what was accepted."""
    if name == "hook":
        return [s.headers["webhook-id"] for s in fake.accepted()]
    if name == "post":
        return [m.content.split(b"Message-ID: ")[1].split(b"\r\n")[0] for m in fake.mails]
    return [note[:2] for note in notes(fake)]


def assert_repeats_are_few_and_marked(name, fake):
    seen = collections.Counter()
    for key, note in zip(delivery_ids(name, fake), notes(fake)):
        seen[key] += 1
        if seen[key] > 1:
            assert note[2], f"{name}: {note[:2]} came again and did not say so"
    repeats = sum(seen.values()) - len(seen)
    assert repeats <= WINDOW * KILLS, f"{name}: {repeats} repeats"
    print(f"{name}: {len(seen)} deliveries, {repeats} repeats")


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
