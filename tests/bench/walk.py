#!/usr/bin/python3
"""A first walk over a long history: how long it takes, how fast it is, what memory it needs.

Usage: tests/bench/walk.py [--alerts 1000000] [--order newest|oldest|mixed] [--limit-rpm N]

Runs toktra-sim and tocsin (TOKTRA_SIM_BIN and TOCSIN_BIN; measure Release builds) on loopback with
start = "all" and one route whose matcher matches nothing, so that every alert is stored and routed
and no delivery is made. Beside it, first, the same over 10,000 alerts: what a daemon needs
that has walked a little and now polls is called idle. Memory is VmRSS, the peak VmHWM.
"""
import argparse
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import programs  # noqa: E402
from fakes import wait_for  # noqa: E402

IDLE_ALERTS = 10000
SETTLE_S = 5


def memory(program, what="VmRSS"):
    """In MB."""
    text = pathlib.Path(f"/proc/{program.process.pid}/status").read_text(encoding="ascii")
    return next(int(l.split()[1]) for l in text.splitlines() if l.startswith(what)) / 1024


def cpu(program):
    """User and system seconds."""
    text = pathlib.Path(f"/proc/{program.process.pid}/stat").read_text(encoding="ascii")
    used = text.rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def start(scene, sim):
    # nothing is ever sent there
    sink = {"name": "none", "type": "webhook", "url": "http://127.0.0.1:9/"}
    routes = [{"name": "none", "match": ["title = Matched by nothing"], "to": ["none"]}]
    keys = {"start": "all", "poll_every": "5s", "sweep_every": "1m"}
    return scene.tocsin(sim, [sink], routes, source_keys=keys)


def wait_walked(daemon, count, seconds, each=lambda line: None):
    seen = 0

    def is_done():
        nonlocal seen
        for line in daemon.log("pass-progress")[seen:]:
            seen += 1
            each(line)
        assert daemon.runs, "\n".join(daemon.err[-20:])
        return [l for l in daemon.log("polled", **{"pass": "full"}) if int(l["items"]) >= count]

    return wait_for(is_done, seconds, "the walk to end")[0]


def measure_idle(folder, options):
    scene = programs.Scene(folder)
    sim = scene.sim("--history", str(IDLE_ALERTS), *options)
    daemon = start(scene, sim)
    wait_walked(daemon, IDLE_ALERTS, 120)
    time.sleep(SETTLE_S)
    idle = memory(daemon)
    print(f"idle after {IDLE_ALERTS} alerts: {idle:.1f} MB (peak {memory(daemon, 'VmHWM'):.1f} MB)")
    scene.close()
    return idle


def measure_walk(folder, count, options, idle):
    scene = programs.Scene(folder)
    sim = scene.sim("--history", str(count), *options)
    print(f"toktra-sim with {count} alerts: {memory(sim):.1f} MB")
    daemon = start(scene, sim)

    def each(line):
        print(f"  {line['items']:>8} of {line['of']}, {int(line['left_ms']) / 1000:.0f} s left: "
              f"{memory(daemon):.1f} MB", flush=True)

    line = wait_walked(daemon, count, 3600, each)
    peak, seconds, pages = memory(daemon, "VmHWM"), int(line["took_ms"]) / 1000, int(line["pages"])
    print(f"{pages} pages, {line['items']} alerts in {seconds:.1f} s: {pages / seconds:.0f} pages/s, "
          f"{int(line['items']) / seconds:.0f} alerts/s, {cpu(daemon) * 1e6 / count:.1f} us of CPU each")
    time.sleep(SETTLE_S)
    size = os.path.getsize(f"{folder}/tocsin.db") / (1 << 20)
    print(f"peak {peak:.1f} MB, {peak - idle:+.1f} MB over idle; afterwards {memory(daemon):.1f} MB; "
          f"store {size:.0f} MB")
    scene.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--alerts", type=int, default=1000000)
    parser.add_argument("--order", default="newest", choices=["newest", "oldest", "mixed"])
    parser.add_argument("--limit-rpm", default="1000000")
    args = parser.parse_args()
    options = ["--order", args.order, "--limit-rpm", args.limit_rpm]
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        idle = measure_idle(small, options)
        measure_walk(large, args.alerts, options, idle)


if __name__ == "__main__":
    main()
