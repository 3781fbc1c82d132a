"""tocsin and toktra-sim as child processes, configurations for them, and the store read beside.

A `Scene` is what one test has started; its end ends all of it and looks into every log: an
error line that nobody expected fails the test, and so does a sanitizer's report.
"""
import collections
import contextlib
import json
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.request

import fakes
from fakes import PATIENCE, TOP, wait_for

TOCSIN = os.environ.get("TOCSIN_BIN", os.path.join(TOP, "build/asan/tocsin"))
SIM = os.environ.get("TOKTRA_SIM_BIN", os.path.join(TOP, "build/asan/toktra-sim"))
# A command in front of each tocsin: "valgrind --error-exitcode=99" (tests/run.sh --valgrind).
WRAP = shlex.split(os.environ.get("TOCSIN_WRAP", ""))
TEMPLATES = os.path.join(TOP, "templates")


def fields(line):
    """The keys and values of a logfmt line."""
    found = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line)
    return {k: json.loads(v) if v.startswith('"') else v for k, v in found}


class Program:
    """A child process whose output is kept."""

    def __init__(self, arguments, env=None):
        self.process = subprocess.Popen(
            arguments,
            env=None if env is None else {**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self.out, self.err = [], []
        self.readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    @property
    def runs(self):
        return self.process.poll() is None

    def wait(self, seconds=30):
        code = self.process.wait(seconds * PATIENCE)
        for reader in self.readers:
            reader.join(5)
        return code

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, seconds=30):
        """TERM, and its exit code."""
        if self.runs:
            self.process.terminate()
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise AssertionError(f"did not end on TERM within {seconds} s") from None


class Sim(Program):
    """toktra-sim with its control API."""

    def __init__(self, *options, wait=True):
        super().__init__([SIM, "--port", "0", "--limit-rpm", "1000000", *options])
        if wait:
            self.wait_ready()

    def wait_ready(self):
        self.base = wait_for(self._listening, 20, "toktra-sim").split()[-1]
        self.root = self.base.removesuffix("/v1")
        return self

    def _listening(self):
        assert self.runs, "\n".join(self.err)
        return next((l for l in self.out if l.startswith("listening on ")), None)

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.root + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def add(self, **wish):
        """Makes alerts (n, and any field); returns their ids."""
        return self.call("POST", "/_sim/alerts", wish)["ids"]

    def put(self, *alerts):
        """Alerts as they are."""
        return self.call("POST", "/_sim/alerts", list(alerts))["ids"]

    def change(self, alert_id, **changes):
        self.call("POST", f"/_sim/alerts/{alert_id}", changes)

    def fault(self, **fault):
        self.call("POST", "/_sim/faults", fault)

    def heal(self):
        self.call("DELETE", "/_sim/faults")

    def expire(self, **what):
        self.call("POST", "/_sim/expire", what)

    def remove(self, alert_id):
        self.call("DELETE", f"/_sim/alerts/{alert_id}")

    def change_user(self, number, **changes):
        """The n-th user, from 1."""
        self.call("POST", f"/_sim/users/05e70000-0000-4000-8000-{number:012x}", changes)

    def client(self, secret, client_id="sandbox"):
        """Another secret; None shuts the client out."""
        self.call("POST", "/_sim/clients", {"id": client_id, "secret": secret})

    def keys(self, **change):
        self.call("POST", "/_sim/keys", change)

    def token(self, **terms):
        self.call("POST", "/_sim/token", terms)

    def stats(self):
        return self.call("GET", "/_sim/stats")

    def requests(self, path, status=200):
        return self.stats()["requests"].get(path, {}).get(str(status), 0)

    def lists(self):
        """Requests for lists so far, as {(status or "unfiltered", "first" or "further"): n}."""
        lists = self.stats()["lists"]
        counts = {(s, p): n for s, of in lists.items() for p, n in of.items()}
        return collections.Counter({k: n for k, n in counts.items() if n > 0})


class Tocsin(Program):
    """`tocsin run` on a configuration."""

    def __init__(self, config, front=(), env=None, program=TOCSIN):
        self.config = str(config)
        self.killed = False
        super().__init__([*front, *WRAP, program, "-c", self.config, "run"], env)

    def log(self, msg, **where):
        """Lines of that msg, as dicts, whose fields hold these texts."""
        lines = [fields(l) for l in list(self.err) if f" msg={msg}" in l]
        return [l for l in lines if all(str(v) in l.get(k, "") for k, v in where.items())]

    def says(self, msg, seconds=20, **where):
        """Waits for such a line and returns the first."""
        return wait_for(lambda: self.log(msg, **where), seconds, f"msg={msg} {where}")[0]

    def poll(self):
        self.signal(signal.SIGUSR1)

    def kill9(self):
        self.killed = True
        self.process.kill()
        self.wait()

    def errors(self):
        return [l for l in self.err if " level=error " in l]

    def reports(self):
        """What a sanitizer or valgrind has to say."""
        return [l for l in self.err if re.match(r"==\d+==", l) or "Sanitizer" in l or "runtime error" in l]


def answers(config, *arguments):
    """The objects that a command prints with --json."""
    done = run(config, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def run(config, *arguments, seconds=60):
    """Runs one command of tocsin; returns the finished process."""
    return subprocess.run(
        [*WRAP, TOCSIN, "-c", str(config), *arguments],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        timeout=seconds * PATIENCE,
        check=False,
    )


# ---- configurations --------------------------------------------------------------------------


def group(**keys):
    """A libconfig group: values are Python's bool, int, float, str, list, or a dict."""
    return "{ " + " ".join(f'{k.rstrip("_")} = {value(v)};' for k, v in keys.items()) + " }"


def value(v):
    if isinstance(v, dict):
        return group(**v)
    if isinstance(v, list) and v and isinstance(v[0], dict):
        return "( " + ", ".join(value(i) for i in v) + " )"
    if isinstance(v, list):
        return "[ " + ", ".join(value(i) for i in v) + " ]"
    if isinstance(v, bool):
        return "true" if v else "false"
    return json.dumps(v, ensure_ascii=False) if isinstance(v, str) else str(v)


SOON = {"min": "100ms", "max": "400ms"}  # between attempts


def source(api, **keys):
    login = {} if "client_id" in keys else {"api_key": "sandbox-key"}
    usual = {"poll_every": "200ms", "start": "all", "rate_share": 1.0}
    return {"name": "acme", "base_url": api.base, **login, **usual, **keys}


def webhook(name, receiver, **keys):
    usual = {"url": receiver.url(), "retry": SOON}
    return {"name": name, "type": "webhook", **usual, **keys}


def slack(name, receiver, **keys):
    usual = {"url": receiver.url("/services/T0/B0/secret"), "rate": "off", "retry": SOON}
    return {"name": name, "type": "slack", **usual, **keys}


def slack_bot(name, receiver, **keys):
    """A bot of fake_slack.Slack, which that receiver behaves as."""
    usual = {"token": "xoxb-0-fake-token", "channel": "#alerts", "api_url": receiver.url("/api"),
             "rate": "off", "retry": SOON}
    return {"name": name, "type": "slack", **usual, **keys}


def email(name, post, **keys):
    usual = {
        "server": f"smtp://127.0.0.1:{post.port}",
        "from_": "Tocsin <tocsin@example.com>",
        "to": ["oncall@example.com"],
        "retry": SOON,
    }
    return {"name": name, "type": "email", **usual, **keys}


def plain_email(name, post, **keys):
    return email(name, post, starttls="off", **keys)


def write_config(folder, sources, sinks, routes=None, **top):
    """The path of a configuration; without routes, one leads everything to all sinks."""
    if routes is None:
        routes = [{"name": "all", "to": [s["name"] for s in sinks]}]
    usual = {"store": f"{folder}/tocsin.db", "listen": "", "templates": TEMPLATES, "grace": "3s"}
    top = {**usual, **top}
    path = os.path.join(str(folder), "tocsin.conf")
    with open(path, "w", encoding="utf-8") as out:
        for key, v in top.items():
            out.write(f"{key} = {value(v)};\n")
        for key, groups in (("sources", sources), ("sinks", sinks), ("routes", routes)):
            out.write(f"{key} = (\n  " + ",\n  ".join(group(**g) for g in groups) + "\n);\n")
    return path


# ---- what one test has started ---------------------------------------------------------------


class Scene:
    """Starts things in a folder of its own, and ends them all."""

    def __init__(self, folder):
        self.folder = folder
        self.stack = contextlib.ExitStack()
        self.daemons = []
        self.expected = []

    def expect(self, *patterns):
        """Error lines that match one of these are part of the test."""
        self.expected += patterns

    def keep(self, closable):
        self.stack.callback(closable.close)
        return closable

    def receiver(self, behave=None, tls=None):
        return self.keep(fakes.Receiver(behave, tls))

    def api(self, items=(), script=None):
        return self.keep(fakes.Api(items, script))

    def mail(self, **options):
        return self.keep(fakes.MailServer(**options))

    def sim(self, *options):
        sim = Sim(*options)
        self.stack.callback(sim.end)
        return sim

    def sims(self, options):
        """One simulator for each list of options, started together."""
        sims = [Sim(*each, wait=False) for each in options]
        for sim in sims:
            self.stack.callback(sim.end)
        return [sim.wait_ready() for sim in sims]

    def config(self, api, sinks, routes=None, source_keys=None, **top):
        sources = [source(api, **(source_keys or {}))] if not isinstance(api, list) else api
        return write_config(self.folder, sources, sinks, routes, **top)

    def start(self, config, front=(), env=None, program=TOCSIN):
        """A daemon on this configuration (a path); `front` is a command that execs the rest, `env`
        goes on top of ours."""
        daemon = Tocsin(config, front, env, program)
        self.daemons.append(daemon)
        # before that a signal would end it
        wait_for(lambda: daemon.log("started") or not daemon.runs, 30, "tocsin to start")
        return daemon

    def tocsin(self, api, sinks, routes=None, source_keys=None, **top):
        return self.start(self.config(api, sinks, routes, source_keys, **top))

    def check(self, daemon):
        unexpected = [
            l for l in daemon.errors() if not any(re.search(p, l) for p in self.expected)
        ]
        assert not daemon.reports(), "\n".join(daemon.err[-80:])
        assert not unexpected, "\n".join(unexpected)

    def stop(self, daemon):
        """TERM: exits with 0."""
        code = daemon.end()
        self.check(daemon)
        assert code == 0, f"exit {code}\n" + "\n".join(daemon.err[-40:])

    def query(self, sql, *args):
        """Rows of a view, as dicts, read beside the daemon."""
        path = f"file:{self.folder}/tocsin.db?mode=ro"
        with contextlib.closing(sqlite3.connect(path, uri=True, timeout=10)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(sql, args)]

    def count(self, sql, *args):
        return next(iter(self.query(sql, *args)[0].values()))

    def drained(self):
        """True when no delivery waits or is under way, and no event for its context."""
        waiting = """SELECT count(*) + (SELECT count(*) FROM v_events WHERE wait_until IS NOT NULL)
            FROM v_deliveries WHERE state IN ('due', 'held', 'claimed')"""
        return self.count(waiting) == 0

    def wait_drained(self, seconds=30):
        wait_for(self.drained, seconds, "every delivery to end")

    def close(self):
        """Ends everything; fails for what the logs hold. The logs are printed for a failure."""
        trouble = []
        for daemon in self.daemons:
            try:
                if daemon.runs:
                    self.stop(daemon)
                else:
                    self.check(daemon)
                    code = daemon.process.returncode
                    assert daemon.killed or code == 0, f"it ended by itself: {code}"
            except AssertionError as failure:
                trouble.append(str(failure))
            print(f"--- log of pid {daemon.process.pid}, last lines of {len(daemon.err)}")
            print("\n".join(line[:600] for line in daemon.err[-40:]))
        self.stack.close()
        assert not trouble, "\n".join(trouble)


def newer(seconds=0):
    """An ISO time, now and so many seconds on."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
