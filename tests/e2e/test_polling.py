"""Head, sweep and full passes against a real API: nothing is lost and nothing is told twice, in
whatever order the list is, and what it costs in requests is counted.

What the tests of a crowd share: one daemon with a source for each case, for sources are
isolated from each other, and most of such a test's time is waiting.
"""
import collections
import itertools
import json
import time

import pytest

import programs
from fakes import alert, heard, page, wait_for
from programs import answers, newer, source, webhook

ORDERS = ["newest", "oldest", "mixed"]
LEARNED = {"newest": "newest-first", "oldest": "oldest-first", "mixed": "unordered"}
NEVER = "1h"


def asked(sim):
    """Requests for lists so far."""
    return sum(sim.lists().values())


def short(**keys):
    return {"poll_every": "300ms", "sweep_every": "700ms", **keys}


def told(hook, kind):
    """The ids that were told of so, once each."""
    counts = {i: n for (i, k), n in heard(hook).items() if k == kind}
    assert set(counts.values()) <= {1}, counts
    return set(counts)


def state(scene, name="acme"):
    return scene.query("SELECT * FROM v_sources WHERE name = ?", name)[0]


def wait_walked(scene):
    """Until a walk over everything is complete."""
    wait_for(lambda: state(scene)["last_full_at"], 40, "a complete walk")


def polls(daemon, kind, **where):
    return daemon.log("polled", **{"pass": kind}, **where)


# ---- whatever the order ----------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
def test_each_change_is_told_once_with_cursors_that_live_300_ms(scene, order):
    sim = scene.sim("--order", order, "--history", "1500", "--cursor-ttl", "300ms")
    hook = scene.receiver()
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=short(start="now"))
    daemon.says("ready")
    ids = sim.add(n=120, status="open")
    wait_for(lambda: told(hook, "opened") >= set(ids), 40)
    for at, alert_id in enumerate(ids):
        sim.change(alert_id, status=("acknowledged", "resolved", "open")[at % 3])
    wait_for(lambda: told(hook, "acknowledged") == set(ids[0::3]), 40)
    wait_for(lambda: told(hook, "resolved") >= set(ids[1::3]), 40)
    sim.change(ids[1], status="open")
    wait_for(lambda: ids[1] in told(hook, "reopened"), 40)
    scene.wait_drained()
    assert told(hook, "opened") == set(ids), "nothing older than the first start rings"
    assert told(hook, "resolved") == set(ids[1::3])
    assert state(scene)["order_seen"] == LEARNED[order]


def watched(number):
    """One of the alerts of which the next test hears; all over the 90 days of the history."""
    at = time.time() - 3600 - number * 12000
    status = "open" if number < 400 else "acknowledged" if number < 500 else "resolved"
    return alert(number, status=status, severity="high", title=f"Watched {number}",
                 created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)))


@pytest.mark.parametrize("order", ORDERS)
def test_of_10000_alerts_500_change_and_what_is_heard_is_what_there_is_to_hear(scene, order):
    sim, hook, pager = scene.sim("--order", order, "--history", "9400"), *two(scene)
    sim.put(*(watched(n) for n in range(600)))
    mine = "title =~ Watched.*"
    kinds = ["opened", "acknowledged", "resolved", "reopened", "changed"]
    routes = [
        {"name": "page", "match": [mine, "severity = critical"], "to": ["pager"], "continue": True},
        {"name": "all", "match": [mine], "to": ["hook"], "events": kinds},
    ]
    keys = short(start="all", sweep_every="2s")
    scene.tocsin(sim, [webhook("hook", hook), webhook("pager", pager)], routes, source_keys=keys)
    wait_for(lambda: len(hook.seen) == 600, 60, "what there is at first")
    must = collections.Counter(
        (f"al-{n}", "resolved" if n >= 500 else "opened") for n in range(600))
    assert heard(hook) == must
    wait_walked(scene)
    for n in range(100):
        for first, status, kind in ((0, "acknowledged", "acknowledged"),
                                    (100, "resolved", "resolved"), (500, "open", "reopened")):
            sim.change(f"al-{first + n}", status=status)
            must[(f"al-{first + n}", kind)] += 1
    for n in range(50):
        sim.change(f"al-{200 + n}", severity="critical")
        sim.change(f"al-{250 + n}", severity="low")
        sim.change(f"al-{400 + n}", title=f"Watched {400 + n}, again")
        sim.remove(f"al-{300 + n}")
        must.update((f"al-{first + n}", "changed") for first in (200, 250, 400))
    wait_for(lambda: len(hook.seen) >= must.total(), 60, "what has changed")
    missing = "SELECT count(*) FROM v_missing WHERE absences > 0"
    wait_for(lambda: scene.count(missing) == 50, 30, "those that were deleted")
    scene.wait_drained()
    assert heard(hook) == must
    assert heard(pager) == {(f"al-{200 + n}", "opened"): 1 for n in range(50)}


def two(scene):
    return scene.receiver(), scene.receiver()


@pytest.mark.parametrize("order", ORDERS)
def test_alerts_of_one_and_the_same_moment_are_told_apart(scene, order):
    sim, hook = scene.sim("--order", order, "--page-max", "10"), scene.receiver()
    ids = sim.add(n=95, created_at="2026-01-01T00:00:00Z")
    scene.tocsin(sim, [webhook("hook", hook)], source_keys=short())
    wait_for(lambda: told(hook, "opened") >= set(ids), 30)
    wait_walked(scene)
    more = sim.add(n=25, created_at="2026-01-01T00:00:00Z")
    wait_for(lambda: told(hook, "opened") == set(ids + more), 30)


def test_an_order_that_turns_round_loses_nothing(scene):
    api, hook = scene.api([alert(n, created_at=newer(n - 7200)) for n in range(250)]), scene.receiver()
    scene.tocsin(api, [webhook("hook", hook)], source_keys=short())
    wait_for(lambda: len(hook.seen) == 250, 30)
    assert state(scene)["order_seen"] == "oldest-first"
    for round_number in range(3):
        api.items.reverse()
        for n in range(5):
            number = 250 + 5 * round_number + n
            at = len(api.items) if round_number % 2 else 0
            api.items.insert(at, alert(number, created_at=newer()))
        wait_for(lambda r=round_number: len(hook.seen) >= 255 + 5 * r, 30)
    scene.wait_drained()
    assert set(heard(hook).values()) == {1} and len(hook.seen) == 265


STALE = {
    "400": {"status": 400, "body": '{"error":"bad_request"}'},
    "404": {"status": 404, "body": '{"error":"not_found"}'},
    "410": {"status": 410, "body": '{"error":"gone"}'},
    "an empty page": {"body": page([])},
    "an empty page that goes on": {"body": page([], "more")},
    "the first page": None,
}


def oldest_first_with_cursors_of_one_session(api, stale):
    """A cursor is good only for the walk that began with the newest first page."""
    walks = itertools.count()
    walk = [0]

    def script(call):
        status = call.query.get("status")
        listed = [i for i in api.items if status is None or i["status"] == status]
        cursor = call.query.get("cursor")
        if cursor is None:
            walk[0] = next(walks)
            at = 0
        elif cursor.startswith(f"{walk[0]}:"):
            at = int(cursor.split(":")[1])
        elif stale is not None:
            return stale
        else:
            at = 0
        end = at + 5
        more = f"{walk[0]}:{end}" if end < len(listed) else None
        return {"body": page(listed[at:end], more)}

    return script


def test_however_a_cursor_that_is_kept_is_refused_nothing_is_lost(scene):
    """Every list that is asked for makes the cursors of all others stale."""
    scene.hook = scene.receiver()
    apis = {}
    for name, stale in STALE.items():
        apis[name] = scene.api([alert(n, created_at=newer(n - 7200)) for n in range(40)])
        apis[name].script = oldest_first_with_cursors_of_one_session(apis[name], stale)
    sources = [source(api, name=name.replace(" ", "-"), **short()) for name, api in apis.items()]
    scene.tocsin(sources, [webhook("hook", scene.hook)])
    wait_for(lambda: len(scene.hook.seen) == 40 * len(STALE), 40)
    for number in (40, 41):
        for api in apis.values():
            api.items.append(alert(number, created_at=newer()))
        count = len(STALE) * (number + 1)
        wait_for(lambda c=count: len(scene.hook.seen) == c, 40, f"al-{number}")
    scene.wait_drained()
    assert set(heard(scene.hook).values()) == {len(STALE)}


# ---- faults at every page --------------------------------------------------------------------

FAULTS = [
    {"kind": "status", "status": 500},
    {"kind": "reset"},
    {"kind": "truncate"},
    {"kind": "html"},
    {"kind": "badjson"},
    {"kind": "hang"},
]


def one_line_each(daemon, name, kind):
    """What was wrong was said once, and once that it is over. A GET that is cut is written again
    by itself on another connection, so of a reset there may be nothing to say."""
    failed = daemon.log("poll-failed", source=name)
    assert len(failed) == 1 or (kind == "reset" and not failed), failed
    wait_for(lambda: len(daemon.log("poll-recovered", source=name)) == len(failed), 20, name)


def named(cases):
    """{name: (fault, position)}; no name is the beginning of another."""
    return {f"{fault['kind']}-{at:02}": (fault, at) for fault, at in cases}


@pytest.mark.parametrize("order", ORDERS)
def test_a_fault_at_each_page_of_the_first_walk_loses_nothing_and_is_one_line(scene, order):
    cases = named(itertools.product(FAULTS, range(9)))
    options = ["--order", order, "--history", "80", "--page-max", "10"]
    sims = dict(zip(cases, scene.sims([options] * len(cases))))
    for name, (fault, at) in cases.items():
        sims[name].fault(path="/v1/alerts", after=at, count=1, **fault)
    sources = [source(sim, name=name, timeout="4s", poll_every=NEVER, sweep_every=NEVER)
               for name, sim in sims.items()]
    daemon = scene.tocsin(sources, [webhook("hook", scene.receiver())], routes=[
        {"name": "some", "match": ["status = open"], "to": ["hook"]}])
    complete = "SELECT count(*) FROM v_sources WHERE last_full_at IS NOT NULL"
    wait_for(lambda: scene.count(complete) == len(cases), 60, "all walks to end")
    for name, (fault, _) in cases.items():
        assert sims[name].stats()["faults"] == 0, "it was met"
        one_line_each(daemon, name, fault["kind"])
    rows = scene.query("SELECT source, alert_id, count(*) AS n FROM v_events GROUP BY 1, 2")
    assert len(rows) == 80 * len(cases) and {row["n"] for row in rows} == {1}


def test_a_fault_at_each_page_of_a_sweep_loses_nothing_and_is_one_line(scene):
    """Three pages of open ones and three of acknowledged ones; one of each page is resolved."""
    parts = [("status=open", 0), ("status=open", 1), ("status=open", 2),
             ("status=acknowledged", 0), ("status=acknowledged", 1), ("status=acknowledged", 2)]
    cases = named(itertools.product(FAULTS, range(len(parts))))
    options = [["--order", ORDERS[at % 3], "--history", "40", "--page-max", "10"]
               for _, at in cases.values()]
    sims, hook = dict(zip(cases, scene.sims(options))), scene.receiver()
    ids = {}
    for name, sim in sims.items():
        ids[name] = [f"{name}-{n}" for n in range(50)]
        sim.put(*(alert(n, id=i, status="acknowledged" if n % 2 else "open", created_at=newer(60 + n))
                  for n, i in enumerate(ids[name])))
    sources = [source(sim, name=name, timeout="4s", start="now", poll_every=NEVER, sweep_every=NEVER)
               for name, sim in sims.items()]
    daemon = scene.tocsin(sources, [webhook("hook", hook)])
    wait_for(lambda: len(hook.seen) == 50 * len(cases), 60, "what there is at first")
    wait_for(lambda: len(polls(daemon, "head")) >= len(cases))
    over = set()
    for name, (fault, at) in cases.items():
        query, after = parts[at]
        for alert_id in ids[name][::10]:
            sims[name].change(alert_id, status="resolved")
            over.add(alert_id)
        sims[name].fault(path="/v1/alerts", query=query, after=after, count=1, **fault)
    daemon.poll()
    wait_for(lambda: len(hook.seen) >= 50 * len(cases) + len(over), 60, "what is over")
    assert told(hook, "resolved") == over
    for name, (fault, _) in cases.items():
        wait_for(lambda s=sims[name]: s.stats()["faults"] == 0, 20, "it was met")
        one_line_each(daemon, name, fault["kind"])
    assert len(told(hook, "opened")) == 50 * len(cases)


# ---- the first start -------------------------------------------------------------------------


def test_a_first_start_before_a_long_history_needs_three_list_requests_until_it_rings(scene):
    sim, hook = scene.sim("--history", "100000"), scene.receiver()
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys={"start": "now", "poll_every": "2s"})
    daemon.says("ready")
    assert sim.lists() == {("unfiltered", "first"): 1}
    ids = sim.add(n=1, status="open")
    wait_for(lambda: len(hook.seen) > 0)
    assert asked(sim) <= 3 and heard(hook) == {(ids[0], "opened"): 1}


@pytest.mark.parametrize("order", ORDERS)
def test_the_baseline_holds_over_a_kill_in_the_first_pass_and_ever_after(scene, order):
    sim, hook = scene.sim("--order", order, "--history", "3000"), scene.receiver()
    config = scene.config(sim, [webhook("hook", hook)], source_keys=short(start="now"))
    daemon = scene.start(config)
    wait_for(lambda: asked(sim) >= (1 if order == "newest" else 4))
    wait_for(lambda: scene.count("SELECT count(*) FROM v_alerts") > 0)
    daemon.kill9()
    ids = sim.add(n=3, status="open")
    daemon = scene.start(config)
    wait_for(lambda: told(hook, "opened") == set(ids), 40)
    wait_for(lambda: len(polls(daemon, "sweep")) > 0 or state(scene)["last_sweep_at"], 40)
    # deleted, so that it is looked for in all of the list
    sim.remove(ids[0])
    wait_walked(scene)
    scene.wait_drained()
    assert heard(hook) == {(i, "opened"): 1 for i in ids}


def test_a_first_start_with_a_duration_rings_what_is_younger(scene):
    sim, hook = scene.sim("--history", "2000"), scene.receiver()
    young = sim.put(*(alert(n, created_at=newer(1800 - 3600 * n)) for n in range(1, 30)))
    since = time.time() - 24 * 3600 - 5  # Date has whole seconds
    scene.tocsin(sim, [webhook("hook", hook)], source_keys=short(start="24h"))
    wait_for(lambda: told(hook, "opened") >= set(young[:24]), 30)
    sim.remove(young[0])  # looked for in all of the list
    wait_for(lambda: sim.lists()[("unfiltered", "further")] >= 15)
    wait_for(lambda: scene.count("SELECT count(*) FROM v_alerts") >= 2029, 30)
    scene.wait_drained()
    assert not told(hook, "opened") & set(young[24:])
    old = [s for s in hook.all() if json.loads(s.body)["data"]["alert"]["created_at"]
           < time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))]
    assert not old


# ---- what an alert can do --------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
def test_an_alert_lives_is_closed_and_lives_again(scene, order):
    sim, hook = scene.sim("--order", order, "--history", "500"), scene.receiver()
    scene.tocsin(sim, [webhook("hook", hook)], source_keys=short(start="now"))
    alert_id = sim.add(n=1, status="open")[0]
    life = [("open", "opened"), ("acknowledged", "acknowledged"), ("resolved", "resolved"),
            ("open", "reopened"), ("resolved", "resolved"), ("acknowledged", "reopened"),
            ("resolved", "resolved")]
    for at, (status, _) in enumerate(life):
        sim.change(alert_id, status=status)
        wait_for(lambda n=at: len(hook.seen) == n + 1, 20, status)
    assert [b["type"].split(".")[1] for b in hook.bodies()] == [kind for _, kind in life]


def test_a_severity_that_rises_is_routed_again_and_one_that_falls_is_not(scene):
    sim, chat, pager = scene.sim("--history", "500"), *two(scene)
    routes = [{"name": "page", "match": ["severity >= high"], "to": ["pager"], "continue": True},
              {"name": "chat", "to": ["chat"]}]
    scene.tocsin(sim, [webhook("chat", chat), webhook("pager", pager)], routes,
                 source_keys=short(start="now"))
    rises, falls = sim.add(n=1, severity="low")[0], sim.add(n=1, severity="high")[0]
    wait_for(lambda: len(chat.seen) == 2 and len(pager.seen) == 1)
    sim.change(falls, severity="low")
    sim.change(rises, severity="critical")
    wait_for(lambda: len(pager.seen) == 2)
    for alert_id in (rises, falls):
        sim.change(alert_id, status="resolved")
    wait_for(lambda: len(pager.seen) == 4 and len(chat.seen) == 4)
    scene.wait_drained()
    must = {(i, kind): 1 for i in (rises, falls) for kind in ("opened", "resolved")}
    assert heard(pager) == must and heard(chat) == must, "`changed` is not told unless asked for"


def test_a_title_or_metadata_that_change_are_kept_and_a_title_is_told_where_it_is_wanted(scene):
    sim, all_of_it, usual = scene.sim("--history", "500"), *two(scene)
    routes = [{"name": "all", "to": ["all"], "events": ["opened", "changed"], "continue": True},
              {"name": "usual", "to": ["usual"]}]
    daemon = scene.tocsin(sim, [webhook("all", all_of_it), webhook("usual", usual)], routes,
                          source_keys=short(start="now"))
    title, metadata = sim.add(n=2)
    wait_for(lambda: len(all_of_it.seen) == 2 and len(usual.seen) == 2)
    sim.change(title, title="Another title")
    sim.change(metadata, metadata={"model": "another"})
    wait_for(lambda: heard(all_of_it)[(title, "changed")] == 1)

    def kept():
        alerts = {a["alert"]["id"]: a["alert"] for a in answers(daemon.config, "alerts")}
        return (alerts[title]["title"], alerts[metadata]["metadata"])

    wait_for(lambda: kept() == ("Another title", {"model": "another"}))
    scene.wait_drained()
    assert len(all_of_it.seen) == 3 and len(usual.seen) == 2


def test_what_is_resolved_and_reopened_between_two_sweeps_goes_on(scene):
    sim, hook = scene.sim("--history", "500"), scene.receiver()
    keys = {"start": "now", "poll_every": NEVER, "sweep_every": NEVER}
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=keys)
    daemon.says("ready")
    alert_id = sim.add(n=1)[0]
    daemon.poll()
    wait_for(lambda: len(hook.seen) == 1)
    for status in ("resolved", "open"):
        sim.change(alert_id, status=status)
    before = sim.lists()
    daemon.poll()
    wait_for(lambda: (sim.lists() - before)[("acknowledged", "first")] == 1)
    sim.change(alert_id, status="resolved")
    daemon.poll()
    wait_for(lambda: len(hook.seen) == 2)
    scene.wait_drained()
    assert heard(hook) == {(alert_id, "opened"): 1, (alert_id, "resolved"): 1}


@pytest.mark.parametrize("order", ORDERS)
def test_what_arrives_late_is_told_and_what_was_over_before_we_saw_it_is_one_message(scene, order):
    sim, hook = scene.sim("--order", order, "--history", "1000"), scene.receiver()
    scene.tocsin(sim, [webhook("hook", hook)], source_keys=short(start="48h"))
    wait_for(lambda: state(scene)["last_sweep_at"], 30)
    late = sim.add(n=1, status="open", created_at=newer(-20 * 3600))[0]
    over = sim.add(n=1, status="resolved")[0]
    wait_for(lambda: heard(hook)[(late, "opened")] == 1, 30)
    if order == "mixed":
        return  # it comes with the full pass, a day later
    wait_for(lambda: heard(hook)[(over, "resolved")] == 1, 30)
    first = [b["data"] for b in hook.bodies() if b["data"]["alert"]["id"] == over]
    assert len(first) == 1 and first[0]["first"] is True


def test_a_deleted_alert_is_missing_and_never_told_as_resolved(scene):
    sim, hook = scene.sim("--history", "500"), scene.receiver()
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=short(start="now"))
    daemon.says("ready")
    gone, stays = sim.add(n=2, status="open")
    wait_for(lambda: len(hook.seen) == 2)
    sim.remove(gone)
    missing = "SELECT count(*) FROM v_missing WHERE absences > 0"
    wait_for(lambda: scene.count(missing) == 1, 30)
    listed = answers(daemon.config, "alerts", "--state", "missing")
    assert [row["alert"]["id"] for row in listed] == [gone] and listed[0]["missing_since"]
    sim.change(stays, status="resolved")
    wait_for(lambda: heard(hook)[(stays, "resolved")] == 1, 30)
    assert heard(hook)[(gone, "resolved")] == 0


def test_two_organisations_with_the_same_ids_are_two_of_each(scene):
    items = [alert(1), alert(2)]
    apis, hook = [scene.api(items), scene.api(items)], scene.receiver()
    sources = [source(api, name=name) for api, name in zip(apis, ("one", "two"))]
    scene.tocsin(sources, [webhook("hook", hook)])
    wait_for(lambda: len(hook.seen) == 4)
    apis[0].items = [alert(1, status="resolved"), alert(2)]
    wait_for(lambda: len(hook.seen) == 5)
    scene.wait_drained()
    assert heard(hook)[("al-1", "resolved")] == 1 and heard(hook)[("al-1", "opened")] == 2
    sources = {a["source"]: a["state"] for a in scene.query("SELECT * FROM v_alerts WHERE id = 'al-1'")}
    assert sources == {"one": "resolved", "two": "active"}


# ---- what it costs ---------------------------------------------------------------------------


def cost(sim, daemon, count, seconds=20):
    """Requests while so many head passes are completed, and the passes."""
    def heads():
        return len(polls(daemon, "head"))

    requests, at_first = sim.lists(), heads()
    wait_for(lambda: heads() >= at_first + count, seconds, "head passes")
    return sim.lists() - requests, heads() - at_first


@pytest.mark.parametrize("order", ORDERS)
def test_an_idle_poll_costs_one_list_request(scene, order):
    sim, hook = scene.sim("--order", order, "--history", "1900"), scene.receiver()
    keys = {"start": "now", "poll_every": "250ms", "sweep_every": NEVER}
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=keys, log={"level": "debug"})
    if order != "newest":
        wait_walked(scene)
        # the one that was under way when the order was not known yet
        wait_for(lambda n=len(polls(daemon, "head")): len(polls(daemon, "head")) > n + 1)
    requests, heads = cost(sim, daemon, 10)
    kind = {"newest": ("unfiltered", "first"), "oldest": ("unfiltered", "further"),
            "mixed": ("open", "first")}[order]
    assert set(requests) == {kind}
    assert requests[kind] - heads in (-1, 0, 1), "one may be under way"


def test_news_cost_the_pages_that_hold_them_and_one_more(scene):
    sim, hook = scene.sim("--history", "5000"), scene.receiver()
    keys = {"start": "now", "poll_every": "500ms", "sweep_every": NEVER}
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=keys, log={"level": "debug"})
    daemon.says("ready")
    before = sim.lists()
    ids = [sim.add(n=1, created_at=newer(n))[0] for n in range(250)]
    wait_for(lambda: told(hook, "opened") == set(ids), 30)
    wait_for(lambda n=len(polls(daemon, "head")): len(polls(daemon, "head")) >= n + 3)
    requests = sim.lists() - before
    # They are younger than the last pass less the overlap for two minutes, so until then each
    # poll walks through them to the first that is older.
    walks = requests[("unfiltered", "first")]
    assert set(requests) == {("unfiltered", "first"), ("unfiltered", "further")}
    assert requests[("unfiltered", "further")] <= 3 * walks


def test_a_sweep_costs_the_pages_of_what_is_active(scene):
    sim, hook = scene.sim("--history", "1000"), scene.receiver()
    for sweep in (sim.add(n=210, status="open", created_at=newer(-600)),
                  sim.add(n=140, status="acknowledged", created_at=newer(-600))):
        assert sweep
    keys = {"start": "1h", "poll_every": NEVER, "sweep_every": "400ms"}
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=keys, log={"level": "debug"})
    wait_for(lambda: len(polls(daemon, "sweep")) > 1, 10, "sweeps")
    counts = sim.stats()["alerts"]
    before, at_first = sim.lists(), len(polls(daemon, "sweep"))
    wait_for(lambda: len(polls(daemon, "sweep")) >= at_first + 5)
    requests, sweeps = sim.lists() - before, len(polls(daemon, "sweep")) - at_first
    assert {status for status, _ in requests} == {"open", "acknowledged"}
    for status in ("open", "acknowledged"):
        pages = -(-counts[status] // 100)
        asked_for = requests[(status, "first")] + requests[(status, "further")]
        assert (sweeps - 1) * pages <= asked_for <= (sweeps + 2) * pages
    for line in polls(daemon, "sweep"):
        assert int(line["pages"]) == sum(-(-counts[s] // 100) for s in ("open", "acknowledged"))


def test_a_list_that_fits_one_page_needs_nothing_but_polls(scene):
    sim, hook = scene.sim("--history", "60"), scene.receiver()
    daemon = scene.tocsin(sim, [webhook("hook", hook)],
                          source_keys={"start": "now", "poll_every": "200ms", "sweep_every": "1s"})
    daemon.says("ready")
    ids = sim.add(n=30, status="open")
    wait_for(lambda: told(hook, "opened") == set(ids))
    for alert_id in ids:
        sim.change(alert_id, status="resolved")
    wait_for(lambda: told(hook, "resolved") == set(ids))
    assert set(sim.lists()) == {("unfiltered", "first")}


def test_usr1_polls_now_and_sweeps(scene):
    sim, hook = scene.sim("--history", "500"), scene.receiver()
    keys = {"start": "now", "poll_every": NEVER, "sweep_every": NEVER}
    daemon = scene.tocsin(sim, [webhook("hook", hook)], source_keys=keys)
    daemon.says("ready")
    alert_id = sim.add(n=1)[0]
    daemon.poll()
    wait_for(lambda: told(hook, "opened") == {alert_id}, 5)
    sim.change(alert_id, status="acknowledged")
    daemon.poll()
    wait_for(lambda: told(hook, "acknowledged") == {alert_id}, 5)


def test_a_source_that_hangs_does_not_slow_another(scene):
    slow = scene.api([alert(1)], lambda call: {"kind": "hang", "seconds": 3})
    fast, hook = scene.api([alert(2)]), scene.receiver()
    sources = [source(slow, name="slow", timeout="2s"), source(fast, name="fast")]
    scene.tocsin(sources, [webhook("hook", hook)])
    wait_for(lambda: len(fast.asked()) >= 16, 15)
    assert len(slow.asked()) <= 3
    times = [s.at for s in fast.all()]
    gaps = sorted(b - a for a, b in zip(times, times[1:]))
    assert gaps[len(gaps) // 2] < 0.4 and gaps[-1] < 1.5, "one poll each 200 ms"


# ---- one poll and no daemon ------------------------------------------------------------------


def poll_once(config, *more):
    return programs.run(config, "poll", "--once", *more)


@pytest.mark.parametrize("order", ORDERS)
def test_a_single_poll_sees_everything_delivers_and_ends(scene, order):
    sim, hook = scene.sim("--order", order, "--history", "250"), scene.receiver()
    config = scene.config(sim, [webhook("hook", hook)])
    done = poll_once(config)
    assert done.returncode == 0, done.stderr
    assert len(hook.seen) == 250 and asked(sim) == 3
    changed = sim.add(n=1, status="open")
    done = poll_once(config, "--json")
    assert json.loads(done.stdout) == {"ok": True, "sources": [{"name": "acme", "ok": True}]}
    assert heard(hook)[(changed[0], "opened")] == 1 and len(hook.seen) == 251


def test_a_single_poll_tells_which_source_failed_and_polls_the_other(scene):
    good, hook = scene.api([alert(1)]), scene.receiver()
    bad = scene.api([], lambda call: {"status": 403, "body": '{"error":"forbidden"}'})
    sources = [source(bad, name="bad"), source(good, name="good")]
    done = poll_once(scene.config(sources, [webhook("hook", hook)]))
    assert done.returncode == 1 and "source bad" in done.stderr
    assert len(hook.seen) == 1


def test_a_single_poll_beside_a_daemon_says_whose_store_it_is(scene):
    api, hook = scene.api([alert(1)]), scene.receiver()
    daemon = scene.tocsin(api, [webhook("hook", hook)])
    wait_for(lambda: len(hook.seen) == 1)
    done = poll_once(daemon.config)
    assert done.returncode == 1 and f"pid {daemon.process.pid}" in done.stderr
    assert poll_once(daemon.config, "--twice").returncode == 2
