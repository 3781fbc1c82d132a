"""What src/README.md promises by number and no other file of tests shows from outside."""
import contextlib
import resource
import sqlite3
import time

from fakes import alert, heard, notes, wait_for
from programs import plain_email, webhook


def test_invariant_1_no_byte_leaves_before_its_claim_and_its_alert_are_on_the_disk(scene):
    """Each request is looked up in the store at the moment when it is heard."""
    seen = []

    def behave(call):
        sql = "SELECT d.state, d.attempt, a.id FROM v_deliveries d, v_alerts a ON a.id = d.alert_id"
        rows = [r for r in scene.query(sql) if f'"{r["id"]}"'.encode() in call.body]
        seen.append([(r["state"], r["attempt"]) for r in rows])
        return {}

    hook = scene.receiver(behave)
    scene.tocsin(scene.api([alert(n) for n in range(100, 220)]), [webhook("hook", hook)])
    wait_for(lambda: len(seen) == 120, 60)
    assert all(s == [("claimed", 1)] for s in seen)


def test_invariant_3_a_kill_within_a_pass_skips_nothing(scene):
    """The position is that of the last pass that came to its end."""
    killed_at = []

    def script(call):
        if call.query.get("cursor") == "200" and not killed_at:
            killed_at.append(call)
            scene.daemons[0].kill9()
        return None

    api, hook = scene.api([alert(n) for n in range(350)], script), scene.receiver()
    config = scene.config(api, [webhook("hook", hook)])
    daemon = scene.start(config)
    wait_for(lambda: not daemon.runs)
    assert scene.query("SELECT last_full_at FROM v_sources") == [{"last_full_at": None}]
    assert scene.count("SELECT count(*) FROM v_alerts") == 200
    scene.start(config)
    wait_for(lambda: len(heard(hook)) == 350)
    scene.wait_drained()


def test_invariant_7_a_sink_that_hangs_or_is_gone_slows_no_other(scene):
    hang, gone, well = scene.receiver({"kind": "hang"}), scene.receiver(), scene.receiver()
    gone.down()
    api = scene.api([alert(n) for n in range(300)])
    sinks = [webhook("hang", hang, timeout="30s"), webhook("gone", gone), webhook("well", well)]
    daemon = scene.tocsin(api, sinks, grace="100ms")
    wait_for(lambda: len(well.seen) == 300, 10)
    assert max(int(l["took_ms"]) for l in daemon.log("delivered", sink="well")) < 5000
    wait_for(lambda: len(hang.seen) == 8, what="its window, and no more")
    assert len(daemon.log("retry", sink="gone")) < 60, "held, not hammered"


def test_invariant_7_one_row_that_fails_while_others_pass_is_that_rows_own_matter(scene):
    hook = scene.receiver(lambda call: {"status": 503, "delay": 0.3} if b'"al-3"' in call.body
                          else {"delay": 0.05})
    daemon = scene.tocsin(scene.api([alert(n) for n in range(60)]), [webhook("hook", hook, window=4)])
    wait_for(lambda: len(hook.accepted()) == 59)
    hook.behave = {}
    scene.wait_drained()
    assert len(hook.accepted()) == 60 and len(daemon.log("sink-down")) <= 2


def test_invariant_8_a_retry_ends_by_age_as_a_dead_letter_with_its_reason(scene):
    scene.expect("msg=dead")
    hook = scene.receiver(lambda call: {"status": 409, "body": "locked"} if b'"al-1"' in call.body else {})
    sink = webhook("hook", hook, give_up="1s", retry={"min": "20ms", "max": "200ms"})
    daemon = scene.tocsin(scene.api([alert(1), alert(2)]), [sink])
    line = daemon.says("dead")
    assert line["alert"] == "al-1" and "gave up after 1" in line["reason"] and "locked" in line["reason"]
    scene.wait_drained()
    first = scene.query("SELECT state, attempt, first_attempt_at, ended_at FROM v_deliveries "
                        "WHERE alert_id = 'al-1'")[0]
    assert first["state"] == "dead" and first["attempt"] > 3
    assert first["ended_at"] - first["first_attempt_at"] >= 1000
    assert heard(hook) == {("al-2", "opened"): 1}


def test_invariant_8_an_outage_longer_than_give_up_kills_nothing(scene):
    hook = scene.receiver()
    hook.down()
    down_at = time.monotonic()
    sink = webhook("hook", hook, give_up="1s", retry={"min": "20ms", "max": "200ms"})
    daemon = scene.tocsin(scene.api([alert(n) for n in range(20)]), [sink])
    daemon.says("sink-down")
    wait_for(lambda: time.monotonic() > down_at + 3, what="an outage of three times give_up")
    hook.up()
    scene.wait_drained()
    assert len(heard(hook)) == 20 and not daemon.log("dead")


SURVIVES_A_LIMIT = ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"]


@contextlib.contextmanager
def full_disk(daemon):
    """The daemon may write no byte past the first 4 KiB of a file."""
    pid = daemon.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def test_invariant_9_while_the_store_refuses_nothing_starts_and_no_outcome_is_lost(scene):
    scene.expect("msg=store-failed")
    hook = scene.receiver({"delay": 0.3})
    api = scene.api([alert(n) for n in range(8)])
    daemon = scene.start(scene.config(api, [webhook("hook", hook)]), SURVIVES_A_LIMIT)
    wait_for(lambda: hook.count == 8, what="eight in flight")
    with full_disk(daemon):
        api.items += [alert(n) for n in range(8, 40)]
        line = daemon.says("store-failed")
        assert line["level"] == "error" and "store" in line["hint"]
        wait_for(lambda: len(hook.seen) == 8)
        before = len(api.seen)
        daemon.poll()
        began = time.monotonic()
        wait_for(lambda: time.monotonic() > began + 1.5, what="time in which something could start")
        assert len(hook.seen) == 8 and daemon.runs
        assert len(api.seen) <= before + 20
        # the log tells it, not a flood
        assert len(daemon.log("store-failed")) < 10
    daemon.says("store-recovered")
    wait_for(lambda: len(hook.seen) == 40)
    scene.wait_drained()
    assert heard(hook) == {(f"al-{n}", "opened"): 1 for n in range(40)}
    assert not any(note[2] for note in notes(hook)), "outcomes waited in memory"


def test_invariant_10_a_mail_server_that_thinks_long_blocks_nobody(scene):
    post, hook = scene.mail(), scene.receiver()
    post.delay = 3
    api = scene.api([alert(1)])
    sinks = [plain_email("post", post), webhook("hook", hook)]
    daemon = scene.tocsin(api, sinks, grace="100ms")
    wait_for(lambda: post.tries)
    api.items += [alert(n) for n in range(2, 12)]
    daemon.poll()
    wait_for(lambda: len(hook.seen) == 11, 2)
    assert not daemon.log("delivered", sink="post"), "all that while the server thinks"
    daemon.says("delivered", sink="post")


def test_invariant_13_a_command_that_holds_the_store_is_waited_for_without_a_word(scene):
    hook = scene.receiver()
    api = scene.api([alert(1)])
    daemon = scene.tocsin(api, [webhook("hook", hook)])
    wait_for(lambda: hook.seen)
    scene.wait_drained()
    with contextlib.closing(sqlite3.connect(scene.folder / "tocsin.db", timeout=10)) as db:
        db.isolation_level = None
        db.execute("BEGIN IMMEDIATE")
        api.items.append(alert(2))
        began = time.monotonic()
        polls = len(api.seen)
        wait_for(lambda: time.monotonic() > began + 1.5)
        assert len(hook.seen) == 1 and len(api.seen) > polls
        db.execute("ROLLBACK")
    wait_for(lambda: len(hook.seen) == 2)
    assert not daemon.log("store-failed")
