"""toktra-sim over real sockets: what no unit test can see. The rest is in tests/unit/sim/."""

import hashlib
import hmac
import http.client
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import time
import urllib.parse
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import pytest

from support import Receiver

BIN = os.environ.get("TOKTRA_SIM_BIN", "build/asan/toktra-sim")
DEADLINE_S = 15
KEY = {"Authorization": "Bearer sandbox-key"}


def first_line(process, deadline_s=DEADLINE_S):
    """The first line of its output, or what there is of it by the deadline."""
    end = time.monotonic() + deadline_s
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n") and time.monotonic() < end:
            if selector.select(end - time.monotonic()):
                byte = os.read(process.stdout.fileno(), 1)
                if not byte:
                    break
                line += byte
    return line.decode()


class Sim:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [BIN, "--port", "0", "--seed", "1", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        line = first_line(self.process)
        found = re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)/v1\n", line)
        if not found:
            self.process.kill()
            pytest.fail(f"{line!r}, then {self.process.communicate()[1]!r}")
        self.port = int(found[1])

    def request(self, method, path, body=None, headers=KEY, timeout=DEADLINE_S):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def alerts(self, **query):
        path = "/v1/alerts?" + urllib.parse.urlencode(query)
        status, _, body = self.request("GET", path)
        assert status == 200, body
        return json.loads(body)

    def walk(self, **query):
        items, cursor = [], None
        while True:
            page = self.alerts(**query, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next_cursor"]
            assert page["has_more"] == (cursor is not None)
            if cursor is None:
                return items

    def control(self, method, path, data=None):
        body = None if data is None else json.dumps(data)
        status, _, answer = self.request(method, "/_sim/" + path, body, {})
        assert status == 200, answer
        return json.loads(answer)

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            _, said = self.process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode, said.decode()


@pytest.fixture
def start():
    running = []

    def run(*options):
        running.append(Sim(*options))
        return running[-1]

    yield run
    for sim in running:
        assert sim.end() == (0, "")


def test_a_token_opens_the_list(start):
    sim = start("--history", "3", "--clients", "me:a&b=c d", "--keys", "")
    form = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "a&b=c d"}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, headers, body = sim.request(
        "POST", "/v1/oauth/token", urllib.parse.urlencode(form), kind
    )
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    token = json.loads(body)
    assert token["token_type"] == "bearer" and token["expires_in"] == 3600

    bearer = {"Authorization": "Bearer " + token["access_token"]}
    status, headers, body = sim.request("GET", "/v1/alerts", headers=bearer)
    assert status == 200 and len(json.loads(body)["items"]) == 3
    assert headers["X-RateLimit-Remaining"] == "998"
    assert sim.request("GET", "/v1/alerts")[0] == 401


def test_every_answer_has_a_date(start):
    sim = start()
    for path in "/v1/alerts", "/v1/alerts?limit=0", "/nothing", "/_sim/stats":
        date = parsedate_to_datetime(sim.request("GET", path)[1]["Date"])
        assert abs((datetime.now(timezone.utc) - date).total_seconds()) < 5


@pytest.mark.parametrize("order", ["newest", "oldest", "mixed"])
def test_a_walk_sees_every_alert_once_in_order(start, order):
    sim = start("--history", "321", "--order", order)
    items = sim.walk(limit=50)
    assert len({item["id"] for item in items}) == len(items) == 321
    times = [item["created_at"] for item in items]
    assert (times == sorted(times, reverse=True)) == (order == "newest")
    assert (times == sorted(times)) == (order == "oldest")
    assert [item["id"] for item in sim.walk(limit=7)] == [item["id"] for item in items]


def test_injected_bytes_arrive_as_they_are(start):
    sim = start()
    odd = '{ "id": "x",\t"n": 1.50e+1, "status": "open" }'
    status, _, _ = sim.request("POST", "/_sim/alerts", f"[{odd}]", {})
    assert status == 200
    sim.control("POST", "alerts", [{"raw_base64": "eyJpZCI6ImIiLCJ0Ijoi/yJ9"}])
    body = sim.request("GET", "/v1/alerts")[2]
    assert b'{"items":[{"id":"b","t":"\xff"},' + odd.encode() + b"]," in body


def test_an_item_larger_than_a_page_should_be(start):
    sim = start()
    sim.control("POST", "alerts", [{"id": "big", "title": "x" * (9 << 20)}])
    assert len(sim.request("GET", "/v1/alerts")[2]) > 9 << 20
    status, _, _ = sim.request("POST", "/_sim/alerts", b" " * (17 << 20), {})
    assert status == 413


def test_alerts_come_by_themselves_and_change(start):
    sim = start("--rate", "50/s", "--limit-rpm", "100000")
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        counts = sim.control("GET", "stats")["alerts"]
        if counts["open"] > 0 and counts["acknowledged"] > 0 and counts["resolved"] > 0:
            return
        time.sleep(0.1)
    pytest.fail(f"after {DEADLINE_S} s: {counts}")


def test_a_reset_and_a_truncated_answer_are_seen_as_such(start):
    sim = start("--history", "5")
    sim.control("POST", "faults", {"kind": "reset", "count": 1})
    with pytest.raises(ConnectionResetError):
        sim.request("GET", "/v1/alerts")
    sim.control("POST", "faults", {"kind": "truncate", "count": 1})
    with pytest.raises(http.client.IncompleteRead):
        sim.request("GET", "/v1/alerts")
    assert sim.control("GET", "stats")["requests"]["/v1/alerts"] == {"reset": 1, "200": 1}


def test_a_hang_holds_up_nobody_else(start):
    sim = start()
    sim.control("POST", "faults", {"kind": "hang", "count": 1})
    with pytest.raises(socket.timeout):
        sim.request("GET", "/v1/alerts", timeout=0.5)
    assert sim.request("GET", "/v1/alerts")[0] == 200


def test_a_drip_comes_bit_by_bit(start):
    sim = start()
    sim.control("POST", "faults", {"kind": "drip", "path": "/v1/x", "count": 1})
    with socket.create_connection(("127.0.0.1", sim.port), DEADLINE_S) as connection:
        connection.sendall(b"GET /v1/x HTTP/1.1\r\nHost: h\r\n\r\n")
        got, began = b"", time.monotonic()
        while len(got.partition(b"\r\n\r\n")[2]) < 5:
            got += connection.recv(65536)
        assert 0.3 < time.monotonic() - began < 5
        assert got.endswith(b'{"err')


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_0_even_while_it_hangs(number):
    sim = Sim("--rate", "100/s")
    sim.control("POST", "faults", {"kind": "hang"})
    with socket.create_connection(("127.0.0.1", sim.port), DEADLINE_S) as connection:
        connection.sendall(b"GET /v1/alerts HTTP/1.1\r\nHost: h\r\n\r\n")
        while not sim.control("GET", "stats")["requests"]:
            time.sleep(0.02)
        assert sim.end(number) == (0, "")


def wait_for_webhook(sim, fate):
    end = time.monotonic() + DEADLINE_S
    while (now := sim.control("GET", "stats")["webhook"]) != fate:
        assert time.monotonic() < end, now
        time.sleep(0.02)


def test_the_webhook_hears_what_opens_and_changes_signed(start):
    with Receiver() as receiver:
        sim = start("--history", "3", "--webhook", receiver.url("/hook") + ":whsec_5ecret")
        ids = sim.control("POST", "alerts", {"n": 20, "title": "T"})["ids"]
        sim.control("POST", "alerts/" + ids[0], {"status": "resolved"})
        fate = {"delivered": 21, "failed": 0, "dropped": 0, "waiting": 0, "flying": 0}
        wait_for_webhook(sim, fate)
        events = []
        for path, headers, body in receiver.requests:
            digest = hmac.new(b"whsec_5ecret", body, hashlib.sha256).hexdigest()
            assert path == "/hook" and headers["Content-Type"] == "application/json"
            assert headers["X-Toktra-Signature"] == "sha256=" + digest
            events.append(json.loads(body))
        assert len({e["id"] for e in events if e["id"].startswith("evt_")}) == 21
        assert {e["data"]["id"] for e in events if e["type"] == "alert.created"} == set(ids)
        assert {e["data"]["title"] for e in events} == {"T"}
        (update,) = [e["data"] for e in events if e["type"] == "alert.updated"]
        assert (update["id"], update["status"]) == (ids[0], "resolved")

        receiver.status = 500
        sim.control("POST", "alerts", {})
        wait_for_webhook(sim, {**fate, "failed": 1})


def test_a_webhook_that_hangs_holds_up_neither_alerts_nor_the_end(start):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        sim = start("--webhook", url + ":s")
        sim.control("POST", "alerts", {"n": 1100})
        stats = sim.control("GET", "stats")["webhook"]
        assert (stats["dropped"], stats["waiting"], stats["flying"]) == (100, 992, 8)
        assert len(sim.alerts(limit=100)["items"]) == 100
        assert sim.end() == (0, "")


def run(*options):
    return subprocess.run([BIN, *options], capture_output=True, text=True, timeout=DEADLINE_S)


def test_the_command_line_helps():
    assert run("--help").returncode == 0
    assert "--cursor-ttl" in run("--help").stdout
    wrong = run("--histroy", "5")
    assert wrong.returncode == 2
    assert "did you mean --history?" in wrong.stderr
    wrong = run("--webhook", "http://example.com/in:whsec_5ecret")
    assert wrong.returncode == 2 and "use https" in wrong.stderr
    assert "5ecret" not in wrong.stderr


def test_a_taken_port_is_said(start):
    taken = run("--port", str(start().port))
    assert taken.returncode == 1
    assert "Address already in use" in taken.stderr


def test_a_hundred_thousand_users_are_listed(start):
    sim = start("--users", "100000", "--limit-rpm", "10000")
    seen, cursor = set(), None
    while True:
        query = {"limit": 100, **({"cursor": cursor} if cursor else {})}
        status, _, body = sim.request("GET", "/v1/users?" + urllib.parse.urlencode(query))
        assert status == 200
        page = json.loads(body)
        assert page["total_count"] == 100000
        seen.update(user["id"] for user in page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 100000
