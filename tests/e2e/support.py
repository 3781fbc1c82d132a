"""What tests of the commands share: running them, a receiver that answers as told, a store
filled by hand. Only loopback and free ports; what a test starts, it ends."""
import contextlib
import http.server
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = os.environ.get("TOCSIN_BIN", str(TOP / "build/asan/tocsin"))
TEMPLATES = TOP / "templates"
TEST_SECONDS = 60


@contextlib.contextmanager
def deadline(seconds=TEST_SECONDS):
    """Fails what takes longer."""

    def late(signum, frame):
        raise AssertionError(f"not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tocsin(*args, conf=None, env=None, timeout=30, text=True):
    """Runs a command to its end. The environment is bare but for env."""
    whole = {"PATH": "/usr/bin:/bin", **(env or {})}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
        if name in os.environ:
            whole[name] = os.environ[name]
    front = [BIN] + (["-c", str(conf)] if conf else [])
    return subprocess.run(
        front + [str(a) for a in args],
        capture_output=True,
        encoding="utf-8" if text else None,
        timeout=timeout,
        env=whole,
        stdin=subprocess.DEVNULL,
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def json_lines(done):
    """The objects that a command printed, one a line and nothing else."""
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" or done.stdout.endswith("\n")
    return [json.loads(line) for line in done.stdout.splitlines()]


# ---- configurations ----


def source(name="acme", port=9):
    return (
        f'{{ name = "{name}"; base_url = "http://127.0.0.1:{port}/v1"; '
        'api_key = "api-key-7d1f"; }'
    )


def webhook(name="bus", url="http://127.0.0.1:9/in", more=""):
    return f'{{ name = "{name}"; type = "webhook"; url = "{url}"; {more} }}'


def configuration(folder, sinks=None, routes=None, more="", sources=None):
    """Writes a whole configuration whose store is in the same folder."""
    sinks = sinks if sinks is not None else [webhook()]
    routes = routes if routes is not None else ['{ name = "rest"; to = [ "bus" ]; }']
    path = pathlib.Path(folder) / "tocsin.conf"
    path.write_text(
        f'store = "{folder}/tocsin.db"; listen = "";\ntemplates = "{TEMPLATES}";\n{more}\n'
        f"sources = ( {', '.join(sources or [source()])} );\n"
        f"sinks = ( {', '.join(sinks)} );\nroutes = ( {', '.join(routes)} );\n",
        encoding="utf-8",
    )
    return path


# ---- a receiver ----


class Receiver:
    """An HTTP server that answers each request by the same script and remembers them."""

    def __init__(self, status=200, body=b"ok", headers=None):
        self.status, self.body, self.headers = status, body, headers or {}
        self.requests = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                receiver.requests.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.body)))
                self.end_headers()
                self.wfile.write(receiver.body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def url(self, path="/in"):
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


# ---- a store filled by hand ----


class Store:
    """A store as the daemon would leave it, or has left it; times count back from now."""

    def __init__(self, path):
        self.now = int(time.time() * 1000)
        self.db = sqlite3.connect(path)
        self.alert_count = self.event_count = 0
        if self.db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] != 0:
            last = "SELECT coalesce(max(%s), 0) FROM %s"
            self.alert_count = self.db.execute(last % ("number", "alerts")).fetchone()[0]
            self.event_count = self.db.execute(last % ("id", "events")).fetchone()[0]
            return
        self.db.execute("PRAGMA page_size = 8192")
        self.db.execute("PRAGMA journal_mode = WAL")
        steps = sorted((TOP / "src/store").glob("schema*.sql"),  # schema, schema_2, … schema_10
                       key=lambda step: (len(step.name), step.name))
        for step in steps:
            self.db.executescript(step.read_text(encoding="utf-8"))
        self.db.execute(f"PRAGMA user_version = {len(steps)}")
        self.db.commit()

    def insert(self, table, **columns):
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(columns.values()))
        self.db.commit()

    def names(self, sources=("acme",), sinks=("bus",), routes=("rest",)):
        for number, name in enumerate(sources, 1):
            self.insert("sources", number=number, name=name, last_head_at=self.now - 3000)
        for number, name in enumerate(sinks, 1):
            self.insert("sinks", number=number, name=name, type="webhook", is_collapse=0,
                        is_present=1)
        for number, name in enumerate(routes, 1):
            self.insert("routes", number=number, name=name)

    def alert(self, alert_id, body=None, state="active", severity="high", status="open",
              age_ms=60000, source=1):
        """Returns the alert's number; body is its JSON text."""
        self.alert_count += 1
        body = body if body is not None else json.dumps(alert_body(alert_id, severity, status))
        self.insert("alerts", number=self.alert_count, source=source, id=alert_id, hash=1,
                    content=1, status=status, severity=severity, state=state, episode=1, seq=0,
                    last_event=0, unended_from=0, created_at=self.now - age_ms,
                    first_seen_at=self.now - age_ms, written_at=self.now - age_ms, body=body)
        return self.alert_count

    def event(self, alert, kind="opened", age_ms=60000, body=None):
        """The alert's next event; its body is the alert's unless given."""
        self.event_count += 1
        prev, seq, kept = self.db.execute(
            "SELECT last_event, seq, body FROM alerts WHERE number = ?", (alert,)).fetchone()
        self.insert("events", id=self.event_count, alert=alert, source=1, prev=prev, episode=1,
                    seq=seq + 1, kind=kind, is_first=0, at=self.now - age_ms, body=body or kept)
        self.db.execute("UPDATE alerts SET last_event = ?, seq = ? WHERE number = ?",
                        (self.event_count, seq + 1, alert))
        self.db.commit()
        return self.event_count

    def delivery(self, event, state="due", sink=1, origin=0, n=0, **columns):
        """Returns the id: event, sink, origin and ordinal in 36 + 12 + 3 + 12 bits."""
        key = event << 27 | sink << 15 | origin << 12 | n
        if state == "due":
            columns.setdefault("due_at", self.now + 60000)
        self.insert("deliveries", **{"id": key, "sink": sink, "route": 1, "state": state,
                                     **columns})
        return key

    def attempt(self, delivery, n=1, verdict="later", status=503, answer="busy"):
        self.insert("attempts", delivery=delivery, n=n, at=self.now - 5000, took_ms=41,
                    verdict=verdict, status=status, answer=answer)

    def many(self, count, state="dead", sink=1, age_ms=60000):
        """So many alerts m1… that are over, each with one delivery; returns the first event."""
        self.db.commit()
        at, first_alert, first = self.now - age_ms, self.alert_count + 1, self.event_count + 1
        n = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1}) "
        self.db.execute(
            "INSERT INTO alerts (number, source, id, hash, content, status, severity, state, "
            "episode, seq, last_event, unended_from, first_seen_at, written_at, resolved_at) "
            f"{n} SELECT {first_alert} + i, 1, 'm' || ({first} + i), i, 1, 'resolved', 'high', "
            f"'resolved', 1, 1, {first} + i, {first} + i, {at}, {at}, {at} FROM n")
        self.db.execute(
            "INSERT INTO events (id, alert, source, prev, episode, seq, kind, is_first, at, body) "
            f"{n} SELECT {first} + i, {first_alert} + i, 1, 0, 1, 1, 'opened', 0, {at}, "
            "replace(?, '\"m\"', '\"m' || (%d + i) || '\"') FROM n" % first,
            (json.dumps(alert_body("m")),))
        self.db.execute(
            "INSERT INTO deliveries (id, sink, route, state, due_at, attempt, first_attempt_at, "
            f"held_base_ms, ended_at) {n} SELECT (({first} + i) << 27) | ({sink} << 15), {sink}, "
            "1, ?, ?, ?, ?, ?, ? FROM n",
            (state, at, *((0, None, None, None) if state == "due" else (1, at, 0, at))))
        self.db.commit()
        self.alert_count += count
        self.event_count += count
        return first

    def state_of(self, delivery):
        return self.db.execute("SELECT state, reason FROM deliveries WHERE id = ?",
                               (delivery,)).fetchone()

    def close(self):
        self.db.close()


def alert_body(alert_id, severity="high", status="open", **more):
    return {
        "id": alert_id, "org_id": "og1", "type": "policy_violation", "severity": severity,
        "status": status, "title": "A title", "message": "A message", "user_id": None,
        "policy_id": None, "metadata": {"model": "gpt-4"},
        "created_at": "2026-11-24T03:45:52Z", "resolved_at": None, **more,
    }
