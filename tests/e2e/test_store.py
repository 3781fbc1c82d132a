"""The store's file in bad hands: full disks, deleted, replaced and damaged files, copies, and what
`tocsin store` makes of them."""
import collections
import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess

import pytest

from fakes import alert, heard, notes, wait_for
from programs import answers, newer, run, webhook

NOW = {"source_keys": {"start": "now", "poll_every": "200ms"}}
READY = "SELECT json FROM v_runtime"


def ids(hook):
    """webhook-ids by alert, in the order of what was accepted."""
    found = collections.defaultdict(list)
    for seen, note in zip(hook.accepted(), notes(hook)):
        found[note[0]].append(seen.headers["webhook-id"])
    return found


def files(scene, part):
    return [p for p in pathlib.Path(scene.folder).iterdir() if part in p.name]


def is_ready(scene):
    return json.loads(scene.query(READY)[0]["json"])["ready"]


def start(scene, alerts, **keys):
    """A daemon that has told of so many alerts; its API, its receiver, its configuration."""
    api, hook = scene.api(), scene.receiver()
    config = scene.config(api, [webhook("hook", hook)], **keys)
    daemon = scene.start(config)
    daemon.says("ready")
    # of the next second: newer than the start, which is no whole one
    api.items += [alert(n, created_at=newer(1)) for n in range(alerts)]
    wait_for(lambda: len(hook.accepted()) == alerts)
    scene.wait_drained()
    return daemon, api, hook, config


# ---- deleted, replaced, moved ----------------------------------------------------------------


def test_invariant_9_a_store_that_is_moved_away_and_back_loses_nothing(scene):
    scene.expect("was deleted under the daemon")
    daemon, api, hook, _ = start(scene, 3)
    store = f"{scene.folder}/tocsin.db"
    os.rename(store, store + ".away")
    line = daemon.says("store-failed", reason="was deleted under the daemon")
    assert store in line["reason"] and "restart tocsin" in line["hint"]
    api.items += [alert(9, created_at=newer())]
    asked = len(api.seen)
    daemon.poll()
    wait_for(lambda: files(scene, ".suspect"))
    assert len(hook.seen) == 3 and len(api.seen) <= asked + 1, "nothing is taken in"
    os.rename(store + ".away", store)
    daemon.says("store-recovered")
    wait_for(lambda: len(hook.accepted()) == 4)
    scene.wait_drained()
    wait_for(lambda: is_ready(scene))
    assert heard(hook) == {(f"al-{n}", "opened"): 1 for n in (0, 1, 2, 9)}
    assert len(daemon.log("store-failed")) == len(daemon.log("store-recovered")) == 1
    assert not files(scene, ".suspect")


def test_what_came_up_while_the_store_was_gone_rings_after_a_restart_on_a_new_one(scene):
    scene.expect("was deleted under the daemon")
    daemon, api, hook, config = start(scene, 3, **NOW)
    for file in files(scene, "tocsin.db"):
        if not file.name.endswith(".lock"):
            file.unlink()
    daemon.says("store-failed", reason="was deleted under the daemon")
    api.items += [alert(9, created_at=newer())]
    scene.stop(daemon)
    assert not os.path.exists(f"{scene.folder}/tocsin.db"), "nothing was written into the void"
    again = scene.start(config)
    assert "ring" in again.says("store-recovered")["hint"]
    wait_for(lambda: "al-9" in ids(hook))
    scene.wait_drained()
    # what it had told before comes again, under the same id and marked
    for name, of_alert in ids(hook).items():
        assert len(set(of_alert)) == 1, name
    assert all(note[2] for note in notes(hook)[3:])
    scene.stop(again)


def test_a_store_replaced_under_the_daemon_is_not_touched(scene):
    scene.expect("was replaced under the daemon")
    daemon, _, hook, config = start(scene, 3)
    store, copy = f"{scene.folder}/tocsin.db", f"{scene.folder}/copy.db"
    assert run(config, "store", "backup", copy).returncode == 0
    before = pathlib.Path(copy).read_bytes()
    os.rename(copy, store)
    daemon.says("store-failed", reason="was replaced under the daemon")
    scene.stop(daemon)
    assert pathlib.Path(store).read_bytes() == before
    again = scene.start(config)
    again.says("ready")
    scene.stop(again)
    assert set(heard(hook)) == {(f"al-{n}", "opened") for n in range(3)}


# ---- damage ----------------------------------------------------------------------------------


def scribble(path, at=0, size=65536):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(b"\x5a" * size)


def test_a_damaged_store_is_set_aside_at_start_and_the_bells_go_on_ringing(scene):
    scene.expect("damaged")
    daemon, api, hook, config = start(scene, 3, **NOW)
    scene.stop(daemon)
    store = f"{scene.folder}/tocsin.db"
    scribble(store, at=16384)
    damaged = pathlib.Path(store).read_bytes()

    done = run(config, "store", "check")
    assert done.returncode == 1 and "damaged" in done.stdout + done.stderr
    assert "put a backup in its place" in done.stderr and store in done.stderr
    api.items += [alert(9, created_at=newer())]
    again = scene.start(config)
    line = again.says("store-failed")
    assert pathlib.Path(line["aside"]).read_bytes() == damaged
    assert "tocsin store check" in line["hint"] and line["store"] == store
    wait_for(lambda: "al-9" in ids(hook))
    scene.wait_drained()
    for name, of_alert in ids(hook).items():
        assert len(set(of_alert)) == 1, name
    wait_for(lambda: is_ready(scene))

    assert run(config, "store", "check").returncode == 0
    assert run(config, "store", "check", line["aside"]).returncode == 1
    assert pathlib.Path(line["aside"]).read_bytes() == damaged
    scene.stop(again)
    third = scene.start(config)
    third.says("ready")
    assert not third.log("store-failed")


def test_damage_under_the_daemon_is_said_with_the_remedy_and_a_restart_goes_on(scene):
    scene.expect("malformed", "not a database", "damaged", "disk I/O")
    daemon, api, hook, config = start(scene, 3)
    store = f"{scene.folder}/tocsin.db"
    with contextlib.closing(sqlite3.connect(store, timeout=10)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    scribble(store, at=8192, size=os.path.getsize(store) - 8192)
    api.items += [alert(9, created_at=newer())]
    line = daemon.says("store-failed")
    assert store in line["reason"] and "restart tocsin" in line["hint"]
    assert files(scene, ".suspect")
    left = pathlib.Path(store).read_bytes()
    scene.stop(daemon)
    assert pathlib.Path(store).read_bytes() == left, "it was written to at the end"
    again = scene.start(config)
    assert again.says("store-failed")["aside"]
    wait_for(lambda: "al-9" in ids(hook))
    wait_for(lambda: is_ready(scene))
    scene.stop(again)


def test_a_store_of_a_newer_version_or_anothers_is_refused_and_left(scene):
    daemon, _, _, config = start(scene, 1)
    scene.stop(daemon)
    store = pathlib.Path(scene.folder, "tocsin.db")
    with contextlib.closing(sqlite3.connect(store)) as db:
        db.execute("PRAGMA user_version = 99")
    for text, reason in ((None, "of version 99"), (b"a letter\n" * 999, "no store of tocsin")):
        if text:
            store.write_bytes(text)
        done = run(config, "run")
        assert done.returncode == 1 and reason in done.stderr and str(store) in done.stderr
        assert not files(scene, "damaged")
    assert store.read_bytes() == text


# ---- a full disk -----------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of 3 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("to mount a small file system needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tocsin-test", folder],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"no small file system: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Leaves no room at all."""
    with open(folder / "ballast", "ab", buffering=0) as file:
        for size in (65536, 4096):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)


def test_invariant_9_a_disk_that_is_full_stops_intake_and_loses_nothing(scene, small_disk):
    scene.expect("full")
    # all of 40 are under way when the disk fills up
    held = scene.receiver(lambda call: {"delay": 2.0})
    api = scene.api([alert(n) for n in range(40)])
    config = scene.config(api, [webhook("hook", held, window=40)],
                          store=f"{small_disk}/tocsin.db", store_reserve="32KiB")
    daemon = scene.start(config)
    claimed = "SELECT count(*) FROM v_deliveries WHERE state = 'claimed'"

    def count(sql):
        path = f"file:{small_disk}/tocsin.db?mode=ro"
        with contextlib.closing(sqlite3.connect(path, uri=True, timeout=10)) as db:
            return db.execute(sql).fetchone()[0]

    wait_for(lambda: os.path.exists(f"{small_disk}/tocsin.db") and count(claimed) == 40)
    fill(small_disk)
    assert "`store_reserve`" in daemon.says("store-failed", reason="nearly full")["hint"]
    held.behave = {}
    api.items += [alert(n) for n in range(40, 60)]
    wait_for(lambda: len(held.accepted()) == 40)
    # settling goes on as long as the log has room; intake waits
    assert count("SELECT count(*) FROM v_alerts") == 40
    os.unlink(small_disk / "ballast")
    wait_for(lambda: len(held.accepted()) == 60)
    wait_for(lambda: count("SELECT count(*) FROM v_deliveries WHERE state = 'done'") == 60)
    assert heard(held) == {(f"al-{n}", "opened"): 1 for n in range(60)}
    assert not any(note[2] for note in notes(held))
    recovered = daemon.log("store-recovered") + daemon.log("poll-recovered")
    assert len(recovered) == len(daemon.log("store-failed")), "each is said once"
    scene.stop(daemon)


# ---- copies ----------------------------------------------------------------------------------


def test_a_backup_is_made_beside_a_busy_daemon_and_can_be_put_back(scene):
    api = scene.api([alert(n) for n in range(300)])
    hook = scene.receiver({"delay": 0.005})
    config = scene.config(api, [webhook("hook", hook)])
    daemon = scene.start(config)
    wait_for(lambda: len(hook.accepted()) > 60)
    copy = f"{scene.folder}/copy.db"
    done = run(config, "store", "backup", copy, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"file": copy, "bytes": os.path.getsize(copy)}
    assert os.stat(copy).st_mode & 0o777 == 0o600
    told = json.loads(run(config, "store", "check", copy, "--full", "--json").stdout)
    assert told["ok"] and told["findings"] == [] and 0 < told["rows"]["alerts"] <= 300
    again = run(config, "store", "backup", copy)
    assert again.returncode == 1 and "--force" in again.stderr
    assert run(config, "store", "backup", copy, "--force").returncode == 0
    assert not files(scene, ".part")
    wait_for(lambda: len(hook.accepted()) == 300)
    scene.wait_drained()
    scene.stop(daemon)

    for file in files(scene, "tocsin.db"):
        if not file.name.endswith(".lock"):
            file.unlink()
    shutil.copy(copy, f"{scene.folder}/tocsin.db")
    before = len(notes(hook))
    restored = scene.start(config)
    assert "possible_repeat" in restored.says("store-recovered", hint="it is a backup")["hint"]
    restored.says("ready")
    scene.wait_drained()
    assert scene.count("SELECT count(*) FROM v_deliveries WHERE state = 'done'") == 300
    assert all(note[2] for note in notes(hook)[before:])
    for name, of_alert in ids(hook).items():
        assert len(set(of_alert)) == 1, name
    scene.stop(restored)


def test_what_is_asked_wrongly_is_said(scene):
    config = scene.config(scene.api(), [webhook("hook", scene.receiver())])
    for arguments, code in (
        (["store"], 2), (["store", "mend"], 2), (["store", "backup"], 2),
        (["store", "check", "a", "b"], 2), (["store", "check", "--force"], 2),
        (["store", "check"], 1), (["store", "backup", f"{scene.folder}/copy.db"], 1),
        (["store", "check", f"{scene.folder}/none"], 1),
    ):
        done = run(config, *arguments)
        assert done.returncode == code and done.stderr.startswith("tocsin: "), arguments
    assert not files(scene, "copy.db") and not files(scene, "tocsin.db")


def test_status_does_not_believe_a_daemon_that_cannot_write_any_more(scene):
    sim, hook = scene.sim(), scene.receiver()
    quiet = {"start": "now", "poll_every": "60s"}  # nothing to write for a while
    config = scene.config(sim, [webhook("hook", hook)], source_keys=quiet)
    daemon = scene.start(config)
    daemon.says("ready")
    wait_for(lambda: answers(config, "status")[0]["ready"])
    with contextlib.closing(sqlite3.connect(f"{scene.folder}/tocsin.db", timeout=10)) as store:
        store.execute("UPDATE runtime SET at = at - 200000")
        store.commit()
    said = answers(config, "status")[0]
    assert not said["ready"] and "does its store take writes" in said["reasons"][0]
    assert "not ready\n  it last wrote 3 min ago" in run(config, "status").stdout
