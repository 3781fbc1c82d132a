#!/usr/bin/python3
"""What a delivery costs, beside loops that do the least; and what waiting costs.

Usage: sh tests/bench/run.sh [--quick] [--alerts 60000] [--rounds 3] [--ids order|random]
                             [--list newest|oldest] [--window 64] [--waiting 1000,100000,1000000]
                             [--idle 30] [--folder DIR] [--perf FILE]

Loopback, Release, one POST an alert of 600 bytes, the store on the disk of --folder (the build's).
Each round runs, one after the other, against a fresh bench_peer (API and receiver):

  loop      bench_loop: bare libcurl multi, --window in flight, nothing stored
  outbox    the same with a SQLite outbox, synchronous=FULL
  tocsin    `tocsin run` as it is shipped, one source with start = "all", one signed webhook
            sink, the log (one line an attempt) into a file

CPU is that of the whole process, its start too; deliveries/s run from the first request to the
last POST. Shown are medians of the rounds, and of the rounds' own ratios. Then `tocsin`
with a receiver that is down and --waiting rows: memory (peak, and at rest) and the time
until it is ready when started again on them; and memory and wake-ups (voluntary context switches)
of an idle one. Every run is checked: each alert once, each row done, nothing heard twice.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import programs  # noqa: E402
from fakes import wait_for  # noqa: E402

BUILD = os.environ.get("BENCH_BIN", ".")
PATIENCE_S = 1800
KIND = ("loop", "outbox", "tocsin")


class Peer:
    """bench_peer: the API and the receiver."""

    def __init__(self, args, count):
        options = ["-n", str(count)]
        options += ["-r"] * (args.ids == "random") + ["-o"] * (args.list == "oldest")
        self.process = subprocess.Popen(
            [f"{BUILD}/bench_peer", *options], stdout=subprocess.PIPE, text=True
        )
        self.root = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        self.base = self.root + "/v1"

    def wait(self):
        """Seconds until all were posted; none may have come twice."""
        seconds, twice = self.process.stdout.readline().split()
        assert int(twice) == 0, f"{twice} came twice"
        return float(seconds)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Daemon:
    """`tocsin run`; its log is a file, which costs nobody else any CPU."""

    def __init__(self, folder, args, base, hook):
        self.folder = folder
        source = {
            "name": "bench", "base_url": base, "api_key": "sandbox-key", "start": "all",
            "rate_share": 1.0,
        }
        sink = {
            "name": "hook", "type": "webhook", "url": hook, "window": args.window,
            "secret": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        }
        config = programs.write_config(folder, [source], [sink])
        self.log_path = f"{folder}/log"
        front = ["perf", "record", "-q", "-g", "-o", args.perf, "--"] if args.perf else []
        with open(self.log_path, "ab") as log:
            self.log_start = log.tell()
            self.began = time.monotonic()
            self.process = subprocess.Popen(
                [*front, programs.TOCSIN, "-c", config, "run"], stderr=log
            )

    @property
    def pid(self):
        """The daemon's, whatever it was started by."""
        own = self.process.pid
        children = pathlib.Path(f"/proc/{own}/task/{own}/children").read_text().split()
        is_front = "tocsin" not in pathlib.Path(f"/proc/{own}/comm").read_text()
        return int(children[0]) if is_front and children else own

    def wait_log(self, text):
        """Seconds from the start until the log has it."""
        def found():
            assert self.process.poll() is None, "tocsin has ended: " + self.log_path
            with open(self.log_path, "rb") as log:
                log.seek(self.log_start)
                return text in log.read(1 << 24)

        wait_for(found, PATIENCE_S, text.decode())
        return time.monotonic() - self.began

    def memory(self, what="VmRSS"):
        """In MB."""
        return self.status(what) / 1024

    def status(self, what):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return next(int(l.split()[1]) for l in text.splitlines() if l.startswith(what))

    def switches(self):
        """Voluntary ones, of all threads."""
        tasks = pathlib.Path(f"/proc/{self.pid}/task").glob("*/status")
        lines = (l for t in tasks for l in t.read_text().splitlines())
        return sum(int(l.split()[1]) for l in lines if l.startswith("voluntary"))

    def cpu_s(self):
        """Of all threads that live, to the nanosecond."""
        tasks = pathlib.Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(t.read_text().split()[0]) for t in tasks) / 1e9

    def count(self, sql):
        path = f"file:{self.folder}/tocsin.db?mode=ro"
        with contextlib.closing(sqlite3.connect(path, uri=True, timeout=10)) as db:
            return db.execute(sql).fetchone()[0]

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        assert self.process.wait(120) == 0, self.log_path

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def scratch(args):
    folder = tempfile.mkdtemp(prefix="bench-", dir=args.folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


# ---- delivering ------------------------------------------------------------------------------


def measure_loop(args, *options):
    with contextlib.closing(Peer(args, args.alerts)) as peer:
        done = subprocess.run(
            [f"{BUILD}/bench_loop", "-n", str(args.alerts), "-w", str(args.window), *options,
             peer.root + "/hook"],
            capture_output=True, text=True, check=True,
        )
        peer.wait()
    seconds, cpu, peak_kib = map(float, done.stdout.split())
    return {"rate": args.alerts / seconds, "us": cpu * 1e6 / args.alerts, "peak": peak_kib / 1024}


def measure_outbox(args):
    with scratch(args) as folder:
        return measure_loop(args, "-s", f"{folder}/outbox.db")


def measure_tocsin(args, then=lambda daemon, figures: None):
    with scratch(args) as folder, contextlib.closing(Peer(args, args.alerts)) as peer:
        daemon = Daemon(folder, args, peer.base, peer.root + "/hook")
        with contextlib.closing(daemon):
            seconds = peer.wait()
            time.sleep(0.3)  # the last outcomes are committed
            cpu, peak = daemon.cpu_s(), daemon.memory("VmHWM")
            figures = {"rate": args.alerts / seconds, "us": cpu * 1e6 / args.alerts, "peak": peak}
            then(daemon, figures)
            daemon.end()
        done = daemon.count("SELECT count(*) FROM v_deliveries WHERE state = 'done'")
        assert done == args.alerts == daemon.count("SELECT count(*) FROM v_deliveries")
        return figures


def measure_rounds(args):
    measure = {"loop": measure_loop, "outbox": measure_outbox, "tocsin": measure_tocsin}
    rounds = []
    for number in range(args.rounds):
        rounds.append({kind: measure[kind](args) for kind in KIND})
        print(f"round {number + 1} (load {os.getloadavg()[0]:.1f}): " + "; ".join(
            f"{kind} {f['rate']:.0f}/s {f['us']:.1f} us" for kind, f in rounds[-1].items()
        ), flush=True)
    return rounds


# ---- waiting and idling ----------------------------------------------------------------------


def measure_waiting(args, count):
    """Nobody listens where the sink should be."""
    with scratch(args) as folder, contextlib.closing(Peer(args, count)) as peer:
        daemon = Daemon(folder, args, peer.base, "http://127.0.0.1:9/hook")
        with contextlib.closing(daemon):
            seconds = daemon.wait_log(b" items=%d " % count)  # the walk's end
            cpu, peak, rest = daemon.cpu_s(), daemon.memory("VmHWM"), daemon.memory()
            daemon.end()
        waiting = "SELECT count(*) FROM v_deliveries WHERE state IN ('due', 'held', 'claimed')"
        assert daemon.count(waiting) == count
        again = Daemon(folder, args, peer.base, "http://127.0.0.1:9/hook")
        with contextlib.closing(again):
            started = again.wait_log(b"msg=started")
            ready = again.wait_log(b"msg=ready")
            again_peak = again.memory("VmHWM")
            again.end()
    print(f"{count} waiting: peak {peak:.1f} MB, at rest {rest:.1f} MB; intake {count / seconds:.0f}/s, "
          f"{cpu * 1e6 / count:.1f} us each; started again: {started * 1e3:.0f} ms, ready after "
          f"{ready * 1e3:.0f} ms, peak {again_peak:.1f} MB", flush=True)
    return {"peak": peak, "rest": rest, "started": started, "ready": ready}


def watch_idle(args):
    def watch(daemon, figures):
        before = daemon.switches()
        time.sleep(args.idle)
        figures["wakes"] = (daemon.switches() - before) / args.idle
        figures["idle"] = daemon.memory()

    return measure_tocsin(args, watch)


# ---- what is printed -------------------------------------------------------------------------


def median(rounds, kind, what):
    return statistics.median(r[kind][what] for r in rounds)


def ratio(rounds, over):
    return statistics.median(r["tocsin"]["us"] / r[over]["us"] for r in rounds)


def show(args, rounds, waiting, idle):
    print(f"\n{args.alerts} alerts of 600 bytes, ids {args.ids}, list {args.list} first, window "
          f"{args.window}, medians of {args.rounds} rounds; {os.cpu_count()} cores, load "
          f"{os.getloadavg()[0]:.1f}\n")
    print("|  | deliveries/s | CPU us/delivery | peak RSS MB |\n|---|---|---|---|")
    for kind in KIND:
        print(f"| {kind} | {median(rounds, kind, 'rate'):.0f} | {median(rounds, kind, 'us'):.1f} | "
              f"{median(rounds, kind, 'peak'):.1f} |")
    print("\n| measure | aim | measured |\n|---|---|---|")
    print(f"| deliveries/s | 20000 | {median(rounds, 'tocsin', 'rate'):.0f} |")
    print(f"| CPU us a delivery | 50, then 40 | {median(rounds, 'tocsin', 'us'):.1f} |")
    print(f"| over loop + outbox | 1.35 | {ratio(rounds, 'outbox'):.2f} |")
    print(f"| over the bare loop | | {ratio(rounds, 'loop'):.2f} |")
    for count, w in waiting.items():
        print(f"| peak RSS, {count} waiting | {'26 MB' if count == 100000 else ''} | "
              f"{w['peak']:.1f} MB |")
        print(f"| started again on them | | {w['started'] * 1e3:.0f} ms, ready "
              f"{w['ready'] * 1e3:.0f} ms |")
    if idle:
        print(f"| idle RSS | 20 MB | {idle['idle']:.1f} MB |")
        print(f"| wake-ups a second, idle | | {idle['wakes']:.1f} |")


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one small run of everything")
    parser.add_argument("--alerts", type=int, default=60000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ids", default="order", choices=["order", "random"])
    parser.add_argument("--list", default="newest", choices=["newest", "oldest"])
    parser.add_argument("--window", type=int, default=64)
    parser.add_argument("--waiting", default="1000,100000,1000000")
    parser.add_argument("--idle", type=int, default=30, help="seconds to watch it; 0: not")
    parser.add_argument("--folder", default=BUILD, help="on the disk to measure")
    parser.add_argument("--perf", default="", help="record a profile of the daemon there")
    args = parser.parse_args()
    if args.quick:
        args.alerts, args.rounds, args.waiting, args.idle = 5000, 1, "1000,20000", 5
    return args


def main():
    args = arguments()
    rounds = measure_rounds(args)
    waiting = {int(n): measure_waiting(args, int(n)) for n in args.waiting.split(",") if n}
    idle = watch_idle(args) if args.idle else None
    show(args, rounds, waiting, idle)


if __name__ == "__main__":
    main()
