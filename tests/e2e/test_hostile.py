"""Receivers that break every rule there is, all at once in one daemon: each has a verdict and the
instant of its next attempt, nothing is lost, and a sink that is well does not notice."""
import collections
import gzip
import json
import os
import select
import socket
import ssl
import subprocess
import time

from fakes import TOP, Authority, alert, heard, notes, wait_for
from programs import answers, plain_email, webhook
from rogues import BUSY, OK, Rogue, speaking_tls, tls_context

RETRY_S = 1
TIMEOUT = {True: "1500ms", False: "20s"}  # for what is waited for in vain, and else

# ---- scripts -----------------------------------------------------------------------------------


def says(*texts, then=None):
    """Reads the request, says these, and closes unless `then` does something else."""

    def script(t):
        t.request()
        for text in texts:
            t.say(text)
        if then:
            then(t)

    return script


def hold(t):
    t.hold()


def reset(t):
    t.reset()


def pours(before, chunk):
    return says(before, then=lambda t: t.pour(chunk))


def drips(before, rest):
    return says(before, then=lambda t: t.drip(rest))


def early(answer, then):
    """Answers what it has not read."""

    def script(t):
        t.head()
        t.say(answer)
        then(t)

    return script


def says_no_more(t):
    """The answer arrives, whatever is still on its way to us."""
    t.conn.shutdown(socket.SHUT_WR)
    t.hold(0.2)
    t.reset()


def half_close(t):
    t.half_close()
    t.hold()


def half_close_first(t):
    t.half_close()
    t.request()
    t.hold()


def speak_unasked(t):
    """An answer as it should be, and, unless it is asked again by then, a yes to what will be asked
    in a second."""
    while True:
        t.request()
        t.say(BUSY.replace(b"\r\n", b"\r\nRetry-After: 1\r\n", 1))
        if not t.rest and not select.select([t.conn], [], [], 0.05)[0]:
            t.say(OK)
            t.request()
            t.rogue.taken.append(b"on the stale connection")


def cut_head(t):
    t.head()
    t.reset()


def status(line, rest=b"Content-Length: 2\r\n\r\nok"):
    return says(line + b"\r\n" + rest)


def busy(*fields, body=b"busy", then=None):
    return says(b"HTTP/1.1 503 Busy\r\n" + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + body, then=then)


def fine(*fields, body=b"ok", then=None):
    return says(b"HTTP/1.1 200 OK\r\n" + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + body, then=then)


def redirect(code, to):
    """{own} and {trap} are URLs."""

    def script(t):
        t.request()
        where = to.format(own=t.rogue.url(), trap=t.rogue.trap.url("/trap"))
        t.say(f"HTTP/1.1 {code} Go\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())

    return script


BOMB = gzip.compress(bytes(8 << 20))
EIGHT_K = b"x" * 8192
FIELD = b"X-Flood: " + b"0" * 90 + b"\r\n"

# ---- the table ---------------------------------------------------------------------------------

Row = collections.namedtuple(
    "Row", "script verdict status maybe reason large attempts slow", defaults=("", False, 1, False))

YES, NO, EITHER = True, False, None
GARBLED = "makes no sense"
CUT = "connection cut"
LATE = "timed out"
HALF = "a yes before the message was written to its end"


def later(script, code, maybe, reason, large=False):
    """Retried; the sink is down."""
    return Row(script, "later", code, maybe, reason, large)


def done(script, code=200):
    """Delivered: the status was heard, whatever became of the rest."""
    return Row(script, "delivered", code, NO)


def slow(row):
    """It is given up for taking too long."""
    return row._replace(slow=True)


ROWS = {
    # the connection
    "refused": later(None, 0, NO, "no connection"),
    "reset at once": later(reset, 0, EITHER, "connection"),
    "reset within the request": later(cut_head, 0, YES, CUT, large=True),
    "reset after the request": later(says(then=reset), 0, YES, CUT),
    "closed after the request": later(says(), 0, YES, CUT),
    "half-closed at once": later(half_close_first, 0, YES, CUT),
    "half-closed after the request": later(says(then=half_close), 0, YES, CUT),
    "silence": slow(later(says(then=hold), 0, YES, LATE)),
    "reset amid the status line": later(says(b"HTTP/1.1 20", then=reset), 0, YES, CUT),
    "closed amid the headers": later(says(b"HTTP/1.1 503 Busy\r\nX-Y: z"), 0, YES, CUT),
    "reset behind a 200": done(fine(b"Content-Length: 9", then=reset)),
    # an answer before the body was read
    "early 200, then held": slow(later(early(OK, hold), 0, YES, HALF, large=True)),
    "early 200, then cut": later(early(OK, reset), 0, YES, CUT, large=True),
    "early 503, then held": later(early(BUSY, hold), 503, NO, "503", large=True),
    "early 302, then cut": later(
        early(b"HTTP/1.1 302 Go\r\nContent-Length: 0\r\n\r\n", says_no_more), 302, NO, "302", large=True),
    "early 413, then held": Row(
        early(b"HTTP/1.1 413 Much\r\nContent-Length: 0\r\n\r\n", hold), "never", 413, NO, "413", True),
    "waits for an Expect": slow(later(lambda t: (t.head(), t.hold()), 0, YES, LATE, large=True)),
    # too slow
    "drips a status line": slow(later(drips(b"", b"HTTP/1.1 200 OK\r\n" * 9), 0, YES, LATE)),
    "drips 503's headers": slow(later(drips(b"HTTP/1.1 503 Busy\r\n", FIELD), 0, YES, LATE)),
    "drips 503's body": slow(later(drips(b"HTTP/1.1 503 Busy\r\n\r\n", EIGHT_K), 0, YES, LATE)),
    "drips 200's headers": slow(done(drips(b"HTTP/1.1 200 OK\r\n", FIELD))),
    "drips 200's body": slow(done(drips(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", EIGHT_K))),
    # too much
    "503's headers without end": later(pours(b"HTTP/1.1 503 Busy\r\n", FIELD * 80), 0, YES, "headers without end"),
    "200's headers without end": done(pours(b"HTTP/1.1 200 OK\r\n", FIELD * 80)),
    "a header line without end": later(pours(b"HTTP/1.1 503 Busy\r\nX: ", EIGHT_K), 0, YES, GARBLED),
    "a status line without end": later(pours(b"HTTP/1.1 503 ", EIGHT_K), 0, YES, ""),
    "503's body without end": later(pours(b"HTTP/1.1 503 Busy\r\n\r\n", EIGHT_K), 503, NO, "xxxx"),
    "200's body without end": done(pours(b"HTTP/1.1 200 OK\r\n\r\n", EIGHT_K)),
    "a body of a tebibyte": later(
        pours(b"HTTP/1.1 503 Busy\r\nContent-Length: 1099511627776\r\n\r\n", EIGHT_K), 503, NO, "xxxx"),
    "chunks without end": later(
        pours(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n", b"2000\r\n" + EIGHT_K + b"\r\n"),
        503, NO, "xxxx"),
    "100s without end": later(pours(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99), 0, YES, "headers without end"),
    "103s without end": later(pours(b"", b"HTTP/1.1 103 Hints\r\n\r\n" * 99), 0, YES, "headers without end"),
    "a gzip bomb as 503": later(
        busy(b"Content-Encoding: gzip", b"Content-Length: %d" % len(BOMB), body=BOMB), 503, NO, "503"),
    "a gzip bomb as 200": done(
        fine(b"Content-Encoding: gzip", b"Content-Length: %d" % len(BOMB), body=BOMB)),
    # what is no status line
    "a status of letters": later(status(b"HTTP/1.1 abc OK"), 0, YES, GARBLED),
    "a status of two digits": later(status(b"HTTP/1.1 20 OK"), 0, YES, GARBLED),
    "a status of four digits": later(status(b"HTTP/1.1 2000 OK"), 0, YES, GARBLED),
    "another protocol": later(status(b"ICY 200 OK"), 0, YES, GARBLED),
    "HTTP/9.9": later(status(b"HTTP/9.9 200 OK"), 0, YES, GARBLED),
    "HTTP/2 unasked": done(status(b"HTTP/2 200")),
    "a status alone": later(status(b"200 OK"), 0, YES, GARBLED),
    "HTTP/0.9": later(says(b"<html>ok</html>"), 0, YES, GARBLED),
    "NULs": later(says(bytes(4096)), 0, YES, GARBLED),
    "an empty line first": later(says(b"\r\n\r\n" + OK), 0, YES, GARBLED),
    "a greeting of another server": later(says(b"220 mail ESMTP\r\n", then=hold), 0, YES, GARBLED),
    "100 and no more": later(says(b"HTTP/1.1 100 Continue\r\n\r\n"), 0, YES, CUT),
    "100 and silence": slow(later(says(b"HTTP/1.1 100 Continue\r\n\r\n", then=hold), 0, YES, LATE)),
    "101 unasked": slow(later(says(b"HTTP/1.1 101 Up\r\nUpgrade: x\r\n\r\n", then=hold), 0, YES, "")),
    # what are no headers
    "a header without a colon": later(busy(b"nonsense", b"Content-Length: 4"), 0, YES, GARBLED),
    "a header without a name": later(busy(b": x", b"Content-Length: 4"), 503, NO, "busy"),
    "a NUL in a header": later(busy(b"X: \0y", b"Content-Length: 4"), 0, YES, GARBLED),
    "a folded header": later(busy(b"X: y", b" folded", b"Content-Length: 4"), 503, NO, "busy"),
    "bare LFs": later(says(b"HTTP/1.1 503 Busy\nContent-Length: 4\n\nbusy"), 503, NO, "busy"),
    # a length that is not kept
    "too short a length": later(busy(b"Content-Length: 2", body=b"busy" * 9), 503, NO, "bu"),
    "too long a length": later(busy(b"Content-Length: 99"), 0, YES, CUT),
    "a negative length": later(busy(b"Content-Length: -4"), 0, YES, GARBLED),
    "a length of letters": later(busy(b"Content-Length: four"), 0, YES, GARBLED),
    "a length beyond numbers": later(busy(b"Content-Length: 99999999999999999999"), 503, NO, "busy"),
    "two lengths": later(busy(b"Content-Length: 4", b"Content-Length: 2"), 503, NO, "bu"),
    "too long a length for 200": done(fine(b"Content-Length: 99")),
    # chunks that are none
    "a chunk of no number": later(busy(b"Transfer-Encoding: chunked", body=b"zz\r\nbusy"), 0, YES, ""),
    "a chunk beyond numbers": later(busy(b"Transfer-Encoding: chunked", body=b"f" * 17 + b"\r\nbusy"), 0, YES, ""),
    "a chunk that is cut": later(busy(b"Transfer-Encoding: chunked", body=b"9\r\nbusy"), 0, YES, CUT),
    "no last chunk": later(busy(b"Transfer-Encoding: chunked", body=b"4\r\nbusy\r\n"), 0, YES, CUT),
    "trailers without end": later(
        pours(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", FIELD * 80), 0, YES, ""),
    "an unknown encoding": later(busy(b"Transfer-Encoding: rot13"), 0, YES, GARBLED),
    # elsewhere
    "redirect to itself": later(redirect(301, "{own}"), 301, NO, "301"),
    "redirect to another": later(redirect(302, "{trap}"), 302, NO, "302"),
    "redirect, see other": later(redirect(303, "{trap}"), 303, NO, "303"),
    "redirect to https": later(redirect(307, "https://127.0.0.1:1/in"), 307, NO, "307"),
    "redirect to a file": later(redirect(308, "file:///etc/passwd"), 308, NO, "308"),
    "redirect to nowhere": later(redirect(302, ""), 302, NO, "302"),
    "not modified": later(says(b"HTTP/1.1 304 Same\r\n\r\n"), 304, NO, "304"),
    # what nobody asked for
    "two answers at once": later(says(BUSY + OK), 503, NO, "busy"),
    "an answer to no request": later(speak_unasked, 503, NO, "busy")._replace(attempts=3),
}

SQL = """SELECT d.sink, d.state, d.attempt, d.due_at, d.maybe_sent, a.verdict, a.status, a.at,
    a.answer, s.state AS sink_state, s.held_until
    FROM v_deliveries d JOIN v_sinks s ON s.name = d.sink
    LEFT JOIN v_attempts a ON a.delivery = d.id AND a.n = d.attempt
    WHERE d.attempt > 0 AND d.state <> 'claimed' AND d.sink <> 'well'"""


def wrong(name, seen):
    """What of a row of the store is not as the table says; None: all is."""
    row = ROWS[name]
    state = {"later": "due", "delivered": "done", "never": "dead"}[row.verdict]
    if seen["state"] != state:
        return f"is {seen['state']}"
    if state == "done":
        return None if seen["sink_state"] == "up" else "its sink is down"
    if (seen["verdict"], seen["status"] or 0) != (row.verdict, row.status):
        return f"ended {seen['verdict']} {seen['status']}"
    if seen["attempt"] < row.attempts:
        return f"was tried {seen['attempt']} times"
    if row.maybe is not EITHER and bool(seen["maybe_sent"]) != row.maybe:
        return "maybe_sent"
    if row.reason not in seen["answer"] or len(seen["answer"]) > 240 or not seen["answer"].isprintable():
        return "reason"
    down = "up" if state == "dead" else "down"
    if seen["sink_state"] != down:
        return f"its sink is {seen['sink_state']}"
    if state == "due" and not 0 <= seen["due_at"] - seen["at"] <= RETRY_S * 1101:
        return "next due"
    if state == "due" and seen["due_at"] != seen["held_until"]:
        return "held until another instant"
    return None


def resident_mb(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as lines:
        return next(int(l.split()[1]) for l in lines if l.startswith("VmRSS")) / 1024


def names(rows):
    """Sinks' names for the rows: s0, s1 …"""
    return {f"s{n}": name for n, name in enumerate(rows)}


class Stage:
    """All rogues of the table, a receiver that is well, and an API that lists for both."""

    def __init__(self, scene):
        self.scene = scene
        self.names = names(ROWS)
        self.trap, self.well = scene.receiver(), scene.receiver()
        self.rogues = {}
        large_template = f"{scene.folder}/large"
        with open(large_template + ".json.mustache", "w", encoding="utf-8") as out:
            out.write(LARGE)
        sinks = [webhook("well", self.well)]
        for sink, name in self.names.items():
            row = ROWS[name]
            rogue = scene.keep(Rogue(row.script or reset))
            rogue.trap = self.trap
            url = rogue.url()
            if row.script is None:
                rogue.listener.close()
            self.rogues[sink] = rogue
            sinks.append(webhook(sink, rogue, url=url, timeout=TIMEOUT[row.slow],
                                 retry={"min": f"{RETRY_S}s", "max": f"{RETRY_S}s"},
                                 **({"template": large_template} if row.large else {})))
        large = [s for s, name in self.names.items() if ROWS[name].large]
        routes = [
            {"name": "ticks", "match": ["type = tick"], "to": ["well"]},
            {"name": "large", "match": ["type = large"], "to": large},
            {"name": "rest", "to": [s for s in self.names if s not in large]},
        ]
        self.api = scene.api([alert(1), alert(2, type="large", message="y" * 900_000)])
        self.ticks = {}
        config = scene.config(self.api, sinks, routes, {"sweep_every": "1h"})
        # Freed memory that a sanitizer keeps back would hide what grows.
        keep = f"{os.environ.get('ASAN_OPTIONS', '')}:quarantine_size_mb=8"
        self.daemon = scene.start(config, env={"ASAN_OPTIONS": keep})

    def undone(self):
        """Rows that still wait."""
        rows = self.scene.query("SELECT sink FROM v_deliveries WHERE state IN ('due', 'claimed')")
        return {self.names.get(row["sink"], row["sink"]) for row in rows}

    def tick(self):
        number = 100 + len(self.ticks)
        self.ticks[f"al-{number}"] = time.time()
        self.api.items.append(alert(number, type="tick"))

    def slowest_tick(self):
        wait_for(lambda: len(heard(self.well)) == len(self.ticks), what="the sink that is well")
        told = {json.loads(s.body)["data"]["alert"]["id"]: s.at for s in self.well.all()}
        return max(told[i] - at for i, at in self.ticks.items())


def watch(stage, seconds=40):
    """Rows as first seen to be as the table says; ticks meanwhile."""
    right, last = {}, {}
    deadline = time.monotonic() + seconds
    next_tick = 0
    while len(right) < len(ROWS):
        if time.monotonic() > next_tick:
            stage.tick()
            next_tick = time.monotonic() + 0.25
        for seen in stage.scene.query(SQL):
            sink = seen.pop("sink")
            last[sink] = seen
            if not wrong(stage.names[sink], seen):
                right.setdefault(sink, seen)
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    bad = {n: (wrong(n, last[s]), last[s]) if s in last else "not tried"
           for s, n in stage.names.items() if s not in right}
    assert not bad, "\n".join(f"{n}: {what}" for n, what in bad.items())
    return right


# What the kernel takes off our hands unread is less than this.
LARGE = """{"data":{"alert":{"id":"{{id}}"},"possible_repeat":{{^possible_repeat}}false{{/possible_repeat}}\
{{#possible_repeat}}true{{/possible_repeat}},"text":"{{message}}{{message}}{{message}}{{message}}"}}"""


def check_commands(stage):
    """status, queue and explain tell what the table does."""
    told = {row["sink"]: row for row in answers(stage.daemon.config, "queue")}
    sinks = {sink["name"]: sink for sink in answers(stage.daemon.config, "status")[0]["sinks"]}
    story = {}
    for number in (1, 2):
        for event in answers(stage.daemon.config, "explain", f"al-{number}")[0]["events"]:
            story.update({d["sink"]: d for d in event["deliveries"]})
    for sink, name in stage.names.items():
        row = ROWS[name]
        assert sinks[sink]["state"] == ("down" if row.verdict == "later" else "up"), name
        if row.verdict == "delivered":
            assert sink not in told and story[sink]["state"] == "done", name
            continue
        tries = story[sink]["attempts"]
        # A peer that says goodbye late is met, now and then, on the connection that it leaves.
        cut = [t for t in tries if "connection cut" in t["answer"] and row.reason not in t["answer"]]
        end = [t for t in tries if t not in cut][-1]
        assert (end["verdict"], end["status"] or 0) == (row.verdict, row.status), name
        assert row.reason in end["answer"], name
        assert cut or row.reason in told[sink]["last"]["answer"], name
        assert row.maybe is EITHER or told[sink]["maybe_sent"] == (row.maybe or bool(cut)), name
        if row.verdict == "later":
            assert row.reason in sinks[sink]["reason"] and sinks[sink]["held_until"], name


def check_healed(stage):
    """Each was told once more, and that it may be a repeat where it may."""
    marks = {d["sink"]: bool(d["maybe_sent"]) for d in stage.scene.query("SELECT * FROM v_deliveries")}
    for sink, name in stage.names.items():
        rogue, row = stage.rogues[sink], ROWS[name]
        assert not any(b"xpect:" in head for head in rogue.heads), name
        if row.verdict == "later" and row.script:
            told = [json.loads(body)["data"].get("possible_repeat", False) for body in rogue.taken]
            assert told and told[-1] == marks[sink] and all(told[1:]), (name, told)
        elif row.script:
            assert not rogue.taken, name
    assert not stage.trap.seen


def test_each_hostile_receiver_has_its_line_and_nobody_else_notices(scene):
    """Invariants 2, 7, 8, 10."""
    scene.expect("msg=sink-down sink=s", "msg=dead sink=s")
    stage = Stage(scene)
    stage.daemon.says("ready")
    before = resident_mb(stage.daemon)
    watch(stage)
    check_commands(stage)
    assert stage.slowest_tick() < 8, "well within what the others are waited for"
    assert resident_mb(stage.daemon) - before < 150
    assert max(rogue.poured for rogue in stage.rogues.values()) < 32 << 20, "it was read to the end"
    for rogue in stage.rogues.values():
        rogue.heal()
    wait_for(lambda: stage.undone() == {"refused"}, 30, "all the others to be told")
    check_healed(stage)


# ---- TLS ---------------------------------------------------------------------------------------


def hello(then):
    """Hears the client's hello, and then this."""

    def script(t):
        t.more()
        then(t)

    return script


def tls_rows(ca, stranger, namesake):
    """name: script, part of the reason, the key that the hint names."""
    good = ca.issue("good")
    v1, v12, v13 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

    def with_cert(cert, *more):
        return speaking_tls(tls_context(cert, *more))

    return {
        "expired": (with_cert(ca.issue("expired", days=-1)), "has expired", "ca_file"),
        "not yet valid": (with_cert(ca.issue("early", since=5)), "not yet valid", "ca_file"),
        "another name": (with_cert(ca.issue("other", names=("other.example",))), "subject name", "ca_file"),
        "no name": (with_cert(ca.issue("nameless", names=())), "subject name", "ca_file"),
        "signed by itself": (with_cert(ca.issue("self", own=True)), "self-signed", "ca_file"),
        "an unknown CA": (with_cert(stranger.issue("strange")), "issuer", "ca_file"),
        "a CA of the same name": (with_cert(namesake.issue("same")), "TLS", "ca_file"),
        "TLS 1.0 only": (with_cert(good, v1), "protocol version", "ca_file"),
        "wants a certificate, 1.2": (with_cert(good, v12, ca.file), "handshake failure", "ca_file"),
        "wants a certificate, 1.3": (with_cert(good, v13, ca.file), "certificate required", "ca_file"),
        "garbage": (hello(lambda t: t.say(b"\0garbage" * 99)), "wrong version", "ca_file"),
        "plain HTTP": (hello(lambda t: t.say(OK)), "wrong version", "ca_file"),
        "hangs at hello": (hello(hold), "timed out", "timeout"),
        "closed at hello": (hello(lambda t: None), "TLS", "ca_file"),
        "reset at hello": (hello(reset), "reset by peer", "ca_file"),
    }


def test_nothing_is_said_over_tls_that_cannot_be_trusted(scene, authority, tmp_path_factory):
    """Held, with a line that names sink, reason and key; what could have gone out did not."""
    scene.expect("msg=sink-down sink=t")
    others = (Authority(tmp_path_factory.mktemp("strangers"), name) for name in ("Stranger", "Test CA"))
    rows = tls_rows(authority, *others)
    well = scene.receiver(tls=authority.issue("well"))
    keys = {"ca_file": authority.file, "retry": {"min": "1s", "max": "1s"}}
    sinks, rogues = [webhook("well", well, **keys)], {}
    for n, (name, (script, _, _)) in enumerate(rows.items()):
        rogue = rogues[name] = scene.keep(Rogue(script))
        sinks.append(webhook(f"t{n:02}", rogue, url=rogue.url(scheme="https"),
                             timeout="1s" if name.startswith("hangs") else "20s", **keys))
    daemon = scene.tocsin(scene.api([alert(1)]), sinks)
    wait_for(lambda: heard(well) == {("al-1", "opened"): 1})
    for n, (name, (_, reason, key)) in enumerate(rows.items()):
        line = daemon.says("sink-down", sink=f"t{n:02}")
        assert reason in line["reason"] and f"sinks: t{n:02}: {key}: " in line["hint"], (name, line)
        assert line["level"] == ("error" if key == "ca_file" else "warning"), (name, line)
        wait_for(lambda s=f"t{n:02}": len(daemon.log("retry", sink=s)) >= 2, what=name)
    rows = scene.query("SELECT sink, state, maybe_sent FROM v_deliveries WHERE state <> 'done'")
    assert len(rows) == len(rogues) and not any(row["maybe_sent"] for row in rows), rows
    assert not any(rogue.taken or rogue.heads for rogue in rogues.values())


# ---- names -------------------------------------------------------------------------------------


class Names:
    """A resolver of ours in front of the daemon's: {name: an address, "none", "again" or "60 s"}."""

    def __init__(self, folder, **known):
        self.file = os.path.join(folder, "names")
        self.library = os.path.join(folder, "names.so")
        source = os.path.join(TOP, "tests/e2e/names.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", self.library, source, "-ldl"], check=True)
        self.say(known)

    def say(self, known):
        with open(self.file + ".new", "w", encoding="ascii") as out:
            out.writelines(f"{name}.test {becomes}\n" for name, becomes in known.items())
        os.rename(self.file + ".new", self.file)

    def env(self):
        options = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"
        return {"LD_PRELOAD": self.library, "TEST_NAMES": self.file, "ASAN_OPTIONS": options}


def test_a_name_that_does_not_resolve_holds_its_sink_until_it_does(scene):
    """Invariants 7, 10: a resolver that is asked for ever stops nobody, nor our own end."""
    down = {"lost": "none", "dark": "again", "mute": "60 s", "post": "none"}
    said = {"lost": "does not resolve", "dark": "does not resolve", "mute": "timed out", "post": "does not resolve"}
    names = Names(str(scene.folder), **down)
    hooks = {name: scene.receiver() for name in ("lost", "dark", "mute")}
    well, post = scene.receiver(), scene.mail()
    sinks = [webhook(name, hook, url=hook.url(host=name + ".test"), plaintext=True,
                     timeout="2s" if name == "mute" else "20s") for name, hook in hooks.items()]
    sinks.append(plain_email("post", post, server=f"smtp://post.test:{post.port}", plaintext=True, collapse=False))
    sinks.append(webhook("well", well))
    api = scene.api([alert(1)])
    config = scene.config(api, sinks)
    daemon = scene.start(config, env=names.env())
    for name, reason in said.items():
        line = daemon.says("sink-down", sink=name)
        key = "timeout" if name == "mute" else "server" if name == "post" else "url"
        assert reason in line["reason"] and f"sinks: {name}: {key}: " in line["hint"], line
        assert line["level"] == "warning", line
    at = time.monotonic()
    api.items[0]["status"] = "acknowledged"
    daemon.poll()
    wait_for(lambda: heard(well) == {("al-1", "opened"): 1, ("al-1", "acknowledged"): 1})
    assert time.monotonic() - at < 5, "it waited for the resolver"
    state = {s["name"]: s for s in answers(config, "status")[0]["sinks"]}
    assert all(state[name]["state"] == "down" and said[name] in state[name]["reason"] for name in down)
    assert not scene.count("SELECT count(*) FROM v_deliveries WHERE maybe_sent")
    # its end does not wait for the resolver either, nor is anything lost by it
    at = time.monotonic()
    scene.stop(daemon)
    assert time.monotonic() - at < 10
    daemon = scene.start(config, env=names.env())
    wait_for(lambda: daemon.log("retry", sink="lost"))
    names.say(dict.fromkeys(down, "127.0.0.1"))
    scene.wait_drained()
    for fake in (*hooks.values(), post):
        assert [n[1:] for n in notes(fake)] == [("opened", False), ("acknowledged", False)]
