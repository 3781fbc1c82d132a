"""What the vendors' documentation says of their requests, as JSON schemas of our own.

For each preset a list of (the end of the address, the schema of the body); what a schema does not
name is not allowed. A string of STAMP is a time as RFC 3339 has it.
"""
STAMP = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}


def text(most=None, least=0):
    return {"type": "string", "minLength": least} | ({"maxLength": most} if most else {})


def one_of(*words):
    return {"type": "string", "enum": list(words)}


def group(required, **optional):
    """An object with these members and no other; required is a dict of those that must be."""
    return {"type": "object", "properties": {**required, **optional}, "required": list(required),
            "additionalProperties": False}


def texts(pattern=".*"):
    """An object whose names fit the pattern, and whose values are strings."""
    return {"type": "object", "additionalProperties": {"type": "string"},
            "propertyNames": {"pattern": pattern}}


# https://developer.pagerduty.com/docs/events-api-v2/trigger-events
PAGERDUTY_KEYS = {"routing_key": text(32, 1), "dedup_key": text(255, 1)}
PAGERDUTY_TRIGGER = group(
    {**PAGERDUTY_KEYS, "event_action": one_of("trigger"), "payload": group(
        {"summary": text(1024, 1), "source": text(least=1),
         "severity": one_of("critical", "error", "warning", "info")},
        timestamp=STAMP, component=text(), group=text(), custom_details={"type": "object"},
        **{"class": text()})},
    client=text(), client_url=text(),
    links={"type": "array", "items": group({"href": text(least=1)}, text=text())},
)
PAGERDUTY_FOLLOW = group({**PAGERDUTY_KEYS, "event_action": one_of("acknowledge", "resolve")})

# https://docs.opsgenie.com/docs/alert-api
OPSGENIE_CREATE = group(
    {"message": text(130, 1)},
    alias=text(512), description=text(15000), entity=text(512), source=text(100), user=text(100),
    note=text(25000), priority=one_of("P1", "P2", "P3", "P4", "P5"), details=texts(),
    tags={"type": "array", "maxItems": 20, "items": text(50, 1)},
    responders={"type": "array", "maxItems": 50, "items": {
        "type": "object", "required": ["type"], "properties": {"type": one_of("team", "user")}}},
)
OPSGENIE_ACTION = group({}, user=text(100), source=text(100), note=text(25000))

# https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
NAME = "^[a-zA-Z_][a-zA-Z0-9_]*$"
ALERTMANAGER = {"type": "array", "minItems": 1, "items": group(
    {"labels": {**texts(NAME), "required": ["alertname"]}},
    annotations=texts(NAME), startsAt=STAMP, endsAt=STAMP, generatorURL=text(least=1))}

# https://github.com/cloudevents/spec/blob/main/cloudevents/formats/cloudevents.json
CLOUDEVENT = {
    "type": "object",
    "required": ["id", "source", "specversion", "type"],
    "properties": {"id": text(least=1), "source": text(least=1), "specversion": one_of("1.0"),
                   "type": text(least=1), "subject": text(least=1), "time": STAMP,
                   "datacontenttype": one_of("application/json"), "data": {"type": "object"}},
    "propertyNames": {"pattern": "^[a-z0-9]{1,20}$"},
}

SCHEMAS = {
    "pagerduty": [("/v2/enqueue", {"anyOf": [PAGERDUTY_TRIGGER, PAGERDUTY_FOLLOW]})],
    "opsgenie": [
        ("/v2/alerts", OPSGENIE_CREATE),
        ("/acknowledge?identifierType=alias", OPSGENIE_ACTION),
        ("/close?identifierType=alias", OPSGENIE_ACTION),
        ("/priority?identifierType=alias",
         group({"priority": one_of("P1", "P2", "P3", "P4", "P5")})),
    ],
    "jsm": [
        ("/v2/alerts", OPSGENIE_CREATE),
        ("/acknowledge?identifierType=alias", OPSGENIE_ACTION),
        ("/close?identifierType=alias", OPSGENIE_ACTION),
    ],
    "alertmanager": [("/api/v2/alerts", ALERTMANAGER)],
    "cloudevents": [("", CLOUDEVENT)],
}
