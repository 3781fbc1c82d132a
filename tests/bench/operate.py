#!/usr/bin/python3
"""What a million rows that an operator changes cost the deliveries beside them.

Usage: tests/bench/operate.py [--rows 1000000] [--due 1000000] [--baseline 15]

Fills a store by hand: --rows dead letters of the sink `idle`, which the operator holds, and --due
rows for the sink `busy`. Runs tocsin (TOCSIN_BIN; measure a Release build) on it and a receiver on
loopback that answers at once, so that deliveries never stop by themselves. While they go on,
`tocsin requeue --sink idle` and then `tocsin drop --sink idle --state due` take all of idle's
rows. The longest gap between two requests at the receiver, above that of the baselines before and
after, is the longest wait that a command has caused.
"""
import argparse
import asyncio
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import support  # noqa: E402
from fakes import wait_for  # noqa: E402

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Wire(asyncio.Protocol):
    """One connection: answers each request at once, and notes when it came."""

    def __init__(self, times):
        self.times, self.data = times, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.data += data
        while True:
            head, found, rest = self.data.partition(b"\r\n\r\n")
            if not found:
                return
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            if len(rest) < length:
                return
            self.data = rest[length:]
            self.times.append(time.monotonic())
            self.transport.write(ANSWER)


class Receiver:
    def __init__(self):
        self.times = []
        self.loop = asyncio.new_event_loop()
        server = self.loop.create_server(lambda: Wire(self.times), "127.0.0.1", 0)
        self.port = self.loop.run_until_complete(server).sockets[0].getsockname()[1]
        threading.Thread(target=self.loop.run_forever, daemon=True).start()


def tell(what, times, began, ended, more=""):
    during = [t for t in times if began <= t <= ended]
    gaps = sorted((b - a) * 1000 for a, b in zip(during, during[1:]))
    seconds = ended - began
    print(f"{what:<22} {seconds:7.1f} s  {len(during):>8} delivered  {len(during) / seconds:7.0f}/s  "
          f"gap p99 {gaps[int(len(gaps) * 0.99)]:6.2f} ms  p99.99 {gaps[int(len(gaps) * 0.9999)]:6.1f} ms  "
          f"longest {gaps[-1]:6.1f} ms  {more}", flush=True)


def command(conf, *arguments):
    """Runs it; returns the times, and what it printed, its CPU and its memory."""
    began = time.monotonic()
    process = subprocess.Popen([support.BIN, "-c", conf, *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    out = process.stdout.read().strip()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, out
    cpu = usage.ru_utime + usage.ru_stime
    return began, time.monotonic(), f"{out}; {cpu:.1f} s of CPU, {usage.ru_maxrss / 1024:.0f} MB"


def fill(folder, rows, due):
    store = support.Store(f"{folder}/tocsin.db")
    store.names(sinks=("busy", "idle"))
    store.many(rows, sink=2)
    store.many(due, state="due")
    store.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--due", type=int, default=1000000)
    parser.add_argument("--baseline", type=float, default=15, help="seconds")
    args = parser.parse_args()
    receiver = Receiver()
    with tempfile.TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{receiver.port}/"
        conf = support.configuration(
            folder, sinks=[support.webhook("busy", url), support.webhook("idle", url)],
            routes=['{ name = "rest"; to = [ "busy" ]; }'], more='log = { level = "error"; };')
        fill(folder, args.rows, args.due)
        assert support.tocsin("sink", "hold", "idle", conf=conf).returncode == 0
        daemon = subprocess.Popen([support.BIN, "-c", conf, "run"])
        wait_for(lambda: len(receiver.times) > 1000, 60, "deliveries to begin")
        try:
            began = time.monotonic()
            time.sleep(args.baseline)
            tell("before", receiver.times, began, time.monotonic())
            for what in (["requeue", "--sink", "idle"], ["drop", "--sink", "idle", "--state", "due"]):
                began, ended, more = command(conf, *what)
                tell(what[0], receiver.times, began, ended, more)
            began = time.monotonic()
            time.sleep(args.baseline)
            tell("after", receiver.times, began, time.monotonic())
            assert len(receiver.times) < args.due, "the deliveries ran out: more with --due"
        finally:
            daemon.terminate()
            daemon.wait(30)


if __name__ == "__main__":
    main()
