"""Mail arrives as it was meant, by the servers and under the certificates it was meant for."""
import html
import json
import os
import re

import pytest

from fakes import Authority, SmtpSink, alert, note_of_mail, parse_mail, wait_for
from programs import email, plain_email, webhook

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")

# ---- what arrives ----------------------------------------------------------------------------

LONG_LINE = "x" * 998 + "é" + "long " * 400
TRICKS = {
    "line breaks": ("Hi\r\nBcc: evil@example.com\r\n\r\nowned", "a\r\nb\n\nc\rd"),
    "an encoded word and a fold": ("=?utf-8?q?=0D=0ABcc:?= evil\n\tX-Evil: 1", "=0D=0A.=0D=0A"),
    "nothing but breaks": ("\r\n\r\n", "\n\n"),
    "other alphabets": ("Grüße, 東京 — naïve 🔔 " + "ж" * 60, "Zeile eins\nПривет 🔔\n\ttab"),
    "long lines": ("y" * 2000, LONG_LINE + "\n" + LONG_LINE[::-1]),
    "a lone dot": ("dot", "before\n.\n..\n.after\n.\nQUIT\n"),
    "what mail software looks for": ("From me", "From here\n>From\n--=_tocsin_alternative--\n=41= \n"),
    "markup": ("<b>&amp;</b>", "<script>alert('x')</script> &lt; \"quoted\" =\n"),
    "a page's end": ("</title></script>", "</div></td></table></body></html><script>x</script>"),
    "reversed": ("\u202egnp.exe\u2066", "\u202egnp.exe\u2069 שלום"),
    "half a word": ("=?utf-8?", "=?utf-8?B?"),
    "controls": ("bell \u0007 del \u007f nel \u0085 ls \u2028", "nul \u0000 esc \u001b[31m tab\t"),
}


def one_line(text):
    """As a header must have it."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).split())


def lines(text):
    return re.sub(r"\r\n?", "\n", text)


def no_defect(parsed):
    return not any(p.defects or any(f.defects for f in p.values()) for p in parsed.walk())


@pytest.mark.parametrize("trick", TRICKS)
def test_a_mail_arrives_intact_and_nothing_of_an_alert_can_forge_a_header(scene, trick):
    title, message = TRICKS[trick]
    api, post = scene.api([alert(1, title=title, message=message)]), scene.mail()
    scene.tocsin(api, [plain_email("post", post)])
    wait_for(lambda: post.mails)
    mail = post.mails[0]
    assert mail.recipients == ["oncall@example.com"] and mail.sender == "tocsin@example.com"
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998
    assert b"\n" not in mail.content.replace(b"\r\n", b"")
    assert b"\r" not in mail.content.replace(b"\r\n", b"")

    parsed = parse_mail(mail)
    assert no_defect(parsed)
    names = [name.lower() for name in parsed.keys()]
    assert len(names) == len(set(names)) and not {"bcc", "x-evil"} & set(names)
    subject = one_line(parsed["subject"])
    if title.strip() and len(title) < 120:
        assert subject == "[high opened] " + one_line(title)
    else:
        assert subject.startswith("[high opened]") and len(subject) < 200
    assert parsed["to"].addresses[0].addr_spec == "oncall@example.com"
    assert parsed["auto-submitted"] == "auto-generated" and parsed["date"].datetime

    text = lines(parsed.get_body(("plain",)).get_content())
    markup = lines(parsed.get_body(("html",)).get_content())
    want = lines(message).replace("\0", "")
    assert want in text.replace("\0", "").replace("\ufffd", "")
    assert want in html.unescape(markup).replace("\0", "").replace("\ufffd", "")
    assert "<script>" not in markup


def test_addresses_with_names_and_copies_reach_everybody_once(scene):
    post = scene.mail()
    sink = plain_email("post", post, from_="Tocsin Größe, Inc. <bell@example.com>",
                       to=["Ann B. <ann@example.com>", "bob@example.com"],
                       cc=["BOB <bob@example.com>", "cy@example.com"],
                       reply_to="Help <help@example.com>")
    scene.tocsin(scene.api([alert(1)]), [sink])
    wait_for(lambda: post.mails)
    mail = post.mails[0]
    parsed = parse_mail(mail)
    assert sorted(mail.recipients) == ["ann@example.com", "bob@example.com", "cy@example.com"]
    assert parsed["from"].addresses[0].display_name == "Tocsin Größe, Inc."
    assert parsed["reply-to"].addresses[0].addr_spec == "help@example.com"
    scene.wait_drained()
    assert len(post.tries) == 1


def test_a_megabyte_and_a_bell_at_every_cut_become_a_mail_that_can_be_read(scene):
    items = [alert(1, message="." * 1_000_000), alert(2, title="🔔" * 500, message="x" + "🔔" * 20_000)]
    post = scene.mail()
    scene.tocsin(scene.api(items), [plain_email("post", post)])
    wait_for(lambda: len(post.mails) == 2)
    for mail in post.mails:
        parsed = parse_mail(mail)
        assert no_defect(parsed) and len(mail.content) < 1_000_000
        for part in ("plain", "html"):
            body = parsed.get_body((part,)).get_content()
            assert "…" in body and "\ufffd" not in body
    assert any("🔔…" in parse_mail(m)["subject"] for m in post.mails)


def test_the_mails_of_an_alert_are_one_thread_also_when_it_opens_again(scene):
    api, post = scene.api([alert(1), alert(2)]), scene.mail()
    daemon = scene.tocsin(api, [plain_email("post", post)])
    wait_for(lambda: len(post.mails) == 2)
    for number, state in enumerate(["resolved", "open", "resolved"]):
        scene.wait_drained()
        api.items[0] = alert(1, status=state, resolved_at=None if state == "open" else "2026-01-16T10:30:00Z")
        daemon.poll()
        wait_for(lambda n=number: len(post.mails) == 3 + n)
    told = [parse_mail(m) for m in post.mails]
    opened, closed, reopened, again = (m for m in told if m["subject"].endswith("Title 1"))
    other = next(m for m in told if m["subject"].endswith("Title 2"))
    root = opened["references"]
    assert root != other["references"] and "in-reply-to" not in opened
    assert closed["references"] == f"{root} {opened['message-id']}"
    assert closed["in-reply-to"] == opened["message-id"]
    assert reopened["references"] == reopened["in-reply-to"] == root
    assert again["references"] == f"{root} {reopened['message-id']}"
    assert len({m["message-id"] for m in told}) == 5
    assert len({(m["thread-topic"], m["thread-index"]) for m in told}) == 2


# ---- how it travels --------------------------------------------------------------------------

USERS = {"bell": "hunter2-hunter2"}
LOGIN = {"username": "bell", "password": "hunter2-hunter2"}


def secret_free(daemon):
    return not [l for l in daemon.err if "hunter2" in l]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_mail_goes_by_tls_under_a_private_ca_and_logs_in(scene, authority, tls):
    post = scene.mail(tls=tls, cert=authority.issue("post-" + tls), users=USERS)
    scheme = "smtps" if tls == "implicit" else "smtp"
    sink = email("post", post, server=f"{scheme}://127.0.0.1:{post.port}", ca_file=authority.file,
                 **LOGIN)
    daemon = scene.tocsin(scene.api([alert(1)]), [sink])
    wait_for(lambda: post.mails)
    assert post.mails[0].tls and post.mails[0].login == "bell"
    assert not daemon.log("retry") and secret_free(daemon)


def test_a_token_logs_in_where_passwords_are_not_taken(scene, authority):
    scene.expect("msg=sink-down")
    post = scene.mail(tls="starttls", cert=authority.issue("token"), tokens={"bell": "other"})
    sink = email("post", post, ca_file=authority.file, username="bell", bearer="hunter2-hunter2")
    daemon = scene.tocsin(scene.api([alert(1)]), [sink])
    line = daemon.says("sink-down", sink="post")
    assert "535" in line["reason"] and "bearer" in line["hint"]
    post.tokens = USERS
    wait_for(lambda: post.mails)
    assert post.mails[0].login == "bell" and secret_free(daemon)


def test_a_token_is_fetched_where_oauth2_says_and_another_when_it_is_refused(scene, authority):
    scene.expect("msg=sink-down")  # a token so young is refused for what the client may do
    post = scene.mail(tls="implicit", cert=authority.issue("oauth2"), tokens={})

    def grant(call):
        post.tokens = {"bell": f"hunter2-{call.number}"}
        body = {"access_token": post.tokens["bell"], "token_type": "Bearer", "expires_in": 3600}
        return {"body": json.dumps(body)}

    desk = scene.receiver(grant)
    oauth2 = {"token_url": desk.url("/token"), "client_id": "me", "client_secret": "hunter2-s"}
    server = f"smtps://127.0.0.1:{post.port}"
    sink = email("post", post, server=server, ca_file=authority.file, username="bell", oauth2=oauth2, window=1)
    api = scene.api([alert(1), alert(2)])
    daemon = scene.tocsin(api, [sink])
    wait_for(lambda: len(post.mails) == 2)
    assert len(desk.seen) == 1 and post.made == 1
    scene.wait_drained()
    wait_for(lambda: post.connections() == 0, 10, "the idle connection to end")
    post.tokens = {}
    api.items.append(alert(3))
    daemon.poll()
    wait_for(lambda: len(post.mails) == 3)
    assert len(desk.seen) == 2 and {m.login for m in post.mails} == {"bell"}
    assert secret_free(daemon)


def test_a_password_that_was_rotated_is_read_again_and_tried_at_once(scene, authority):
    path = scene.folder / "password"
    path.write_text("hunter2-old\n")
    post = scene.mail(tls="starttls", cert=authority.issue("rotated"), users=USERS)
    retry = {"min": "30s", "max": "60s"}
    sink = email("post", post, ca_file=authority.file, username="bell", password=f"file:{path}", retry=retry)
    config = scene.config(scene.api([alert(1)]), [sink])
    path.write_text("hunter2-older\n")
    daemon = scene.start(config)
    scene.expect("msg=sink-down")
    path.write_text(USERS["bell"])
    wait_for(lambda: post.mails, 10, "far sooner than the wait of 30 s")
    assert secret_free(daemon)


@pytest.mark.parametrize("window,tls", [(1, None), (8, None), (1, "implicit")])
def test_fifty_mails_need_no_more_connections_than_there_are_at_a_time(scene, authority, window, tls):
    options = {"tls": tls, "cert": authority.issue("many"), "users": USERS} if tls else {}
    post = scene.mail(**options)
    sink = plain_email("post", post, window=window)
    if tls:
        server = f"smtps://127.0.0.1:{post.port}"
        sink = email("post", post, server=server, window=window, ca_file=authority.file, **LOGIN)
    scene.tocsin(scene.api([alert(n) for n in range(50)]), [sink])
    wait_for(lambda: len(post.mails) == 50)
    scene.wait_drained()
    assert {note_of_mail(m)[0] for m in post.mails} == {f"al-{n}" for n in range(50)}
    assert len(post.tries) == 50 and 1 <= post.made <= window
    assert len(post.logins) == (post.made if tls else 0)


def test_starttls_is_required_so_that_nothing_leaves_to_a_server_without_it(scene):
    scene.expect("msg=sink-down")
    post = scene.mail()
    daemon = scene.tocsin(scene.api([alert(1)]), [email("post", post)])
    line = daemon.says("sink-down", sink="post")
    assert "TLS" in line["reason"] and "sinks: post: starttls" in line["hint"]
    wait_for(lambda: len(daemon.log("retry")) >= 2)
    assert not post.tries


def test_credentials_are_not_given_away_where_the_server_offers_no_login(scene):
    scene.expect("msg=sink-down")
    post = scene.mail()
    sink = plain_email("post", post, **LOGIN)
    daemon = scene.tocsin(scene.api([alert(1)]), [sink])
    line = daemon.says("sink-down", sink="post")
    assert line["level"] == "error" and "offers no AUTH" in line["reason"]
    assert "username and password" in line["hint"]
    wait_for(lambda: len(daemon.log("retry")) >= 2)
    assert not post.tries and not post.logins and secret_free(daemon)


def test_a_wrong_password_holds_the_sink_names_the_keys_and_recovers(scene, authority):
    scene.expect("msg=sink-down")
    post = scene.mail(tls="starttls", cert=authority.issue("post"), users={"bell": "other"})
    sink = email("post", post, ca_file=authority.file, **LOGIN)
    daemon = scene.tocsin(scene.api([alert(1)]), [sink])
    line = daemon.says("sink-down", sink="post")
    assert line["level"] == "error" and "535" in line["reason"]
    assert "username" in line["hint"] and "password" in line["hint"]
    assert scene.query("SELECT state, reason FROM v_sinks")[0]["state"] == "down"
    post.users = USERS
    wait_for(lambda: post.mails)
    daemon.says("sink-up", sink="post")
    assert not post.mails[0].content.count(b"hunter2") and secret_free(daemon)


BAD_CERTIFICATES = {
    "expired": {"days": -1},
    "wrong-name": {"names": ("other.example",)},
    "unknown-ca": {},
}


@pytest.fixture(scope="session")
def strangers(tmp_path_factory):
    """A CA that nobody was told to trust."""
    return Authority(tmp_path_factory.mktemp("strangers"))


@pytest.mark.parametrize("wrong", BAD_CERTIFICATES)
def test_a_certificate_that_is_not_right_is_refused_by_mail_and_by_webhook(
        scene, authority, strangers, wrong):
    scene.expect("msg=sink-down")
    signer = strangers if wrong == "unknown-ca" else authority
    certificate = signer.issue(wrong, **BAD_CERTIFICATES[wrong])
    hook = scene.receiver(tls=certificate)
    post, direct = (scene.mail(tls=t, cert=certificate) for t in ("starttls", "implicit"))
    sinks = [
        webhook("hook", hook, ca_file=authority.file),
        email("post", post, ca_file=authority.file),
        email("direct", direct, server=f"smtps://127.0.0.1:{direct.port}", ca_file=authority.file),
    ]
    daemon = scene.tocsin(scene.api([alert(1)]), sinks)
    for name in ("hook", "post", "direct"):
        line = daemon.says("sink-down", sink=name)
        assert line["level"] == "error" and "ca_file" in line["hint"]
        wait_for(lambda n=name: len(daemon.log("retry", sink=n)) >= 2)
    assert not hook.seen and not post.tries and not direct.tries
    # and with the right one all is well
    hook.down()
    hook.tls = authority.issue("right")
    hook.up()
    wait_for(lambda: hook.seen)
    daemon.says("sink-up", sink="hook")


# ---- what servers answer ---------------------------------------------------------------------


def test_one_recipient_refused_is_said_and_the_other_gets_the_mail(scene):
    post = scene.mail(refuse={"gone@example.com": "550 5.1.1 no such user here"})
    sink = plain_email("post", post, to=["gone@example.com", "here@example.com"])
    daemon = scene.tocsin(scene.api([alert(1)]), [sink])
    wait_for(lambda: post.mails)
    assert post.mails[0].recipients == ["here@example.com"]
    scene.wait_drained()
    row = scene.query("SELECT state, reason FROM v_deliveries")[0]
    told = str(row["reason"]) + str(scene.query("SELECT answer FROM v_attempts"))
    told += "\n".join(daemon.err)
    assert row["state"] == "done" and len(post.tries) == 1
    assert "gone@example.com" in told and "no such user here" in told


def test_a_recipient_put_off_is_tried_alone_and_the_other_not_again(scene):
    post = scene.mail(refuse={"later@example.com": "450 4.2.1 mailbox busy"})
    sink = plain_email("post", post, to=["later@example.com", "here@example.com"])
    daemon = scene.tocsin(scene.api([alert(1)]), [sink])
    daemon.says("retry", sink="post")
    post.refuse = {}
    wait_for(lambda: len(post.mails) == 2)
    assert [m.recipients for m in post.mails] == [["here@example.com"], ["later@example.com"]]
    ids = {parse_mail(m)["message-id"] for m in post.mails}
    assert len(ids) == 1


def test_nobody_gets_it_twice_whoever_is_refused_or_put_off_and_however_we_end(scene):
    """Three fates in one mail; who is settled stays so over a kill."""
    answers = {"gone@example.com": "550 5.1.1 no such user", "later@example.com": "451 greylisted"}
    post = scene.mail(refuse=answers)
    sink = plain_email("post", post, to=["gone@example.com", "later@example.com", "here@example.com"],
                       retry={"min": "500ms", "max": "1s"})
    daemon = scene.tocsin(scene.api([alert(1)]), [sink])
    line = daemon.says("retry", sink="post")
    assert "1 served, 1 put off, 1 refused" in line["reason"]
    wait_for(lambda: scene.count("SELECT count(*) FROM v_deliveries WHERE progress IS NOT NULL"))
    daemon.kill9()
    post.refuse = {"gone@example.com": answers["gone@example.com"]}
    scene.start(daemon.config)
    wait_for(lambda: len(post.mails) == 2)
    scene.wait_drained()
    assert [m.recipients for m in post.mails] == [["here@example.com"], ["later@example.com"]]
    assert len(post.tries) == 2
    assert scene.query("SELECT state FROM v_deliveries") == [{"state": "done"}]


def test_every_recipient_refused_is_a_dead_letter_and_the_others_go_on(scene):
    scene.expect("msg=dead")
    post, gone = scene.mail(), scene.mail(refuse={"oncall@example.com": "550 no such user"})
    daemon = scene.tocsin(scene.api([alert(1)]), [plain_email("post", post), plain_email("gone", gone)])
    line = daemon.says("dead", sink="gone")
    assert "no such user" in line["reason"] and "sinks: gone: to" in line["hint"]
    wait_for(lambda: post.mails)


def test_451_at_the_dot_is_retried_as_the_same_mail_and_554_is_a_dead_letter(scene):
    scene.expect("msg=dead")
    api, post = scene.api([alert(1)]), scene.mail()
    post.answers = ["451 4.3.0 later, please"]
    daemon = scene.tocsin(api, [plain_email("post", post)])
    wait_for(lambda: post.mails)
    assert "later, please" in daemon.log("retry")[0]["reason"]
    first, second = (parse_mail(m) for m in post.tries)
    assert first["message-id"] == second["message-id"]
    assert note_of_mail(post.mails[0]) == ("al-1", "opened", False), "a refusal is no maybe"
    post.answers = ["554 5.7.1 looks like spam"]
    api.items.append(alert(2))
    line = daemon.says("dead")
    assert line["alert"] == "al-2" and "spam" in line["reason"]


def test_a_cut_after_the_final_dot_is_a_possible_repeat_under_the_same_message_id(scene):
    """Invariant 2."""
    post = scene.mail()
    post.answers = ["drop"]
    daemon = scene.tocsin(scene.api([alert(1)]), [plain_email("post", post)])
    wait_for(lambda: post.mails)
    assert daemon.log("retry")[0]["maybe_sent"] == "true"
    first, second = (parse_mail(m) for m in post.tries)
    assert first["message-id"] == second["message-id"]
    assert note_of_mail(post.mails[0]) == ("al-1", "opened", True)
    scene.wait_drained()
    assert scene.query("SELECT state, maybe_sent FROM v_deliveries") == [
        {"state": "done", "maybe_sent": 1}]


# ---- a server of somebody else's -------------------------------------------------------------

needs_smtp_sink = pytest.mark.skipif(
    not os.access(SmtpSink.program(), os.X_OK), reason="no smtp-sink: run contrib/deps.sh test")


@pytest.fixture
def smtp_sink(scene, tmp_path_factory):
    """Starts an smtp-sink that may write into a folder of its own."""

    def start(*options):
        folder = tmp_path_factory.mktemp("sink")
        for path in (folder, folder.parent, folder.parent.parent):
            os.chmod(path, 0o755)
        return scene.keep(SmtpSink(folder, *options))

    return start


@needs_smtp_sink
def test_postfix_takes_what_we_send(scene, smtp_sink):
    title, message = "Grüße", "one\n.\n..two\n" + LONG_LINE
    sink = smtp_sink()
    scene.tocsin(scene.api([alert(1, title=title, message=message)]), [plain_email("post", sink)])
    wait_for(sink.mails)
    scene.wait_drained()
    parsed = parse_mail(sink.mails()[0])
    assert parsed["subject"] == "[high opened] " + title
    assert message in lines(parsed.get_body(("plain",)).get_content())


PUT_OFF = {
    "-r": {"MAIL": "450", "RCPT": "450", "DATA": "450", ".": "450"},
    "-q": {"CONNECT": "cut", "EHLO": "cut", "MAIL": "cut", "RCPT": "cut", "DATA": "cut", ".": "cut"},
    "-Q": {"EHLO": "421", "MAIL": "421", "RCPT": "421", "DATA": "421", ".": "421"},
}
REFUSED = {"RCPT": "1 refused; oncall@example.com: 500", "DATA": "refuses this mail", ".": "refuses this mail"}


@needs_smtp_sink
def test_what_postfix_puts_off_or_cuts_stays_in_the_queue(scene, smtp_sink):
    reasons = {o + c: reason for o, of in PUT_OFF.items() for c, reason in of.items()}
    posts = {name: smtp_sink(name[:2], name[2:]) for name in reasons}
    sinks = [plain_email(f"s{i:02}", post) for i, post in enumerate(posts.values())]
    daemon = scene.tocsin(scene.api([alert(1)]), sinks)
    for i, (name, reason) in enumerate(reasons.items()):
        wait_for(lambda s=f"s{i:02}": len(daemon.log("retry", sink=s)) >= 2, what=name)
        tries = daemon.log("retry", sink=f"s{i:02}")
        assert all(reason in t["reason"] for t in tries), (name, tries)
        assert all(("maybe_sent" in t) == (name == "-q.") for t in tries), (name, tries)
    states = {r["state"] for r in scene.query("SELECT state FROM v_deliveries")}
    assert states <= {"due", "claimed"}


@needs_smtp_sink
def test_what_postfix_refuses_is_a_dead_letter_unless_it_is_about_us(scene, smtp_sink):
    scene.expect("msg=dead", "msg=sink-down")
    sinks = [plain_email(f"s{i}", smtp_sink("-f", command)) for i, command in enumerate(REFUSED)]
    sinks.append(plain_email("us", smtp_sink("-f", "MAIL")))
    daemon = scene.tocsin(scene.api([alert(1)]), sinks)
    for i, reason in enumerate(REFUSED.values()):
        assert reason in daemon.says("dead", sink=f"s{i}")["reason"]
    assert "sinks: us: from" in daemon.says("sink-down", sink="us")["hint"]
    assert scene.query("SELECT state FROM v_deliveries WHERE sink = 'us'")[0]["state"] in ("due", "claimed")
