"""Toktra's own webhook: it makes us poll at once, and it can do nothing else."""
import contextlib
import hashlib
import hmac
import os
import pathlib
import re
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request

from fakes import TOP, alert, heard, wait_for
from programs import newer, run, webhook

ANYWHERE = "127.0.0.1:0"
SECRET, OTHER = "whsec_5up3rs3cr3t", "whsec_the-one-before"
RARE = {"poll_every": "5m", "sweep_every": "5m"}  # what comes sooner is the nudge's doing
REGISTER = os.path.join(TOP, "contrib/register-webhook.sh")


def listening(scene, sim, hook, secret=SECRET, **keys):
    """A daemon that polls every five minutes, after its first poll, and its port."""
    daemon = scene.tocsin(sim, [webhook("hook", hook)], listen=ANYWHERE,
                          source_keys={**RARE, "nudge": {"secret": secret}, **keys})
    port = int(daemon.says("started")["listen"].rsplit(":", 1)[1])
    wait_for(lambda: scene.count("SELECT count(*) FROM v_sources WHERE last_head_at > 0"), 20,
             "the first poll")
    return daemon, port


def signed(body, secret=SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post(port, body=b'{"id":"evt_1"}', signature=None, path="/toktra/acme", method="POST"):
    """The status."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, method=method)
    if signature is not None:
        request.add_header("X-Toktra-Signature", signature)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def metric(port, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return int(re.search(rf'{name}{{source="acme"}} (\d+)', answer.read().decode())[1])


def test_an_alert_comes_out_at_once_by_the_api_s_own_webhook(scene):
    hook = scene.receiver()
    sim = scene.sim()
    # the script needs to know where we listen, we need its secret: a fixed port, then a start
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secret = pathlib.Path(scene.folder, "secret")
    done = subprocess.run(
        ["sh", REGISTER, f"http://127.0.0.1:{port}/toktra/acme", str(secret), sim.base],
        env={"PATH": os.environ["PATH"], "TOKTRA_CLIENT_ID": "sandbox",
             "TOKTRA_CLIENT_SECRET": "sandbox"},
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    text = secret.read_text()
    assert text.startswith("whsec_") and secret.stat().st_mode & 0o777 == 0o600
    assert text.strip() not in done.stdout + done.stderr
    daemon = scene.tocsin(
        sim, [webhook("hook", hook)], listen=f"127.0.0.1:{port}",
        source_keys={**RARE, "nudge": {"secret": f"file:{secret}"}})
    wait_for(lambda: scene.count("SELECT count(*) FROM v_sources WHERE last_head_at > 0"), 20,
             "the first poll")
    took = []
    for n in range(5):
        time.sleep(1.1)  # what comes in one second is folded; that is another test
        began = time.monotonic()
        sim.put(alert(n, created_at=newer()))
        wait_for(lambda: len(heard(hook)) == n + 1, 10, "the alert")
        took.append(time.monotonic() - began)
    print(f"from the API to the receiver: {statistics.median(took) * 1000:.0f} ms")
    assert statistics.median(took) < 1
    sim.change("al-0", status="resolved")
    wait_for(lambda: ("al-0", "resolved") in heard(hook), 10, "the end")
    assert daemon.log("nudged")


def test_each_of_two_secrets_counts_and_no_other(scene):
    sim, hook = scene.sim(), scene.receiver()
    _, port = listening(scene, sim, hook, secret=[SECRET, OTHER])
    body = b'{"id":"evt_1","data":null}'
    assert post(port, body, signed(body)) == 202
    assert post(port, body, signed(body, OTHER)) == 202
    for signature in (signed(body, "whsec_third"), signed(body + b" "), signed(body).upper(),
                      signed(body).removeprefix("sha256="), "sha256=", "sha1=" + "0" * 40,
                      "", "x" * 10000, None):
        assert post(port, body, signature) == 401, signature
    assert metric(port, "tocsin_nudges_total") == 2
    assert metric(port, "tocsin_nudges_refused_total") == 9


def test_who_is_refused_is_said_once_and_does_not_make_us_poll(scene):
    sim, hook = scene.sim(), scene.receiver()
    daemon, port = listening(scene, sim, hook)
    before = sim.requests("/v1/alerts")
    sim.put(alert(1, created_at=newer()))
    for n in range(300):
        assert post(port, b"forged", signed(b"forged", f"guess {n}")) == 401
    assert metric(port, "tocsin_nudges_refused_total") == 300
    assert len(daemon.log("nudge-refused")) == 1
    assert sim.requests("/v1/alerts") == before
    assert not heard(hook)
    assert all(s not in "\n".join(daemon.err) for s in (SECRET, signed(b"forged")))


def test_a_thousand_replays_are_a_few_polls_and_not_one_message_more(scene):
    sim, hook = scene.sim(), scene.receiver()
    _, port = listening(scene, sim, hook)
    sim.put(alert(1, created_at=newer()))
    body = b'{"id":"evt_1","data":{"id":"al-7","status":"open"}}'
    before, began = sim.requests("/v1/alerts"), time.monotonic()
    for _ in range(1000):
        assert post(port, body, signed(body)) == 202
    seconds = time.monotonic() - began
    wait_for(lambda: heard(hook) == {("al-1", "opened"): 1}, 10, "the one alert there is")
    wait_for(lambda: metric(port, "tocsin_nudges_total") == 1000, 10, "all to be counted")
    # a head pass and two lists of a sweep each time
    assert sim.requests("/v1/alerts") - before <= 3 * (seconds + 3)
    assert scene.count("SELECT count(*) FROM v_alerts") == 1


def test_one_that_comes_during_a_poll_means_one_more_after_it(scene):
    sim, hook = scene.sim(), scene.receiver()
    _, port = listening(scene, sim, hook)
    body = b"{}"
    sim.fault(path="/v1/alerts", kind="drip", count=1)
    assert post(port, body, signed(body)) == 202
    wait_for(lambda: sim.stats()["faults"] == 0 or sim.requests("/v1/alerts") >= 2, 10,
             "a slow poll to begin")
    sim.put(alert(1, created_at=newer()))
    assert post(port, body, signed(body)) == 202
    wait_for(lambda: len(heard(hook)) == 1, 30, "the alert that came in between")


def test_odd_requests(scene):
    sim, hook = scene.sim(), scene.receiver()
    daemon, port = listening(scene, sim, hook)
    large = b"x" * (1 << 20)
    assert post(port, large, signed(large)) == 202
    larger = large + b"x"
    assert post(port, larger, signed(larger)) == 413
    assert post(port, b"{}", signed(b"{}"), "/toktra/nobody") == 404
    assert post(port, b"{}", signed(b"{}"), "/toktra/") == 404
    assert post(port, b"{}", signed(b"{}"), "/toktra/acme/x") == 404
    assert post(port, None, signed(b""), method="GET") == 405
    assert post(port, b"{}", signed(b"{}"), method="PUT") == 405
    head = f"POST /toktra/acme HTTP/1.1\r\nHost: h\r\nX-Toktra-Signature: {signed(b'half')}\r\n"
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), 20)) as connection:
        connection.sendall(f"{head}Content-Length: {1 << 30}\r\n\r\n".encode() + b"x" * 1000)
        with contextlib.suppress(ConnectionResetError):
            assert b" 413 " in connection.recv(4096).partition(b"\r\n")[0]
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), 20)) as connection:
        connection.sendall(f"{head}Content-Length: 8\r\n\r\nhalf".encode())
    before = metric(port, "tocsin_nudges_total")
    assert before == 1 and metric(port, "tocsin_nudges_refused_total") == 0
    assert daemon.runs


def test_many_large_ones_at_once_are_not_all_kept_in_memory(scene):
    sim, hook = scene.sim(), scene.receiver()
    daemon, port = listening(scene, sim, hook)
    head = b"POST /toktra/acme HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            connection = stack.enter_context(
                contextlib.closing(socket.create_connection(("127.0.0.1", port), 20)))
            connection.sendall(head + b"x" * 900000)
        body = b"{}" * 300000
        wait_for(lambda: post(port, body, signed(body)) == 503, 20, "too much at a time")
    wait_for(lambda: post(port, b"{}", signed(b"{}")) == 202, 20, "room again")
    assert daemon.runs


def test_a_nudge_that_nobody_could_send_is_a_mistake(scene):
    sim, hook = scene.sim(), scene.receiver()
    for keys, top, says in (
        ({"nudge": {"secret": SECRET}}, {"listen": ""}, "set `listen`"),
        ({"nudge": {"secret": ""}}, {"listen": ANYWHERE}, "secret is empty"),
        ({"nudge": {}}, {"listen": ANYWHERE}, "nudge needs a secret"),
        ({"nudge": {"secret": []}}, {"listen": ANYWHERE}, "nudge needs a secret"),
        ({"nudge": {"secret": ["a", "b", "c"]}}, {"listen": ANYWHERE}, "more than 2 secrets"),
        ({"nudge": {"secret": "env:NO_SUCH"}}, {"listen": ANYWHERE}, "NO_SUCH"),
        ({"context": ["users", "people"]}, {}, "none of users, policies, budgets, usage"),
        ({"context": [1]}, {}, "context must be a string or a list of strings"),
    ):
        config = scene.config(sim, [webhook("hook", hook)], source_keys=keys, **top)
        done = run(config, "check")
        assert done.returncode == 78, (keys, done.stdout, done.stderr)
        assert says in done.stdout + done.stderr, (says, done.stdout, done.stderr)
