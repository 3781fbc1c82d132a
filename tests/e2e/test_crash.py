"""An alert that makes the program crash: noted, tried once more, then set aside; the others go
on. tocsin-killed crashes on a word in a title, where its environment says (base/kill.h)."""
import json
import os
import pathlib

import pytest

from fakes import alert, heard, wait_for
from kills import killed_program
from programs import answers, run, webhook

WORD = "poison"
OTHERS = {(f"al-{n}", "opened"): 1 for n in (0, 1, 3, 4)}
SIGSEGV = -11


@pytest.fixture
def crashing(scene):
    """A configuration with one sink, and an API that lists five alerts, the third a bad one."""
    scene.api = scene.sim()
    scene.api.put(*(alert(n, title=f"{WORD if n == 2 else 'Title'} {n}") for n in range(5)))
    scene.hook = scene.receiver()
    scene.file = scene.config(scene.api, [webhook("hook", scene.hook)])
    scene.note = pathlib.Path(scene.folder, "tocsin.db.crash")
    return scene


def start(scene, where):
    """A daemon that crashes there on such an alert, as by a fault of its own."""
    env = {"ASAN_OPTIONS": "handle_segv=0", "TOCSIN_CRASH": f"{where}:{WORD}"}
    return scene.start(scene.file, env=env, program=killed_program())


def crash(scene, where):
    daemon = start(scene, where)
    daemon.killed = True  # it ends by itself
    assert daemon.wait() == SIGSEGV, "\n".join(daemon.err)
    return daemon


def note_of(scene):
    """What stands in the note."""
    lines = scene.note.read_text().splitlines()
    assert lines.pop() == "end"
    return dict(line.split(" ", 1) for line in lines)


def crashed_lines(daemon):
    return [(line["level"], line.get("times")) for line in daemon.log("crashed")]


@pytest.mark.parametrize("where", ["building", "judging"])
def test_a_delivery_that_crashes_the_program_twice_is_a_dead_letter(crashing, where):
    """Invariant 2."""
    crashing.expect("msg=crashed")
    crash(crashing, where)
    row = crashing.query("SELECT id, state FROM v_deliveries WHERE alert_id = 'al-2'")[0]
    assert row["state"] == "claimed"
    note = note_of(crashing)
    assert (note["doing"], note["signal"], note["number"], note["place"]) == (
        where, "SIGSEGV", str(row["id"]), "hook")

    assert crashed_lines(crash(crashing, where)) == [("warning", "1")]
    daemon = start(crashing, where)
    assert crashed_lines(daemon) == [("error", "2")]
    wait_for(lambda: heard(crashing.hook).keys() >= OTHERS.keys())
    crashing.wait_drained()
    assert not crashing.note.exists()
    assert "al-2" not in {key[0] for key in heard(crashing.hook)} or where == "judging"

    reason = f"tocsin crashed on it twice: SIGSEGV while {where} it"
    dead = answers(crashing.file, "queue", "--state", "dead")
    assert [(d["alert_id"], d["reason"]) for d in dead] == [("al-2", reason)]
    told = run(crashing.file, "explain", "al-2").stdout
    assert reason in told and f"tocsin crashed: SIGSEGV while {where} it" in told

    # what is mended is sent by hand
    crashing.stop(daemon)
    mended = crashing.start(crashing.file)
    assert run(crashing.file, "requeue", str(row["id"])).returncode == 0
    wait_for(lambda: ("al-2", "opened") in heard(crashing.hook) and crashing.drained())
    assert crashed_lines(mended) == []


@pytest.mark.parametrize("where", ["reading", "deciding"])
def test_an_alert_that_crashes_intake_twice_is_set_aside_and_its_page_goes_on(crashing, where):
    """Invariant 2."""
    crashing.expect("msg=crashed")
    crash(crashing, where)
    note = note_of(crashing)
    assert (note["doing"], note["signal"], note["place"]) == (where, "SIGSEGV", "acme")
    assert "number" not in note
    assert note.get("name") == ("al-2" if where == "deciding" else None)
    assert ("hash" in note) == (where == "reading")

    assert crashed_lines(crash(crashing, where)) == [("warning", "1")]
    daemon = start(crashing, where)
    assert crashed_lines(daemon) == [("error", "2")]
    wait_for(lambda: heard(crashing.hook) == OTHERS)
    daemon.says("item-rejected", reason="crashed on it twice")
    assert not crashing.note.exists()
    (reject,) = answers(crashing.file, "alerts", "--rejected")
    assert reject["reason"] == f"tocsin crashed on it twice: SIGSEGV while {where} it"
    assert reject["source"] == "acme" and json.loads(reject["item"])["id"] == "al-2"

    # for good, not only until the next start, and whatever else of the alert changes
    if where == "deciding":
        crashing.api.change("al-2", message="counted: 2")
    crashing.stop(daemon)
    again = start(crashing, where)
    crashing.api.put(alert(9))
    wait_for(lambda: ("al-9", "opened") in heard(crashing.hook))
    assert again.runs and crashed_lines(again) == []


def test_who_is_killed_accuses_nobody(crashing):
    env = {"TOCSIN_KILL": "request-built:3"}
    for _ in range(3):
        daemon = crashing.start(crashing.file, env=env, program=killed_program())
        daemon.killed = True
        assert daemon.wait() == -9
        assert not crashing.note.exists()
    daemon = crashing.start(crashing.file)
    wait_for(lambda: len(heard(crashing.hook)) == 5)
    assert daemon.log("crashed") == []


GOOD = "doing building\nsignal SIGSEGV\nat 1700000000000\nnumber 4711\nplace hook\nend\n"


@pytest.mark.parametrize("note", [
    b"",
    b"\0\xff\n\0",
    GOOD[:-5].encode(),
    GOOD.replace("4711", "-1").encode(),
    GOOD.replace("hook", "%ZZ").encode(),
    GOOD.encode() + b"end\n",
    b"x" * (1 << 20),
    GOOD.encode(),  # of a row that is not there
    GOOD.replace("number 4711\nplace hook", "place gone\nname al-1").encode(),
    GOOD.replace("number 4711\nplace hook", "place acme").encode(),
    "folder",
    "dangling",
    "pipe",
], ids=lambda note: note if isinstance(note, str) else repr(note[:12]))
def test_a_note_that_is_of_no_use_is_said_in_one_line_and_removed(crashing, note):
    path = crashing.note
    if note == "folder":
        path.mkdir()
    elif note == "dangling":
        path.symlink_to("nowhere")
    elif note == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(note)
    daemon = crashing.start(crashing.file)
    wait_for(lambda: len(heard(crashing.hook)) == 5)
    assert [line["level"] for line in daemon.log("crashed")] == ["warning"]
    assert not os.path.lexists(path)
