"""HUP while all goes on (invariant 12), and TERM at bad moments (invariant 11)."""
import json
import signal
import time

from fakes import alert, check_signature, heard, notes, wait_for
from programs import answers, newer, plain_email, run, slack, source, webhook, write_config


def reloads(daemon):
    """The lines of reloads that worked; a warning of the file is no such line."""
    return [line for line in daemon.log("reloaded") if "sources" in line]


def reload(daemon, seconds=20):
    """HUP, and waits until it has had its effect."""
    before = len(reloads(daemon))
    daemon.signal(signal.SIGHUP)
    wait_for(lambda: len(reloads(daemon)) > before, seconds, "msg=reloaded")


def states(scene, sink):
    rows = scene.query("SELECT state, count(*) AS n FROM v_deliveries WHERE sink = ? "
                       "GROUP BY state", sink)
    return {r["state"]: r["n"] for r in rows}


# ---- under load ------------------------------------------------------------------------------


def test_invariant_12_a_hundred_reloads_under_load_lose_and_repeat_nothing(scene):
    sim = scene.sim()
    hook, chat, post = scene.receiver({"delay": 0.02}), scene.receiver({"delay": 0.02}), scene.mail()
    post.delay = 0.02

    def configure(n):
        sinks = [webhook("hook", hook, window=4 + n % 7, timeout=f"{20 + n % 3}s"),
                 slack("chat", chat, window=4, collapse=False),
                 plain_email("post", post, collapse=False)]
        if n % 5 == 4:
            sinks.append(webhook("extra", hook))  # no route leads there
        routes = [{"name": "all", "to": ["hook", "chat", "post"]}]
        # each tenth also replaces the source in the midst of what it does
        return scene.config(sim, sinks[::-1] if n % 2 else sinks, routes,
                            {"sweep_every": f"{1000 + n // 10}ms"})

    daemon = scene.start(configure(0))
    sent = 0
    for n in range(1, 101):
        sim.put(*(alert(sent + i, created_at=newer()) for i in range(5)))
        sent += 5
        configure(n)
        reload(daemon)
    daemon.poll()
    wait_for(lambda: scene.count("SELECT count(*) FROM v_alerts") == sent, 30)
    scene.wait_drained(60)
    scene.stop(daemon)
    assert len(reloads(daemon)) == 100 and not daemon.log("reload-failed")
    assert len(daemon.log("reloaded", sources_new="1")) == 10
    for fake in (hook, chat, post):
        assert heard(fake) == {(f"al-{n}", "opened"): 1 for n in range(sent)}
        assert not any(note[2] for note in notes(fake))


def test_invariant_12_reloads_never_starve_a_long_walk(scene):
    pages = 40
    api = scene.api([alert(n) for n in range(100 * pages)])
    api.script = lambda call: {**api.right(call), "delay": 0.04}
    hook = scene.receiver()
    sinks = [webhook("hook", hook, window=64)]
    daemon = scene.tocsin(api, sinks, source_keys={"poll_every": "1h", "sweep_every": "1h"})
    wait_for(lambda: len(api.asked()) > 1)
    while not daemon.log("polled"):
        reload(daemon)
        assert len(api.asked()) < 3 * pages, "it began again and again"
    cursors = [q.get("cursor") for q in api.asked()]
    assert len(cursors) <= pages + 2 and len(set(cursors)) == pages
    wait_for(lambda: len(heard(hook)) == 100 * pages, 60)
    assert set(heard(hook).values()) == {1}


# ---- sinks -----------------------------------------------------------------------------------


def test_invariant_12_rows_of_a_removed_sink_are_orphans_until_it_is_back(scene):
    sim, hook, other = scene.sim(), scene.receiver({"kind": "hang"}), scene.receiver()
    both = [webhook("hook", hook, timeout="1s"), webhook("other", other)]
    to_both = [{"name": "all", "to": ["hook", "other"]}]
    daemon = scene.start(scene.config(sim, both, to_both))
    sim.put(*(alert(n, created_at=newer()) for n in range(20)))
    wait_for(lambda: hook.count == 8 and len(heard(other)) == 20)
    scene.config(sim, both[1:])
    reload(daemon)
    wait_for(lambda: states(scene, "hook") == {"orphaned": 20}, what="those in flight, too")
    status = answers(daemon.config, "status")[0]
    gone = next(s for s in status["sinks"] if s["name"] == "hook")
    assert gone["orphaned"] == 20 and not gone["present"]
    hook.behave = {}
    scene.config(sim, both, to_both)
    reload(daemon)
    wait_for(lambda: len(heard(hook)) == 20)
    scene.wait_drained()
    assert set(heard(hook).values()) == {1} and set(heard(other).values()) == {1}
    assert sum(note[2] for note in notes(hook)) == 8, "those that hung may be repeats"


def test_invariant_12_a_renamed_sink_goes_on_with_what_is_in_flight(scene):
    sim, hook = scene.sim(), scene.receiver({"delay": 1.0})
    daemon = scene.start(scene.config(sim, [webhook("old", hook)]))
    sim.put(*(alert(n, created_at=newer()) for n in range(12)))
    wait_for(lambda: hook.count == 8)
    scene.config(sim, [webhook("new", hook, was="old")])
    reload(daemon)
    assert daemon.says("adopted", sink="new")["was"] == "old"
    wait_for(lambda: len(heard(hook)) == 12)
    scene.wait_drained()
    for n in range(12):
        sim.change(f"al-{n}", status="resolved", resolved_at=newer())
    daemon.poll()
    wait_for(lambda: len(heard(hook)) == 24)
    scene.wait_drained()
    assert set(heard(hook).values()) == {1}
    assert states(scene, "new") == {"done": 24} and not states(scene, "old")


def test_invariant_12_orphans_are_adopted_by_a_sink_that_has_rows_of_its_own(scene):
    sim, old, new = scene.sim(), scene.receiver(), scene.receiver()
    down = [webhook("old", old), webhook("new", new)]
    daemon = scene.start(scene.config(sim, down, [{"name": "all", "to": ["old"]}]))
    sim.put(*(alert(n, created_at=newer()) for n in range(3)))
    wait_for(lambda: len(heard(old)) == 3)
    old.down()
    sim.put(*(alert(n, created_at=newer()) for n in range(3, 9)))
    wait_for(lambda: states(scene, "old").get("due", 0) == 6)
    scene.config(sim, down[1:])
    reload(daemon)
    wait_for(lambda: states(scene, "old") == {"done": 3, "orphaned": 6})
    sim.put(alert(9, created_at=newer()))
    wait_for(lambda: len(heard(new)) == 1)
    scene.config(sim, [webhook("new", new, was="old")])
    reload(daemon)
    wait_for(lambda: len(heard(new)) == 7)
    assert states(scene, "old") == {"done": 3, "moved": 6}
    reasons = scene.query("SELECT DISTINCT reason FROM v_deliveries WHERE state = 'moved'")
    assert reasons == [{"reason": "adopted by new"}]
    # and what the old one heard open, the new one hears close (invariant 5)
    scene.config(sim, [webhook("new", new)])
    reload(daemon)
    for n in range(10):
        sim.change(f"al-{n}", status="resolved", resolved_at=newer())
    daemon.poll()
    wait_for(lambda: sum(heard(new).values()) == 17)
    scene.wait_drained()
    assert set(heard(new).values()) == {1}
    assert {k for k in heard(new) if k[1] == "resolved"} == {(f"al-{n}", "resolved") for n in range(10)}


def test_a_retyped_sink_sends_what_waits_in_its_new_form_at_once(scene):
    sim, place = scene.sim(), scene.receiver({"status": 404})
    scene.expect("msg=sink-down")
    slow = {"min": "10m", "max": "10m"}
    daemon = scene.start(scene.config(sim, [webhook("sec", place, retry=slow)]))
    sim.put(*(alert(n, created_at=newer()) for n in range(5)))
    daemon.says("sink-down")
    wait_for(lambda: states(scene, "sec") == {"due": 5})
    place.behave = {}
    scene.config(sim, [slack("sec", place, retry=slow)])
    reload(daemon)
    wait_for(lambda: len(heard(place)) == 5, 10, "no wait for the old one's penalty")
    assert all(s.path.startswith("/services") for s in place.accepted())
    scene.wait_drained()


def test_routes_windows_and_secrets_change_at_once(scene):
    sim, bus, page = scene.sim(), scene.receiver({"delay": 0.2}), scene.receiver()
    key = scene.folder / "key"
    secrets = ["whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY", "whsec_" + "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4"]
    key.write_text(secrets[0])
    sinks = [webhook("bus", bus, window=1, secret=f"file:{key}"), webhook("page", page)]
    daemon = scene.start(scene.config(sim, sinks, [{"name": "all", "to": ["bus"]}]))
    sim.put(*(alert(n, created_at=newer()) for n in range(30)))
    wait_for(lambda: len(bus.accepted()) >= 2)
    key.write_text(secrets[1])
    wider = [{**sinks[0], "window": 30}, sinks[1]]
    scene.config(sim, wider, [{"name": "hot", "match": ["severity = critical"], "to": ["page"]},
                              {"name": "all", "to": ["bus"]}])
    before = len(bus.accepted())
    reload(daemon)
    began = time.monotonic()
    wait_for(lambda: len(bus.accepted()) == 30)
    assert time.monotonic() - began < (30 - before) * 0.2 / 2, "one after the other"
    sim.put(alert(30, severity="critical", created_at=newer()))
    wait_for(lambda: len(heard(page)) == 1)
    scene.wait_drained()
    assert ("al-30", "opened") not in heard(bus)
    first, last = bus.accepted()[0], bus.accepted()[-1]
    assert check_signature(first, secrets[0]) and not check_signature(first, secrets[1])
    assert check_signature(last, secrets[1]) and not check_signature(last, secrets[0])


# ---- sources ---------------------------------------------------------------------------------


def test_sources_are_added_removed_and_renamed(scene):
    sims, hook = scene.sims([["--seed", "1"], ["--seed", "2"]]), scene.receiver()
    sinks = [webhook("hook", hook)]

    def configure(*sources):
        return write_config(scene.folder, list(sources), sinks)

    daemon = scene.start(configure(source(sims[0])))
    sims[0].put(alert(1, created_at=newer()))
    wait_for(lambda: len(heard(hook)) == 1)
    configure(source(sims[0]), source(sims[1], name="beta"))
    reload(daemon)
    sims[1].put(alert(2, created_at=newer()))
    wait_for(lambda: len(heard(hook)) == 2)
    # the first is called something else, the second is gone
    configure(source(sims[0], name="corp", was="acme"))
    reload(daemon)
    polls = sims[1].requests("/v1/alerts")
    sims[0].change("al-1", status="resolved", resolved_at=newer())
    sims[1].change("al-2", status="resolved", resolved_at=newer())
    wait_for(lambda: heard(hook)[("al-1", "resolved")] == 1)
    assert scene.query("SELECT source FROM v_alerts WHERE id = 'al-1'") == [{"source": "corp"}]
    assert sims[1].requests("/v1/alerts") <= polls + 1, "one may have been on its way"
    configure(source(sims[0], name="corp"), source(sims[1], name="beta"))
    reload(daemon)
    wait_for(lambda: heard(hook)[("al-2", "resolved")] == 1)
    scene.wait_drained()
    assert set(heard(hook).values()) == {1} and len(heard(hook)) == 4


def test_a_source_with_a_wrong_secret_is_mended_without_a_gap(scene):
    sim, hook = scene.sim(), scene.receiver()
    scene.expect("msg=token-failed")
    login = {"client_id": "sandbox", "client_secret": "wrong", "start": "now"}
    daemon = scene.start(scene.config(sim, [webhook("hook", hook)], source_keys=login))
    daemon.says("token-failed")
    time.sleep(1.1)  # the API tells times in seconds
    sim.put(alert(1, created_at=newer()))  # comes up while nobody can look
    time.sleep(1.1)
    scene.config(sim, [webhook("hook", hook)], source_keys={**login, "client_secret": "sandbox"})
    reload(daemon)
    wait_for(lambda: len(heard(hook)) == 1, what="news since the start, not since the reload")


# ---- mistakes --------------------------------------------------------------------------------


def test_invariant_12_a_broken_reload_keeps_everything_and_status_says_so(scene):
    sim, hook = scene.sim(), scene.receiver()
    sinks = [webhook("hook", hook)]
    scene.expect("msg=reload-failed")
    config = scene.config(sim, sinks)
    daemon = scene.start(config)
    right = open(config, encoding="utf-8").read()
    broken = {
        "syntax error": right + "\nsinks = (",
        "no sink is named": right.replace('to = [ "hook" ]', 'to = [ "hok" ]'),
        "unknown key": right.replace('grace =', 'gracee ='),
        "restart for another one": right.replace("tocsin.db", "other.db"),
        "cannot": right.replace('type = "webhook"', 'type = "webhook"; secret = "file:/nowhere"'),
    }
    for number, (message, text) in enumerate(broken.items()):
        with open(config, "w", encoding="utf-8") as out:
            out.write(text)
        before = len(daemon.log("reload-failed"))
        daemon.signal(signal.SIGHUP)
        wait_for(lambda b=before: len(daemon.log("reload-failed")) > b, 20, message)
        line = daemon.log("reload-failed")[before]
        assert line["file"] == config and line["line"].isdigit() and "still in force" in line["hint"]
        sim.put(alert(number, created_at=newer()))
        wait_for(lambda n=number: len(heard(hook)) == n + 1)
        with open(config, "w", encoding="utf-8") as out:  # commands read it, too
            out.write(right)
        # status is written once a second: until then it tells of the mistake before
        wait_for(lambda w=line["reason"]: w in (answers(config, "status")[0]["reload_error"] or ""), 5)
        said = answers(config, "status")[0]
        assert said["reload_error"].startswith(f"{config}:") and said["ready"]
        text = run(config, "status").stdout
        assert "the last reload failed" in text and said["reload_error"].split(" (and")[0] in text
    reload(daemon)
    wait_for(lambda: answers(config, "status")[0]["reload_error"] is None, 5)
    assert "reload" not in run(config, "status").stdout
    assert set(heard(hook).values()) == {1}


def test_check_tells_what_is_wrong_with_was(scene, tmp_path):
    hook = scene.receiver()
    sinks = [webhook("a", hook, was="b"), webhook("b", hook), webhook("c", hook, was="x"),
             webhook("d", hook, was="x"), webhook("e", hook, was="e"), webhook("f", hook, was="no name")]
    config = write_config(tmp_path, [source(scene.api([]), was="acme")], sinks)
    done = run(config, "check", "--json")
    assert done.returncode == 78
    said = [json.loads(line)["message"] for line in done.stdout.splitlines()]
    for want in ('sink "a": was = "b"', 'sink "d": was = "x", as in line', 'sink "e": was = "e"',
                 'sink "f": was is no name', 'source "acme": was = "acme"'):
        assert any(want in s for s in said), (want, said)


# ---- TERM ------------------------------------------------------------------------------------


def test_invariant_11_term_while_the_api_hangs_ends_at_once(scene):
    hook = scene.receiver()
    api = scene.api([alert(1)], lambda call: {"kind": "hang"})
    daemon = scene.tocsin(api, [webhook("hook", hook)])
    wait_for(lambda: api.count)
    began = time.monotonic()
    scene.stop(daemon)
    assert time.monotonic() - began < 2, "an answer that nobody needs is not waited for"


def test_invariant_11_term_twice_under_load_loses_nothing_and_marks_what_it_cut(scene):
    sim, hook, chat = scene.sim(), scene.receiver({"delay": 0.6}), scene.receiver({"delay": 0.02})
    config = scene.config(sim, [webhook("hook", hook), slack("chat", chat)], grace="30s")
    sim.put(*(alert(n, created_at=newer()) for n in range(60)))
    for _ in range(2):
        daemon = scene.start(config)
        before = hook.count
        wait_for(lambda b=before: hook.count >= b + 8, what="a window in flight")
        daemon.process.terminate()
        daemon.says("stopping")
        daemon.process.terminate()
        began = time.monotonic()
        assert daemon.wait(20) == 0
        assert time.monotonic() - began < 5
        assert scene.count("SELECT count(*) FROM v_deliveries WHERE state = 'claimed'") == 0
    scene.start(config)
    scene.wait_drained()
    for fake in (hook, chat):
        assert {k[0] for k in heard(fake)} == {f"al-{n}" for n in range(60)}
        seen = set()
        for call, note in zip(fake.accepted(), notes(fake)):
            assert note[:2] not in seen or note[2], f"{note[:2]} came again and did not say so"
            seen.add(note[:2])
            assert call.status == 200
    assert sum(heard(hook).values()) - 60 <= 16, "at most a window for each stop"


def test_invariant_11_hup_after_term_and_term_after_hup_stop_cleanly(scene):
    sim, hook = scene.sim(), scene.receiver({"delay": 0.5})
    config = scene.config(sim, [webhook("hook", hook)])
    for _ in range(5):
        sim.add(n=4)
        daemon = scene.start(config)
        daemon.signal(signal.SIGHUP)
        daemon.process.terminate()
        daemon.signal(signal.SIGHUP)
        assert daemon.wait(20) == 0
        assert scene.count("SELECT count(*) FROM v_deliveries WHERE state = 'claimed'") == 0
