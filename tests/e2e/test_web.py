"""What the daemon serves over HTTP, and what the service manager hears.

Clients of the pages here are raw sockets where they are slow or odd. Nothing that they do may
reach the pipeline.
"""
import contextlib
import math
import os
import re
import signal
import socket
import time
import urllib.error
import urllib.request

import pytest

from fakes import alert, heard, wait_for
from programs import run, webhook

ANYWHERE = "127.0.0.1:0"


def place(daemon):
    """Where it listens, as (host, port)."""
    host, _, port = daemon.says("started")["listen"].rpartition(":")
    return host.strip("[]"), int(port)


def fetch(daemon, path, method="GET"):
    """(status, headers, text)"""
    host, port = place(daemon)
    at = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(f"http://{at}:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read().decode()


def dial(daemon, says=b""):
    connection = socket.create_connection(place(daemon), timeout=20)
    connection.sendall(says)
    return connection


# ---- Prometheus' text format, read strictly ---------------------------------------------------

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = rf'{NAME}="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)?\}})? (\S+)")
KINDS = ("counter", "gauge", "histogram")


def family_of(name, kinds):
    """A histogram's samples have names of their own."""
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if kinds.get(base) == "histogram" else name


def parse(text):
    """{(name, ((label, value), …)): number}; fails for what version 0.0.4 does not allow."""
    assert text.endswith("\n")
    helped, kinds, values, order = set(), {}, {}, []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in helped and re.fullmatch(NAME, name), line
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name in helped and name not in kinds and kind in KINDS, line
            kinds[name] = kind
            order.append(name)
        else:
            name, labels, number = SAMPLE.fullmatch(line).groups()
            assert family_of(name, kinds) == order[-1], f"{line} stands apart from its family"
            pairs = tuple(re.findall(rf'({NAME})="((?:[^"\\]|\\.)*)"', labels or ""))
            assert len({k for k, _ in pairs}) == len(pairs), line
            assert (name, pairs) not in values, line
            values[name, pairs] = float(number)
    for name, kind in kinds.items():
        assert name.startswith("tocsin_"), name
        assert (kind == "counter") == name.endswith("_total"), name
        if kind == "histogram":
            check_histogram(name, values)
    return values


def check_histogram(name, values):
    buckets = [(float(dict(labels)["le"]), n) for (each, labels), n in values.items()
               if each == name + "_bucket"]
    assert buckets == sorted(buckets) and buckets[-1][0] == math.inf
    assert [n for _, n in buckets] == sorted(n for _, n in buckets)
    assert buckets[-1][1] == values[name + "_count", ()]
    assert values[name + "_sum", ()] >= 0


def metrics(daemon):
    status, headers, text = fetch(daemon, "/metrics")
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parse(text)


def value(daemon, name, **labels):
    """None where there is no such sample."""
    return metrics(daemon).get((name, tuple(labels.items())))


# ---- the pages --------------------------------------------------------------------------------


def test_ready_is_red_with_its_reason_and_then_green(scene):
    sim, hook = scene.sim("--history", "3"), scene.receiver()
    sim.fault(path="/v1/alerts", kind="status", status=503, count=1000)
    daemon = scene.tocsin(sim, [webhook("bus", hook)], listen=ANYWHERE)
    wait_for(lambda: "answered 503" in fetch(daemon, "/-/ready")[2])
    status, headers, text = fetch(daemon, "/-/ready")
    assert status == 503 and headers["Content-Type"] == "text/plain; charset=utf-8"
    assert re.fullmatch(r"source acme: /alerts answered 503.*\n", text)
    assert value(daemon, "tocsin_ready") == 0
    assert fetch(daemon, "/-/healthy")[::2] == (200, "ok\n")
    sim.heal()
    wait_for(lambda: fetch(daemon, "/-/ready")[::2] == (200, "ready\n"), 60)
    assert value(daemon, "tocsin_ready") == 1
    assert value(daemon, "tocsin_poll_errors_total", source="acme", **{"pass": "head"}) > 0
    assert fetch(daemon, "/-/healthy")[::2] == (200, "ok\n")


def test_each_answer_has_its_status_and_its_headers(scene):
    daemon = scene.tocsin(scene.api(), [webhook("bus", scene.receiver())], listen=ANYWHERE)
    for method, path, status in (
        ("GET", "/-/healthy", 200),
        ("HEAD", "/-/healthy", 200),
        ("HEAD", "/metrics", 200),
        ("GET", "/metrics?name=x", 200),
        ("GET", "/", 404),
        ("GET", "/metrics/", 404),
        ("GET", "//metrics", 404),
        ("POST", "/nowhere", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/-/ready", 405),
        ("OPTIONS", "/-/healthy", 405),
        ("BREW", "/-/healthy", 405),
    ):
        got, headers, text = fetch(daemon, path, method)
        assert got == status, (method, path)
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Type"].startswith("text/plain")
        assert headers["Allow"] == ("GET, HEAD" if status == 405 else None)
        assert int(headers["Content-Length"]) > 0
        assert (text == "") == (method == "HEAD")
    assert "/metrics\n" in fetch(daemon, "/")[2]


def test_metrics_parse_and_move_with_what_happens(scene):
    alerts = [alert(n) for n in range(20)]
    refused = f'"{alerts[7]["id"]}"'.encode()
    api = scene.api(alerts)
    bus = scene.receiver(lambda call: {"status": 400} if refused in call.body else {})
    gone = scene.receiver()
    gone.down()
    daemon = scene.tocsin(api, [webhook("bus", bus), webhook("gone", gone, retry={"min": "30s"})],
                          listen=ANYWHERE)
    scene.expect("msg=dead")

    def sink(name, which="bus", **labels):
        return value(daemon, f"tocsin_{name}", sink=which, **labels)

    wait_for(lambda: sink("deliveries_total", verdict="delivered") == 19)
    wait_for(lambda: sink("deliveries_total", verdict="never") == 1)
    wait_for(lambda: sink("deliveries_dead") == 1)
    assert sink("attempts_total") == 20
    assert sink("sink_up") == 1 and sink("deliveries_in_flight") == 0
    wait_for(lambda: sink("deliveries_due", "gone") == 20)
    assert sink("sink_up", "gone") == 0
    assert sink("deliveries_total", "gone", verdict="later") > 0
    assert sink("deliveries_due") == 0 and sink("oldest_due_timestamp_seconds") is None
    assert abs(time.time() - sink("oldest_due_timestamp_seconds", "gone")) < 60

    all_of = metrics(daemon)
    now = time.time()
    for kind in ("head", "sweep", "full"):
        at = all_of["tocsin_last_complete_pass_timestamp_seconds",
                    (("source", "acme"), ("pass", kind))]
        assert now - 60 < at <= now + 1
    assert now - 60 < all_of["tocsin_start_time_seconds", ()] <= now + 1
    assert all_of["tocsin_resident_memory_bytes", ()] > 1 << 20
    assert all_of["tocsin_store_bytes", ()] >= os.path.getsize(f"{scene.folder}/tocsin.db")
    polls = all_of["tocsin_polls_total", (("source", "acme"), ("pass", "head"))]
    commits = all_of["tocsin_commit_seconds_count", ()]
    assert commits > 1
    head = {"source": "acme", "pass": "head"}
    wait_for(lambda: value(daemon, "tocsin_polls_total", **head) > polls)
    wait_for(lambda: value(daemon, "tocsin_commit_seconds_count") > commits)
    version = run(daemon.config, "--version").stdout.split()[-1]
    assert all_of["tocsin_build_info", (("version", version),)] == 1


def test_dead_and_held_are_counted_and_so_is_what_a_command_ends(scene):
    api, hook = scene.api([alert(n) for n in range(4)]), scene.receiver({"status": 400})
    scene.expect("msg=dead", "msg=sink-down")
    daemon = scene.tocsin(api, [webhook("bus", hook, retry={"min": "60s"})], listen=ANYWHERE)
    wait_for(lambda: value(daemon, "tocsin_deliveries_dead", sink="bus") == 4)
    done = run(daemon.config, "drop", "--sink", "bus", "--state", "dead")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: value(daemon, "tocsin_deliveries_dead", sink="bus") == 0)


# ---- clients that take their time ---------------------------------------------------------------

GET = b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /metrics HTTP/1.1\r\nHost: h\r\n"

SLOW = {
    "silent": (b"", b""),
    "half a request": (b"GET /metrics HT", b""),
    "a header without end": (b"GET /metrics HTTP/1.1\r\nHost: h\r\nX-Long: ", b"a" * 50),
    "headers without end": (b"GET /metrics HTTP/1.1\r\nHost: h\r\n", b"X-More: y\r\n"),
    "a byte now and then": (b"G", b"E"),
    "a body without end": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n"),
    "a large body": (POST + b"Content-Length: 99999999\r\n\r\n", b"x" * 500),
    "never reads": (GET * 20, GET),
}


def drip(connections):
    """A bit more from each that is still there."""
    for connection, more in connections:
        with contextlib.suppress(OSError):
            connection.send(more, socket.MSG_DONTWAIT)


def test_slow_clients_delay_no_delivery_and_no_page(scene):
    sim, hook = scene.sim(), scene.receiver()
    daemon = scene.tocsin(sim, [webhook("bus", hook)], listen=ANYWHERE)
    connections = []
    for _ in range(25):
        for says, more in SLOW.values():
            connections.append((dial(daemon, says), more))
    slowest = 0
    for n in range(30):
        drip(connections)
        at = time.monotonic()
        sim.add(n=1)
        wait_for(lambda n=n: len(heard(hook)) == n + 1, 10)
        assert fetch(daemon, "/-/healthy")[0] == 200
        slowest = max(slowest, time.monotonic() - at)
    assert slowest < 5
    for connection, _ in connections:
        connection.close()


def is_open(connection):
    """Takes in what came; an end or a reset is one."""
    try:
        while True:
            if not connection.recv(1 << 16, socket.MSG_DONTWAIT):
                return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_no_connection_stays_for_long_whatever_it_does(scene):
    daemon = scene.tocsin(scene.api(), [webhook("bus", scene.receiver())], listen=ANYWHERE)
    connections = [(dial(daemon, says), more) for says, more in SLOW.values()]
    began = time.monotonic()

    def all_ended():
        drip([c for c, name in zip(connections, SLOW) if name != "never reads"])
        return not any(is_open(c) for c, _ in connections)

    wait_for(all_ended, 25)
    assert time.monotonic() - began > 5, "a scraper has some seconds"
    for connection, _ in connections:
        connection.close()


def test_what_is_too_large_is_refused(scene):
    daemon = scene.tocsin(scene.api(), [webhook("bus", scene.receiver())], listen=ANYWHERE)
    for says, status in (
        (b"GET /metrics HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 100000 + b"\r\n\r\n", b" 431 "),
        (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", b" 414 "),
        (b"GET /metrics HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 100 + b"\r\n", b" 431 "),
        (POST + b"Content-Length: 20000\r\n\r\n" + b"x" * 20000, b" 413 "),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b""),
    ):
        with contextlib.closing(dial(daemon)) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(says)
            with contextlib.suppress(ConnectionResetError):
                assert status in connection.recv(4096).partition(b"\r\n")[0]
    assert fetch(daemon, "/-/healthy")[0] == 200


# ---- where it listens ---------------------------------------------------------------------------


def listening(daemon):
    """Inodes of the daemon's own listening TCP sockets."""
    folder = f"/proc/{daemon.process.pid}"
    ours = {os.readlink(f"{folder}/fd/{fd}") for fd in os.listdir(f"{folder}/fd")}
    found = []
    for table in ("tcp", "tcp6"):
        with open(f"{folder}/net/{table}", encoding="ascii") as lines:
            found += [row[9] for row in map(str.split, list(lines)[1:]) if row[3] == "0A"]
    return [inode for inode in found if f"socket:[{inode}]" in ours]


def test_listen_empty_is_off(scene):
    daemon = scene.tocsin(scene.api(), [webhook("bus", scene.receiver())], listen="")
    assert "listen" not in daemon.says("started")
    assert not listening(daemon)


def test_loopback_of_ipv6(scene):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    daemon = scene.tocsin(scene.api(), [webhook("bus", scene.receiver())], listen="[::1]:0")
    assert daemon.says("started")["listen"].startswith("[::1]:")
    assert len(listening(daemon)) == 1
    assert fetch(daemon, "/-/healthy")[0] == 200


def test_a_port_in_use_is_said_with_the_remedy_and_poll_once_needs_none(scene):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        hook = scene.receiver()
        config = scene.config(scene.api([alert(1)]), [webhook("bus", hook)], listen=at)
        done = run(config, "run")
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == (
            f"tocsin: cannot listen on 127.0.0.1 port {at.split(':')[1]}: Address already in use: "
            'set `listen` to another address and port, or to "" for none')
        assert run(config, "poll", "--once").returncode == 0
        assert len(heard(hook)) == 1


def test_a_reload_moves_it_and_one_that_cannot_leaves_all_as_it_was(scene):
    api, sinks = scene.api(), [webhook("bus", scene.receiver())]
    daemon = scene.tocsin(api, sinks, listen=ANYWHERE)
    before = place(daemon)

    def reload(at):
        scene.config(api, sinks, listen=at)
        count = len(daemon.log("reloaded") + daemon.log("reload-failed"))
        daemon.signal(signal.SIGHUP)
        wait_for(lambda: len(daemon.log("reloaded") + daemon.log("reload-failed")) > count)

    reload(ANYWHERE)
    assert value(daemon, "tocsin_last_reload_successful") == 1, "where it was"
    scene.expect("Address already in use")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        reload(f"127.0.0.1:{taken.getsockname()[1]}")
    assert "set `listen` to" in daemon.says("reload-failed")["reason"]
    assert value(daemon, "tocsin_last_reload_successful") == 0
    reload("127.0.0.2:0")
    host, port = daemon.log("reloaded")[-1]["listen"].split(":")
    with urllib.request.urlopen(f"http://{host}:{port}/-/ready", timeout=20) as answer:
        assert answer.status == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(before, timeout=20)
    reload("")
    assert not listening(daemon)


def test_an_address_that_is_none_is_found_by_check(scene):
    config = scene.config(scene.api(), [webhook("bus", scene.receiver())], listen="monitor:9464")
    done = run(config, "check")
    assert done.returncode == 78
    assert re.search(r":\d+: listen: needs a numeric address", done.stdout)


# ---- the service manager -------------------------------------------------------------------------


class Manager:
    """Hears what is said to its socket, with the time."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.said = []

    def hear(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.said.append(self.socket.recv(4096, socket.MSG_DONTWAIT).decode())
        return self.said

    def close(self):
        self.socket.close()


def test_the_service_manager_hears_ready_status_watchdog_reload_and_stopping(scene):
    manager = scene.keep(Manager(f"{scene.folder}/notify"))
    hook = scene.receiver()
    api = scene.api([alert(1)])
    gone = scene.receiver()
    gone.down()
    config = scene.config(api, [webhook("bus", hook), webhook("gone", gone, retry={"min": "30s"})])
    env = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000"}
    daemon = scene.start(config, env=env)
    wait_for(lambda: "STATUS=ready, 1 of 2 sinks up, 1 due" in manager.hear())
    assert manager.said[0] == "READY=1"
    assert manager.said.count("READY=1") == 1
    alive = manager.said.count("WATCHDOG=1")
    wait_for(lambda: manager.hear().count("WATCHDOG=1") >= alive + 10, 10)
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: manager.hear().count("READY=1") == 2)
    scene.stop(daemon)
    states = [m for m in manager.hear() if not m.startswith(("STATUS=", "WATCHDOG="))]
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", states.pop(1))
    assert states == ["READY=1", "READY=1", "STOPPING=1\nEXTEND_TIMEOUT_USEC=13000000"]


def test_a_watchdog_that_is_not_ours_hears_nothing_and_a_dead_manager_harms_nobody(scene):
    manager = Manager(f"{scene.folder}/notify")
    env = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}
    sim, hook = scene.sim(), scene.receiver()
    daemon = scene.start(scene.config(sim, [webhook("bus", hook)]), env=env)
    wait_for(lambda: any(m.startswith("STATUS=ready") for m in manager.hear()))
    assert "WATCHDOG=1" not in manager.said
    manager.close()
    os.unlink(manager.path)
    sim.add(n=5)
    wait_for(lambda: len(heard(hook)) == 5)
    assert daemon.runs
