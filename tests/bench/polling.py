#!/usr/bin/python3
"""Polling: what it costs in requests, how soon an alert is stored, and that sources do not wait.

Usage: tests/bench/polling.py [--seconds 120] [--alerts 60] [--over 1000]

Runs toktra-sim and tocsin (TOKTRA_SIM_BIN and TOCSIN_BIN; measure Release builds) on loopback at
their defaults: 1000 requests a minute allowed, poll_every 5s, sweep_every 1m, start now, a list
that is newest first. All of it runs side by side, in about --seconds and two minutes:

  requests  list requests an hour with 0, 100 and 5,000 open alerts before --over resolved ones.
            The simulator counts them, over --seconds and up to a minute: from the end of a sweep
            to the end of another. By pass they are the pages that the daemon's log tells.
  delay     of --alerts alerts, one at a time and at random times within --seconds: from the
            moment that the simulator's control had said that it is there to the row's
            first_seen_at (the page goes to the store, whose commit is next), and to the
            webhook that hears of it (committed and delivered).
  sources   the same of four times as many, with an API beside whose every list answer takes
            10 s, and without, at the same random times.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import io
import math
import os
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import programs  # noqa: E402
from fakes import alert, note_of, wait_for  # noqa: E402
from programs import newer, source, webhook  # noqa: E402

DEFAULTS = {"poll_every": "5s", "sweep_every": "1m", "start": "now", "rate_share": 0.5}
ACTIVE = (0, 100, 5000)
SWEEP_S = 90  # that a sweep is waited for
LATE_S = 60  # that an alert is waited for
SLOW_S = 10
SLOW_ALERTS = 50


# ---- requests --------------------------------------------------------------------------------


def fill(sim, active, over):
    """So many open alerts, a minute between each two, and behind them resolved ones."""
    statuses = ["open"] * active + ["resolved"] * over
    sim.put(*(alert(n, status=status, created_at=newer(-3600 - 60 * n))
              for n, status in enumerate(statuses)))


def await_sweep(daemon):
    """Until the end of the sweep that ends next."""
    so_far = len(daemon.log("polled", **{"pass": "sweep"}))
    end = time.monotonic() + SWEEP_S
    while len(daemon.log("polled", **{"pass": "sweep"})) == so_far:
        assert time.monotonic() < end, "no sweep ended"
        time.sleep(0.2)


def count_requests(scene, active, args):
    """A line that tells of them."""
    sim, hook = scene.sim("--limit-rpm", "1000"), scene.receiver()
    fill(sim, active, args.over)
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=DEFAULTS,
                          log={"level": "debug"})
    daemon.says("ready", 60)
    await_sweep(daemon)
    assert scene.count("SELECT count(*) FROM v_alerts WHERE status = 'open'") == active
    began, before, passes_before = time.monotonic(), sim.lists(), len(daemon.log("polled"))
    time.sleep(args.seconds)
    await_sweep(daemon)
    seconds, asked = time.monotonic() - began, (sim.lists() - before).total()
    pages, counts = collections.Counter(), collections.Counter()
    for line in daemon.log("polled")[passes_before:]:
        pages[line["pass"]] += int(line["pages"])
        counts[line["pass"]] += 1
    kinds = ", ".join(f"{k} {pages[k]} in {counts[k]}" for k in ("head", "sweep", "full"))
    return (f"{active:>5} active: {asked * 3600 / seconds:.0f} list requests an hour "
            f"({asked} in {seconds:.1f} s; pages and passes: {kinds})")


# ---- delay -----------------------------------------------------------------------------------


def add_at_random(sim, count, seconds, seed):
    """Adds alerts; returns when each had become visible."""
    visible = {}
    chance = random.Random(seed)
    began = time.time()
    for at in sorted(chance.uniform(0, seconds) for _ in range(count)):
        time.sleep(max(0, began + at - time.time()))
        [alert_id] = sim.add(n=1, status="open")
        visible[alert_id] = time.time()
    return visible


def delays(scene, hook, visible):
    """Seconds until each was stored and until it was heard of, both sorted."""
    wait_for(lambda: len(hook.accepted()) >= len(visible), LATE_S, "every alert to be heard of")
    rows = scene.query("SELECT id, first_seen_at FROM v_alerts")
    stored = {row["id"]: row["first_seen_at"] / 1000 for row in rows}
    heard = {note_of(seen)[0]: seen.at for seen in hook.accepted()}
    return [sorted(at[i] - visible[i] for i in visible) for at in (stored, heard)]


def measure_delay(scene, poll_every, count, args, slow=None):
    """(stored, heard); slow is an API for a source beside."""
    sim, hook = scene.sim("--limit-rpm", "1000", "--history", str(args.over)), scene.receiver()
    keys = {**DEFAULTS, "poll_every": poll_every}
    sources = [source(sim, **keys)]
    if slow is not None:
        sources.insert(0, source(slow, name="slow", **{**keys, "api_key": "another-key"}))
    daemon = scene.tocsin(sources, [webhook("hook", hook)], log={"level": "debug"})
    # readiness would wait for the slow one
    wait_for(lambda: daemon.log("polled", source="acme"), 30, "a first pass")
    return delays(scene, hook, add_at_random(sim, count, args.seconds, seed=count))


def slow_api(scene):
    api = scene.api([alert(n, created_at=newer(-3600 - n)) for n in range(SLOW_ALERTS)])
    api.script = lambda call: {**api.right(call), "delay": SLOW_S}
    return api


# ---- what is printed -------------------------------------------------------------------------


def rank(ordered, percent):
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def show(label, both):
    of = "; ".join(f"{what} p50 {rank(o, 50):.3f} s, p99 {rank(o, 99):.3f} s"
                   for what, o in zip(("first_seen_at", "webhook"), both))
    print(f"  {label}, {len(both[0])} alerts: {of}", flush=True)


def show_ratio(beside, alone, answers):
    """Of what is stored; beside an API that has answered so often."""
    ratios = ", ".join(f"p{p} {rank(beside[0], p) / rank(alone[0], p):.2f}" for p in (50, 99))
    print(f"  with over without: {ratios} ({answers} slow answers meanwhile)")


def show_load(when):
    print(f"{when}: {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}", flush=True)


def close_quietly(scene):
    with contextlib.redirect_stdout(io.StringIO()):
        scene.close()


def measure(args, stack, pool):
    def begin(job, *arguments, **options):
        scene = programs.Scene(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.callback(close_quietly, scene)
        extra = {name: make(scene) for name, make in options.items()}
        return pool.submit(job, scene, *arguments, args, **extra), extra

    show_load("begin")
    requests = [begin(count_requests, active)[0] for active in ACTIVE]
    polls = {every: begin(measure_delay, every, args.alerts)[0] for every in ("1s", "5s")}
    alone, _ = begin(measure_delay, "1s", 4 * args.alerts)
    beside, extra = begin(measure_delay, "1s", 4 * args.alerts, slow=slow_api)
    print("visible until stored")
    for every, job in polls.items():
        show(f"poll_every {every}", job.result())
    print(f"the same, poll_every 1s, beside a source whose answers take {SLOW_S} s")
    show("without", alone.result())
    show("with", beside.result())
    show_ratio(beside.result(), alone.result(), len(extra["slow"].asked()))
    print(f"requests at defaults, before {args.over} resolved alerts")
    for job in requests:
        print(f"  {job.result()}", flush=True)
    show_load("end")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--alerts", type=int, default=60)
    parser.add_argument("--over", type=int, default=1000)
    args = parser.parse_args()
    # the pool ends first: what it runs needs what the stack closes
    with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor(8) as pool:
        measure(args, stack, pool)


if __name__ == "__main__":
    main()
