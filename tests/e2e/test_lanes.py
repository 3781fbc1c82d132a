"""Passes side by side, and answers that lie: a page that is older than what is known, a list that
seems to end, a clock that is wrong once, heads that never get through."""
import email.utils
import random
import time

import pytest

from fakes import alert, heard, page, wait_for
from programs import newer, run, webhook


def state(scene):
    return scene.query("SELECT * FROM v_sources")[0]


def listed(api, call):
    status = call.query.get("status")
    return [a for a in api.items if status is None or a["status"] == status]


def right(api, call):
    items, at = listed(api, call), int(call.query.get("cursor", "0"))
    return page(items[at:at + 100], str(at + 100) if at + 100 < len(items) else None)


def told(hook, alert_id):
    return {event: n for (told_id, event), n in heard(hook).items() if told_id == alert_id}


def is_asked(call, status=None):
    return call.path == "/v1/alerts" and call.query.get("status") == status


class Slow:
    """The next page of that list is read now and answered later."""

    def __init__(self, api, status, seconds=1.5):
        self.api, self.status, self.seconds = api, status, seconds
        self.wanted = self.asked = False
        api.script = self.answer

    def answer(self, call):
        if call.path != "/v1/alerts":
            return None
        body = {"body": right(self.api, call)}
        if self.wanted and is_asked(call, self.status) and "cursor" not in call.query:
            self.wanted, self.asked = False, True
            body["delay"] = self.seconds
        return body

    def wait_asked(self):
        self.wanted = True
        wait_for(lambda: self.asked, 10)


def walked(scene, items):
    hook, api = scene.receiver(), scene.api(items)
    return hook, api


@pytest.mark.parametrize("status, becomes", [("open", "resolved"), ("resolved", "open")])
def test_a_page_that_is_older_than_what_is_known_changes_nothing(scene, status, becomes):
    """A sweep's page still lists it as open when a head saw that it closed, or a head's as
    resolved when a sweep saw it opened again."""
    items = [alert(n, created_at=newer(-600 - n * 60)) for n in range(250)]
    items[3]["status"] = status
    hook, api = walked(scene, items)
    slow = Slow(api, "open" if status == "open" else None)
    daemon = scene.tocsin(api, [webhook("hook", hook)], log={"level": "debug"},
                          source_keys={"start": "all", "sweep_every": "1s", "poll_every": "200ms"})
    wait_for(lambda: len(hook.seen) >= 250 and state(scene)["last_full_at"], 30)
    slow.wait_asked()
    time.sleep(0.1)  # it is under way
    api.items[3] = {**api.items[3], "status": becomes}
    event = "resolved" if becomes == "resolved" else "reopened"
    wait_for(lambda: told(hook, "al-3").get(event), 20)
    sweeps = len(daemon.log("polled", **{"pass": "sweep"}))
    wait_for(lambda: len(daemon.log("polled", **{"pass": "sweep"})) > sweeps + 2, 20)
    first = "opened" if status == "open" else "resolved"
    assert told(hook, "al-3") == {first: 1, event: 1}


def test_sweeps_go_on_when_heads_never_get_through(scene):
    items = [alert(n, created_at=newer(-60 - n * 60)) for n in range(250)]
    hook, api = walked(scene, items)
    broken = []

    def script(call):
        if broken and is_asked(call):
            return {"status": 500, "body": "{}"}
        return {"body": right(api, call)} if call.path == "/v1/alerts" else None

    api.script = script
    keys = {"start": "all", "sweep_every": "1s", "poll_every": "200ms"}
    daemon = scene.tocsin(api, [webhook("hook", hook)], source_keys=keys)
    wait_for(lambda: len(hook.seen) >= 250 and state(scene)["last_full_at"], 30)
    scene.stop(daemon)
    broken.append(1)
    scene.expect("poll-failed")
    scene.start(daemon.config)
    api.items[3] = {**api.items[3], "status": "acknowledged"}
    wait_for(lambda: told(hook, "al-3").get("acknowledged"), 40)


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_an_empty_end_behind_a_cursor_that_waited_is_no_end(scene, order):
    """Cursors live 0.3 s and then answer an empty end; one page in twelve fails first."""
    items = [alert(n, created_at=newer(-600 - n * 60), status="open" if n % 150 == 0 else "resolved")
             for n in range(2000)]
    if order == "oldest":
        items.reverse()
    hook, api = walked(scene, items)
    chance = random.Random(3)

    def script(call):
        if call.path != "/v1/alerts":
            return None
        mine, at = listed(api, call), 0
        if "cursor" in call.query:
            if chance.random() < 1 / 12:
                return {"status": 503, "body": "{}"}
            at, born = call.query["cursor"].split("_")
            at = int(at)
            if time.time() - float(born) > 0.3:
                return {"body": page([], None)}
        more = f"{at + 100}_{time.time()}" if at + 100 < len(mine) else None
        return {"body": page(mine[at:at + 100], more)}

    api.script = script
    scene.expect("poll-failed")
    scene.tocsin(api, [webhook("hook", hook)],
                 source_keys={"start": "all", "sweep_every": "30s", "poll_every": "1s"})
    wait_for(lambda: state(scene)["last_full_at"], 60, "a complete walk")
    assert scene.count("SELECT count(*) FROM v_alerts") == 2000


@pytest.mark.parametrize("status", [200, 502])
def test_one_wrong_date_at_the_first_start_silences_nothing(scene, status):
    items = [alert(n, created_at=newer(-60 - n * 60)) for n in range(50)]
    hook, api = walked(scene, items)
    lies = [{"Date": email.utils.formatdate(time.time() + 3600, usegmt=True)}]

    def script(call):
        if call.path != "/v1/alerts" or not lies:
            return None
        answer = {"body": right(api, call)} if status == 200 else {"status": 502, "body": "no"}
        return {**answer, "headers": lies.pop()}

    api.script = script
    if status != 200:
        scene.expect("poll-failed")
    daemon = scene.tocsin(api, [webhook("hook", hook)],
                          source_keys={"start": "now", "poll_every": "300ms"})
    daemon.says("ready", 30)
    time.sleep(1.1)  # Date has whole seconds
    api.items.insert(0, alert(1000, created_at=newer()))
    wait_for(lambda: told(hook, "al-1000"), 10)
    assert {alert_id for alert_id, _ in heard(hook)} == {"al-1000"}


def test_one_giant_alert_hides_nothing_behind_it(scene):
    items = [alert(n, created_at=newer(-60 - n * 60)) for n in range(300)]
    items[150]["message"] = "x" * (9 << 20)
    hook, api = walked(scene, items)

    def script(call):
        if call.path != "/v1/alerts":
            return None
        mine, at = listed(api, call), int(call.query.get("cursor", "0"))
        to = at + int(call.query.get("limit", "100"))
        return {"body": page(mine[at:to], str(to) if to < len(mine) else None)}

    api.script = script
    daemon = scene.tocsin(api, [webhook("hook", hook)],
                          source_keys={"start": "all", "sweep_every": "1h", "poll_every": "1h"})
    wait_for(lambda: len({i for i, _ in heard(hook)}) == 299, 60)
    shown = run(daemon.config, "alerts", "--rejected").stdout
    assert "more than 8 MiB" in shown and "acme" in shown
