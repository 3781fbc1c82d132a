"""Whatever the API answers, the good items are taken, the bad ones set aside and counted, a pass
that could not finish advances nothing, and the daemon goes on.

The answers that are no pages are all met at once, by one daemon with a source for each: sources
are isolated from each other.
"""
import json
import re
import time

import pytest

from fakes import alert, heard, page, wait_for
from programs import Scene, newer, source, webhook

# ---- answers that are no pages ---------------------------------------------------------------

WHOLE = page([alert(2)])
NO_PAGES = {
    # what is answered to the second page of a pass, and part of the reason that is told
    "not json": ({"body": "pong"}, "no page of alerts"),
    "empty": ({"body": ""}, "no page of alerts"),
    "truncated json": ({"body": WHOLE[: len(WHOLE) // 2]}, "no page of alerts"),
    "trailing garbage": ({"body": WHOLE + b"}"}, "no page of alerts"),
    "cut in mid-body": ({"body": WHOLE[:50], "length": len(WHOLE)}, "/alerts"),
    "reset": ({"kind": "reset"}, "/alerts: "),
    "no answer": ({"kind": "hang", "seconds": 2}, "timed out"),
    "a proxy's page as 200": ({"body": "<html><body>Hello</body></html>"}, "no page of alerts"),
    "a proxy's page as 502": ({"status": 502, "body": "<html>Bad Gateway</html>"}, "502: not JSON"),
    "an error of the API": ({"status": 500, "body": '{"error":{"type":"internal_error",'
                             '"message":"oh dear"},"request_id":"r-1"}'}, "500: internal_error"),
    "an error of a shape unknown": ({"status": 503, "body": '[{"error":7}]'}, "503"),
    "an array": ({"body": "[]"}, "no page of alerts"),
    "no items": ({"body": '{"next_cursor":null,"has_more":false}'}, "no items"),
    "items no array": ({"body": '{"items":{},"next_cursor":null}'}, "not an array"),
    "a cursor that is a number": ({"body": page([], 7)}, "next_cursor"),
    "a cursor of 9 kB": ({"body": page([], "c" * 9000)}, "next_cursor"),
    "has_more a word": ({"body": page([], None, has_more="yes")}, "has_more"),
    "too many items": ({"body": b'{"items":[' + b"1," * 10001 + b"1]}"}, "more than 10000 items"),
    "has_more without a cursor": ({"body": page([], None, has_more=True)}, "no next_cursor"),
    "refused cursor": ({"status": 400, "body": '{"error":"bad_request"}'}, "400: bad_request"),
    "gone cursor": ({"status": 410, "body": '{"error":"gone"}'}, "410"),
    "a redirect": ({"status": 302, "headers": {"Location": "/v1/other"}}, "302"),
    "endless": ({"kind": "endless"}, "64 MiB"),
    "the same page for ever": (None, "circle"),
    "two pages in turn": (None, "circle"),
}


def circle(length):
    """Cursors that come again."""

    def script(call):
        at = int(call.query.get("cursor", "0"))
        return {"body": page([alert(1)], str(at % length + 1))}

    return script


def broken_at_the_second_page(answer):
    """The first page is as it should be, all others are that answer."""
    first = {"body": page([alert(1)], "1")}
    return lambda call: answer if "cursor" in call.query else first


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """A daemon with a source for each answer that is no page, and one that is well."""
    scene = Scene(tmp_path_factory.mktemp("crowd"))
    scene.hook = scene.receiver()
    scene.apis = {"well": scene.api([alert(1)])}
    for name, (answer, _) in NO_PAGES.items():
        length = {"the same page for ever": 1, "two pages in turn": 2}.get(name)
        script = circle(length) if length else broken_at_the_second_page(answer)
        scene.apis[name] = scene.api([alert(1), alert(2)], script)
    keys = {"timeout": "1s", "rate_share": 1.0}
    sources = [source(api, name=word(name), **keys) for name, api in scene.apis.items()]
    scene.daemon = scene.tocsin(sources, [webhook("hook", scene.hook)])
    yield scene
    scene.close()


def word(name):
    """A source's name."""
    return name.replace(" ", "-").replace("'", "").replace(".", "")


def heard_of(scene, name):
    told = [b["data"] for b in scene.hook.bodies()]
    return sorted(t["alert"]["id"] for t in told if t["source"] == word(name))


def position(scene, name):
    sql = "SELECT last_head_at, last_sweep_at, last_full_at FROM v_sources WHERE name = ?"
    return list(scene.query(sql, word(name))[0].values())


@pytest.mark.parametrize("name", NO_PAGES)
def test_an_answer_that_is_no_page_advances_nothing_keeps_the_good_items_and_is_recovered_from(
        crowd, name):
    """Invariant 3."""
    api, daemon = crowd.apis[name], crowd.daemon
    line = daemon.says("poll-failed", source=word(name), reason=NO_PAGES[name][1])
    assert line["level"] == "warning" and len(line["reason"]) < 400
    wait_for(lambda: heard_of(crowd, name) == ["al-1"], what="the good page's alert")

    def given_up():
        return sum("cursor" not in q for q in api.asked()) >= 2

    wait_for(given_up, 30, "a pass given up, and the next")
    assert position(crowd, name) == [None, None, None]
    api.heal()
    daemon.poll()
    daemon.says("poll-recovered", 30, source=word(name))
    wait_for(lambda: heard_of(crowd, name) == ["al-1", "al-2"], what="each alert once")
    wait_for(lambda: None not in position(crowd, name), what="the position to advance")
    before = len(crowd.apis["well"].seen)
    wait_for(lambda: len(crowd.apis["well"].seen) > before + 1, what="another source's polls")
    assert len(daemon.log("poll-failed", source=word(name))) < 40, "a flood of lines"


# ---- pages with bad items --------------------------------------------------------------------

BAD_ITEMS = {
    b'{"title":"no id"}': "no id",
    b'{"id":null,"title":"null id"}': "no id",
    b'{"id":"","title":"empty id"}': "no id",
    b'{"id":7,"title":"id a number"}': "id is not a string",
    b'{"id":["x"],"title":"id a list"}': "id is not a string",
    b'{"id":"b-1","title":5}': "title is not a string",
    b'{"id":"b-2","status":["open"]}': "status is not a string",
    b'{"id":"b-3","severity":{"is":"high"}}': "severity is not a string",
    b'{"id":"b-4","created_at":1700000000}': "created_at is not a string",
    b'{"id":"b\\u00005"}': "NUL",
    b'{"id":"' + b"i" * 20000 + b'"}': "id of more than",
    b'{"id":"b-6","message":"' + b"m" * (1 << 20) + b'"}': "larger than",
    b'{"id":"b-7","n":01}': "",
    b'{"id":"b-8","n":NaN}': "",
    b'{"id":"b-9" "title":"no comma"}': "",
    b'{"id":"b-10","deep":' + b"[" * 500 + b"]" * 500 + b"}": "",
    b"5": "not an object",
    b'"text"': "not an object",
    b"null": "not an object",
    b"[]": "not an object",
}


def test_bad_items_are_set_aside_with_a_reason_and_counted_and_the_page_goes_on(scene):
    items = [alert(0)]
    for n, item in enumerate(BAD_ITEMS, 1):
        items += [item, alert(n)]
    api, hook = scene.api(items), scene.receiver()
    daemon = scene.tocsin(api, [webhook("hook", hook)])
    wait_for(lambda: len(hook.seen) == len(BAD_ITEMS) + 1)
    line = daemon.says("item-rejected")
    assert line["count"] == str(len(BAD_ITEMS)) and "--rejected" in line["hint"]
    rejects = scene.query("SELECT source, reason, body, count FROM v_rejects")
    assert len(rejects) == len(BAD_ITEMS) and {r["source"] for r in rejects} == {"acme"}
    by_body = {r["body"]: r["reason"] for r in rejects}
    for item, reason in BAD_ITEMS.items():
        assert reason in by_body[item.decode()[: 64 << 10]] != ""
    wait_for(lambda: scene.count("SELECT min(count) FROM v_rejects") >= 3, what="counts to rise")
    assert len(daemon.log("item-rejected")) == 1, "said once, counted each time"
    assert set(heard(hook).values()) == {1} and position(scene, "acme")[2]


def test_what_is_odd_but_tells_who_it_is_passes_through(scene):
    long_id = "id-" + "x" * 10237
    odd = [
        json.dumps(alert(1, id=long_id)).encode(),
        b'{"id":"bad-utf8","title":"caf\xe9 \xff\xfe","message":"\xc3"}',
        b'{"id":"surrogate","title":"half \\ud83d of it"}',
        b'{"id":"twice","id":"second","title":"T"}',
        b'{"id":"only-id"}',
        b'{"id":"numbers","n":123456789012345678901234567890,"f":1e400}',
        json.dumps(alert(2, id="words", type="x", severity="y", status="z")).encode(),
        json.dumps(alert(3, id="times", created_at="yesterday", resolved_at="")).encode(),
        json.dumps(alert(4, id="nulls", type=None, severity=None, status=None, title=None)).encode(),
        json.dumps(alert(5, id="../../etc/passwd\n'; DROP TABLE alerts; --\u2028")).encode(),
        json.dumps(alert(7, id="\u001b[31mred \u009b \u0007 \r\nlevel=error msg=dead \"")).encode(),
        json.dumps(alert(6, id="large", message="m" * 900_000)).encode(),
    ]
    api, hook = scene.api(odd), scene.receiver()
    daemon = scene.tocsin(api, [webhook("hook", hook)])
    wait_for(lambda: len(hook.seen) == len(odd))
    scene.wait_drained()
    told = {b["data"]["alert"]["id"]: b["data"]["alert"] for b in hook.bodies()}
    assert long_id in told and "surrogate" in told and "only-id" in told
    assert told["bad-utf8"]["title"] == "caf\ufffd \ufffd\ufffd"
    assert told["words"]["severity"] == "y" and told["times"]["created_at"] == "yesterday"
    assert any(b"123456789012345678901234567890" in s.body for s in hook.seen)
    assert not scene.query("SELECT * FROM v_rejects") and not daemon.log("poll-failed")
    assert not [l for l in daemon.err if re.search(r"[\x00-\x1f\x7f-\x9f]", l) or len(l) > 20000]
    assert len(hook.seen) == len(odd), "the next pass finds the same"


# ---- lists that contradict themselves --------------------------------------------------------


def passes(api):
    return sum("cursor" not in q for q in api.asked())


def test_items_that_are_repeated_ring_once(scene):
    def script(call):
        second = "cursor" in call.query
        return {"body": page([alert(1), alert(2), alert(1)] + [alert(3)] * second,
                             None if second else "next")}

    api, hook = scene.api(script=script), scene.receiver()
    scene.tocsin(api, [webhook("hook", hook)])
    wait_for(lambda: passes(api) >= 4)
    scene.wait_drained()
    assert heard(hook) == {(f"al-{n}", "opened"): 1 for n in (1, 2, 3)}


def test_a_cursor_is_followed_whatever_has_more_says_and_empty_pages_are_walked_through(scene):
    cursors = {None: "a b&c=%20\"+é/?#", "a b&c=%20\"+é/?#": "x", "x": "y", "y": None}

    def script(call):
        here = call.query.get("cursor")
        items = [] if here == "x" else [alert(list(cursors).index(here))]
        return {"body": page(items, cursors[here], has_more=False)}

    api, hook = scene.api(script=script), scene.receiver()
    daemon = scene.tocsin(api, [webhook("hook", hook)])
    wait_for(lambda: passes(api) >= 3)
    scene.wait_drained()
    assert heard(hook) == {(f"al-{n}", "opened"): 1 for n in (0, 1, 3)}
    assert [q.get("cursor") for q in api.asked()[:4]] == list(cursors)
    assert not daemon.log("poll-failed") and daemon.says("ready")


def test_a_status_that_flaps_within_one_pass_is_followed_not_lost(scene):
    """The same alert twice on a page, changed in between."""
    both = [alert(1), alert(1, status="resolved", resolved_at="2026-01-16T10:30:00Z")]
    api, hook = scene.api(both), scene.receiver()
    scene.tocsin(api, [webhook("hook", hook)])
    wait_for(lambda: len(hook.seen) >= 2)
    assert [b["type"] for b in hook.bodies()[:2]] == ["alert.opened", "alert.resolved"]
    api.items.pop(0)
    scene.wait_drained()


def test_a_page_over_8_mib_is_asked_for_again_in_smaller_ones(scene):
    api, hook = scene.api([alert(n, message="m" * 200_000) for n in range(60)]), scene.receiver()
    daemon = scene.tocsin(api, [webhook("hook", hook)])
    wait_for(lambda: len(hook.seen) == 60)
    assert [int(q["limit"]) for q in api.asked()[:3]] == [100, 50, 25]
    assert daemon.says("polled", new="60") and not daemon.log("poll-failed")


# ---- who may read ----------------------------------------------------------------------------


def test_a_401_in_mid_pass_is_answered_by_one_new_token_and_the_same_page(scene):
    refused = []

    def script(call):
        if call.query.get("cursor") == "100" and not refused:
            refused.append(call)
            return {"status": 401, "body": '{"error":"unauthorized"}'}
        return None

    api, hook = scene.api([alert(n) for n in range(150)], script), scene.receiver()
    login = {"client_id": "ci", "client_secret": "cs"}
    daemon = scene.tocsin(api, [webhook("hook", hook)], source_keys=login)
    wait_for(lambda: len(hook.seen) == 150)
    assert api.tokens == 2 and not daemon.log("poll-failed")
    asked = [(q.get("cursor"), q.get("status")) for q in api.asked()]
    bearers = [s.headers["authorization"] for s in api.seen if "/alerts" in s.path]
    at = bearers.index("Bearer token-2")
    assert asked[at][0] == "100" and asked[at] in asked[:at], "the same page again"
    assert set(bearers[:at]) == {"Bearer token-1"}


@pytest.mark.parametrize("status,hint", [(401, "client_secret"), (403, "may not read")])
def test_a_refusal_that_lasts_is_an_error_line_with_the_knob_and_no_flood(scene, status, hint):
    scene.expect("msg=poll-failed")
    api = scene.api([alert(1)], lambda call: {"status": status, "body": '{"error":"no"}'}
                    if call.path == "/v1/alerts" else None)
    login = {"client_id": "ci", "client_secret": "cs"}
    daemon = scene.tocsin(api, [webhook("hook", scene.receiver())], source_keys=login)
    line = daemon.says("poll-failed")
    assert line["level"] == "error" and hint in line["hint"] and str(status) in line["reason"]
    wait_for(lambda: passes(api) >= 2)
    assert len(api.seen) <= 10
    api.heal()
    daemon.poll()
    daemon.says("poll-recovered")


@pytest.mark.parametrize("wrong", [None, {"days": -1}, {"names": ("other.example",)}])
def test_the_api_is_spoken_to_over_tls_under_a_private_ca_and_no_other(scene, authority, wrong):
    api = scene.api([alert(1)])
    api.down()
    api.tls = authority.issue(f"api-{wrong}".translate(str.maketrans("", "", " {}()[]':,.")), **wrong or {})
    api.up()
    daemon = scene.tocsin(api, [webhook("hook", scene.receiver())],
                          source_keys={"ca_file": authority.file})
    if wrong is None:
        daemon.says("ready")
    else:
        assert "certificate" in daemon.says("poll-failed")["reason"]
        wait_for(lambda: len(daemon.log("poll-failed")) >= 1)
        assert not api.seen


TOKENS = {
    "not json": {"body": "<html>"},
    "no token": {"body": '{"token_type":"bearer"}'},
    "a token of another kind": {"body": '{"access_token":5}'},
    "a token with a line break": {"body": '{"access_token":"a\\r\\nX-Evil: 1"}'},
    "an error": {"status": 500, "body": "{}"},
    "reset": {"kind": "reset"},
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_answer_that_holds_no_token_is_told_and_tried_again(scene, name):
    api, hook = scene.api([alert(1)]), scene.receiver()
    api.script = lambda call: TOKENS[name] if call.path == "/v1/oauth/token" else None
    login = {"client_id": "ci", "client_secret": "cs"}
    daemon = scene.tocsin(api, [webhook("hook", hook)], source_keys=login)
    assert daemon.says("token-failed")["source"] == "acme"
    assert not api.asked() and not hook.seen
    api.heal()
    daemon.poll()
    wait_for(lambda: hook.seen)
    assert not any("x-evil" in s.headers for s in api.seen)


@pytest.mark.parametrize("life", ['"soon"', "-1", "0", "null", "1e99", "99999999999999999999"])
def test_a_tokens_life_may_be_nonsense(scene, life):
    answer = {"body": f'{{"access_token":"t","token_type":"bearer","expires_in":{life}}}'}
    api, hook = scene.api([alert(1)]), scene.receiver()
    api.script = lambda call: answer if call.path == "/v1/oauth/token" else None
    login = {"client_id": "ci", "client_secret": "cs"}
    scene.tocsin(api, [webhook("hook", hook)], source_keys=login)
    wait_for(lambda: hook.seen and len(api.asked()) >= 3)
    assert len(api.seen) - len(api.asked()) <= len(api.asked()), "a token for each request"


# ---- headers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("date", [None, "yesterday", "Thu, 99 Foo 2026 25:61:61 GMT"])
def test_without_a_date_our_own_clock_is_the_baseline(scene, date):
    api, hook = scene.api([alert(1)]), scene.receiver()
    api.script = lambda call: {**api.right(call), "headers": {"Date": date}}
    daemon = scene.tocsin(api, [webhook("hook", hook)], source_keys={"start": "now"})
    daemon.says("ready")
    api.items.append(alert(2, created_at=newer(2)))
    wait_for(lambda: hook.seen)
    scene.wait_drained()
    assert heard(hook) == {("al-2", "opened"): 1}


def test_rate_limit_headers_may_be_missing_or_nonsense(scene):
    odd = ["", "abc", "-5", "0", "99999999999999999999", "1.5", "1000, 1000", None]

    def script(call):
        value = odd[call.number % len(odd)]
        names = ("X-RateLimit-Limit", "X-RateLimit-Reset", "Retry-After")
        return {**api.right(call), "headers": {name: value for name in names}}

    hook = scene.receiver()
    api = scene.api([alert(1)], script)
    daemon = scene.tocsin(api, [webhook("hook", hook)], source_keys={"poll_every": "100ms"})
    wait_for(lambda: passes(api) > 2 * len(odd))
    assert len(hook.seen) == 1 and not daemon.log("poll-failed")


def test_the_budget_is_the_share_of_the_limit_and_the_rest_is_left_for_others(scene):
    """rate_share of what the server says: a quarter at once, the rest spread over the minute."""
    api, hook = scene.api([alert(1)]), scene.receiver()
    api.script = lambda call: {**api.right(call), "headers": {
        "X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "19"}}
    keys = {"poll_every": "100ms", "rate_share": 0.5}
    daemon = scene.tocsin(api, [webhook("hook", hook)], source_keys=keys)
    wait_for(lambda: len(api.asked()) >= 2)
    at = api.all()[1].at
    wait_for(lambda: time.time() > at + 3, what="thirty polls' time")
    assert len(api.asked()) <= 4 and daemon.log("polled")


# ---- the simulator's faults ------------------------------------------------------------------


@pytest.mark.parametrize("order", ["newest", "oldest", "mixed"])
def test_cursors_that_expire_amid_passes_lose_nothing_in_any_order(scene, order):
    sim, hook = scene.sim("--order", order, "--history", "450"), scene.receiver()
    daemon = scene.tocsin(sim, [webhook("hook", hook)])
    for count in range(460, 500, 10):
        sim.expire(cursors=True)
        sim.add(n=10)
        daemon.poll()
        wait_for(lambda c=count: len(hook.seen) >= c - 40)
    wait_for(lambda: len(hook.seen) >= 490, 30)
    scene.wait_drained()
    assert len(hook.seen) == len({s.headers["webhook-id"] for s in hook.seen}) == 490


FAULTS = ["status", "reset", "hang", "truncate", "drip", "html", "badjson"]


def test_every_fault_of_the_simulator_is_survived(scene):
    hook, sims = scene.receiver(), {kind: scene.sim("--history", "120") for kind in FAULTS}
    sources = [source(sim, name=kind, timeout="1s") for kind, sim in sims.items()]
    daemon = scene.tocsin(sources, [webhook("hook", hook)])
    wait_for(lambda: len(hook.seen) == 120 * len(FAULTS))
    for kind, sim in sims.items():
        sim.fault(path="/v1/alerts", kind=kind, count=2)
        sim.put(alert(1, title=kind))
    for kind, sim in sims.items():
        if kind not in ("drip", "reset"):  # a GET is asked again on another connection
            daemon.says("poll-failed", source=kind)
        wait_for(lambda s=sim: s.call("GET", "/_sim/stats")["faults"] == 0, 30, kind)
    daemon.poll()
    wait_for(lambda: len(hook.seen) == 121 * len(FAULTS), 30)
    scene.wait_drained()
    assert set(heard(hook).values()) == {1, len(FAULTS)}
