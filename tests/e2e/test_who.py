"""Who, which policy, how much budget: kept with each event, and waited for, but never for long."""
import html
import json
import re
import signal
import time

from fakes import alert, heard, parse_mail, wait_for
from programs import newer, plain_email, run, source, webhook

ALL = ["users", "policies", "budgets"]
KEPT = {"context": ALL, "poll_every": "100ms", "sweep_every": "100ms", "context_every": "1h"}
BY_TEAM = [{"name": "eng", "match": ["user.department = Engineering"], "to": ["eng"], "continue": False},
           {"name": "rest", "to": ["rest"]}]
WAITING = "SELECT count(*) FROM v_events WHERE wait_until IS NOT NULL"


def user(number):
    return f"05e70000-0000-4000-8000-{number:012x}"


def begin(scene, sim, routes=None, **keys):
    eng, rest = scene.receiver(), scene.receiver()
    sinks = [webhook("eng", eng), webhook("rest", rest)]
    config = scene.config(sim, sinks, routes or BY_TEAM, source_keys={**KEPT, **keys})
    return scene.start(config), config, eng, rest


def mirrored(scene, count=24):
    known = "SELECT count(*) FROM v_directory WHERE kind = 'users'"
    wait_for(lambda: scene.count(known) >= count, 20, "the users")


def context_of(scene, number, kind="opened"):
    rows = scene.query("SELECT context FROM v_events WHERE alert_id = ? AND kind = ?",
                       f"al-{number}", kind)
    return json.loads(rows[0]["context"])


def of_user(number, who, **more):
    return alert(number, user_id=who, created_at=newer(), **more)


def test_a_department_is_routed_by_and_kept_with_what_follows(scene):
    sim = scene.sim()
    sim.change_user(1, department="Engineering", name="Ada Byron")
    sim.change_user(2, department="Legal")
    _, _, eng, rest = begin(scene, sim)
    mirrored(scene)
    sim.put(of_user(1, user(1)), of_user(2, user(2)), of_user(3, None))
    wait_for(lambda: len(heard(eng)) == 1 and len(heard(rest)) == 2, 10, "the alerts")
    assert heard(eng) == {("al-1", "opened"): 1}
    before = context_of(scene, 1)
    assert before["user"]["name"] == "Ada Byron"
    sim.change("al-1", status="resolved")
    wait_for(lambda: ("al-1", "resolved") in heard(eng), 10, "the close")
    assert context_of(scene, 1, "resolved") == before
    assert "user" not in context_of(scene, 3)


def test_the_budget_is_the_alerts_own_then_its_departments_then_the_organisations(scene):
    sim = scene.sim()
    sim.change_user(1, department="Engineering")
    sim.change_user(2, department=None)
    begin(scene, sim)
    mirrored(scene)
    wait_for(lambda: scene.count(
        "SELECT count(*) FROM v_directory WHERE kind = 'budgets'") == 6, 20, "the budgets")
    listed = {b["id"]: b for b in (json.loads(r["body"]) for r in scene.query(
        "SELECT body FROM v_directory WHERE kind = 'budgets'"))}
    named = next(b for b in listed.values() if b["department"] not in (None, "engineering"))
    sim.put(of_user(1, user(1)), of_user(2, user(2)),
            of_user(3, user(1), metadata={"budget_id": named["id"]}))
    wait_for(lambda: scene.count("SELECT count(*) FROM v_events") == 3, 10, "the alerts")
    assert context_of(scene, 3)["budget"]["id"] == named["id"]
    assert context_of(scene, 1)["budget"]["department"].lower() == "engineering"
    of_all = context_of(scene, 2)["budget"]
    assert of_all["department"] is None
    percent = 100 * of_all["spent"] / of_all["amount"]
    assert abs(of_all["percent"] - percent) <= 0.11


def test_an_event_waits_for_a_user_that_comes(scene):
    sim = scene.sim()
    _, _, eng, rest = begin(scene, sim, context_wait="30s")
    mirrored(scene)
    sim.put(of_user(1, "fresh"))
    wait_for(lambda: scene.count(WAITING) == 1, 10, "the event to wait")
    assert not heard(eng) and not heard(rest)
    shown = run(scene.folder / "tocsin.conf", "alerts", "--state", "unrouted", "--json")
    assert shown.returncode == 0 and shown.stdout == ""
    told = run(scene.folder / "tocsin.conf", "explain", "al-1").stdout
    assert "waits for what is not known of it: routed in" in told and "no route" not in told
    sim.call("POST", "/_sim/users", [{"id": "fresh", "name": "Fay", "department": "Engineering"}])
    wait_for(lambda: heard(eng), 25, "the alert, by its user's department")
    assert scene.count(WAITING) == 0
    assert not heard(rest)
    assert context_of(scene, 1)["user"]["name"] == "Fay"


def test_an_event_goes_on_without_what_does_not_come(scene):
    sim = scene.sim()
    _, _, eng, rest = begin(scene, sim, context_wait="500ms")
    mirrored(scene)
    sim.fault(path="/v1/users", kind="hang", seconds=60)
    began = time.monotonic()
    sim.put(of_user(1, "nobody"))
    wait_for(lambda: heard(rest), 10, "the alert")
    assert time.monotonic() - began < 5
    assert "user" not in context_of(scene, 1)
    assert not heard(eng)


def test_what_follows_ends_the_wait(scene):
    sim = scene.sim()
    _, _, _, rest = begin(scene, sim, context_wait="1m")
    mirrored(scene)
    sim.put(of_user(1, "nobody"))
    wait_for(lambda: scene.count(WAITING) == 1, 10, "the event to wait")
    sim.change("al-1", status="resolved")
    wait_for(lambda: len(heard(rest)) == 2, 10, "open and close")
    assert heard(rest) == {("al-1", "opened"): 1, ("al-1", "resolved"): 1}
    assert scene.count(WAITING) == 0


def test_a_kill_loses_nothing_that_waits(scene):
    sim = scene.sim()
    daemon, config, _, rest = begin(scene, sim, context_wait="5s")
    mirrored(scene)
    sim.put(*(of_user(n, f"nobody-{n}") for n in range(40)))
    wait_for(lambda: scene.count(WAITING) == 40, 10, "the events to wait")
    daemon.kill9()
    assert not heard(rest)
    scene.start(config)
    wait_for(lambda: len(heard(rest)) == 40, 20, "all of them")
    assert set(heard(rest).values()) == {1}


def test_usage_is_looked_up(scene):
    sim = scene.sim()
    begin(scene, sim, context=[*ALL, "usage"], context_wait="20s")
    mirrored(scene)
    sim.put(of_user(1, user(1)))
    wait_for(lambda: scene.count("SELECT count(*) FROM v_deliveries") == 1, 20, "the alert")
    usage = context_of(scene, 1)["usage"]
    assert usage["user_id"] == user(1) and "total_requests" in usage


def test_a_single_poll_waits_for_it_too(scene):
    sim, hook = scene.sim(), scene.receiver()
    config = scene.config(sim, [webhook("hook", hook)],
                          source_keys={**KEPT, "context_wait": "1s", "start": "all"})
    sim.put(of_user(1, "nobody"))
    assert run(config, "poll", "--once").returncode == 0
    assert ("al-1", "opened") in heard(hook)
    assert scene.count(WAITING) == 0


def test_explain_says_what_was_known_and_what_not(scene):
    sim = scene.sim()
    sim.change_user(1, department="Engineering", name="Ada Byron")
    _, config, eng, rest = begin(scene, sim, context_wait="100ms")
    mirrored(scene)
    sim.put(of_user(1, user(1)), of_user(2, "nobody"))
    wait_for(lambda: heard(eng) and heard(rest), 10, "the alerts")
    known = run(config, "explain", "al-1").stdout
    assert "knew user Ada Byron (Engineering)" in known and "not known" not in known
    unknown = run(config, "explain", "al-2").stdout
    assert "not known: user nobody; to routes its names equal the empty string" in unknown
    told = json.loads(run(config, "explain", "al-1", "--json").stdout)
    assert told["events"][0]["context"]["user"]["name"] == "Ada Byron"
    scene.wait_drained()
    picked = run(config, "requeue", "--state", "done", "--dry-run", "--match",
                 "user.department = Engineering").stdout
    assert "eng" in picked and "rest" not in picked, picked
    shown = run(config, "route", "--id", "al-1", "--json")
    assert '"eng"' in shown.stdout, shown.stdout + shown.stderr
    against = run(config, "check", "--against", "7d")
    assert against.returncode == 0 and "al-1" not in against.stdout, against.stdout


def test_a_stored_alert_is_rendered_with_what_was_known_of_it(scene):
    sim = scene.sim()
    sim.change_user(1, department="Engineering", name="Ada Byron")
    _, config, eng, _ = begin(scene, sim)
    mirrored(scene)
    sim.put(of_user(1, user(1)))
    wait_for(lambda: heard(eng), 10, "the alert")
    sim.change_user(1, name="Somebody else", department="Legal")
    told = run(config, "render", "email.txt", "--id", "al-1").stdout
    assert "User:     Ada Byron (Engineering)\n" in told
    bare = run(config, "render", "email.txt", "--id", "al-1", "--context", "none").stdout
    assert f"User:     {user(1)}\n" in bare
    assert "eng by route eng: told" in run(config, "route", "--id", "al-1").stdout
    assert "eng by route eng" not in run(config, "route", "--id", "al-1", "--context", "none").stdout


def test_the_body_has_the_api_s_objects_byte_for_byte(scene):
    sim = scene.sim()
    sim.call("POST", "/_sim/users", [{"id": "new", "name": "n", "more": {"b": [1.50, None], "a": "é"}}])
    _, _, _, rest = begin(scene, sim)
    mirrored(scene, 25)
    sim.put(of_user(1, "new"))
    wait_for(lambda: heard(rest), 10, "the alert")
    kept = scene.query("SELECT body FROM v_directory WHERE id = 'new'")[0]["body"]
    assert f',"user":{kept}'.encode() in rest.all()[0].body


def test_a_source_that_goes_leaves_nothing_unrouted(scene):
    sim, other = scene.sim(), scene.sim()
    rest = scene.receiver()
    routes = [{"name": "all", "to": ["rest"]}]
    keys = {**KEPT, "context_wait": "1m"}
    both = [source(sim, name="acme", **keys), source(other, name="beta", **keys)]
    config = scene.config(both, [webhook("rest", rest)], routes)
    daemon = scene.start(config)
    mirrored(scene, 48)
    sim.put(of_user(1, "nobody"))
    wait_for(lambda: scene.count(WAITING) == 1, 10, "the event to wait")
    scene.config(both[1:], [webhook("rest", rest)], routes)
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: heard(rest), 10, "the alert")
    assert scene.count(WAITING) == 0


def test_a_source_that_is_gone_at_a_start_leaves_nothing_unrouted(scene):
    """What was known when it came is kept with it, and routed by."""
    sim, other = scene.sim(), scene.sim()
    rest, org = scene.receiver(), scene.receiver()
    routes = [{"name": "org", "match": ["budget.name = Whole organisation"], "to": ["org"], "continue": True},
              {"name": "all", "to": ["rest"]}]
    sinks = [webhook("rest", rest), webhook("org", org)]
    config = scene.config(sim, sinks, routes, source_keys={**KEPT, "context_wait": "1m"})
    daemon = scene.start(config)
    mirrored(scene)
    wait_for(lambda: scene.count("SELECT count(*) FROM v_directory WHERE kind = 'budgets'") == 6, 10, "budgets")
    sim.put(*(of_user(n, f"nobody-{n}") for n in range(300)))
    wait_for(lambda: scene.count(WAITING) == 300, 20, "the events to wait")
    said = run(config, "explain", "al-1").stdout
    assert "waits for what is not known" in said and "no route" not in said, said
    daemon.kill9()
    scene.config([source(other, name="beta", **KEPT)], sinks, routes)
    scene.start(config)
    wait_for(lambda: len(heard(rest)) == 300 and len(heard(org)) == 300, 20, "the alerts")
    scene.wait_drained()
    assert set(heard(rest).values()) == set(heard(org).values()) == {1}
    assert scene.count(WAITING) == 0


def test_check_warns_of_names_that_no_source_brings(scene):
    sim = scene.sim()
    sinks = [webhook("eng", scene.receiver()), webhook("rest", scene.receiver())]
    routes = [{**BY_TEAM[0], "match": ["user.department = x", "budget.percent > 90"]}, BY_TEAM[1]]
    config = scene.config(sim, sinks, routes, source_keys={"context": ["budgets"]})
    said = run(config, "check", "--json")
    assert said.returncode == 0
    messages = [json.loads(line)["message"] for line in said.stdout.splitlines()]
    assert messages == ['route "eng": "user.department" is empty for every alert: no source has '
                        '"users" in its context']


def test_check_warns_of_a_table_of_budgets_that_no_source_keeps(scene):
    routes = [{"name": "day", "to": ["hook"], "digest": {"at": ["08:00"], "budgets": True}}]
    sim, sinks = scene.sim(), [webhook("hook", scene.receiver())]
    for kept, warnings in ((["users"], 1), (["users", "budgets"], 0)):
        said = run(scene.config(sim, sinks, routes, source_keys={"context": kept}), "check", "--json")
        messages = [json.loads(line)["message"] for line in said.stdout.splitlines()]
        assert said.returncode == 0
        assert messages == ['route "day": budgets does nothing: no source has "budgets" in its '
                            'context'] * warnings


def test_a_digest_takes_the_table_of_budgets_along(scene):
    sim, post = scene.sim(), scene.mail()
    routes = [{"name": "day", "to": ["post"], "digest": {"at": ["00:00"], "budgets": True}}]
    config = scene.config(sim, [plain_email("post", post)], routes, source_keys=KEPT)
    daemon = scene.start(config)
    mirrored(scene)
    # What a silence held goes out when it ends, so nobody waits for midnight here.
    silence = run(config, "silence", "add", "type != none", "--for", "1h", "--comment", "c").stdout.strip()
    daemon.says("silences", in_force="1")
    sim.put(of_user(1, user(1)), of_user(2, user(2)))
    held = "SELECT count(*) FROM v_deliveries WHERE reason = 'silence'"
    wait_for(lambda: scene.count(held) == 2, 10, "both to be held")
    assert run(config, "silence", "end", silence).returncode == 0
    wait_for(lambda: post.mails, 20, "the digest")
    parts = [part.get_content() for part in parse_mail(post.mails[0]).walk()
             if part.get_content_maintype() == "text"]
    for part in parts:
        assert "Whole organisation" in part and " of $250,000.00" in part, part
    assert len(parts) == 2


ODD_BUDGETS = [
    {"id": "hot", "name": "<b>Hot</b> & co", "department": "legal", "amount": 2e9, "spent": 1.8e9 + 2e6,
     "currency": "EUR", "period": "daily"},
    {"id": "warm", "name": "Warm", "department": None, "amount": 1000, "spent": 750, "currency": "JPY"},
    {"id": "cool", "name": "Cool", "amount": "20.00", "spent": "14.99", "currency": "USD"},
    {"id": "nulls", "name": None, "department": None, "amount": None, "spent": None, "currency": None},
    {"id": "zero", "name": "Zero", "amount": 0, "spent": 5, "currency": "USD"},
]


HOT = "<b>Hot</b> & co"
SPENT = {  # in the plain part: the bar, and what is said of it
    HOT: ("#########", "90.1 %", "€1,802,000,000.00 of €2,000,000,000.00"),
    "Warm": ("#######", "75.0 %", "¥750 of ¥1,000"),
    "Cool": ("#######", "74.9 %", "$14.99 of $20.00"),
    "Zero": ("", "", "$5.00 of $0.00"),
    "without a name": ("", "", ""),
}
COLOURS = {HOT: "over", "Warm": "near", "Cool": "calm"}


def parts_of(mail):
    return {part.get_content_subtype(): part.get_content().replace("\r\n", "\n")
            for part in parse_mail(mail).walk() if part.get_content_maintype() == "text"}


def table_in_text(plain):
    """(name, bar, percent, amounts) of each budget under the alerts."""
    row = r"\nBudget: +(.*)\n(?: +(?:\[(#*)-*\] ([0-9.]+ %), )?(.+)\n)?"
    return re.findall(row, plain[plain.rindex("\nAlert: "):])


def table_in_html(page):
    rows = re.findall(r'<tr><td class="ink"[^>]*><b>(.*?)</b>(.*?)</td></tr>\n', page)
    return {html.unescape(name): rest for name, rest in rows}


def test_a_digest_s_table_of_budgets_is_in_both_parts_and_only_where_it_is_wanted(scene):
    sim, post, other, shy = scene.sim(), scene.mail(), scene.mail(), scene.mail()
    sim.call("POST", "/_sim/budgets", ODD_BUDGETS)
    at = time.strftime("%H:%M", time.gmtime(time.time() + 65))  # a minute that is some seconds off
    routes = [{"name": "all", "to": ["other"], "digest": {"at": [at]}, "continue": True},
              {"name": "day", "to": ["post", "shy"], "digest": {"at": [at], "budgets": True}}]
    redact = [f"budget.{name}" for name in ("name", "department", "period", "amount")]
    sinks = [plain_email("post", post), plain_email("other", other),
             plain_email("shy", shy, redact=redact)]
    scene.start(scene.config(sim, sinks, routes, source_keys={**KEPT, "context": ["budgets"]}))
    wait_for(lambda: scene.count("SELECT count(*) FROM v_directory") == 11, 20, "the budgets")
    sim.put(of_user(1, None), of_user(2, None))
    wait_for(lambda: post.mails and other.mails and shy.mails, 90, "the digests")
    parts = parts_of(post.mails[0])
    rows = table_in_text(parts["plain"])
    assert len(rows) == 11, parts["plain"]
    shares = [float(row[2].rstrip(" %") or -1) for row in rows]
    assert shares == sorted(shares, reverse=True)
    told = {re.sub(r"( \(.*\))?(, \w+)?$", "", name): rest for name, *rest in rows}
    assert {name: tuple(told[name]) for name in SPENT} == SPENT
    assert f"\nBudget:   {HOT} (legal), daily\n" in parts["plain"]
    page = table_in_html(parts["html"])
    for name, colour in COLOURS.items():
        _, percent, amounts = SPENT[name]
        assert f": {percent}, {amounts}<table" in page[name], page[name]
        assert f'<td class="{colour}"' in page[name], page[name]
    assert page[HOT].startswith(" (legal), daily: ")
    assert page["Zero"] == ", $5.00 of $0.00" and page["Budget without a name"] == ""
    for part in parts_of(other.mails[0]).values():
        assert "2 alerts" in part and "Cool" not in part, part
    shown = parts_of(shy.mails[0])
    assert {row[0] for row in table_in_text(shown["plain"])} == {"without a name"}
    for part in shown.values():
        assert "$14.99" in part and "Cool" not in part and "$20.00" not in part, part
