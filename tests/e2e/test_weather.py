"""Credentials and the budget in bad weather: what fails is said once, waits grow, nothing is lost,
and all is well again by itself.

Most of these tests are one daemon with a source for each case: sources are isolated from each
other, and most of the time is waiting.
"""
import email.utils
import json
import time

import pytest

from fakes import alert, heard, wait_for
from programs import answers, newer, source, webhook

LOGIN = {"client_id": "sandbox", "client_secret": "sandbox"}
TOKEN = "/v1/oauth/token"
LISTS = "/v1/alerts"


def status(daemon):
    return answers(daemon.config, "status")[0]


def heard_of(hook):
    """{source: ids that were told of}; nothing twice."""
    told = {}
    for body in hook.bodies():
        data = body["data"]
        ids = told.setdefault(data["source"], [])
        assert data["alert"]["id"] not in ids, data
        ids.append(data["alert"]["id"])
    return told


def troubles(daemon, **where):
    return daemon.log("poll-failed", **where) + daemon.log("token-failed", **where)


# ---- tokens ----------------------------------------------------------------------------------

LIVES = {
    # what is said of a token, and how long it lives
    "2-s": {"expires_in": 2},
    "1-s": {"expires_in": 1},
    "unsaid": {"expires_in": None, "lives": 2},
    "text": {"expires_in": "2", "lives": 2},
    "nonsense": {"expires_in": "soon", "lives": 2},
    "zero": {"expires_in": 0, "lives": 2},
    "less-than-said": {"expires_in": 31536000, "lives": 2},
    "a-year": {"expires_in": 31536000},
}


def test_however_long_tokens_live_and_whatever_is_said_of_it_no_poll_fails(scene):
    hook, sims = scene.receiver(), dict(zip(LIVES, scene.sims([["--history", "250"]] * len(LIVES))))
    for name, sim in sims.items():
        sim.token(**LIVES[name])
    sources = [source(sim, name=name, poll_every="300ms", sweep_every="1s", **LOGIN)
               for name, sim in sims.items()]
    began = time.monotonic()
    daemon = scene.tocsin(sources, [webhook("hook", hook)])
    for name in LIVES:
        if name != "a-year":
            wait_for(lambda n=name: len(daemon.log("token-renewed", source=n)) >= 3, 30, name)
    ids = {name: sim.add(n=3) for name, sim in sims.items()}
    wait_for(lambda: len(hook.seen) == 253 * len(LIVES), 30)
    assert all(set(ids[name]) <= set(told) for name, told in heard_of(hook).items())
    assert not troubles(daemon)
    assert sims["a-year"].requests(TOKEN) == 1
    most = time.monotonic() - began + 2
    assert all(sim.requests(TOKEN) <= most for sim in sims.values()), "one a second at most"


def test_a_renewal_that_fails_while_the_token_lives_is_no_trouble(scene):
    sim, hook = scene.sim("--history", "150", "--token-ttl", "4s"), scene.receiver()
    sim.fault(path=TOKEN, kind="status", after=1, count=1)
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys={**LOGIN, "poll_every": "100ms"})
    wait_for(lambda: sim.requests(TOKEN, 503) == 1)
    wait_for(lambda: len(daemon.log("token-renewed")) >= 2)
    ids = sim.add(n=1)
    wait_for(lambda: heard(hook)[(ids[0], "opened")] == 1)
    assert not troubles(daemon)


ENDPOINTS = {
    # what becomes of the first requests for a token, and what is said
    "503": ({"kind": "status", "status": 503, "count": 2}, "warning", "503"),
    "reset": ({"kind": "reset", "count": 2}, "warning", "token endpoint: "),
    "no-answer": ({"kind": "hang", "count": 2}, "warning", "timed out"),
    "slow": ({"kind": "drip", "count": 2}, "warning", "timed out"),
    "401": ({"kind": "status", "status": 401, "count": 2}, "error", "401"),
    "403": ({"kind": "status", "status": 403, "count": 2}, "error", "403"),
    "429": ({"kind": "status", "status": 429, "retry_after": 2, "count": 1}, "warning", "429"),
    "a-proxy": ({"kind": "html", "count": 2}, "warning", "502"),
    "not-json": ({"kind": "badjson", "count": 2}, "warning", "token endpoint"),
}


def test_a_token_endpoint_that_fails_is_one_line_and_is_tried_until_it_answers(scene):
    scene.expect("msg=token-failed")
    sims = dict(zip(ENDPOINTS, scene.sims([["--history", "120"]] * len(ENDPOINTS))))
    for name, sim in sims.items():
        sim.fault(path=TOKEN, **ENDPOINTS[name][0])
    hook = scene.receiver()
    sources = [source(sim, name=f"of-{name}", timeout="1s", **LOGIN) for name, sim in sims.items()]
    began = time.monotonic()
    daemon = scene.tocsin(sources, [webhook("hook", hook)])
    for name, (_, level, reason) in ENDPOINTS.items():
        line = daemon.says("token-failed", source=f"of-{name}")
        assert line["level"] == level and reason in line["reason"], line
        assert level == "warning" or "client_secret" in line["hint"]
    daemon.says("poll-recovered", source="of-429")
    assert time.monotonic() - began >= 2
    wait_for(lambda: len(hook.seen) == 120 * len(ENDPOINTS), 40)
    for name in ENDPOINTS:
        assert len(troubles(daemon, source=f"of-{name}")) == 1
        assert len(daemon.log("poll-recovered", source=f"of-{name}")) == 1
        assert sims[name].requests(LISTS, 401) == 0, "nothing is asked for without a token"
    assert {len(ids) for ids in heard_of(hook).values()} == {120}


def test_tokens_that_are_revoked_in_mid_pass_cost_a_renewal_and_nothing_else(scene):
    orders = ["newest", "oldest", "mixed"]
    sims = scene.sims([["--order", o, "--history", "900", "--page-max", "10"] for o in orders])
    sources = [source(sim, name=o, poll_every="1h", sweep_every="1h", **LOGIN)
               for o, sim in zip(orders, sims)]
    hook = scene.receiver()
    routes = [{"name": "open", "match": ["status = open"], "to": ["hook"]}]
    daemon = scene.tocsin(sources, [webhook("hook", hook)], routes)
    for pages in (15, 40, 65):
        for sim in sims:
            wait_for(lambda s=sim, n=pages: s.lists()[("unfiltered", "further")] >= n)
            sim.expire(tokens=True)
    whole = "SELECT count(*) FROM v_sources WHERE last_full_at IS NOT NULL"
    wait_for(lambda: scene.count(whole) == 3, 30)
    scene.wait_drained()
    assert scene.count("SELECT count(*) FROM v_events") == 2700
    heard_of(hook)
    assert not troubles(daemon)
    for sim in sims:
        assert sim.requests(TOKEN) <= 4 and 1 <= sim.requests(LISTS, 401) <= 3


# ---- secrets ---------------------------------------------------------------------------------


def secret_of(scene, name, text):
    path = scene.folder / name
    path.write_text(text + "\n")
    return path, f"file:{path}"


def test_a_rotated_secret_is_read_again_when_the_old_one_is_refused(scene):
    """In one source the file is there in time, in the other it comes later."""
    scene.expect("msg=token-failed")
    in_time, late = sims = scene.sims([["--history", "120"]] * 2)
    files = [secret_of(scene, name, "sandbox") for name in ("in-time", "late")]
    sources = [source(sim, name=path.name, client_id="sandbox", client_secret=reference)
               for sim, (path, reference) in zip(sims, files)]
    hook = scene.receiver()
    daemon = scene.tocsin(sources, [webhook("hook", hook)])
    wait_for(lambda: len(hook.seen) == 240)
    wait_for(lambda: status(daemon)["ready"])
    files[0][0].write_text("n3w-secret\n")
    for sim in sims:
        sim.client("n3w-secret")
        sim.expire(tokens=True)
    line = daemon.says("token-failed", source="late")
    assert line["level"] == "error" and "client_secret" in line["hint"]
    wait_for(lambda: not status(daemon)["ready"])
    said = json.dumps(status(daemon))
    assert "late" in said and "401" in said and "n3w-secret" not in said
    ids = [sim.add(n=1)[0] for sim in sims]
    wait_for(lambda: heard(hook)[(ids[0], "opened")] == 1)
    assert late.requests(TOKEN, 401) <= 8, "it waits"
    files[1][0].write_text("n3w-secret\n")
    daemon.says("poll-recovered", 40, source="late")
    # Of the same seed both may call theirs by the same id.
    wait_for(lambda: heard(hook)[(ids[1], "opened")] == 1 + (ids[0] == ids[1]))
    wait_for(lambda: status(daemon)["ready"])
    assert not troubles(daemon, source="in-time") and len(troubles(daemon)) == 1
    assert in_time.requests(TOKEN, 401) == 0 and in_time.requests(TOKEN) == 2


def test_a_client_that_is_shut_out_and_let_in_again(scene):
    scene.expect("msg=token-failed")
    sim, hook = scene.sim("--history", "120"), scene.receiver()
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=LOGIN)
    wait_for(lambda: len(hook.seen) == 120)
    sim.client(None)
    daemon.says("token-failed")
    ids = sim.add(n=2)
    sim.client("sandbox")
    daemon.says("poll-recovered", 30)
    wait_for(lambda: {i for i, _ in heard(hook)} >= set(ids))
    assert len(troubles(daemon)) == 1 and len(hook.seen) == 122


def test_a_key_that_starts_to_fail_is_one_line_and_heals_by_its_file(scene):
    scene.expect("msg=poll-failed")
    sim, hook = scene.sim("--history", "120"), scene.receiver()
    path, reference = secret_of(scene, "key", "sandbox-key")
    daemon = scene.tocsin(sim, [webhook("hook", hook)],
                          source_keys={"api_key": reference, "sweep_every": "300ms"})
    wait_for(lambda: len(hook.seen) == 120)
    wait_for(lambda: status(daemon)["ready"])
    sim.keys(remove="sandbox-key", add="n3w-key")
    line = daemon.says("poll-failed")
    assert line["level"] == "error" and "api_key" in line["hint"] and "401" in line["reason"]
    wait_for(lambda: not status(daemon)["ready"])
    now = status(daemon)
    assert "401" in now["sources"][0]["error"] and any("acme" in why for why in now["reasons"])
    ids = sim.add(n=2)
    wait_for(lambda: sim.requests(LISTS, 401) >= 4, 30)
    assert len(troubles(daemon)) == 1
    path.write_text("n3w-key\n")
    daemon.says("poll-recovered", 40)
    wait_for(lambda: {i for i, _ in heard(hook)} >= set(ids))
    wait_for(lambda: status(daemon)["ready"])
    assert len(hook.seen) == 122 and len(troubles(daemon)) == 1
    assert not [l for l in daemon.err if "sandbox-key" in l or "n3w-key" in l]


def test_a_refusal_that_lasts_is_asked_again_a_few_times_only(scene):
    scene.expect("msg=poll-failed")
    api = scene.api([], lambda call: {"status": 401, "body": '{"error":"unauthorized"}'})
    scene.tocsin(api, [webhook("hook", scene.receiver())], source_keys={"poll_every": "100ms"})
    wait_for(lambda: len(api.asked()) >= 3, 30)
    wait_for(lambda: time.time() - api.seen[0].at > 4)
    times = [s.at for s in api.all()]
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert min(gaps) > 0.2 and len(gaps) <= 10, gaps


# ---- the budget ------------------------------------------------------------------------------

DELAYS = {
    # Retry-After of one 429 amid polls and sweeps, and how long nothing is asked for then
    "2": 2,
    "a-date": 2,
    "nothing": 0.2,
    "soon": 0.2,
    "-5": 0.2,
    "1.5": 0.2,
    "yesterday": 0.2,
}


def retry_after(name):
    dates = {"a-date": 3, "yesterday": -86400}
    if name in dates:
        return email.utils.formatdate(time.time() + dates[name], usegmt=True)
    return None if name == "nothing" else name


def limited_once(api, name):
    """One 429, when polls and sweeps go on."""
    api.limited = []

    def script(call):
        if call.number < 12 or api.limited or call.path != LISTS:
            return None
        api.limited.append(call.number)
        return {"status": 429, "body": '{"error":"rate_limited"}',
                "headers": {"Retry-After": retry_after(name)}}

    return script


def test_after_a_429_nothing_is_asked_for_as_long_as_it_says_and_soon_where_it_says_nothing(scene):
    apis = {}
    for name in DELAYS:
        apis[name] = scene.api([alert(n) for n in range(150)])
        apis[name].script = limited_once(apis[name], name)
    called = {name: f"of-{name.replace('.', '-')}" for name in DELAYS}
    sources = [source(api, name=called[name], sweep_every="300ms") for name, api in apis.items()]
    hook = scene.receiver()
    daemon = scene.tocsin(sources, [webhook("hook", hook)])
    for name, api in apis.items():
        wait_for(lambda a=api: a.limited and len(a.all()) > a.limited[0] + 8, 40, name)
        seen = api.all()
        at = next(n for n, s in enumerate(seen) if s.status == 429)
        # one or two of the others may have been under way when the 429 came
        gap = max(b.at - a.at for a, b in zip(seen[at:at + 3], seen[at + 1:at + 4]))
        assert DELAYS[name] - 0.05 <= gap < DELAYS[name] + 6, (name, gap)
    wait_for(lambda: len(hook.seen) == 150 * len(DELAYS))
    for name in DELAYS:
        assert len(troubles(daemon, source=called[name])) == 1


def with_headers(api, headers):
    api.script = lambda call: {**api.right(call), "headers": headers()}


def test_with_nothing_left_of_a_shared_key_nothing_is_asked_for_until_the_minute_ends(scene):
    api, hook = scene.api([alert(n) for n in range(250)]), scene.receiver()
    ends_at = [0]

    def headers():
        left = "500"
        if 8 <= api.count < 10:
            ends_at[0] = ends_at[0] or int(time.time()) + 4
            left = "0"
        return {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": left,
                "X-RateLimit-Reset": str(ends_at[0] or int(time.time()) + 30)}

    with_headers(api, headers)
    scene.tocsin(api, [webhook("hook", hook)], source_keys={"sweep_every": "400ms"})
    wait_for(lambda: len(api.all()) >= 14, 30)
    waited = [s for s in api.all()[10:] if s.at < ends_at[0] - 1]
    assert not waited, "Date and Reset are whole seconds"
    assert len(hook.seen) == 250


def test_sources_of_one_credential_share_one_budget_and_others_do_not(scene):
    sim, hook = scene.sim("--limit-rpm", "60", "--keys", "shared,own"), scene.receiver()
    sources = [source(sim, name=name, api_key=key, poll_every="100ms", rate_share=0.5)
               for name, key in (("a", "shared"), ("b", "shared"), ("c", "own"))]
    daemon = scene.tocsin(sources, [webhook("hook", hook)], log={"level": "debug"})
    daemon.says("ready")
    time.sleep(4)
    shared = len(daemon.log("polled", source="a") + daemon.log("polled", source="b"))
    own = len(daemon.log("polled", source="c"))
    assert 2 <= shared <= 13 and 2 <= own <= 12, "30 a minute, 7 at once"
    for row in status(daemon)["sources"]:
        rate = row["rate"]
        assert rate["limit"] == 60 and rate["allowed"] == 30 and 0 < rate["used"] <= 13
    assert sim.requests(LISTS, 429) == 0


def test_sweeps_are_stretched_and_never_starved_and_heads_go_first(scene):
    """Each would like more than there is: two a second, of which a sweep takes two."""
    sim, hook = scene.sim("--history", "2000", "--limit-rpm", "240"), scene.receiver()
    keys = {"start": "now", "rate_share": 0.5, "poll_every": "100ms", "sweep_every": "200ms"}
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=keys, log={"level": "debug"})

    def rows(kind):
        return daemon.log("polled", **{"pass": kind})

    # what may go at once has gone
    wait_for(lambda: sum(sim.lists().values()) >= 32, 30)
    heads, sweeps = len(rows("head")), len(rows("sweep"))
    wait_for(lambda: len(rows("sweep")) >= sweeps + 2, 40, "sweeps")
    assert len(rows("head")) - heads >= 2, "a sweep is never before the next head"
    ids = sim.add(n=1)
    wait_for(lambda: heard(hook)[(ids[0], "opened")] == 1, 10)
    assert sim.requests(LISTS, 429) == 0 and not troubles(daemon)


@pytest.mark.parametrize("offset", [3600, -3600, None])
def test_a_while_with_a_wrong_clock_loses_nothing(scene, offset):
    api, hook = scene.api([alert(n, created_at=newer(-60 * n)) for n in range(1, 251)]), scene.receiver()
    wrong = []

    def headers():
        if not wrong:
            return {}
        date = email.utils.formatdate(time.time() + offset, usegmt=True) if offset else None
        return {"Date": date, "X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "900"}

    with_headers(api, headers)
    daemon = scene.tocsin(api, [webhook("hook", hook)],
                          source_keys={"start": "now", "sweep_every": "1h"})
    daemon.says("ready")
    time.sleep(1.1)  # created_at is in whole seconds
    for number in range(300, 330):
        if number % 10 == 0:
            wrong[:] = [] if wrong else [True]
        api.items.insert(0, alert(number, created_at=newer()))
        wait_for(lambda n=number: len(hook.seen) >= n - 299 - 5, 20)
        time.sleep(0.03)
    wait_for(lambda: len(hook.seen) == 30, 20)
    scene.wait_drained()
    assert heard(hook) == {(f"al-{n}", "opened"): 1 for n in range(300, 330)}
