"""Those who page, with the real daemon: fakes that behave as PagerDuty, Opsgenie and Better Stack
say they do, and a real Alertmanager. What opens also closes, and what is told twice rings once."""
import json
import urllib.parse

import jsonschema
import pytest

from fakes import Alertmanager, alert, wait_for
from preset_schemas import SCHEMAS
from programs import SOON

KEY = "0123456789abcdef0123456789abcdef"


def paging(preset, receiver, **keys):
    usual = {"base_url": receiver.url(""), "retry": SOON, "rate": "off"}
    return {"name": "page", "type": "webhook", "preset": preset, **usual, **keys}


def fits(name, call):
    """True when the body is as the vendor's documentation has it."""
    query = "?" + urllib.parse.urlencode(call.query) if call.query else ""
    schema = next(s for end, s in SCHEMAS[name] if (call.path + query).endswith(end))
    return jsonschema.Draft202012Validator(schema).is_valid(json.loads(call.body))


def answer(code, /, **body):
    return {"status": code, "body": json.dumps(body), "headers": {"Content-Type": "application/json"}}


# ---- fakes -----------------------------------------------------------------------------------


class PagerDuty:
    """Events API v2: one incident a key; an acknowledgement or an end without one is dropped, and
    answered 202 all the same. `troubles` are the answers to the next requests."""

    def __init__(self, key=KEY):
        self.key, self.incidents, self.dropped, self.events, self.troubles = key, {}, [], [], []

    def __call__(self, call):
        event = json.loads(call.body)
        self.events.append((event["event_action"], event["dedup_key"]))
        if self.troubles:
            return self.troubles.pop(0)
        if event["routing_key"] != self.key:
            return answer(400, status="invalid event", message="Event object is invalid",
                          errors=["Invalid routing key"])
        if call.method != "POST" or call.path != "/v2/enqueue" or not fits("pagerduty", call):
            return answer(400, status="invalid event", message="Event object is invalid",
                          errors=["Length of 'routing_key' is incorrect"])
        self.take(event["event_action"], event["dedup_key"])
        return answer(202, status="success", message="Event processed", dedup_key=event["dedup_key"])

    def take(self, action, key):
        now = self.incidents.get(key, [])
        if action == "trigger":
            if not now or now[-1] == "resolved":
                self.incidents.setdefault(key, []).append("triggered")
        elif not now or now[-1] == "resolved":
            self.dropped.append((action, key))
        else:
            now.append("acknowledged" if action == "acknowledge" else "resolved")


class Opsgenie:
    """Alert API v2: an alias that is open is only counted; actions on another are lost later."""

    def __init__(self, key="genie-key"):
        self.key, self.alerts, self.lost, self.refused = key, {}, [], []

    def __call__(self, call):
        if call.headers.get("authorization") != f"GenieKey {self.key}":
            return answer(401, message="Could not authenticate", took=0.1, requestId="r")
        if not fits("opsgenie", call):
            self.refused.append(call)
            return answer(422, message="Request body is not processable", took=0.1, requestId="r")
        body = json.loads(call.body)
        if (call.method, call.path) == ("POST", "/v2/alerts"):
            self.create(body)
        else:
            _, _, _, alias, action = call.path.split("/")
            self.act(urllib.parse.unquote(alias), action, body)
        return answer(202, result="Request will be processed", took=0.1, requestId="r")

    def create(self, body):
        alerts = self.alerts.setdefault(body["alias"], [])
        if alerts and alerts[-1]["status"] != "close":
            alerts[-1]["count"] += 1
        else:
            alerts.append({"status": "open", "priority": body["priority"], "count": 1})

    def act(self, alias, action, body):
        alerts = self.alerts.get(alias, [])
        if not alerts or alerts[-1]["status"] == "close":
            self.lost.append((action, alias))
        elif action == "priority":
            alerts[-1].update(body)
        else:
            alerts[-1]["status"] = action


class BetterStack:
    """Incidents by an id of their own; to end one twice is a 409."""

    def __init__(self):
        self.incidents, self.numbers = {}, {}

    def __call__(self, call):
        if call.headers.get("authorization") != "Bearer better-token":
            return answer(401, errors="Invalid Team API token")
        if call.path == "/api/v3/incidents":
            number = str(1000 + call.number)
            self.incidents[number] = ["open"]
            self.numbers[json.loads(call.body)["summary"]] = number
            return answer(201, data={"id": number, "type": "incident", "attributes": {}})
        number, action = call.path.split("/")[-2:]
        if number not in self.incidents:
            return answer(404, errors="Resource not found")
        if action in self.incidents[number]:
            return answer(409, errors=f"Already {action}d")
        self.incidents[number].append(action)
        return answer(200, data={"id": number})


# ---- PagerDuty -------------------------------------------------------------------------------


def page_pagerduty(scene, fake, items, **keys):
    api = scene.api(items)
    receiver = scene.receiver(fake)
    sink = paging("pagerduty", receiver, vars={"routing_key": KEY}, **keys)
    return api, receiver, scene.tocsin(api, [sink])


def test_an_incident_is_triggered_acknowledged_resolved_and_triggered_anew(scene):
    fake = PagerDuty()
    api, _, _ = page_pagerduty(scene, fake, [alert(1), alert(2)])
    one, two = "org-1:al-1", "org-1:al-2"
    wait_for(lambda: len(fake.incidents) == 2)
    for status, wanted in [("acknowledged", ["triggered", "acknowledged"]),
                           ("resolved", ["triggered", "acknowledged", "resolved"]),
                           ("open", ["triggered", "acknowledged", "resolved", "triggered"])]:
        api.items[0] = alert(1, status=status)
        wait_for(lambda: fake.incidents[one] == wanted, what=status)
    api.items[1] = alert(2, status="resolved")
    wait_for(lambda: fake.incidents[two] == ["triggered", "resolved"])
    assert fake.dropped == []
    scene.wait_drained()


def test_a_retry_has_the_same_key_so_that_it_rings_once(scene):
    """429, 500, an answer that never comes: told until it is taken, under one key."""
    scene.expect("msg=sink-down")
    fake = PagerDuty()
    fake.troubles = [{"status": 429, "body": ""}, {"status": 500, "body": "oh"},
                     {"kind": "reset"}, {"kind": "hang", "seconds": 2}]
    page_pagerduty(scene, fake, [alert(1)], timeout="500ms")
    wait_for(lambda: fake.incidents)
    assert fake.events == [("trigger", "org-1:al-1")] * 5
    assert fake.incidents == {"org-1:al-1": ["triggered"]} and fake.dropped == []


def test_a_wrong_key_holds_the_sink_and_names_the_knob(scene):
    """An answer that is the operator's fault costs no alert: it is told once the key is right."""
    scene.expect("msg=sink-down sink=page")
    fake = PagerDuty(key="f" * 32)
    api, _, daemon = page_pagerduty(scene, fake, [alert(1)])
    line = daemon.says("sink-down")
    assert line["level"] == "error" and "the integration key is refused" in line["reason"]
    assert line["hint"].startswith("sinks: page: vars: routing_key: is it the key of an Events")
    assert not any(KEY in l for l in daemon.err)
    api.items[0] = alert(1, status="resolved")
    fake.key = KEY
    wait_for(lambda: scene.drained() and (fake.incidents or fake.events))
    assert fake.dropped == []


def test_a_message_that_is_refused_costs_only_itself(scene):
    scene.expect("msg=dead")
    fake = PagerDuty()
    fake.troubles = [answer(400, status="invalid event", message="Event object is invalid",
                            errors=["'payload.summary' is too long"])]
    page_pagerduty(scene, fake, [alert(1), alert(2)])
    wait_for(lambda: fake.incidents and scene.drained())
    assert len(fake.incidents) == 1
    dead = scene.query("SELECT reason FROM v_deliveries WHERE state = 'dead'")
    assert len(dead) == 1 and "payload.summary" in dead[0]["reason"]


def test_a_body_of_the_operators_own_replaces_one_of_the_presets(scene):
    """The rest of the preset stays: addresses, the other bodies, what answers mean."""
    fake = PagerDuty()
    own = scene.folder / "mine.trigger.json.mustache"
    own.write_text('{ "routing_key": "{{vars.routing_key}}", "event_action": "trigger",'
                   ' "dedup_key": "{{dedup_key}}", "payload": { "summary": "Mine: {{title}}",'
                   ' "source": "mine", "severity": "{{map.severity}}" } }')
    api, receiver, _ = page_pagerduty(scene, fake, [alert(1)], template="mine")
    wait_for(lambda: fake.incidents)
    api.items[0] = alert(1, status="resolved")
    wait_for(lambda: fake.incidents["org-1:al-1"] == ["triggered", "resolved"])
    payload = json.loads(receiver.seen[0].body)["payload"]
    assert payload == {"summary": "Mine: Title 1", "source": "mine", "severity": "error"}


# ---- Opsgenie --------------------------------------------------------------------------------


def page_opsgenie(scene, fake, items):
    api = scene.api(items)
    sink = paging("opsgenie", scene.receiver(fake), vars={"api_key": "genie-key", "team": "sec"})
    routes = [{"name": "all", "to": ["page"],
               "events": ["opened", "acknowledged", "changed", "reopened", "resolved"]}]
    return api, scene.tocsin(api, [sink], routes)


def test_an_alias_is_opened_changed_acknowledged_and_closed(scene):
    fake = Opsgenie()
    api, _ = page_opsgenie(scene, fake, [alert(1, severity="medium", title="\U0001f525" * 200)])
    [alerts] = wait_for(lambda: list(fake.alerts.values()))
    assert alerts == [{"status": "open", "priority": "P3", "count": 1}]
    api.items[0] = alert(1, severity="critical")
    wait_for(lambda: alerts[0]["priority"] == "P1")
    for status, wanted in [("acknowledged", "acknowledge"), ("resolved", "close")]:
        api.items[0] = alert(1, severity="critical", status=status)
        wait_for(lambda: alerts[-1]["status"] == wanted, what=status)
    api.items[0] = alert(1, severity="critical")
    wait_for(lambda: len(alerts) == 2 and alerts[1]["status"] == "open")
    assert list(fake.alerts) == ["org-1:al-1"] and fake.lost == [] and fake.refused == []


def test_a_key_that_is_refused_is_the_operators(scene):
    scene.expect("msg=sink-down sink=page")
    fake = Opsgenie(key="another")
    _, daemon = page_opsgenie(scene, fake, [alert(1)])
    line = daemon.says("sink-down")
    assert "the key is refused: " in line["reason"] and "genie-key" not in "".join(daemon.err)
    assert line["hint"].startswith("sinks: page: vars: api_key: ")
    fake.key = "genie-key"
    wait_for(lambda: fake.alerts)


# ---- Better Stack ----------------------------------------------------------------------------


def test_an_incident_is_ended_by_the_id_that_its_opening_gave(scene):
    """The handle is stored with the episode: a restart between the two does not lose it."""
    fake = BetterStack()
    api = scene.api([alert(1), alert(2)])
    sink = paging("better-stack", scene.receiver(fake),
                  vars={"token": "better-token", "requester_email": "tocsin@example.com"})
    config = scene.config(api, [sink])
    daemon = scene.start(config)
    wait_for(lambda: len(fake.incidents) == 2 and scene.drained())
    scene.stop(daemon)
    one, two = (fake.incidents[fake.numbers[f"Title {n}"]] for n in (1, 2))
    one.append("resolve")  # somebody was quicker: a 409, which is as good
    api.items[:] = [alert(1, status="resolved"), alert(2, status="acknowledged")]
    scene.start(config)
    wait_for(lambda: two == ["open", "acknowledge"])
    api.items[1] = alert(2, status="resolved")
    wait_for(lambda: two == ["open", "acknowledge", "resolve"])
    wait_for(scene.drained)
    assert one == ["open", "resolve"] and len(fake.incidents) == 2
    assert scene.count("SELECT count(*) FROM v_deliveries WHERE state != 'done'") == 0


# ---- a real Alertmanager ---------------------------------------------------------------------


@pytest.fixture
def alertmanager(tmp_path):
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    with_it = Alertmanager(folder)
    yield with_it
    with_it.close()


def test_an_alertmanager_sees_an_alert_open_rise_and_end(scene, alertmanager):
    api = scene.api([alert(1, severity="medium", message='a "quoted"\nline'), alert(2)])
    sink = paging("alertmanager", alertmanager, vars={"team": "sec"})
    routes = [{"name": "all", "to": ["page"], "events": ["opened", "changed", "resolved"]}]
    scene.tocsin(api, [sink], routes)
    wait_for(lambda: len(alertmanager.active()) == 2)
    one = alertmanager.active()["al-1"]
    assert one["labels"] == {"alertname": "policy_violation", "alert_id": "al-1", "team": "sec",
                             "org_id": "org-1", "severity": "medium"}
    assert one["annotations"]["description"] == 'a "quoted"\nline'
    assert one["endsAt"].startswith("2199-")  # no resolve_timeout of its ends it
    api.items[0] = alert(1, severity="critical")
    wait_for(lambda: alertmanager.active()["al-1"]["labels"]["severity"] == "critical")
    assert len(alertmanager.get("alerts")) == 2, "it is there under its old severity, too"
    api.items[0] = alert(1, severity="critical", status="resolved")
    wait_for(lambda: list(alertmanager.active()) == ["al-2"])
    wait_for(scene.drained)


def test_an_alertmanager_that_refuses_is_not_asked_for_ever(scene, alertmanager):
    """An end before the beginning: its 400 makes a dead letter, and the other is told."""
    scene.expect("msg=dead")
    api = scene.api([alert(1)])
    sink = paging("alertmanager", alertmanager, vars={"ends_at": "2001-01-01T00:00:00Z"})
    scene.tocsin(api, [sink])
    dead = wait_for(lambda: scene.query("SELECT reason FROM v_deliveries WHERE state = 'dead'"))
    assert "HTTP 400" in dead[0]["reason"] and "start time must be before end time" in dead[0]["reason"]
