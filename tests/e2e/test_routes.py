"""Routing as people meet it: what `route` tells, what `check` warns of, what no route wants."""
import json
from pathlib import Path

import pytest

from fakes import alert, heard, wait_for
from programs import answers, run, webhook

ROUTES = [
    {"name": "page", "match": ["severity >= high", "type != budget_exceeded"], "to": ["pager"],
     "continue": True, "delay": "5m"},
    {"name": "models", "match": ["metadata.model =~ gpt-.*", "created_at >= 2020-01-01"],
     "to": ["bus"], "events": ["acknowledged"]},
    {"name": "spent", "match": ["type = budget_exceeded"], "to": ["bus", "pager"]},
]


@pytest.fixture()
def daemon(scene):
    """With routes for some alerts and not for others; nothing is listed yet."""
    scene.sim_here, scene.bus, scene.pager = scene.sim(), scene.receiver(), scene.receiver()
    sinks = [webhook("bus", scene.bus), webhook("pager", scene.pager)]
    return scene.tocsin(scene.sim_here, sinks, ROUTES)


def asked(daemon, *options):
    return answers(daemon.config, "route", *options)[0]


def held(route):
    return {m["matcher"]: (m["held"], m["value"]) for m in route["matchers"]}


def test_route_tells_of_a_file_why_each_matcher_held_or_failed(daemon, tmp_path):
    file = tmp_path / "alert.json"
    file.write_text(json.dumps(alert(1, severity="critical", type="policy_violation",
                                     metadata={"model": "gpt-4"})))
    told = asked(daemon, "--alert", str(file))
    page, models, spent = told["routes"]
    assert (told["event"], told["source"], told["unrouted"]) == ("opened", "acme", False)
    assert page["matches"] and page["continue"] and page["holds"] == {"delay": "5m"}
    assert held(page) == {"severity >= high": (True, "critical"),
                          "type != budget_exceeded": (True, "policy_violation")}
    assert held(models)["metadata.model =~ gpt-.*"] == (True, "gpt-4")
    assert models["matches"] and models["reached"] and not spent["reached"]
    assert held(spent) == {"type = budget_exceeded": (False, "policy_violation")}
    assert [(s["sink"], s["route"], s["told"]) for s in told["sinks"]] == [
        ("pager", "page", True), ("bus", "models", False)]
    text = run(daemon.config, "route", "--alert", str(file)).stdout
    assert '+ severity >= high  (it is "critical")' in text
    assert "route spent (line" in text and "not reached" in text
    assert "bus by route models: not told, event not chosen" in text
    assert 'delay = "5m"' in text


def test_route_tells_of_samples_at_any_event(daemon):
    told = asked(daemon, "--sample", "budget_exceeded", "--event", "resolved")
    assert (told["event"], told["first"]) == ("resolved", True)
    assert [r["matches"] for r in told["routes"]] == [False, False, True]
    assert [s["sink"] for s in told["sinks"]] == ["bus", "pager"]


def test_route_asks_a_stored_alert_as_if_it_opened_now(scene, daemon):
    scene.sim_here.put(alert(1, severity="critical"))
    daemon.poll()
    wait_for(lambda: scene.count("SELECT count(*) FROM v_alerts") == 1)
    scene.sim_here.change("al-1", status="acknowledged")
    daemon.poll()
    wait_for(lambda: scene.count("SELECT count(*) FROM v_events WHERE kind = 'acknowledged'") == 1)
    told = asked(daemon, "--id", "al-1")
    assert (told["alert_id"], told["event"]) == ("al-1", "opened")
    assert told["sinks"][0]["sink"] == "pager"
    assert asked(daemon, "--id", "al-1", "--event", "acknowledged")["event"] == "acknowledged"
    done = run(daemon.config, "route", "--id", "al-9")
    assert done.returncode == 1 and "knows no alert al-9" in done.stderr


@pytest.mark.parametrize("line", ["x", "--sample rung", "--event rung", "--id a --alert b"])
def test_what_is_no_use_of_route_exits_2(daemon, line):
    done = run(daemon.config, "route", *line.split())
    assert done.returncode == 2 and done.stdout == "" and done.stderr


def test_what_no_route_wants_is_recorded_counted_and_explained(scene, daemon):
    scene.sim_here.put(alert(1, severity="low", metadata={}),
                       alert(2, severity="low", type="budget_exceeded", metadata={}))
    daemon.poll()
    wait_for(lambda: heard(scene.bus) == {("al-2", "opened"): 1})
    listed = {a["alert"]["id"]: a["unrouted"] for a in answers(daemon.config, "alerts")}
    assert listed == {"al-1": True, "al-2": False}
    only = answers(daemon.config, "alerts", "--state", "unrouted")
    assert [a["alert"]["id"] for a in only] == ["al-1"]
    assert answers(daemon.config, "status")[0]["sources"][0]["unrouted"] == 1
    told = asked(daemon, "--id", "al-1")
    assert told["unrouted"] and told["sinks"] == []
    assert "unrouted: no route matches" in run(daemon.config, "route", "--id", "al-1").stdout
    story = answers(daemon.config, "explain", "al-1")[0]
    assert story["events"][0]["unrouted"] and story["events"][0]["deliveries"] == []
    assert not answers(daemon.config, "explain", "al-2")[0]["events"][0]["unrouted"]
    assert "no route wanted it" in run(daemon.config, "explain", "al-1").stdout
    # what follows changes nothing of that; once a route wants it, it is one that was told
    scene.sim_here.change("al-1", status="resolved")
    daemon.poll()
    wait_for(lambda: scene.count("SELECT count(*) FROM v_alerts WHERE state = 'resolved'") == 1)
    assert [a["alert"]["id"] for a in answers(daemon.config, "alerts", "--state", "unrouted")] \
        == ["al-1"]
    assert answers(daemon.config, "status")[0]["sources"][0]["unrouted"] == 0


def test_explain_says_which_matchers_chose_who_hears_what_follows(scene, daemon):
    scene.sim_here.put(alert(2, severity="low", type="budget_exceeded", metadata={}))
    daemon.poll()
    wait_for(lambda: heard(scene.bus) == {("al-2", "opened"): 1})
    scene.sim_here.change("al-2", type="anomaly_detected", status="resolved")
    daemon.poll()
    wait_for(lambda: heard(scene.bus) == {("al-2", "opened"): 1, ("al-2", "resolved"): 1})
    opened, resolved = answers(daemon.config, "explain", "al-2")[0]["events"]
    for event in (opened, resolved):
        assert [d["matched"] for d in event["deliveries"]] == [["type = budget_exceeded"]] * 2


def test_check_names_what_shadows_a_route_with_its_line(daemon):
    conf = Path(daemon.config)
    text = conf.read_text()
    conf.write_text(text.replace("routes = (", 'routes = (\n{ name = "first"; match = "severity >= '
                                 'medium"; to = "bus"; },\n', 1))
    lines = answers(conf, "check")
    assert [(w["level"], w["message"].split(":")[0]) for w in lines] == [
        ("warning", 'route "page" is never reached')]
    assert 'route "first" (line ' in lines[0]["message"] and lines[0]["line"] > 1
