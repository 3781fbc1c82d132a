"""`tocsin check --against`: what a configuration would have done with the alerts in the store."""
import collections
import json
import re

import pytest

from fakes import wait_for
from programs import value
from support import Store, alert_body, configuration, json_lines, source, tocsin, webhook

DAY = 24 * 3600 * 1000
BUS, PAGER = 1, 2  # sinks of the store
REST, PAGE = 1, 2  # and its routes
URL = "http://127.0.0.1:9/in"


class Past:
    """A store with alerts that were routed once, and what is now asked of it."""

    def __init__(self, folder):
        self.folder = folder
        self.store = Store(folder / "tocsin.db")
        self.store.names(sinks=("bus", "pager"), routes=("rest", "page"))
        self.store.insert("sources", number=2, name="tocsin")
        self.store.insert("sources", number=3, name="beta")

    def alert(self, alert_id, told=((BUS, REST),), age_ms=60000, source=1, kind="opened", first=0,
              body=None, **fields):
        """told: rows of its first event as (sink, route, state, reason, origin), the end left out."""
        body = body if body is not None else json.dumps(alert_body(alert_id, **fields))
        number = self.store.alert(alert_id, body=body, age_ms=age_ms, source=source)
        event = self.store.event(number, kind=kind, age_ms=age_ms)
        self.store.db.execute("UPDATE events SET source = ?, is_first = ? WHERE id = ?",
                              (source, first, event))
        for sink, route, state, reason, origin in (
                (*row, *(None, "done", None, 0)[len(row) - 1:]) for row in told):
            self.store.delivery(event, state, sink=sink, route=route, reason=reason, origin=origin)
        self.store.db.commit()
        return number

    def conf(self, routes, sinks=None, **more):
        return configuration(self.folder, sinks=sinks or [webhook("bus"), webhook("pager")],
                             routes=routes, **more)

    def changes(self, routes, sinks=None, against="7d", **more):
        """Each alert's changes, sorted."""
        told = collections.defaultdict(list)
        for line in self.lines(routes, sinks, against, **more):
            told[line["alert_id"]].append(line["change"])
        return {alert: sorted(changes) for alert, changes in told.items()}

    def lines(self, routes, sinks=None, against="7d", **more):
        told = json_lines(tocsin("check", "--against", against, "--json",
                                 conf=self.conf(routes, sinks, **more)))
        return [line for line in told if "level" not in line]

    def text(self, routes, sinks=None, **more):
        done = tocsin("check", "--against", "7d", conf=self.conf(routes, sinks, **more))
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def past(tmp_path):
    past = Past(tmp_path)
    yield past
    past.store.close()


def route(name="rest", to=("bus",), **keys):
    keys = {"name": name, "to": list(to), **keys}
    return "{ " + " ".join(f"{key} = {value(v)};" for key, v in keys.items()) + " }"


# ---- each change ---------------------------------------------------------------------------


def test_what_goes_as_before_is_not_told(past):
    past.alert("a")
    past.alert("b", told=[(BUS, REST), (PAGER, PAGE)], severity="critical")
    routes = [route("page", ["pager"], match=["severity = critical"], **{"continue": True}), route()]
    assert past.lines(routes) == []
    assert past.text(routes).splitlines()[-1] == "2 alerts of the last 7d, 0 of which would go another way"


@pytest.mark.parametrize("told,routes,change,expected", [
    ([(BUS, REST)], [route(to=["bus", "pager"])], "gains",
     ({"route": "rest", "sinks": ["bus"], "routes": ["rest"]},
      {"route": "rest", "sinks": ["bus", "pager"], "routes": ["rest", "rest"]})),
    ([(BUS, REST), (PAGER, PAGE)], [route()], "loses",
     ({"route": "page", "sinks": ["bus", "pager"], "routes": ["rest", "page"]},
      {"route": "rest", "sinks": ["bus"], "routes": ["rest"]})),
    ([(BUS, REST), (PAGER, REST)], [route(**{"continue": True}), route("new", ["pager"])], "moves",
     ({"route": "rest", "sinks": ["bus", "pager"], "routes": ["rest", "rest"]},
      {"route": "new", "sinks": ["bus", "pager"], "routes": ["rest", "new"]})),
    ([(BUS, REST)], [route(match=["severity = critical"])], "unrouted",
     ({"route": "rest", "sinks": ["bus"], "routes": ["rest"]},
      {"route": None, "sinks": [], "routes": []})),
    ([], [route(match=["severity = critical"])], "unrouted",
     ({"route": None, "sinks": [], "routes": []}, {"route": None, "sinks": [], "routes": []})),
])
def test_a_change_is_told_with_both_sides(past, told, routes, change, expected):
    past.alert("a", told=told)
    line, = past.lines(routes)
    assert list(line) == ["source", "alert_id", "event", "at", "from", "to", "change"]
    assert (line["source"], line["alert_id"], line["event"]) == ("acme", "a", "opened")
    assert (line["change"], line["from"], line["to"]) == (change, *expected)


def test_what_gains_one_sink_and_loses_another_is_told_twice(past):
    past.alert("a", told=[(BUS, REST)])
    assert past.changes([route(to=["pager"])]) == {"a": ["gains", "loses"]}
    assert "1 alert of the last 7d, 1 of which" in past.text([route(to=["pager"])])


def test_a_template_that_fails_on_a_real_alert_is_told(past):
    past.alert("odd", metadata={"odd": "y"})
    past.alert("even")
    (past.folder / "mine.json.mustache").write_text(
        '{"x":{{#metadata.odd}}no JSON{{/metadata.odd}}{{^metadata.odd}}1{{/metadata.odd}}}')
    sinks = [webhook("bus", more='template = "mine";'), webhook("pager")]
    line, = past.lines([route()], sinks)
    assert (line["alert_id"], line["change"], line["sink"]) == ("odd", "template", "bus")
    assert re.search(r"mine\.json\.mustache:1:\d+: the rendering is not JSON", line["reason"])
    assert "mine.json.mustache" in past.text([route()], sinks)


def of_a_preset(past):
    """A bus whose preset sends what has opened, and no JSON of what is odd."""
    (past.folder / "mine.preset").write_text(
        'title = "Mine";\nbase_url = "http://127.0.0.1:9";\n'
        'requests = ( { name = "tell"; events = [ "opened" ]; } );\n'
        '=== tell.json\nPOST {{{base_url}}}/in\nContent-Type: application/json\n\n'
        '{"x":{{#metadata.odd}}no JSON{{/metadata.odd}}{{^metadata.odd}}1{{/metadata.odd}}}\n')
    return ['{ name = "bus"; type = "webhook"; preset = "mine"; }', webhook("pager")]


def test_a_request_of_a_preset_that_fails_is_told(past):
    past.alert("odd", metadata={"odd": "y"})
    past.alert("even")
    assert past.changes([route()], of_a_preset(past)) == {"odd": ["template"]}


def test_what_a_preset_does_not_send_is_not_told(past):
    past.alert("a", kind="reopened", told=[(BUS, REST, "dropped", "its preset sends nothing for this event")])
    past.alert("b", kind="reopened")
    assert past.changes([route()], of_a_preset(past)) == {"b": ["loses"]}


# ---- what counts as told -------------------------------------------------------------------


@pytest.mark.parametrize("row,is_told", [
    ((BUS, REST, "held", "quiet"), True),
    ((BUS, REST, "dead", "HTTP 400"), True),
    ((BUS, REST, "moved", "its sink is down"), True),
    ((BUS, REST, "dropped", "operator"), True),
    ((BUS, REST, "dropped", "silenced"), True),
    ((BUS, REST, "orphaned"), True),
    ((BUS, REST, "dropped", "event not chosen"), False),
    ((BUS, REST, "dropped", "resolved before it was seen open"), False),
    ((BUS, REST, "dropped", "its preset sends nothing for this event"), False),
])
def test_a_row_counts_unless_its_sink_was_left_out(past, row, is_told):
    past.alert("a", told=[row])
    assert past.changes([route()]) == ({} if is_told else {"a": ["gains"]})


def test_rows_of_other_origins_are_none_of_a_route(past):
    past.alert("a", told=[(BUS, REST), (PAGER, REST, "done", None, 2), (BUS, REST, "done", None, 5)])
    assert past.changes([route()]) == {}


def test_a_route_that_leaves_the_event_out_tells_nobody(past):
    past.alert("a")
    assert past.changes([route(events=["resolved"])]) == {"a": ["loses"]}


def test_what_was_resolved_when_first_seen_is_not_told_to_a_pager(past):
    pager = ('{ name = "pager"; type = "webhook"; preset = "pagerduty"; '
             'vars = { routing_key = "0123456789abcdef0123456789abcdef"; }; }')
    late = dict(kind="resolved", first=1, status="resolved")
    past.alert("a", told=[(PAGER, REST, "dropped", "resolved before it was seen open")], **late)
    past.alert("b", told=[(PAGER, REST)], **late)
    assert past.changes([route(to=["pager"])], [webhook("bus"), pager]) == {"b": ["loses"]}


# ---- whom it asks --------------------------------------------------------------------------


def test_only_first_events_of_the_time_that_is_asked_for_count(past):
    past.alert("old", age_ms=8 * DAY)
    past.alert("young", age_ms=6 * DAY)
    past.store.event(past.alert("followed"), kind="acknowledged")
    routes = [route(to=["pager"])]
    assert set(past.changes(routes)) == {"young", "followed"}
    assert set(past.changes(routes, against="1h")) == {"followed"}
    assert set(past.changes(routes, against="30d")) == {"old", "young", "followed"}
    assert len(past.lines(routes)) == 4


def test_our_own_alerts_have_no_route(past):
    past.alert("sink:bus", source=2, told=[(BUS, 0)])
    assert past.changes([route("other", ["pager"])]) == {}


def test_a_source_that_is_gone_is_left_out_and_said(past):
    past.alert("a", source=3)
    done = tocsin("check", "--against", "7d", conf=past.conf([route(to=["pager"])]))
    assert "0 alerts of the last 7d" in done.stdout
    assert done.stderr == ("tocsin: left out: 1 of sources that this configuration does not have\n")


def test_names_that_were_changed_are_the_same(past):
    past.alert("a", source=3, told=[(BUS, REST), (PAGER, REST)])
    sources = [source().replace("{ ", '{ was = "beta"; ', 1).replace('"acme"', '"gamma"')]
    sinks = [webhook("bus"), webhook("phone", more='was = "pager";')]
    both = ["bus", "phone"]
    assert past.changes([route("odd", both, match=["source = beta"]),
                         route(to=both, match=["source = gamma"])], sinks, sources=sources) == {}
    text = past.text([route(to=["bus"])], sinks, sources=sources)
    assert re.search(r"^phone +1 +0 +0 +1 +0 +0$", text, re.M) and "pager " not in text.split("CHANGE")[1]


def test_an_alert_that_cannot_be_read_is_left_out_and_said(past):
    past.alert("a", body='{"id":')
    past.alert("b")
    done = tocsin("check", "--against", "7d", conf=past.conf([route()]))
    assert "1 alert of the last 7d" in done.stdout
    assert done.stderr == "tocsin: left out: 1 that can't be read any more\n"


# ---- how it is told ------------------------------------------------------------------------


def test_people_see_the_numbers_first_and_the_first_changes(past):
    for n in range(25):
        past.alert(f"g{n}", severity="critical")
    past.alert("quiet\x1b[2J", severity="low")
    past.alert("same")
    past.alert("none", told=[], severity="low")
    text = past.text([route("page", ["pager"], match=["severity = critical"], **{"continue": True}),
                      route(match=["severity != low"])])
    assert "\x1b" not in text
    assert re.search(r"^28 alerts of the last 7d, 26 of which would go another way$", text, re.M)
    assert re.search(r"^gains a sink +25$", text, re.M)
    assert re.search(r"^matches no route +1$", text, re.M)
    assert re.search(r"^matches no route, as before +1$", text, re.M)
    assert "loses a sink" not in text
    assert re.search(r"^SINK +BEFORE +AFTER +GAINS +LOSES +MOVES +FAILS\n"
                     r"bus +27 +26 +0 +1 +0 +0\npager +0 +25 +25 +0 +0 +0$", text, re.M)
    assert len(re.findall(r"^gains +g\d+ +acme +opened +1 min ago +bus \(rest\) +pager \(page\), bus "
                          r"\(rest\)$", text, re.M)) == 20
    assert text.endswith("… and 7 more: --json tells all\n")


def test_many_are_read_in_pieces(past):
    past.store.many(1700, state="done")
    past.store.db.execute("UPDATE events SET at = at + id")  # none is like another
    past.store.db.commit()
    lines = past.lines([route(to=["pager"])])
    assert collections.Counter(line["change"] for line in lines) == {"gains": 1700, "loses": 1700}
    assert len({line["alert_id"] for line in lines}) == 1700


def test_a_configuration_with_errors_is_not_replayed(past):
    past.alert("a")
    done = tocsin("check", "--against", "7d", "--json", conf=past.conf([route(to=["nobody"])]))
    assert done.returncode == 78
    assert all("level" in json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("options,code,text", [
    (["--against", "7"], 2, "--against: \"7\" needs a unit"),
    (["--against"], 2, "--against is no option of `tocsin check`, or lacks its value"),
    (["--against", "7d"], 1, "tocsin.db"),
])
def test_what_is_wrong_is_said(tmp_path, options, code, text):
    done = tocsin("check", *options, conf=configuration(tmp_path))
    assert done.returncode == code and text in done.stderr


def test_beyond_what_the_store_keeps_it_says_so(past):
    done = tocsin("check", "--against", "60d", conf=past.conf([route()]))
    assert done.returncode == 0 and "forgets what is older than `retention`" in done.stderr


def test_it_writes_nothing(past):
    past.alert("a")
    before = past.store.db.execute("PRAGMA data_version").fetchone()
    past.text([route(to=["pager"])])
    assert past.store.db.execute("PRAGMA data_version").fetchone() == before


# ---- what a daemon has done ----------------------------------------------------------------


def test_the_same_configuration_changes_nothing(scene):
    from programs import webhook as sink
    bus, pager, api = scene.receiver(), scene.receiver(), scene.sim()
    routes = [{"name": "page", "match": ["severity >= high"], "to": ["pager"], "continue": True,
               "events": ["opened"]},
              {"name": "rest", "match": ["severity != low"], "to": ["bus"]}]
    daemon = scene.tocsin(api, [sink("bus", bus), sink("pager", pager)], routes)
    daemon.says("ready")
    for severity in ("low", "medium", "high", "critical"):
        api.add(n=3, severity=severity)
    api.add(n=1, severity="high", status="resolved")
    wait_for(lambda: scene.count("SELECT count(*) FROM v_events WHERE seq = 1") == 13, 20, "all to be seen")
    lines = json_lines(tocsin("check", "--against", "1h", "--json", conf=daemon.config))
    assert [line["change"] for line in lines if "level" not in line] == ["unrouted"] * 3
    scene.stop(daemon)
