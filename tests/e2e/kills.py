"""Kills of the real program under load, and whether anything was lost.

Usage: kills.py KILLS [SEED]

tocsin-killed is tocsin with named points between every two steps of what it does (base/kill.h).
Under a load of alerts that open, are acknowledged and resolve it is killed at each point in
turn, at one of its first passings, and at random moments between; then started again on what is
left. After so many kills it is let run until all has drained. Then:

  0 lost        every alert was heard to close by each of three webhooks and a mail server, and
                each heard exactly the events that the store knows; one of the webhooks hears
                groups, alone or as digests
  few repeats   of what one life of the program had delivered to a sink, a later one has
                delivered no more than its window again
  all marked    what came again said so (possible_repeat)
  in order      no sink heard an alert opened or acknowledged after its close, nor opened after
                it was acknowledged
  the same      a digest that came again had its id and its members, and no event ever came
                under two ids

A failing run prints its seed; the moments of the kills differ in each run all the same.
"""
import collections
import contextlib
import io
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

import programs
from fakes import TOP, alert, notes, wait_for
from programs import newer, plain_email, webhook

WINDOW = 8
GROUP = {"wait": "1s", "max": 5}
ORDER = ["opened", "acknowledged", "resolved"]
TRY_SECONDS = 2  # for a point that is not passed so often
FIRST_SECONDS = 60  # for its first passing, on a machine that is busy
DRAIN_SECONDS = 600  # of a long run
TELL_EVERY = 100  # kills
OPEN_MAX = 60  # alerts that are not resolved yet
ALERTS_FIRST, ALERTS_A_KILL = 100, 8  # so that what waits at the end drains soon
STARTING = {"store-opened", "sinks-known", "recovery-written", "rows-recovered"}  # passed once
RARE = {"position-written", "position-committed",
        "directory-read", "directory-written", "directory-ended"}


def killed_program():
    """The test's own program lies beside tocsin."""
    return os.path.join(os.path.dirname(programs.TOCSIN), "tocsin-killed")


def points():
    """The names of all points, in the order of the sources."""
    found = []
    for path in sorted(pathlib.Path(TOP, "src").rglob("*.c")):
        found += re.findall(r'KILL_POINT\("([\w-]+)"\)', path.read_text(encoding="utf-8"))
    assert len(found) == len(set(found)), "two points have one name"
    return found


class Load:
    """Alerts that open, are acknowledged and resolve in the background until it is told to
    finish. One in five names a user whom no list knows, so that it waits for its context."""

    def __init__(self, sim, seed):
        self.sim = sim
        self.chance = random.Random(seed)
        self.count, self.most, self.failure = 0, ALERTS_FIRST, None
        self.alive = {}  # number: its status, of what is not resolved
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.ended.wait(self.chance.uniform(0.01, 0.08)):
                self.sim.change_user(1, name=f"Name {self.chance.random()}")
                if len(self.alive) < OPEN_MAX and self.count < self.most:
                    self._open(self.chance.randint(1, 6))
                for number in self.chance.sample(list(self.alive), min(3, len(self.alive))):
                    self._change(number)
        except OSError as failure:
            self.failure = failure

    def _open(self, count):
        numbers = range(self.count, self.count + count)
        self.sim.put(*(alert(n, created_at=newer(), user_id=None if n % 5 else f"nobody-{n}")
                       for n in numbers))
        self.count += count
        self.alive.update(dict.fromkeys(numbers, "open"))

    def _change(self, number):
        if self.alive[number] == "open" and self.chance.random() < 0.5:
            self.alive[number] = "acknowledged"
            self.sim.change(f"al-{number}", status="acknowledged")
        else:
            del self.alive[number]
            self.sim.change(f"al-{number}", status="resolved", resolved_at=newer())

    def finish(self):
        """No more; all are resolved."""
        self.close()
        assert self.failure is None, self.failure
        for number in list(self.alive):
            del self.alive[number]
            self.sim.change(f"al-{number}", status="resolved", resolved_at=newer())

    def close(self):
        self.ended.set()
        self.thread.join(10)


class Trial:
    """One run: a scene with its load, and what has been killed so far."""

    def __init__(self, scene, kills, seed):
        self.scene, self.wanted, self.seed = scene, kills, seed
        self.chance = random.Random(seed)
        self.sim = scene.sim()
        self.fakes = {
            "hook": scene.receiver({"delay": 0.004}),
            "bus": scene.receiver({"delay": 0.015}),
            "team": scene.receiver({"delay": 0.015}),
            "post": scene.mail(),
        }
        self.fakes["post"].delay = 0.004
        usual = {"window": WINDOW, "collapse": False}
        sinks = [webhook(name, self.fakes[name], **usual) for name in ("hook", "bus", "team")]
        sinks.append(plain_email("post", self.fakes["post"], **usual))
        often = {"poll_every": "100ms", "sweep_every": "500ms",
                 "context": ["users", "budgets"], "context_every": "1s",
                 "context_wait": "200ms"}
        routes = [{"name": "groups", "to": ["team"], "group": GROUP, "continue": True},
                  {"name": "all", "to": ["hook", "bus", "post"]}]
        self.config = scene.config(self.sim, sinks, routes, source_keys=often)
        self.load = scene.keep(Load(self.sim, seed))
        self.died_at = collections.Counter()
        self.lives = {name: [] for name in self.fakes}  # how many notes when each life ended

    def kills(self):
        return sum(self.died_at.values())

    def start(self, point=None):
        env = {"TOCSIN_KILL": point} if point else None
        daemon = programs.Tocsin(self.config, env=env, program=killed_program())
        self.scene.daemons = [*self.scene.daemons[-2:], daemon]
        return daemon

    # ---- killing ----

    def nth(self, point):
        if point in STARTING:
            return 1
        return self.chance.randint(1, 2 if point in RARE else 25)

    def kill_at(self, point, passing, seconds=TRY_SECONDS):
        """True when it died there; if it is not passed so often it dies now."""
        daemon = self.start(f"{point}:{passing}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.process.wait(seconds)
        is_there = not daemon.runs
        self.buried(daemon, point if is_there else "random")
        return is_there

    def kill_at_random(self):
        daemon = self.start()
        time.sleep(self.chance.uniform(0, 0.3))  # the moment of the kill, not a wait
        self.buried(daemon, "random")

    def buried(self, daemon, where):
        daemon.kill9()
        self.scene.check(daemon)
        assert daemon.process.returncode == -9, (
            f"at {where}: ended with {daemon.process.returncode}\n" + "\n".join(daemon.err[-20:]))
        self.died_at[where] += 1
        self.load.most += ALERTS_A_KILL
        if self.kills() % TELL_EVERY == 0:
            print(f"{self.kills()} kills, {self.load.count} alerts so far", file=sys.stderr)
        for name, fake in self.fakes.items():
            quiesce(fake)
            self.lives[name].append(len(notes_of(fake)))

    def kill_all(self):
        names = points()
        self.chance.shuffle(names)
        while self.kills() < self.wanted:
            for name in names:
                if not self.kill_at(name, self.nth(name)):
                    assert self.kill_at(name, 1, FIRST_SECONDS), f"the point {name} is never passed"
                if self.chance.random() < 0.5:
                    self.kill_at_random()
                if self.kills() >= self.wanted and self.died_at.keys() >= set(names):
                    break

    # ---- judging ----

    def drain(self):
        daemon = self.start()
        self.load.finish()
        daemon.says("started")
        daemon.poll()
        resolved = "SELECT count(*) FROM v_alerts WHERE state = 'resolved'"
        wait_for(lambda: self.scene.count(resolved) == self.load.count,
                 DRAIN_SECONDS, "all to be seen resolved")
        self.scene.wait_drained(DRAIN_SECONDS)
        self.scene.stop(daemon)

    def judge(self):
        rows = self.scene.query("SELECT alert_id, event, sink, state, reason FROM v_deliveries")
        # A close takes the place of an acknowledgement that still waits in its group.
        overtaken = ("team", "acknowledged", "dropped", "superseded")
        others = [r for r in rows if r["state"] != "done" and
                  (r["sink"], r["event"], r["state"], r["reason"]) != overtaken]
        assert not others, f"not all was delivered: {others[:5]}"
        rows = [r for r in rows if r["state"] == "done"]
        closes = {f"al-{n}" for n in range(self.load.count)}
        self.repeats = self.digests = 0
        for name, fake in self.fakes.items():
            want = {(r["alert_id"], r["event"]) for r in rows if r["sink"] == name}
            assert {w[0] for w in want if w[1] == "resolved"} == closes, f"{name}: lost"
            told = told_by(fake)
            heard = {note[:2] for delivery in told for note in delivery.notes}
            assert heard == want, f"{name}: lost, or never meant"
            assert_in_order(name, told)
            assert_the_same(name, told)
            self.repeats += repeats_of(name, told, self.lives[name])
            self.digests += sum(len(delivery.notes) > 1 for delivery in told)
        assert self.digests, "nothing was told as one"

    def summary(self):
        deliveries = self.scene.count("SELECT count(*) FROM v_deliveries")
        where = ", ".join(f"{name} {n}" for name, n in sorted(self.died_at.items()))
        return (f"{self.kills()} kills survived: {self.load.count} alerts, {deliveries} "
                f"deliveries, {self.digests} digests, 0 lost, {self.repeats} repeats (at most {WINDOW} a kill and sink, "
                f"all marked), no close before its open; seed {self.seed}; killed at: {where}")


def notes_of(fake):
    return fake.mails if hasattr(fake, "mails") else fake.seen


def quiesce(fake):
    """Waits until the receiver has read all that the dead had written to it: our connection
    comes after all of its, and ends last."""
    with socket.create_connection(("127.0.0.1", fake.port), 5):
        pass
    wait_for(lambda: fake.connections() == 0, 10, "what the killed one had sent to be heard")


def delivery_ids(fake):
    """What makes a repeat invisible to its receiver, in the order of what was accepted."""
    if hasattr(fake, "mails"):
        found = re.compile(rb"\r\nMessage-ID: (\S+)")
        return [found.search(mail.content).group(1) for mail in fake.mails]
    return [seen.headers["webhook-id"] for seen in fake.accepted()]


Delivery = collections.namedtuple("Delivery", "id notes")


def notes_of_digest(seen):
    """As fakes.note_of(), of each alert that it tells of."""
    body = json.loads(seen.body)
    items = body["data"]["items"] if body["type"] == "alert.digest" else [body]
    return [(item["data"]["alert"]["id"], item["type"].split(".")[1],
             item["data"].get("possible_repeat", False)) for item in items]


def told_by(fake):
    """All that it accepted, in order."""
    if hasattr(fake, "mails"):
        each = [[note] for note in notes(fake)]
    else:
        each = [notes_of_digest(seen) for seen in fake.accepted()]
    return [Delivery(*both) for both in zip(delivery_ids(fake), each)]


def repeats_of(name, told, lives):
    """How many there were; each is marked, and of one life's deliveries few came again."""
    first_heard_in, again, repeats = {}, collections.defaultdict(set), 0
    life = 0
    for at, delivery in enumerate(told):
        while life < len(lives) and at >= lives[life]:
            life += 1
        if delivery.id in first_heard_in:
            repeats += 1
            for note in delivery.notes:
                assert note[2], f"{name}: {note[:2]} came again and did not say so"
            again[first_heard_in[delivery.id]].add(delivery.id)
        first_heard_in[delivery.id] = life
    most = max((len(keys) for keys in again.values()), default=0)
    assert most <= WINDOW, f"{name}: {most} of one life's deliveries came again"
    return repeats


def assert_in_order(name, told):
    """Within a delivery, and of each alert one delivery after the other; the repeat of one that
    told of several events of an alert begins with the first of them again."""
    latest = collections.Counter()
    for delivery in told:
        of_alert = collections.defaultdict(list)
        for alert_id, event, _ in delivery.notes:
            of_alert[alert_id].append(ORDER.index(event))
        for alert_id, events in of_alert.items():
            assert events == sorted(events) and events[-1] >= latest[alert_id], (
                f"{name}: {alert_id}: {[ORDER[e] for e in events]} came too late")
            latest[alert_id] = events[-1]


def assert_the_same(name, told):
    members, told_under = {}, {}
    for delivery in told:
        events = [note[:2] for note in delivery.notes]
        assert members.setdefault(delivery.id, events) == events, f"{name}: {events}: others"
        for event in events:
            assert told_under.setdefault(event, delivery.id) == delivery.id, (
                f"{name}: {event} came under two ids")


def trial(scene, kills, seed):
    """Survives so many kills, at each point at least one; returns the summary."""
    t = Trial(scene, kills, seed)
    t.kill_all()
    t.drain()
    t.judge()
    return t.summary()


def main(kills, seed=None):
    seed = int(seed) if seed else random.SystemRandom().randrange(1 << 32)
    logs = io.StringIO()  # of interest after a failure
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(logs):
            scene = programs.Scene(folder)
            try:
                summary = trial(scene, int(kills), seed)
            finally:
                scene.close()
    except BaseException:
        print(logs.getvalue(), f"failed: seed {seed}", sep="\n")
        raise
    print(summary)


if __name__ == "__main__":
    main(*sys.argv[1:])
