"""The operator's commands: what they choose, what they change, sinks held and let go; on a store
with no daemon, filled by hand, and beside a daemon that delivers."""
import collections
import json
import re
import signal
import subprocess
import time

import pytest

from fakes import wait_for
from programs import answers, run, webhook
from support import BIN, Store, alert_body, configuration, json_lines, tocsin
from support import webhook as sink_text


# ---- with no daemon ------------------------------------------------------------------------

HOUR = 3600000


@pytest.fixture
def shelf(tmp_path):
    """Rows of two sources for two sinks: some dead, due, held and done, young and old."""
    conf = configuration(tmp_path, sinks=[sink_text("bus"), sink_text("mail")])
    store = Store(tmp_path / "tocsin.db")
    store.names(sources=("acme", "beta"), sinks=("bus", "mail"))
    ids = {}

    def add(name, state, sink=1, source=1, age_ms=60000, **fields):
        body = json.dumps(alert_body(name, **fields))
        alert = store.alert(name, body=body, source=source, age_ms=age_ms)
        event = store.event(alert, age_ms=age_ms)
        store.db.execute("UPDATE events SET source = ? WHERE id = ?", (source, event))
        ids[name] = store.delivery(event, state, sink=sink)

    add("dead-bus", "dead", severity="critical", metadata={"model": "gpt-4"})
    add("dead-mail", "dead", sink=2, severity="low")
    add("dead-old", "dead", age_ms=3 * HOUR, title="An old one")
    add("dead-beta", "dead", source=2)
    add("due-bus", "due")
    add("due-mail", "due", sink=2, severity="low")
    add("held", "held", sink=2)
    add("done", "done", severity="low")
    yield conf, store, ids
    store.close()


def names(conf, *options):
    return {r["alert_id"] for r in json_lines(tocsin("queue", "--json", *options, conf=conf))}


ALL = {"dead-bus", "dead-mail", "dead-old", "dead-beta", "due-bus", "due-mail", "held", "done"}


@pytest.mark.parametrize("options,expected", [
    ([], ALL - {"done"}),
    (["--all"], ALL),
    (["--sink", "mail"], {"dead-mail", "due-mail", "held"}),
    (["--state", "due"], {"due-bus", "due-mail"}),
    (["--state", "done"], {"done"}),
    (["--source", "beta"], {"dead-beta"}),
    (["--older", "1h"], {"dead-old"}),
    (["--newer", "1h", "--state", "dead"], {"dead-bus", "dead-mail", "dead-beta"}),
    (["--older", "30s", "--newer", "1h", "--sink", "bus"], {"dead-bus", "dead-beta", "due-bus"}),
    (["--match", "severity = low"], {"dead-mail", "due-mail"}),
    (["--all", "--match", "severity = low"], {"dead-mail", "due-mail", "done"}),
    (["--match", "severity = low", "--match", "sink = mail", "--state", "dead"], {"dead-mail"}),
    (["--match", "metadata.model =~ gpt-.*", "--match", "severity = critical"], {"dead-bus"}),
    (["--match", "title = 'An old one'"], {"dead-old"}),
    (["--match", "source = beta"], {"dead-beta"}),
    (["--match", "route = rest", "--match", "event = opened", "--limit", "1"], {"dead-bus"}),
    (["--state", "dead", "--limit", "2"], {"dead-bus", "dead-mail"}),
    (["--match", "id = nothing"], set()),
])
def test_queue_shows_what_the_options_choose(shelf, options, expected):
    assert names(shelf[0], *options) == expected


def test_a_row_is_found_by_the_id_that_its_receiver_saw(shelf):
    conf, _, ids = shelf
    row = json_lines(tocsin("queue", ids["done"], "--json", conf=conf))[0]
    assert names(conf, "--all", "--match", f"delivery_id = {row['delivery_id']}") == {"done"}


def test_queue_by_ids_shows_those_whatever_their_state(shelf):
    conf, _, ids = shelf
    assert names(conf, ids["done"], ids["due-bus"], ids["done"]) == {"done", "due-bus"}
    done = tocsin("queue", 4711, ids["done"], conf=conf)
    assert (done.returncode, done.stderr) == (1, "tocsin: the store knows no delivery 4711\n")


def test_counts_are_by_sink_and_state(shelf):
    conf, _, _ = shelf
    assert json_lines(tocsin("queue", "--count", "--json", conf=conf)) == [
        {"sink": "bus", "state": "dead", "count": 3}, {"sink": "bus", "state": "due", "count": 1},
        {"sink": "mail", "state": "dead", "count": 1}, {"sink": "mail", "state": "due", "count": 1},
        {"sink": "mail", "state": "held", "count": 1}]
    text = tocsin("queue", "--count", "--match", "severity = low", conf=conf).stdout
    assert re.search(r"^mail +dead +1$", text, re.M) and text.endswith("\n2 in all\n")
    assert tocsin("queue", "--count", "--older", "9h", conf=conf).stdout == "0 in all\n"


def states(store):
    return dict(store.db.execute("SELECT a.id || '/' || d.id, d.state FROM deliveries d "
                                 "JOIN events e ON e.id = d.id >> 27 "
                                 "JOIN alerts a ON a.number = e.alert").fetchall())


@pytest.mark.parametrize("command", ["requeue", "drop"])
def test_a_dry_run_says_what_would_be_done_and_changes_nothing(shelf, command):
    conf, store, ids = shelf
    before = states(store)
    done = tocsin(command, "--match", "severity >= low", "--state", "dead", "--dry-run", conf=conf)
    assert done.returncode == 0 and done.stderr == ""
    did = {"requeue": "requeued", "drop": "dropped"}[command]
    assert done.stdout.startswith(f"would be {did}: 4 rows\n")
    assert re.search(r"^bus +dead +3$", done.stdout, re.M)
    assert re.search(rf"^ *{ids['dead-bus']} +dead +bus +opened +dead-bus ", done.stdout, re.M)
    told = json_lines(tocsin(command, "--sink", "mail", "--dry-run", "--json", conf=conf))
    by = {"requeue": [("dead", 1)], "drop": [("due", 1), ("held", 1)]}[command]
    assert told == [{"dry_run": True, "selected": len(by), "by": [
        {"sink": "mail", "state": state, "count": count} for state, count in by]}]
    by_id = tocsin(command, ids["dead-old"], ids["done"], "--dry-run", conf=conf)
    assert by_id.stdout.startswith(f"would be {did}: ")
    assert states(store) == before


def test_requeue_and_drop_take_what_queue_shows(shelf):
    conf, store, ids = shelf
    shown = names(conf, "--match", "severity >= high", "--newer", "1h", "--state", "dead")
    assert shown == {"dead-bus", "dead-beta"}
    done = tocsin("requeue", "--match", "severity >= high", "--newer", "1h", conf=conf)
    assert (done.returncode, done.stdout) == (0, "requeued 2 deliveries\n")
    assert re.search(r"^bus +dead +2$", done.stderr, re.M)  # said before
    assert {n for n in shown if store.state_of(ids[n]) == ("moved", "requeued")} == shown
    assert store.state_of(ids["dead-old"])[0] == "dead"
    assert json_lines(tocsin("drop", "--older", "1h", "--state", "dead", "--json", conf=conf)) == [
        {"dropped": 1, "selected": 1}]
    assert store.state_of(ids["dead-old"]) == ("dropped", "operator")
    done = tocsin("drop", "--source", "beta", "--state", "moved", conf=conf)
    assert done.stdout == "dropped 0 deliveries\n"
    assert "tocsin: left alone: 1 that are moved\n" in done.stderr


def test_a_paced_requeue_gives_each_row_its_time(tmp_path):
    conf = configuration(tmp_path)
    store = Store(tmp_path / "tocsin.db")
    store.names()
    store.many(1200)
    began_at = time.time() * 1000
    done = tocsin("requeue", "--state", "dead", "--rate", "600/min", conf=conf)
    assert done.stdout == "requeued 1200 deliveries\n"
    due = [row[0] for row in store.db.execute(
        "SELECT due_at FROM deliveries WHERE state = 'due' ORDER BY due_at")]
    store.close()
    assert len(due) == 1200
    gaps = collections.Counter(b - a for a, b in zip(due, due[1:]))
    assert max(gaps) == 100 and gaps[100] > 1000  # a slow start, then one each 100 ms
    assert began_at - 1 <= due[0] <= time.time() * 1000


@pytest.mark.parametrize("line,code,text", [
    ("queue --sink buss", 1, 'the store knows no sink buss; did you mean "bus"?'),
    ("queue --source acne", 1, 'the store knows no source acne; did you mean "acme"?'),
    ("requeue --sink zzzzzz", 1, "the store knows no sink zzzzzz\n"),
    ("drop 99", 1, "the store knows no delivery 99"),
    ("sink hold mial", 1, 'did you mean "mail"?'),
    ("sink release nobody", 1, "the store knows no sink nobody"),
    ("queue nine", 2, '"nine" is no id'),
    ("queue -- -1", 2, '"-1" is no id'),
    ("drop 99999999999999999999", 2, "is no id"),
    ("queue --state lost", 2, '--state: "lost" is none of due'),
    ("queue --state due --all", 2, "--all goes neither"),
    ("queue 1 --sink bus", 2, "either ids or options"),
    ("requeue 1 --match x=1", 2, "either ids or options"),
    ("drop 1 --older 1h", 2, "either ids or options"),
    ("drop", 2, "ids, or options that choose"),
    ("requeue --rate 10/s", 2, "ids, or options that choose"),
    ("requeue --dry-run", 2, "ids, or options that choose"),
    ("requeue --state dead --rate fast", 2, "--rate: "),
    ("requeue --state dead --rate 1/day", 2, "at least 1/min"),
    ("drop --state dead --rate 1/s", 2, "--rate is no option of `tocsin drop`"),
    ("queue --older 5", 2, '--older: "5" needs a unit'),
    ("queue --newer 1x", 2, "--newer: "),
    ("queue --older 2h --newer 1h", 2, "nothing is older than 2h and newer than 1h"),
    ("queue --limit 0", 2, "--limit takes a number"),
    ("queue --match severity", 2, 'matcher "severity": needs one of'),
    ("queue --match severity>=huge", 2, "severity is compared with"),
    ("queue --match title=~(", 2, "--match: matcher"),
    ("queue --match", 2, "lacks its value"),
    ("sink", 2, "list, hold NAME or release NAME"),
    ("sink hold", 2, "list, hold NAME or release NAME"),
    ("sink pause bus", 2, "list, hold NAME or release NAME"),
    ("sink list bus", 2, "list, hold NAME or release NAME"),
    ("sink release bus --reason x", 2, "--reason goes with hold"),
])
def test_what_is_wrong_is_said_and_touches_nothing(shelf, line, code, text):
    conf, store, _ = shelf
    before = states(store)
    done = tocsin(*line.split(), conf=conf)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert text in done.stderr
    assert states(store) == before


def test_a_doubtful_matcher_is_warned_of(shelf):
    done = tocsin("queue", "--match", "severty = low", conf=shelf[0])
    assert done.returncode == 0 and 'did you mean "severity"' in done.stderr


def test_a_sink_is_held_and_released_with_no_daemon(shelf):
    conf, store, _ = shelf
    store.db.execute("UPDATE sinks SET held_until = ?, down_since = ?, reason = 'HTTP 503' "
                     "WHERE name = 'bus'", (store.now + HOUR, store.now - HOUR))
    store.db.commit()
    listed = {s["name"]: s for s in json_lines(tocsin("sink", "list", "--json", conf=conf))}
    assert (listed["bus"]["state"], listed["mail"]["state"]) == ("down", "up")
    assert tocsin("sink", "hold", "bus", "--reason", "moving\x1b it", conf=conf).stdout == "bus is held\n"
    bus = json_lines(tocsin("sink", "list", "--json", conf=conf))[0]
    assert (bus["state"], bus["reason"], bus["held_until"]) == ("held", "moving\x1b it", None)
    assert bus["held_since"] is not None
    for command in ("sink list", "status"):
        text = tocsin(*command.split(), conf=conf).stdout
        assert re.search(r"^bus .*held .*by the operator, (now|\d s ago): moving it$", text, re.M), text
    assert "its sink is held by the operator" in tocsin("queue", "--sink", "bus", conf=conf).stdout
    assert "its sink is held by the operator" in tocsin("explain", "due-bus", conf=conf).stdout
    assert json_lines(tocsin("sink", "hold", "bus", "--json", conf=conf)) == [
        {"sink": "bus", "was": "held", "state": "held"}]
    held_total = "SELECT held_total_ms FROM sinks WHERE name = 'bus'"
    assert abs(store.db.execute(held_total).fetchone()[0] - HOUR) < 60000
    assert tocsin("sink", "release", "bus", conf=conf).stdout == "bus is released\n"
    assert json_lines(tocsin("sink", "release", "bus", "--json", conf=conf)) == [
        {"sink": "bus", "was": "up", "state": "up"}]
    bus = json_lines(tocsin("sink", "list", "--json", conf=conf))[0]
    assert (bus["state"], bus["reason"], bus["held_since"]) == ("up", None, None)


def test_an_interrupt_between_chunks_leaves_a_whole_store_and_says_how_far_it_came(tmp_path):
    conf = configuration(tmp_path)
    store = Store(tmp_path / "tocsin.db")
    store.names()
    store.many(10000)
    command = subprocess.Popen([BIN, "-c", conf, "requeue", "--state", "dead"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    count = "SELECT count(*) FROM deliveries WHERE state = 'moved'"
    wait_for(lambda: store.db.execute(count).fetchone()[0] > 0)
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=30)
    assert command.returncode == 1
    told = re.search(r"interrupted: requeued (\d+) of 10000 rows, the rest is as it was", err)
    counted = dict(store.db.execute("SELECT state, count(*) FROM deliveries GROUP BY state"))
    assert 0 < int(told[1]) < 10000
    assert counted == {"moved": int(told[1]), "due": int(told[1]), "dead": 10000 - int(told[1])}
    assert out == f"requeued {told[1]} deliveries\n"
    # the rest, later
    assert tocsin("requeue", "--state", "dead", "--sink", "bus", conf=conf).returncode == 0
    counted = dict(store.db.execute("SELECT state, count(*) FROM deliveries GROUP BY state"))
    store.close()
    assert counted == {"moved": 10000, "due": 10000}


# ---- beside a daemon -----------------------------------------------------------------------


def sinks_of(config):
    return {s["name"]: s for s in answers(config, "status")[0]["sinks"]}


def test_a_hold_is_heeded_within_a_second_and_ends_as_fast(scene):
    hook, other = scene.receiver(), scene.receiver()
    sim = scene.sim("--rate", "off")
    daemon = scene.tocsin(sim, [webhook("hook", hook), webhook("other", other)])
    sim.add(n=3)
    wait_for(lambda: len(hook.accepted()) == 3 and len(other.accepted()) == 3)
    held_at = time.monotonic()
    assert run(daemon.config, "sink", "hold", "hook", "--reason", "a move").returncode == 0
    line = daemon.says("sink-held", sink="hook", reason="a move")
    assert time.monotonic() - held_at < 5 and "sink release" in line["hint"]  # 1 s, and starting
    sim.add(n=5)
    wait_for(lambda: len(other.accepted()) == 8)
    time.sleep(1)
    assert len(hook.accepted()) == 3
    told = answers(daemon.config, "status")[0]
    hooked = next(s for s in told["sinks"] if s["name"] == "hook")
    assert (hooked["state"], hooked["reason"], hooked["due"]) == ("held", "a move", 5)
    assert told["ready"]  # the operator wants it so
    assert run(daemon.config, "sink", "release", "hook").returncode == 0
    daemon.says("sink-released", sink="hook")
    wait_for(lambda: len(hook.accepted()) == 8)
    assert sinks_of(daemon.config)["hook"]["state"] == "up"


def test_a_hold_outlives_a_kill(scene):
    hook = scene.receiver()
    sim = scene.sim("--rate", "off")
    daemon = scene.tocsin(sim, [webhook("hook", hook)])
    daemon.says("ready")
    run(daemon.config, "sink", "hold", "hook")
    daemon.says("sink-held")
    daemon.kill9()
    sim.add(n=4)
    daemon = scene.start(daemon.config)
    daemon.says("sink-held", sink="hook")
    wait_for(lambda: scene.count("SELECT count(*) FROM v_deliveries WHERE state = 'due'") == 4)
    time.sleep(1)
    assert not hook.seen
    run(daemon.config, "sink", "release", "hook")
    wait_for(lambda: len(hook.accepted()) == 4)


def test_to_release_a_sink_that_is_down_need_not_wait_for_a_probe(scene):
    hook = scene.receiver(lambda call: {"status": 503, "headers": {"Retry-After": "3000"}})
    sim = scene.sim("--rate", "off")
    daemon = scene.tocsin(sim, [webhook("hook", hook)])
    sim.add(n=3)
    daemon.says("sink-down")
    wait_for(lambda: sinks_of(daemon.config)["hook"]["state"] == "down")
    hook.behave = {}
    done = run(daemon.config, "sink", "release", "hook", "--json")
    assert json.loads(done.stdout) == {"sink": "hook", "was": "down", "state": "up"}
    wait_for(lambda: len(hook.accepted()) == 3)
    assert sinks_of(daemon.config)["hook"]["state"] == "up"


def test_invariant_8_rows_of_a_held_sink_do_not_age(scene):
    hook = scene.receiver(lambda call: {"status": 409})
    sink = webhook("hook", hook, give_up="4s", retry={"min": "20ms", "max": "200ms"})
    sim = scene.sim("--rate", "off")
    daemon = scene.tocsin(sim, [sink])
    sim.add(n=1)
    daemon.says("retry")
    run(daemon.config, "sink", "hold", "hook")
    daemon.says("sink-held")
    time.sleep(6)  # older than give_up
    assert not daemon.log("dead")
    tries = len(hook.seen)
    hook.behave = {}
    run(daemon.config, "sink", "release", "hook")
    scene.wait_drained()
    assert len(hook.seen) == tries + 1 and not daemon.log("dead")


def test_requeue_and_drop_by_matcher_beside_a_daemon(scene):
    scene.expect("msg=dead")
    hook = scene.receiver(lambda call: {"status": 400} if b'"title":"bad' in call.body else {})
    sim = scene.sim("--rate", "off")
    daemon = scene.tocsin(sim, [webhook("hook", hook)])
    for n, severity in enumerate(["low", "high", "high", "low"]):
        sim.add(n=1, title=f"bad {n}", severity=severity)
    wait_for(lambda: len(daemon.log("dead")) == 4)
    daemon.says("polled")
    dry = run(daemon.config, "requeue", "--match", "severity = high", "--dry-run").stdout
    assert dry.startswith("would be requeued: 2 rows\n")
    hook.behave = {}
    heard = len(hook.accepted())
    did = run(daemon.config, "requeue", "--match", "severity = high")
    assert did.stdout == "requeued 2 deliveries\n"
    wait_for(lambda: len(hook.accepted()) == heard + 2)
    did = run(daemon.config, "drop", "--match", "severity = low", "--state", "dead")
    assert did.stdout == "dropped 2 deliveries\n"
    counts = collections.Counter((r["state"], r["origin"]) for r in answers(daemon.config, "queue", "--all"))
    assert counts == {("moved", "route"): 2, ("done", "requeue"): 2, ("dropped", "route"): 2}


def test_invariant_13_chunks_interleave_with_deliveries(scene):
    hook = scene.receiver()
    sim = scene.sim("--rate", "off")
    daemon = scene.tocsin(sim, [webhook("hook", hook), webhook("idle", hook)])
    daemon.says("ready")
    scene.stop(daemon)
    store = Store(f"{scene.folder}/tocsin.db")
    store.many(6000, sink=2)
    store.close()
    assert run(daemon.config, "sink", "hold", "idle").returncode == 0
    daemon = scene.start(daemon.config)
    daemon.says("ready")
    moved = "SELECT count(*) FROM v_deliveries WHERE sink = 'idle' AND state = 'moved'"
    command = subprocess.Popen([BIN, "-c", daemon.config, "requeue", "--sink", "idle"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seen = []
    while command.poll() is None:
        before = len(hook.seen)
        sim.add(n=1)
        daemon.poll()
        wait_for(lambda: len(hook.seen) > before or command.poll() is not None, 30)
        seen.append(scene.count(moved))
    assert command.communicate()[0] == "requeued 6000 deliveries\n"
    assert len({n for n in seen if 0 < n < 6000}) >= 3, seen
    assert not daemon.log("store-failed")
