"""What is known of an alert's people, policies and budgets: mirrored beside the polls, and never in
the way of an alert."""
import json
import urllib.request

import pytest

from fakes import alert, heard, wait_for
from programs import newer, run, webhook

LISTS = ["users", "policies", "budgets"]
KEPT = {"context": LISTS, "poll_every": "100ms", "context_every": "1s"}


def known(scene, kind, more="gone_at IS NULL"):
    rows = scene.query(
        f"SELECT id, body FROM v_directory WHERE kind = '{kind}' AND {more}")
    return {row["id"]: json.loads(row["body"]) for row in rows}


def metrics(daemon_port):
    with urllib.request.urlopen(f"http://127.0.0.1:{daemon_port}/metrics", timeout=5) as answer:
        return answer.read().decode()


def user(number):
    return f"05e70000-0000-4000-8000-{number:012x}"


def test_lists_are_mirrored_as_the_api_has_them_and_follow_it(scene):
    sim = scene.sim("--users", "250")
    scene.tocsin(sim, [webhook("hook", scene.receiver())], source_keys=KEPT)
    wait_for(lambda: len(known(scene, "users")) == 250, 20, "all users")
    wait_for(lambda: len(known(scene, "budgets")) == 6, 20, "all budgets")
    wait_for(lambda: len(known(scene, "policies")) == 8, 20, "all policies")
    assert known(scene, "users")[user(1)]["name"] == "Ada Whitfield"
    sim.change_user(1, name="Ada Byron", department=None)
    sim.call("DELETE", f"/_sim/users/{user(2)}")
    sim.call("POST", "/_sim/users", [{"id": "new"}, {"id": "new", "name": "n"}, {}, 7, None])
    wait_for(lambda: known(scene, "users")[user(1)]["name"] == "Ada Byron", 20, "a new name")
    wait_for(lambda: user(2) not in known(scene, "users"), 20, "a deleted user to be gone")
    assert known(scene, "users", "gone_at IS NOT NULL")[user(2)]["name"] == "Zoë Müller"
    assert known(scene, "users")["new"] == {"id": "new", "name": "n"}


@pytest.mark.parametrize("fault", [
    {"kind": "status", "status": 403}, {"kind": "status", "status": 404},
    {"kind": "status", "status": 500}, {"kind": "status", "status": 429, "retry_after": 1},
    {"kind": "hang"}, {"kind": "reset"}, {"kind": "html"}, {"kind": "truncate"},
    {"kind": "drip"}, {"kind": "badjson"},
], ids=lambda f: str(f.get("status", f["kind"])))
def test_a_list_that_fails_holds_no_alert_and_no_other_list(scene, fault):
    sim, hook = scene.sim(), scene.receiver()
    sim.fault(path="/v1/users", **fault)
    daemon = scene.tocsin(
        sim, [webhook("hook", hook)], source_keys={**KEPT, "timeout": "2s"})
    wait_for(lambda: len(known(scene, "budgets")) == 6, 20, "the other lists")
    is_off = fault.get("status") in (403, 404)
    wait_for(lambda: daemon.log("context-off" if is_off else "context-failed"), 20, "a warning")
    sim.put(*(alert(n, created_at=newer()) for n in range(20)))
    wait_for(lambda: len(heard(hook)) == 20, 10, "the alerts")
    assert known(scene, "users") == {}
    ready = "SELECT json_extract(json, '$.ready') FROM runtime"
    wait_for(lambda: scene.count(ready) == 1, 10, "readiness")
    assert len(daemon.log("context-off")) == is_off
    assert len(daemon.log("context-failed")) <= 2
    sim.heal()
    if not is_off:
        wait_for(lambda: len(known(scene, "users")) == 24, 30, "users, now that all is well")


def test_a_pass_that_is_cut_short_takes_nothing_away(scene):
    sim = scene.sim("--users", "250")
    scene.tocsin(sim, [webhook("hook", scene.receiver())], source_keys=KEPT)
    wait_for(lambda: len(known(scene, "users")) == 250, 20, "all users")
    sim.call("DELETE", f"/_sim/users/{user(240)}")
    sim.fault(path="/v1/users", kind="status", status=500, query="limit=100", after=1, count=5)
    wait_for(lambda: sim.requests("/v1/users", 500) >= 3, 30, "a pass to fail")
    assert len(known(scene, "users")) >= 249
    wait_for(lambda: len(known(scene, "users")) == 249, 60, "a whole pass")


def test_metrics_tell_of_each_list(scene):
    sim = scene.sim()
    sim.fault(path="/v1/policies", kind="status", status=403)
    daemon = scene.tocsin(
        sim, [webhook("hook", scene.receiver())], source_keys=KEPT, listen="127.0.0.1:0")
    port = daemon.says("started")["listen"].rsplit(":", 1)[1]
    wait_for(lambda: 'tocsin_context_entries{source="acme",list="users"} 24' in metrics(port), 20,
             "the users")
    text = metrics(port)
    assert 'tocsin_context_off{source="acme",list="users"} 0' in text
    assert 'tocsin_context_off{source="acme",list="policies"} 1' in text
    assert 'tocsin_context_errors_total{source="acme",list="policies"} 1' in text
    assert 'tocsin_context_last_complete_timestamp_seconds{source="acme",list="users"}' in text
    assert 'tocsin_context_entries{source="acme",list="policies"}' not in text


def test_status_tells_of_each_list(scene):
    sim = scene.sim()
    sim.fault(path="/v1/policies", kind="status", status=403)
    daemon = scene.tocsin(sim, [webhook("hook", scene.receiver())],
                          source_keys={**KEPT, "context": ["users", "policies", "usage"]})

    def lists():
        status = json.loads(run(daemon.config, "status", "--json").stdout)
        return {one.pop("list"): one for one in status["sources"][0]["context"]}

    wait_for(lambda: lists().get("users", {}).get("count") == 24 and
             lists()["policies"]["error"], 20, "the lists in status")
    told = lists()
    assert list(told) == ["users", "policies", "usage"]
    assert told["users"]["last_read_at"].startswith("20") and told["users"]["error"] is None
    assert told["policies"]["last_read_at"] is None and "403" in told["policies"]["error"]
    assert told["usage"] == {"count": None, "last_read_at": None, "error": None}
    text = run(daemon.config, "status").stdout
    users, policies = (next(line.split() for line in text.splitlines() if f" {name} " in line)
                       for name in ("users", "policies"))
    assert users[:3] == ["acme", "users", "24"] and policies[:3] == ["acme", "policies", "0"]
    scene.stop(daemon)
    assert " users " not in run(daemon.config, "status").stdout


def test_a_single_poll_brings_the_lists_up_to_date(scene):
    sim = scene.sim()
    config = scene.config(sim, [webhook("hook", scene.receiver())], source_keys=KEPT)
    assert run(config, "poll", "--once").returncode == 0
    assert len(known(scene, "users")) == 24
