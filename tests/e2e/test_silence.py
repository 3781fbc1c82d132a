"""`tocsin silence`: what is stored, listed and ended, what is refused, with no daemon and beside one."""
import datetime
import json
import re
import sqlite3
import time

import pytest

from support import Store, configuration, json_lines, tocsin

MONTH = 31 * 24 * 3600


@pytest.fixture
def shelf(tmp_path):
    conf = configuration(tmp_path)
    store = Store(tmp_path / "tocsin.db")
    store.names()
    yield conf, store
    store.close()


def add(conf, *arguments, **options):
    """The new silence's id, which is all that is printed."""
    done = tocsin("silence", "add", *arguments, conf=conf, **options)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"[1-9][0-9]*\n", done.stdout)
    return int(done.stdout)


def listed(conf, *options):
    return json_lines(tocsin("silence", "list", "--json", *options, conf=conf))


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def utc(at, form="%Y-%m-%dT%H:%M:%SZ"):
    return time.strftime(form, time.gmtime(at))


def test_what_is_added_is_listed(shelf):
    conf, store = shelf
    before = time.time()
    assert add(conf, "severity = low", "title =~ .*\"test\".*", "--for", "2h", "--comment",
               "moving – the \\ \"lab\"", "--who", "mia") == 1
    assert add(conf, "--everything", "--for", "30m", "--comment", "a drill") == 2
    first, second = listed(conf)
    assert list(first) == ["id", "matchers", "since", "until", "comment", "who", "held", "dropped"]
    assert first == {"id": 1, "matchers": ["severity = low", "title =~ .*\"test\".*"],
                     "since": first["since"], "until": first["until"],
                     "comment": "moving – the \\ \"lab\"", "who": "mia", "held": 0, "dropped": 0}
    assert before - 1 <= seconds(first["since"]) <= time.time()
    assert seconds(first["until"]) - seconds(first["since"]) == 7200
    assert (second["matchers"], second["comment"]) == ([], "a drill")
    row = store.db.execute("SELECT matchers, until - since FROM v_silences WHERE id = 1").fetchone()
    assert (json.loads(row[0]), row[1]) == (first["matchers"], 7200000)


def test_who_is_the_user_unless_it_is_said(shelf):
    conf, _ = shelf
    add(conf, "severity = low", "--for", "1m", "--comment", "c", env={"USER": "zoë"})
    assert listed(conf)[0]["who"] == "zoë"


def test_people_see_a_table(shelf):
    conf, store = shelf
    assert tocsin("silence", "list", conf=conf).stdout == "no silence is in force\n"
    assert tocsin("silence", "list", "--all", conf=conf).stdout == "there has been no silence\n"
    add(conf, "severity = low", "user_id = u_1", "--for", "3d", "--comment", "a\x1b[31m drill",
        "--who", "mia")
    add(conf, "--everything", "--for", "90m", "--comment", "b", "--who", "tom")
    text = tocsin("silence", "list", conf=conf).stdout
    assert re.search(r"^ *1  severity = low, user_id = u_1  in [23] days +mia +0 +0  a \[31m drill$", text, re.M)
    assert re.search(r"^ *2  everything +in \d+ \S+ +tom +0 +0  b$", text, re.M), text


def test_one_that_is_ended_is_listed_with_all_alone(shelf):
    conf, store = shelf
    for comment in "abc":
        add(conf, "severity = low", "--for", "1h", "--comment", comment)
    done = tocsin("silence", "end", 1, 3, conf=conf)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "silence 1 is over: 0 held, 0 dropped\nsilence 3 is over: 0 held, 0 dropped\n"
    assert [s["id"] for s in listed(conf)] == [2]
    assert [s["id"] for s in listed(conf, "--all")] == [1, 2, 3]
    ended = json_lines(tocsin("silence", "end", 2, "--json", conf=conf))
    assert [s["id"] for s in ended] == [2] and seconds(ended[0]["until"]) <= time.time()
    assert add(conf, "severity = low", "--for", "1h", "--comment", "d") == 4


def test_held_and_dropped_are_counted(shelf):
    conf, store = shelf
    add(conf, "severity = low", "--for", "1h", "--comment", "c")
    add(conf, "severity = high", "--for", "1h", "--comment", "c")
    for n in range(3):
        alert = store.alert(f"a{n}")
        store.delivery(store.event(alert), "held", reason="silence", grp=1, held_until=store.now + 10**7,
                       due_at=store.now)
    store.delivery(store.event(store.alert("b")), "held", reason="quiet", grp=1,
                   held_until=store.now + 10**7)
    store.db.execute("UPDATE silences SET dropped = 5 WHERE id = 2")
    store.db.commit()
    assert [(s["held"], s["dropped"]) for s in listed(conf)] == [(3, 0), (0, 5)]
    assert tocsin("silence", "end", 1, conf=conf).stdout == "silence 1 is over: 3 held, 0 dropped\n"


def test_add_with_json_tells_the_whole(shelf):
    conf, _ = shelf
    told = json_lines(tocsin("silence", "add", "id = al1", "--for", "1h", "--comment", "c", "--json",
                             conf=conf))
    assert told == listed(conf)


# ---- until when ----


@pytest.mark.parametrize("form,step", [
    ("%Y-%m-%dT%H:%M:%SZ", 1), ("%Y-%m-%dT%H:%M:%S", 1), ("%Y-%m-%d %H:%M:%S", 1),
    ("%Y-%m-%dT%H:%MZ", 60), ("%Y-%m-%d %H:%M", 60), ("%Y-%m-%dT%H:%M", 60), ("%Y-%m-%d", 86400),
    ("%Y-%m-%dT%H:%M:%S+00:00", 1), ("%Y-%m-%dT%H:%M+0000", 60), ("%Y-%m-%dT%H:%M-00:00", 60)])
def test_a_time_may_be_short(shelf, form, step):
    conf, _ = shelf
    at = (int(time.time()) + MONTH) // step * step
    done = tocsin("silence", "add", "id = a", "--until", utc(at, form), "--comment", "c", conf=conf)
    assert done.returncode == 0, done.stderr
    assert seconds(listed(conf)[0]["until"]) == at
    # What was meant by a time without a zone is told.
    has_zone = form[-1] not in "SMd" or "00" in form
    assert done.stderr == ("" if has_zone else f"tocsin: until {utc(at)}, in 31 days\n") or \
        re.fullmatch(r"tocsin: until \S+Z, in (30|31) days\n", done.stderr) and not has_zone


def test_a_zone_counts(shelf):
    conf, _ = shelf
    at = (int(time.time()) + MONTH) // 60 * 60
    add(conf, "id = a", "--until", utc(at + 2 * 3600, "%Y-%m-%dT%H:%M+02:00"), "--comment", "c")
    assert seconds(listed(conf)[0]["until"]) == at


# ---- what is refused ----

GOOD = ["severity = low", "--for", "1h", "--comment", "c"]


@pytest.mark.parametrize("arguments,code,text", [
    ([], 2, "it takes add, list or end"),
    (["ad"], 2, "it takes add, list or end"),
    (["add", "--for", "1h", "--comment", "c"], 2,
     "without a matcher it silences every alert: say so with --everything"),
    (["add", *GOOD, "--everything"], 2, "either matchers or --everything"),
    (["add", "severity", "=", "low", "--for", "1h", "--comment", "c"], 2,
     'matcher "severity": needs one of = != =~ !~ < <= > >= after "severity" (quote each matcher'),
    (["add", "title =~ (", "--for", "1h", "--comment", "c"], 2, 'matcher "title =~ ("'),
    (["add", "sink = bus", "--for", "1h", "--comment", "c"], 2, "tocsin sink hold NAME"),
    (["add", "route = rest", "--for", "1h", "--comment", "c"], 2, "looks at the alert, not at its route"),
    (["add", "severity = low", "--comment", "c"], 2, "either --for 2h or --until TIME"),
    (["add", *GOOD, "--until", "2099-01-01"], 2, "either --for 2h or --until TIME"),
    (["add", "severity = low", "--for", "1h"], 2, "--comment TEXT"),
    (["add", "severity = low", "--for", "1h", "--comment", ""], 2, "--comment TEXT"),
    (["add", "severity = low", "--for", "2", "--comment", "c"], 2, "--for: \"2\" needs a unit"),
    (["add", "severity = low", "--for", "0s", "--comment", "c"], 2, "--for: that is not in the future"),
    (["add", "severity = low", "--for", "367d", "--comment", "c"], 2, "--for: at most 366d"),
    (["add", "severity = low", "--until", "2020-01-01", "--comment", "c"], 2,
     "--until: that is not in the future"),
    (["add", "severity = low", "--until", "2199-01-01", "--comment", "c"], 2, "--until: at most 366d"),
    (["add", "severity = low", "--until", "tomorrow", "--comment", "c"], 2, '"tomorrow" is no time'),
    (["add", "severity = low", "--until", "2026-13-01", "--comment", "c"], 2, "is no time"),
    (["add", "severity = low", "--until", "", "--comment", "c"], 2, "is no time"),
    (["add", *GOOD, "--who", "x" * 101], 2, "--who: at most 100 bytes"),
    (["add", "severity = low", "--for", "1h", "--comment", "x" * 1001], 2, "--comment: at most 1000 bytes"),
    (["add", "title = " + "x" * 1000, "--for", "1h", "--comment", "c"], 2, "at most 1000 bytes"),
    (["add", *["id = a"] * 33, "--for", "1h", "--comment", "c"], 2, "at most 32 matchers"),
    (["add", *GOOD, "--all"], 2, "--all does not go with add"),
    (["list", "--for", "1h"], 2, "--for does not go with list"),
    (["list", "1"], 2, "list takes no argument"),
    (["end"], 2, "end takes the ids of silences"),
    (["end", "x"], 2, '"x" is no id of a silence'),
    (["end", "0"], 2, '"0" is no id of a silence'),
    (["end", "7"], 1, "the store knows no silence 7"),
])
def test_what_is_wrong_is_said(shelf, arguments, code, text):
    conf, store = shelf
    done = tocsin("silence", *arguments, conf=conf)
    assert (done.returncode, done.stdout) == (code, "")
    assert text in done.stderr
    assert store.db.execute("SELECT count(*) FROM silences").fetchone() == (0,)


def test_one_that_is_over_is_not_ended_again_and_the_others_are(shelf):
    conf, _ = shelf
    add(conf, *GOOD)
    add(conf, *GOOD)
    assert tocsin("silence", "end", 1, conf=conf).returncode == 0
    done = tocsin("silence", "end", 1, 2, 9, conf=conf)
    assert (done.returncode, done.stdout) == (1, "silence 2 is over: 0 held, 0 dropped\n")
    assert done.stderr == ("tocsin: silence 1 is over already\n"
                           "tocsin: the store knows no silence 9\n")


def test_a_likely_typo_is_told_and_taken(shelf):
    conf, _ = shelf
    done = tocsin("silence", "add", "severty = low", "--for", "1h", "--comment", "c", conf=conf)
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert 'warning: "severty = low"' in done.stderr and 'did you mean "severity"?' in done.stderr


def test_too_many_that_must_be_asked_one_by_one_are_refused(shelf):
    conf, store = shelf
    fill = ("WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO silences "
            "(matchers, since, until, comment, who) SELECT ?, 0, 1 << 50, '', '' FROM n")
    store.db.execute(fill, (999, '["severity < high"]'))
    store.db.execute(fill, (500, '["type = x"]'))
    store.db.commit()
    pattern = ["title =~ x.*", "--for", "1h", "--comment", "c"]
    add(conf, *pattern)
    done = tocsin("silence", "add", *pattern, conf=conf)
    assert done.returncode == 1 and "1000 silences in force have no `field = text`" in done.stderr
    add(conf, "type = y", *pattern)


def test_without_a_store_it_says_so(tmp_path):
    done = tocsin("silence", "add", *GOOD, conf=configuration(tmp_path))
    assert done.returncode == 1 and "tocsin.db" in done.stderr


# ---- beside a daemon ----


def test_a_daemon_goes_on_beside_it(scene):
    from programs import webhook
    bus, api = scene.receiver(), scene.sim()
    daemon = scene.tocsin(api, sinks=[webhook("bus", bus)])
    conf = daemon.config
    daemon.says("ready")
    number = add(conf, "severity = low", "--for", "1h", "--comment", "c")
    assert tocsin("silence", "end", number, conf=conf).returncode == 0
    with sqlite3.connect(f"file:{scene.folder}/tocsin.db?mode=ro", uri=True) as db:
        assert db.execute("SELECT count(*) FROM v_silences").fetchone() == (1,)
    scene.stop(daemon)
