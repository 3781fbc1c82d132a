"""The count, outside of tocsin: what the API lists against what the receivers were given."""
import collections
import dataclasses
import datetime
import json
import urllib.parse
import urllib.request

API_KEY = "sandbox-key"
PAGE = 100

# What may be heard of an alert that is listed so.
FURTHER = {
    "open": ("opened", "reopened", "changed", "acknowledged", "resolved"),
    "acknowledged": ("acknowledged", "resolved"),
}


class Api:
    """The simulator: listed as anybody would list it, with an API key of our own."""

    def __init__(self, base):
        self.base = base
        self.control = base.removesuffix("/v1") + "/_sim/alerts"

    def call(self, url, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data)
        request.add_header("Authorization", f"Bearer {API_KEY}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def list_alerts(self):
        alerts, cursor = [], None
        while True:
            query = {"limit": PAGE} if cursor is None else {"limit": PAGE, "cursor": cursor}
            page = self.call(f"{self.base}/alerts?{urllib.parse.urlencode(query)}")
            alerts += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return alerts

    def open_alerts(self, number, **fields):
        """Opens alerts by the simulator's control; their ids."""
        return self.call(self.control, {"n": number, **fields})["ids"]

    def change_alert(self, alert_id, status):
        self.call(f"{self.control}/{alert_id}", {"status": status})


@dataclasses.dataclass
class Tally:
    where: str
    listed: int  # alerts that the API lists and that are meant for this destination
    delivered: int  # of these, those that it was given a message of
    resolved: int  # of the listed, those that are resolved
    closed: int  # of these, those whose end it was given
    repeats: int  # messages that it was given again
    unmarked: int  # of these, those that do not say so
    lost: int  # of the listed, those of which it was not given how far they are


def is_meant_for(where, alert):
    """As the demo's routes have it."""
    return where != "mail" or alert["severity"] in ("high", "critical")


def tells(arrival, alert):
    """That the alert is as far as it is listed, or further: a chat may leave steps out."""
    if alert["status"] != "resolved":
        return arrival.event in FURTHER[alert["status"]]
    # The end of its present life, not of one before it came back.
    resolved_at = datetime.datetime.fromisoformat(alert["resolved_at"]).timestamp()
    return arrival.event == "resolved" and arrival.at >= int(resolved_at)


def tally(where, listed, arrivals):
    """A Tally of one destination."""
    meant = [alert for alert in listed if is_meant_for(where, alert)]
    resolved = [alert for alert in meant if alert["status"] == "resolved"]
    given, seen, repeats = collections.defaultdict(list), set(), []
    for arrival in arrivals:
        if arrival.where != where:
            continue
        given[arrival.alert_id].append(arrival)
        if arrival.key in seen:
            repeats.append(arrival)
        seen.add(arrival.key)

    unheard = {alert["id"] for alert in meant if not given.get(alert["id"])}
    untold = {
        alert["id"]
        for alert in meant
        if not any(tells(arrival, alert) for arrival in given.get(alert["id"], []))
    }
    return Tally(
        where=where,
        listed=len(meant),
        delivered=len(meant) - len(unheard),
        resolved=len(resolved),
        closed=sum(alert["id"] not in untold for alert in resolved),
        repeats=len(repeats),
        unmarked=sum(not arrival.says_repeat for arrival in repeats),
        lost=len(untold),
    )
