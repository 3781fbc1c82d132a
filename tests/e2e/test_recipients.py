"""Mail to whom an alert names: who gets it, who never does, and that nobody is shown what is another's."""
import json
import re

import pytest

from fakes import alert, parse_mail, wait_for
from programs import answers, newer, plain_email, run, webhook

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")

OWNER = "{{metadata.owner}}"
OURS = ["acme.com"]
SOON = {"sweep_every": "300ms"}


def owned(number, owner, **fields):
    return alert(number, metadata={"owner": owner}, created_at=newer(), **fields)


def mails(post):
    """(recipients, subject) of each mail, in order."""
    return [(sorted(m.recipients), parse_mail(m)["subject"]) for m in list(post.mails)]


def texts(post):
    """What each recipient was shown, all of it."""
    shown = {}
    for mail in list(post.mails):
        parsed = parse_mail(mail)
        text = parsed["subject"] + "".join(
            parsed.get_body((kind,)).get_content() for kind in ("plain", "html"))
        for recipient in mail.recipients:
            shown[recipient] = shown.get(recipient, "") + text
    return shown


def rows(scene, number):
    return [(r["event"], r["state"], r["reason"]) for r in scene.query(
        "SELECT event, state, reason FROM v_deliveries WHERE alert_id = ? ORDER BY id", f"al-{number}")]


def begin(scene, post, routes=None, source_keys=None, sim=None, **keys):
    sim = sim or scene.sim()
    sink = plain_email("post", post, **{"to": [OWNER], "to_domains": OURS, **keys})
    config = scene.config(sim, [sink], routes, {**SOON, **(source_keys or {})})
    return sim, config, scene.start(config)


def test_what_follows_goes_to_those_who_heard_the_open(scene):
    post = scene.mail()
    sim, config, _ = begin(scene, post, to=[OWNER, "secops@other.org"])
    sim.put(owned(1, "jane@acme.com"))
    wait_for(lambda: len(post.mails) == 1, 20, "the open")
    sim.change("al-1", metadata={"owner": "joe@acme.com"}, status="acknowledged")
    wait_for(lambda: len(post.mails) == 2, 20, "the acknowledgement")
    sim.change("al-1", metadata={}, status="resolved", resolved_at=newer())
    wait_for(lambda: len(post.mails) == 3, 20, "the close")
    both = ["jane@acme.com", "secops@other.org"]
    assert [to for to, _ in mails(post)] == [both, both, both]
    # The next time it opens is another matter.
    sim.change("al-1", metadata={"owner": "joe@acme.com"}, status="open", resolved_at=None)
    wait_for(lambda: len(post.mails) == 4, 20, "the reopening")
    assert mails(post)[3][0] == ["joe@acme.com", "secops@other.org"]
    scene.wait_drained()
    story = answers(config, "explain", "al-1", "--for", "post")[0]
    told = [e["deliveries"][0]["recipients"]["to"] for e in story["events"]]
    assert told == [["jane@acme.com", "secops@other.org"]] * 3 + [["joe@acme.com", "secops@other.org"]]


def night(config, daemon):
    done = run(config, "silence", "add", "--everything", "--for", "4s", "--comment", "a night")
    assert done.returncode == 0, done.stderr
    daemon.says("silences")


NASTY = {
    "another line": "jane@acme.com\r\nRCPT TO:<eve@evil.com>",
    "another header": "Jane <jane@acme.com>\nBcc: eve@evil.com",
    "two": "jane@acme.com, eve@evil.com",
    "quotes": "\"jane@acme.com\" eve@evil.com",
    "brackets": "jane@acme.com> <eve@evil.com",
    "a name that is an address": "jane@acme.com <eve@evil.com>",
    "a NUL": "jane@acme.com\u0000@evil.com",
    "not ours": "eve@evil.com",
    "below ours": "eve@sub.acme.com",
    "behind ours": "eve@acme.com.evil.com",
    "no domain": "jane",
    "a machine": "eve@[127.0.0.1]",
    "a way on": "eve%evil.com@acme.com",
    "not ASCII": "eve@\u0430cme.com",
    "nothing": "",
    "a list": ["jane@acme.com"],
    "very long": "x" * 5000 + "@acme.com",
}


def test_a_nasty_address_is_left_out_and_stops_nothing(scene):
    post = scene.mail()
    sim, config, daemon = begin(scene, post, cc=["boss@acme.com"])
    sim.put(*(owned(n, nasty) for n, nasty in enumerate(NASTY.values())),
            owned(99, "jane@ACME.com"))
    wait_for(lambda: len(post.mails) == len(NASTY) + 1, 30, "a mail for each")
    scene.wait_drained()
    for mail in post.mails:
        parsed = parse_mail(mail)
        ours = parsed["subject"].endswith("Title 99")
        assert sorted(mail.recipients) == (["boss@acme.com", "jane@ACME.com"] if ours else ["boss@acme.com"])
        assert ours or parsed["to"] is None
        assert parsed["cc"].addresses[0].addr_spec == "boss@acme.com" and not parsed["bcc"]
    left_out = [l for l in daemon.err if "msg=left-out" in l]
    assert len(left_out) >= len(NASTY) - 1
    assert not any(word in line for line in daemon.err for word in ("evil", "jane", "eve@"))
    assert all("sink=post" in line and "reason=" in line for line in left_out)
    story = answers(config, "explain", "al-7", "--for", "post")[0]
    recipients = story["events"][0]["deliveries"][0]["recipients"]
    assert recipients == {"to": [], "cc": ["boss@acme.com"], "left_out": [
        {"key": "to", "place": 1, "reason": "its domain is not one of to_domains"}]}


def test_nobody_left_is_dropped_and_told(scene):
    post, hook = scene.mail(), scene.receiver()
    sim = scene.sim()
    sinks = [plain_email("post", post, to=[OWNER], to_domains=OURS, fallback="hook"), webhook("hook", hook)]
    config = scene.config(sim, sinks, [{"name": "all", "to": ["post"]}], SOON)
    daemon = scene.start(config)
    sim.put(owned(1, "eve@evil.com"), *(owned(n, None) for n in range(2, 9)), owned(9, "jane@acme.com"))
    wait_for(lambda: len(post.mails) == 1, 20, "the mail that is for somebody")
    scene.wait_drained()
    assert rows(scene, 1) == rows(scene, 2) == [("opened", "dropped", "no recipient")]
    sim.change("al-1", status="resolved", resolved_at=newer())
    sim.change("al-9", status="resolved", resolved_at=newer())
    wait_for(lambda: len(post.mails) == 2, 20, "the close that is for somebody")
    assert rows(scene, 1) == [("opened", "dropped", "no recipient")]
    assert not hook.all() and not daemon.errors()
    text = run(config, "explain", "al-1").stdout
    assert "dropped, no recipient" in text and "left nobody to write to" in text
    text = run(config, "explain", "al-1", "--for", "post").stdout
    assert "for nobody" in text and "left out: entry 1 of `to`: its domain is not one of" in text
    status = answers(config, "status")[0]
    sink = next(s for s in status["sinks"] if s["name"] == "post")
    assert (sink["state"], sink["dead"], sink["due"], sink["held"]) == ("up", 0, 0, 0)


@pytest.mark.parametrize("hold", ["silence", "group", "storm"])
def test_a_night_of_two_peoples_alerts_shows_none_the_others(scene, hold):
    post = scene.mail()
    keys = {"silence": {}, "group": {"group": {"wait": "2s", "max": 100}},
            "storm": {"storm": {"over": 1, "within": "2s"}}}[hold]
    sim, config, daemon = begin(scene, post, [{"name": "all", "to": ["post"], **keys}])
    if hold == "silence":
        night(config, daemon)
    who = {n: "joe@acme.com" if n % 2 else "jane@acme.com" for n in range(10, 40)}
    who[40], who[41] = "eve@evil.com", None
    sim.put(*(owned(n, owner, severity="high" if n < 25 else "low") for n, owner in who.items()))
    wait_for(lambda: scene.count("SELECT count(*) FROM v_deliveries") == len(who), 20, "the rows")
    scene.wait_drained()
    shown = texts(post)
    assert set(shown) == {"jane@acme.com", "joe@acme.com"}
    for recipient, text in shown.items():
        listed = {int(n) for n in re.findall(r"Title (\d+)", text)}
        assert listed == {n for n, owner in who.items() if owner == recipient}
    if hold != "storm":
        assert len(post.mails) == 2
    assert rows(scene, 40) == rows(scene, 41) == [("opened", "dropped", "no recipient")]


def test_a_group_is_full_by_what_is_for_the_same_people(scene):
    post = scene.mail()
    routes = [{"name": "all", "to": ["post"], "group": {"wait": "1h", "max": 2}}]
    sim, _, _ = begin(scene, post, routes)
    sim.put(owned(1, "jane@acme.com"))
    wait_for(lambda: rows(scene, 1), 20, "the first row")
    sim.put(owned(2, "joe@acme.com"))
    wait_for(lambda: rows(scene, 2), 20, "the second row")
    sim.put(owned(3, "Jane <JANE@acme.com>"))
    wait_for(lambda: post.mails, 20, "the group")
    wait_for(lambda: rows(scene, 3) == [("opened", "done", None)], 20, "its end")
    assert [m.recipients for m in post.mails] == [["jane@acme.com"]]
    assert rows(scene, 2) == [("opened", "held", "group")]


def test_what_a_digest_only_counts_is_not_mixed_either(scene):
    post = scene.mail()
    sim, config, daemon = begin(scene, post)
    night(config, daemon)
    many = [owned(n, "jane@acme.com", type="of_jane") for n in range(100, 130)]
    few = [owned(n, "joe@acme.com", type="of_joe") for n in range(200, 203)]
    gone = owned(300, "joe@acme.com", type="of_joe")
    sim.put(*many, *few, gone)
    wait_for(lambda: scene.count("SELECT count(*) FROM v_deliveries") == 34, 20, "the rows")
    sim.change("al-300", status="resolved", resolved_at=newer())
    wait_for(lambda: scene.count("SELECT count(*) FROM v_deliveries") == 35, 20, "the close")
    scene.wait_drained()
    shown = texts(post)
    assert len(post.mails) == 2 and set(shown) == {"jane@acme.com", "joe@acme.com"}
    assert "of_joe" not in shown["jane@acme.com"] and "of_jane" not in shown["joe@acme.com"]
    rests = {r["count"]: json.loads(r["rest"]) for r in scene.query(
        "SELECT count, rest FROM v_batches WHERE rest IS NOT NULL")}
    assert {k: v["count"] for k, v in rests.items()} == {30: 10, 3: 1}
    assert list(rests[3]["by_type"]) == ["of_joe"] and list(rests[30]["by_type"]) == ["of_jane"]


def test_a_mail_to_the_user_behind_the_alert(scene):
    post, sim = scene.mail(), scene.sim()
    sim.change_user(1, name="Ada \"the first\" Byron", email="ada@acme.com")
    begin(scene, post, sim=sim, to="{{user.name}} <{{user.email}}>", to_domains=["*"],
          source_keys={"context": ["users"], "context_every": "1h", "context_wait": "5s"})
    wait_for(lambda: scene.count("SELECT count(*) FROM v_directory WHERE kind = 'users'") >= 24, 20, "users")
    someone = "05e70000-0000-4000-8000-000000000001"
    sim.put(alert(1, user_id=someone, created_at=newer()), alert(2, created_at=newer()))
    wait_for(lambda: len(post.mails) == 1, 20, "the mail")
    # Whoever the user is by now, this is told to whom the open was told to.
    sim.change_user(1, email="new@acme.com")
    sim.change("al-1", status="resolved", resolved_at=newer())
    wait_for(lambda: len(post.mails) == 2, 20, "the close")
    scene.wait_drained()
    assert [to for to, _ in mails(post)] == [["ada@acme.com"]] * 2
    assert parse_mail(post.mails[0])["to"].addresses[0].display_name == 'Ada "the first" Byron'
    assert rows(scene, 2) == [("opened", "dropped", "no recipient")]


def test_a_retry_and_a_requeue_are_for_the_same_people(scene):
    post = scene.mail()
    post.answers += ["451 4.3.0 not now", "554 5.6.0 no"]
    sim, config, daemon = begin(scene, post)
    scene.expect("msg=dead")
    sim.put(owned(1, "jane@acme.com"))
    wait_for(lambda: ("opened", "dead") in [r[:2] for r in rows(scene, 1)], 20, "the dead letter")
    dead = scene.count("SELECT id FROM v_deliveries WHERE state = 'dead'")
    sim.change("al-1", metadata={"owner": "joe@acme.com"})
    wait_for(lambda: "joe" in scene.query("SELECT body FROM v_alerts")[0]["body"], 20, "the new owner")
    assert run(config, "requeue", str(dead)).returncode == 0
    wait_for(lambda: len(post.mails) == 1, 20, "the mail")
    assert [m.recipients for m in post.tries] == [["jane@acme.com"]] * 3


def test_a_reload_that_lets_alerts_name_people_parts_a_digest_that_waits(scene):
    post = scene.mail()
    post.answers += ["451 4.3.0 not now"]
    sim = scene.sim()
    routes = [{"name": "all", "to": ["post"], "group": {"wait": "1s", "max": 100}}]
    slow = {"retry": {"min": "2m", "max": "3m"}}
    config = scene.config(sim, [plain_email("post", post, to=["all@acme.com"], **slow)], routes, SOON)
    daemon = scene.start(config)
    sim.put(owned(1, "jane@acme.com"), owned(2, "joe@acme.com"))
    wait_for(lambda: post.tries, 20, "the digest to be put off")
    scene.config(sim, [plain_email("post", post, to=[OWNER], to_domains=OURS)], routes, SOON)
    daemon.signal(1)
    daemon.says("reloaded")
    wait_for(lambda: len(post.mails) >= 2, 20, "the mails")
    scene.wait_drained()
    shown = texts(post)
    assert set(shown) == {"jane@acme.com", "joe@acme.com"}
    assert "Title 2" not in shown["jane@acme.com"] and "Title 1" not in shown["joe@acme.com"]


# ---- what commands say -----------------------------------------------------------------------


def checked(scene, post, routes=None, **keys):
    sink = plain_email("post", post, **{"to": [OWNER], "to_domains": OURS, **keys})
    done = run(scene.config(scene.api([]), [sink], routes), "check", "--json")
    return done.returncode, [json.loads(l) for l in done.stdout.splitlines()]


def test_check_finds_what_is_wrong(scene):
    post = scene.mail()
    code, said = checked(scene, post, to=["{{metadata.owner"])
    assert code == 78 and said[0]["line"] > 0 and "to: the template:1:1" in said[0]["message"]
    code, said = checked(scene, post, to_domains=[])
    assert code == 0 and "an alert may send itself to any address" in said[0]["message"]
    code, said = checked(scene, post, redact=["metadata.owner"])
    assert code == 78 and "is what names its recipients" in said[0]["message"]
    routes = [{"name": "all", "to": ["post"], "match": ["metadata.pay > 9"]}]
    code, said = checked(scene, post, routes, redact=["metadata.pay"])
    assert code == 78 and 'match asks for "metadata.pay"' in said[0]["message"]
    code, said = checked(scene, post, to=["{{metdata.owner}}", "{{usr_id}}@acme.com"])
    assert code == 0 and said[0]["line"] > 0 and [p["message"] for p in said] == [
        "no name {{usr_id}} is known; did you mean {{user_id}}?",
        "no sample has {{metdata.owner}}: it is empty for an alert that has no such field"]
    code, said = checked(scene, post, to=[OWNER, "{{user.email}}"])
    assert (code, said) == (0, [])


def test_send_says_who_would_get_it(scene):
    post = scene.mail()
    sink = plain_email("post", post, to=["{{type}}@acme.com", OWNER], to_domains=OURS)
    config = scene.config(scene.api([]), [sink])
    done = run(config, "send", "post", "--sample", "policy_violation")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "for      policy_violation@acme.com" in done.stdout
    assert "left out entry 2 of `to`: is empty" in done.stdout
    assert post.mails[0].recipients == ["policy_violation@acme.com"]
    config = scene.config(scene.api([]), [plain_email("post", post, to=[OWNER], to_domains=OURS)])
    done = run(config, "send", "post")
    assert done.returncode == 1 and "names nobody (to 1 is empty)" in done.stderr
    assert "a fixed address in `to`" in done.stderr and len(post.mails) == 1


def test_explain_for_a_sink_shows_what_it_sees(scene):
    blind, seeing = scene.receiver(), scene.receiver()
    sim = scene.sim()
    sinks = [webhook("blind", blind, redact=["message", "metadata.*", "severity"]), webhook("seeing", seeing)]
    routes = [{"name": "all", "to": ["blind", "seeing"],
               "match": ["metadata.word = canary-meta", "type = policy_violation", "severity >= low"]}]
    config = scene.config(sim, sinks, routes)
    scene.start(config)
    sim.put(alert(1, message="canary-message", severity="critical", metadata={"word": "canary-meta"},
                  created_at=newer()))
    wait_for(lambda: blind.all() and seeing.all())
    scene.wait_drained()
    for options in ([], ["--json"]):
        text = run(config, "explain", "al-1", "--for", "blind", *options).stdout
        assert "canary" not in text and "critical" not in text and "seeing" not in text
        assert "metadata.word ***" in text and "type = policy_violation" in text and "Title 1" in text
        assert "canary-meta" in run(config, "explain", "al-1", *options).stdout
        text = run(config, "explain", "al-1", "--for", "seeing", *options).stdout
        assert "canary-meta" in text and "blind" not in text
    story = answers(config, "explain", "al-1", "--for", "blind")[0]
    assert story["alert"]["redacted"] is True and story["severity"] is None
    assert [d["sink"] for e in story["events"] for d in e["deliveries"]] == ["blind"]
    done = run(config, "explain", "al-1", "--for", "blnid")
    assert done.returncode == 2 and 'did you mean "blind"?' in done.stderr and not done.stdout
