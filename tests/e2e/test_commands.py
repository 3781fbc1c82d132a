"""The commands, as one types them: what they print and how they exit."""
import json
import os
import re
import subprocess
import time

import pytest
from aiosmtpd.controller import Controller

from support import (BIN, TEMPLATES, Receiver, Store, alert_body, configuration, deadline,
                     free_port, json_lines, source, tocsin, webhook)

COMMANDS = ("run", "check", "render", "send", "status", "alerts", "queue", "explain", "requeue",
            "drop", "route")


@pytest.fixture(autouse=True)
def under_a_deadline():
    with deadline():
        yield


# ---- usage ----


def test_version_and_help_go_to_stdout():
    done = tocsin("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"tocsin \d+\.\d+\.\d+\n", done.stdout)
    whole = tocsin("--help")
    assert whole.returncode == 0
    for command in COMMANDS:
        assert command in whole.stdout
        own = tocsin(command, "--help")
        assert (own.returncode, own.stderr) == (0, "")
        assert own.stdout.startswith(f"usage: tocsin {command}")


@pytest.mark.parametrize(
    "line",
    ["", "bogus", "statsu", "check extra", "check --online", "status --json=yes", "queue --sink",
     "queue --state lost", "alerts --since 5", "alerts --state lost", "explain", "explain a b",
     "send", "render", "render --event rung x", "render --sample rung x",
     "render --sample policy_violation --data d.json x", "requeue", "requeue 1 --sink bus",
     "requeue nine", "drop -1", "drop", "-x"],
)
def test_what_is_no_use_of_a_command_exits_2_with_a_line(line):
    done = tocsin(*line.split())
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr


def test_a_typo_in_a_command_names_the_nearest():
    assert '"status"' in tocsin("statsu").stderr


def test_a_c_without_a_file_and_an_unknown_option_are_told_as_what_they_are():
    assert "-c needs" in tocsin("-c").stderr
    assert "--jsn is no option" in tocsin("--jsn", "status").stderr


def test_a_missing_configuration_exits_78(tmp_path):
    for command in ("check", "status", "queue", "run"):
        done = tocsin(command, conf=tmp_path / "none.conf")
        assert done.returncode == 78
        assert "none.conf" in done.stdout + done.stderr


def test_a_result_that_could_not_be_written_is_no_success(tmp_path):
    conf = configuration(tmp_path)
    with open("/dev/full", "w", encoding="utf-8") as full:
        for line in (["check", "-c", conf], ["--help"], ["queue", "--help"]):
            done = subprocess.run([BIN, *line], stdout=full, stderr=subprocess.PIPE, timeout=30)
            assert done.returncode == 1, line
            assert b"could not be written" in done.stderr


# ---- check ----


def test_a_good_configuration_is_summed_up(tmp_path):
    done = tocsin("check", conf=configuration(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("tocsin.conf: ok: 1 source, 1 sink, 1 route\n")
    assert not (tmp_path / "tocsin.db").exists()


FIFTEEN = """store = "%(folder)s/nowhere/tocsin.db";
templates = "%(folder)s/none";
retention = "30";
sources = (
  { name = "a"; base_url = "https://api.toktra.io"; api_key = "env:TOCSIN_UNSET_KEY"; },
  { name = "a"; base_url = "http://api.toktra.io/v1"; api_key = "k"; poll_evry = "5s"; }
);
sinks = (
  { name = "s"; type = "slak"; url = "x"; },
  { name = "w"; type = "webhook"; url = "file:%(folder)s/none"; },
  { name = "m"; type = "email"; server = "ftp://x"; from = "a@b.c\\nBcc: x@y.z"; to = "a@b.c"; }
);
routes = (
  { name = "r"; match = [ "severity ~ high" ]; to = [ "nobody" ]; },
  { name = "q"; to = [ "w" ]; events = [ "rung" ]; }
);
"""


def test_a_configuration_with_fifteen_errors_lists_fifteen(tmp_path):
    conf = tmp_path / "bad.conf"
    conf.write_text(FIFTEEN % {"folder": tmp_path}, encoding="utf-8")
    done = tocsin("check", conf=conf)
    assert done.returncode == 78
    errors = done.stdout.splitlines()
    for line in errors:
        assert re.match(rf"{re.escape(str(conf))}:\d+: ", line), line
    assert len(errors) == 15, done.stdout
    assert done.stderr == f"tocsin: 15 errors in {conf}\n"
    for near in ("poll_every", "slack"):
        assert near in done.stdout
    lines = [json.loads(line) for line in tocsin("check", "--json", conf=conf).stdout.splitlines()]
    assert len(lines) == len(errors)
    assert set(lines[0]) == {"file", "line", "level", "message"}


def test_a_store_that_is_a_folder_is_an_error(tmp_path):
    conf = configuration(tmp_path)
    conf.write_text(conf.read_text().replace(str(tmp_path / "tocsin.db"), str(tmp_path)))
    done = tocsin("check", conf=conf)
    assert done.returncode == 78
    assert f"store: {tmp_path} is a folder" in done.stdout


def test_check_prints_no_secret(tmp_path):
    conf = configuration(
        tmp_path, sinks=[webhook(url="env:HOOK", more='secret = "env:SIG"; bogus = 1;')])
    done = tocsin("check", conf=conf, env={"HOOK": "ftp://h/t0p-s3cret", "SIG": "whsec_!!s3cret"})
    assert done.returncode == 78
    assert "s3cret" not in done.stdout + done.stderr


def with_template(folder, text, name="own"):
    (folder / f"{name}.json.mustache").write_text(text, encoding="utf-8")
    return configuration(folder, sinks=[webhook(more=f'template = "{name}";')])


def test_an_unknown_name_in_a_template_is_a_warning_with_its_line(tmp_path):
    conf = with_template(tmp_path, '{"a":"{{title}}",\n"b":"{{titel}}",\n'
                                   '"c":"{{metadata.model}}{{metadata.device}}{{vars.x}}"}')
    done = tocsin("check", conf=conf)
    assert done.returncode == 0
    assert re.search(r"own\.json\.mustache:2: warning: .*titel.*did you mean .*title", done.stdout)
    assert "metadata" not in done.stdout  # some sample has them
    assert re.search(r"own\.json\.mustache:3: warning: .*vars\.x", done.stdout)
    assert done.stdout.count("warning") == 3  # two, and the count of them


def test_a_template_that_fails_for_one_type_is_an_error(tmp_path):
    conf = with_template(tmp_path, '{"a":{{#type = security_event}}"{{{message}}}"{{/type}}'
                                   '{{^type = security_event}}1{{/type}}}')
    done = tocsin("check", "--json", conf=conf)
    assert done.returncode == 78
    problem = json.loads(done.stdout)
    assert problem["file"].endswith("own.json.mustache")
    assert problem["level"] == "error"
    assert "security_event" in problem["message"]


def test_a_template_that_does_not_compile_is_an_error(tmp_path):
    done = tocsin("check", conf=with_template(tmp_path, '{"a":"{{#title}}"}'))
    assert done.returncode == 78
    assert "own.json.mustache" in done.stdout


# ---- render ----

RENDERED = (
    '{"type":"alert.opened","timestamp":"2026-11-24T03:45:56Z","data":{"alert":'
    '{"id":"al1b2c3d-0000-0000-0000-000000000001",'
    '"org_id":"og1b2c3d-0000-0000-0000-000000000001","type":"policy_violation",'
    '"severity":"high","status":"open","title":"GPT-4 usage by non-engineering user",'
    '"message":"A user of Finance & Legal sent 3 requests to \\"gpt-4\\".\\n'
    'The policy <GPT-4 for engineering only> does not allow it.",'
    '"user_id":"us1b2c3d-0000-0000-0000-000000000042",'
    '"policy_id":"po1b2c3d-0000-0000-0000-000000000007","metadata":{"model":"gpt-4",'
    '"provider":"openai","token_count":4200,"department":"finance"},'
    '"created_at":"2026-11-24T03:45:52Z","resolved_at":null},'
    '"source":"example","route":"example","sink":"example"}}\n'
)


def test_render_prints_the_bytes_alone_without_a_configuration(tmp_path):
    path, conf = TEMPLATES / "webhook.json.mustache", tmp_path / "none.conf"
    done = tocsin("render", path, "--context", "none", conf=conf)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == RENDERED
    told = json.loads(tocsin("render", path, conf=conf).stdout)["data"]
    assert told["user"]["id"] == told["alert"]["user_id"] and told["budget"]["percent"] == 84.2


def test_a_template_is_found_by_name(tmp_path):
    conf = configuration(tmp_path)
    assert tocsin("render", "webhook.json", "--context", "none", conf=conf).stdout == RENDERED
    (tmp_path / "webhook.json.mustache").write_text("[1]", encoding="utf-8")
    assert tocsin("render", "webhook.json", conf=conf).stdout == "[1]"  # beside it goes first
    assert tocsin("render", "nowhere", conf=conf).returncode == 1


def test_a_broken_configuration_or_an_unset_secret_keeps_nobody_from_rendering(tmp_path):
    conf = configuration(tmp_path, sinks=[webhook(url="env:NOT_SET", more="bogus = 1;")])
    done = tocsin("render", "webhook.json", "--context", "none", conf=conf)
    assert (done.returncode, done.stdout) == (0, RENDERED)


@pytest.mark.parametrize("kind,status", [("opened", "open"), ("acknowledged", "acknowledged"),
                                         ("resolved", "resolved"), ("reopened", "open"),
                                         ("changed", "open")])
@pytest.mark.parametrize("sample", ["policy_violation", "budget_exceeded", "anomaly_detected",
                                    "security_event"])
def test_a_sample_fits_its_type_and_event(tmp_path, kind, status, sample):
    done = tocsin("render", "--event", kind, "--sample", sample,
                  TEMPLATES / "webhook.json.mustache")
    body = json.loads(done.stdout)
    alert = body["data"]["alert"]
    assert body["type"] == f"alert.{kind}"
    assert (alert["type"], alert["status"]) == (sample, status)
    assert (alert["resolved_at"] is not None) == (kind == "resolved")


def test_an_alert_in_a_file_tells_its_event_by_its_status(tmp_path):
    body = json.dumps(alert_body("x1", status="resolved"))
    (tmp_path / "alert.json").write_text(body, encoding="utf-8")
    (tmp_path / "t.txt").write_text("{{event}} {{id}} {{raw}} {{nope}}", encoding="utf-8")
    done = tocsin("render", "--alert", tmp_path / "alert.json", tmp_path / "t.txt")
    assert done.stdout == f"resolved x1 {body} "
    assert "nope" in done.stderr
    (tmp_path / "alert.json").write_text("{}", encoding="utf-8")
    done = tocsin("render", "--alert", tmp_path / "alert.json", tmp_path / "t.txt")
    assert done.returncode == 1


def test_a_stored_alert_can_be_rendered(tmp_path):
    conf = configuration(tmp_path)
    store = Store(tmp_path / "tocsin.db")
    store.names()
    alert = store.alert("x1")
    store.event(alert)
    store.event(alert, kind="acknowledged")
    store.close()
    (tmp_path / "t.txt").write_text("{{event}} {{id}} {{source}}", encoding="utf-8")
    assert tocsin("render", "--id", "x1", tmp_path / "t.txt", conf=conf).stdout == (
        "acknowledged x1 acme")
    assert tocsin("render", "--id", "x2", tmp_path / "t.txt", conf=conf).returncode == 1


def test_any_json_renders_as_it_is_with_partials_beside_it(tmp_path):
    (tmp_path / "data.json").write_text('{"who":{"name":"<b>"},"n":[1,2]}', encoding="utf-8")
    (tmp_path / "page.html.mustache").write_text("{{>head}}{{#n}}{{.}};{{/n}}", encoding="utf-8")
    (tmp_path / "head.html.mustache").write_text("{{who.name}}\n", encoding="utf-8")
    done = tocsin("render", "--data", tmp_path / "data.json", tmp_path / "page.html.mustache")
    assert (done.returncode, done.stdout, done.stderr) == (0, "&lt;b&gt;\n1;2;", "")
    (tmp_path / "data.json").write_text("{", encoding="utf-8")
    done = tocsin("render", "--data", tmp_path / "data.json", tmp_path / "page.html.mustache")
    assert (done.returncode, done.stdout) == (1, "")


# ---- send ----


@pytest.mark.parametrize("status,verdict,code", [(200, "delivered", 0), (400, "never", 1),
                                                 (500, "later", 1), (302, "later", 1)])
def test_send_tells_the_verdict_of_an_answer(tmp_path, status, verdict, code):
    with Receiver(status, headers={"Location": "http://127.0.0.1:9/"}) as receiver:
        conf = configuration(tmp_path, sinks=[webhook(url=receiver.url())])
        done = tocsin("send", "bus", "--json", "--event", "resolved", conf=conf)
        assert len(receiver.requests) == 1
    told = json.loads(done.stdout)
    assert done.returncode == code, done.stdout
    assert (told["sink"], told["status"], told["verdict"]) == ("bus", status, verdict)
    assert told["took_ms"] >= 0
    assert code == 0 or told["reason"]
    assert told["hint"] or status not in (302, 400)
    sent = json.loads(receiver.requests[0][2])
    assert (sent["type"], sent["data"]["test"]) == ("alert.resolved", True)
    assert json.loads(told["request"]["body"]) == sent


def test_send_shows_what_went_out_and_no_secret(tmp_path):
    secrets = {"HOOK": "", "TOKEN": "t0ken-s3cret", "SIG": "whsec_czNjcmV0LXNpZ25pbmcta2V5LXMzY3JldA==",
               "KEY": "r0uting-s3cret"}
    template = '{"key":"{{vars.routing_key}}","id":"{{id}}","team":"{{vars.team}}"}'
    (tmp_path / "own.json.mustache").write_text(template, encoding="utf-8")
    answer = b"bad \x1b[31mt0ken-s3cret\x07 /p4th-s3cret r0uting-s3cret"
    with Receiver(400, answer) as receiver:
        secrets["HOOK"] = receiver.url("/p4th-s3cret?x=1")
        conf = configuration(tmp_path, sinks=[webhook(
            url="env:HOOK",
            more='template = "own"; bearer = "env:TOKEN"; secret = "env:SIG"; '
                 'vars = { routing_key = "env:KEY"; team = "red"; }; '
                 'headers = { X-Api-Key = "h3ader-s3cret"; };')])
        for options in ((), ("--json",)):
            done = tocsin("send", "bus", *options, conf=conf, env=secrets)
            assert "s3cret" not in done.stdout + done.stderr
            assert "czNjcmV0" not in done.stdout + done.stderr
            assert "\x1b" not in done.stdout and "\\u001b" not in done.stdout
            assert f"http://127.0.0.1:{receiver.port}/***" in done.stdout
            assert "webhook-signature" in done.stdout
    path, headers, body = receiver.requests[0]
    assert path == "/p4th-s3cret?x=1"
    assert headers["Authorization"] == "Bearer t0ken-s3cret"
    assert json.loads(body)["key"] == "r0uting-s3cret"
    told = json.loads(done.stdout)
    assert json.loads(told["request"]["body"])["team"] == "red"
    assert told["request"]["headers"]["X-Api-Key"] == "***"
    assert told["request"]["headers"]["Authorization"] == "Bearer ***"


class Postman:
    """Puts the second recipient off once, as greylisting does."""

    def __init__(self):
        self.mails, self.refusals = [], 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == "b@example.com" and self.refusals == 0:
            self.refusals += 1
            return "450 4.2.0 come back"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 kept"


def test_send_of_a_mail_tells_its_envelope_and_who_has_it(tmp_path):
    postman = Postman()
    port = free_port()
    controller = Controller(postman, hostname="127.0.0.1", port=port, ready_timeout=10)
    controller.start()
    try:
        conf = configuration(tmp_path, sinks=[
            f'{{ name = "bus"; type = "email"; server = "smtp://127.0.0.1:{port}"; '
            'starttls = "off"; from = "Tocsin <t@example.com>"; '
            'to = [ "a@example.com", "b@example.com" ]; }'])
        some = tocsin("send", "bus", "--json", conf=conf)
        both = tocsin("send", "bus", conf=conf)
    finally:
        controller.stop()
    told = json.loads(some.stdout)
    request = told["request"]
    assert (request["method"], request["from"]) == ("MAIL", "t@example.com")
    assert request["to"] == ["a@example.com", "b@example.com"]
    assert "[TEST]" in request["headers"]["Subject"]
    assert "<table" in request["html"]
    assert (some.returncode, told["verdict"]) == (1, "later")
    assert "b@example.com: 450" in told["reason"]
    assert both.returncode == 0
    assert re.search("^to <b@example.com>$", both.stdout, re.M)
    assert re.search(r"^and \d+ bytes of HTML$", both.stdout, re.M)
    assert [mail[0] for mail in postman.mails] == [["a@example.com"],
                                                   ["a@example.com", "b@example.com"]]


def test_send_to_nobody_says_so(tmp_path):
    conf = configuration(tmp_path, sinks=[webhook(url="http://127.0.0.1:1/in")])
    done = tocsin("send", "bus", conf=conf)
    assert done.returncode == 1
    assert re.search(r"^verdict +later, and the sink would be held$", done.stdout, re.M)
    assert re.search(r"^hint +sinks: bus: ", done.stdout, re.M)
    done = tocsin("send", "buss", conf=conf)
    assert done.returncode == 1
    assert 'did you mean "bus"' in done.stderr


# ---- the store ----


@pytest.fixture(name="filled")
def fixture_filled(tmp_path):
    """One alert with two events: bus has heard the open at the second try, mail at once; the
    acknowledgement waits for bus and is dead for mail."""
    conf = configuration(
        tmp_path, sinks=[webhook("bus"), webhook("mail")],
        routes=['{ name = "rest"; match = [ "severity >= high", "type = policy_violation" ]; '
                'to = [ "bus", "mail" ]; }'])
    store = Store(tmp_path / "tocsin.db")
    store.names(sinks=("bus", "mail", "old"))
    store.db.execute("UPDATE sinks SET is_present = 0 WHERE name = 'old'")
    alert = store.alert("x1")
    opened = store.event(alert, age_ms=120000)
    ids = {"heard": store.delivery(opened, "done", attempt=2, status=200)}
    store.attempt(ids["heard"], 1)
    store.attempt(ids["heard"], 2, "delivered", 200, "ok")
    ids["first"] = store.delivery(opened, "done", sink=2, attempt=1, status=202,
                                  claimed_at=store.now - 119000)
    later = store.event(alert, "acknowledged")
    ids["due"] = store.delivery(later, "due", attempt=1)
    store.attempt(ids["due"], 1, "later", 503, "busy\x1b[2J now")
    ids["dead"] = store.delivery(later, "dead", sink=2, attempt=1, reason="refused: 400")
    store.attempt(ids["dead"], 1, "never", 400, "no")
    ids["orphaned"] = store.delivery(later, "orphaned", sink=3)
    yield conf, store, ids
    store.close()


def test_no_store_is_said_and_none_is_made(tmp_path):
    conf = configuration(tmp_path)
    for line in ("status", "status --json", "alerts", "queue", "explain x", "requeue 1", "drop 1",
                 "render --id x webhook.json"):
        done = tocsin(*line.split(), conf=conf)
        assert (done.returncode, done.stdout) == (1, "")
        assert "there is no store at" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["tocsin.conf"]


def test_commands_on_the_store_need_no_secret(filled):
    conf, _, _ = filled
    conf.write_text(conf.read_text().replace('"api-key-7d1f"', '"env:NOT_SET"'))
    assert tocsin("check", conf=conf).returncode == 78
    for line in ("status", "alerts", "queue", "explain x1"):
        assert tocsin(*line.split(), conf=conf).returncode == 0


def test_queue_lists_what_has_not_ended_well(filled):
    conf, store, ids = filled
    rows = {row["id"]: row for row in json_lines(tocsin("queue", "--json", conf=conf))}
    assert set(rows) == {ids["due"], ids["dead"], ids["orphaned"]}
    due = rows[ids["due"]]
    assert list(due) == ["id", "delivery_id", "sink", "source", "alert_id", "event", "origin", "n",
                         "route", "state", "reason", "attempt", "due_at", "held_until",
                         "maybe_sent", "age_s", "last"]
    assert re.fullmatch("tcs_[0-9a-f]{32}", due["delivery_id"])
    assert (due["sink"], due["event"], due["state"]) == ("bus", "acknowledged", "due")
    assert (due["last"]["verdict"], due["last"]["status"]) == ("later", 503)
    assert 59 <= due["age_s"] <= 90
    whole = json_lines(tocsin("queue", "--all", "--json", conf=conf))
    assert {row["id"] for row in whole} == set(ids.values())
    by_id = {row["id"]: row for row in whole}
    assert by_id[ids["first"]]["last"]["verdict"] == "delivered"
    only = json_lines(tocsin("queue", "--sink", "mail", "--json", conf=conf))
    assert [row["id"] for row in only] == [ids["dead"]]
    only = json_lines(tocsin("queue", "--state", "done", "--json", conf=conf))
    assert {row["id"] for row in only} == {ids["heard"], ids["first"]}


def test_a_list_that_could_not_be_written_is_no_success(filled):
    conf, _, _ = filled
    with open("/dev/full", "w", encoding="utf-8") as full:
        for line in ("alerts --json", "queue --json", "status --json", "explain x1 --json"):
            done = subprocess.run([BIN, "-c", conf, *line.split()], stdout=full,
                                  stderr=subprocess.PIPE, timeout=30)
            assert done.returncode == 1, line


def test_the_queue_of_a_sink_that_never_was_is_an_error_not_an_empty_list(filled):
    done = tocsin("queue", "--sink", "mial", conf=filled[0])
    assert (done.returncode, done.stdout) == (1, "")
    assert "no sink mial" in done.stderr


def test_the_delivery_id_is_the_one_a_receiver_sees(filled):
    """SHA-256 over the names, each with its length: two rows of one event differ by the sink."""
    conf, _, ids = filled
    rows = json_lines(tocsin("queue", "--all", "--json", conf=conf))
    assert len({row["delivery_id"] for row in rows}) == len(ids)


def test_people_see_a_table_without_control_characters(filled):
    conf, _, ids = filled
    done = tocsin("queue", conf=conf)
    lines = done.stdout.splitlines()
    assert lines[0].split()[:4] == ["ID", "STATE", "SINK", "EVENT"]
    assert len(lines) == 4
    assert "\x1b" not in done.stdout
    assert "503 busy[2J now" in done.stdout or "503 busy [2J now" in done.stdout
    assert all(line.index("x1") == lines[1].index("x1") for line in lines[1:])
    assert str(ids["dead"]) in done.stdout


def test_a_long_list_comes_whole(tmp_path):
    conf = configuration(tmp_path)
    store = Store(tmp_path / "tocsin.db")
    store.names()
    for n in range(1203):
        alert = store.alert(f"x{n}", age_ms=1203 - n)
        store.delivery(store.event(alert, age_ms=1203 - n))
    store.close()
    queue = json_lines(tocsin("queue", "--json", conf=conf))
    assert [row["alert_id"] for row in queue] == [f"x{n}" for n in range(1203)]
    alerts = json_lines(tocsin("alerts", "--json", conf=conf))
    assert [row["alert"]["id"] for row in alerts] == [f"x{n}" for n in range(1203)]
    assert tocsin("queue", conf=conf).stdout.count("\n") == 1204


def test_alerts_are_filtered_by_state_and_age(tmp_path):
    conf = configuration(tmp_path)
    store = Store(tmp_path / "tocsin.db")
    store.names()
    store.alert("old", state="resolved", status="resolved", age_ms=7200000)
    store.alert("new")
    store.alert("quiet", state="silent")
    store.close()

    def ids(*options):
        return [row["alert"]["id"] for row in json_lines(tocsin("alerts", "--json", *options,
                                                                conf=conf))]

    assert ids() == ["old", "new", "quiet"]
    assert ids("--state", "resolved") == ["old"]
    assert ids("--since", "1h") == ["new", "quiet"]
    assert ids("--since", "1h", "--state", "silent") == ["quiet"]
    row = json_lines(tocsin("alerts", "--json", "--state", "active", conf=conf))[0]
    assert set(row) == {"alert", "source", "state", "episode", "first_seen_at", "last_seen_at",
                        "missing_since", "unrouted"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", row["first_seen_at"])


HOSTILE = "a\x00\x1b[31m\r\n\u2028\u0085\u202e</script>\"\\\x9b1m\ud83d\ude00" + "é" * 5000


def test_whatever_an_alert_holds_a_line_is_one_object(tmp_path):
    conf = configuration(tmp_path)
    store = Store(tmp_path / "tocsin.db")
    store.names()
    title = HOSTILE.encode("utf-16", "surrogatepass").decode("utf-16")
    body = json.dumps(alert_body("x1", title=title, message=title), indent=2, ensure_ascii=False)
    body = body.replace("\n", "\r\n")
    alert = store.alert("x1", body=body)
    store.delivery(store.event(alert), reason=title.replace("\x00", ""))
    store.alert("x2", body="no JSON\nat all")
    store.close()
    for line in ("alerts --json", "queue --json", "explain x1 --json", "explain x2 --json"):
        done = tocsin(*line.split(), conf=conf)
        for row in json_lines(done):
            if row.get("id", "x1") == "x1" and isinstance(row.get("alert"), dict):
                if row["alert"]["id"] == "x1":
                    assert row["alert"]["title"] == title
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", done.stdout)
    for line in ("alerts", "queue --all", "explain x1", "explain x2"):
        done = tocsin(*line.split(), conf=conf)
        assert done.returncode == 0
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]", done.stdout)
        assert len(done.stdout) < 4000


def test_explain_tells_the_whole_story(filled):
    conf, _, ids = filled
    story = json_lines(tocsin("explain", "x1", "--json", conf=conf))
    assert len(story) == 1
    story = story[0]
    assert story["alert"]["id"] == "x1"
    assert [e["event"] for e in story["events"]] == ["opened", "acknowledged"]
    rows = {d["id"]: d for e in story["events"] for d in e["deliveries"]}
    assert set(rows) == set(ids.values())
    heard = rows[ids["heard"]]
    assert heard["route"] == "rest"
    assert heard["matched"] == ["severity >= high", "type = policy_violation"]
    assert [(a["verdict"], a["status"]) for a in heard["attempts"]] == [
        ("later", 503), ("delivered", 200)]
    first = rows[ids["first"]]["attempts"]
    assert [(a["verdict"], a["status"]) for a in first] == [("delivered", 202)]
    assert first[0]["at"] is not None
    assert rows[ids["dead"]]["attempts"][0]["verdict"] == "never"
    assert rows[ids["orphaned"]]["attempts"] == []
    assert story["next"]["id"] == ids["due"]


def test_explain_tells_people_too(filled):
    conf, _, ids = filled
    text = tocsin("explain", "x1", conf=conf).stdout
    assert text.startswith("x1: active, policy_violation, high, open\n  A title\n")
    assert f"{ids['heard']} to bus: done, route rest: severity >= high, " in text
    assert "try 1, " in text and "later 503" in text
    assert re.search(rf"^next: delivery {ids['due']} to bus in ", text, re.M)


def test_explain_says_when_the_route_is_gone(filled):
    conf, _, ids = filled
    conf.write_text(conf.read_text().replace('name = "rest"', 'name = "other"'))
    story = json_lines(tocsin("explain", "x1", "--json", conf=conf))[0]
    assert story["events"][0]["deliveries"][0]["matched"] is None
    assert "not in the configuration now" in tocsin("explain", "x1", conf=conf).stdout


def test_explain_of_an_unknown_id_exits_1(filled):
    for options in ((), ("--json",)):
        done = tocsin("explain", "x9", *options, conf=filled[0])
        assert (done.returncode, done.stdout) == (1, "")
        assert "x9" in done.stderr


def test_status_says_that_no_daemon_runs(filled):
    conf, store, _ = filled
    told = json_lines(tocsin("status", "--json", conf=conf))[0]
    assert (told["pid"], told["ready"]) == (None, False)
    assert "no daemon runs" in told["reasons"][0]
    assert [s["name"] for s in told["sinks"]] == ["bus", "mail", "old"]
    bus, mail, old = told["sinks"]
    assert (bus["due"], bus["done"], bus["state"]) == (1, 1, "up")
    assert (mail["dead"], mail["done"], mail["oldest_due_at"]) == (1, 1, None)
    assert (old["present"], old["orphaned"]) == (False, 1)
    assert told["store"]["alerts"] == 1 and told["store"]["deliveries"] == 5
    assert told["store"]["bytes"] > 0
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    store.insert("runtime", id=1, at=store.now - 180000, json=json.dumps(
        {"version": "9.9.9", "pid": gone.pid, "ready": True, "reasons": [],
         "sources": [{"name": "acme", "rate": {"limit": 1000, "remaining": 940}, "error": None}],
         "sinks": []}))
    told = json_lines(tocsin("status", "--json", conf=conf))[0]
    assert (told["pid"], told["ready"], told["sources"][0]["rate"]["limit"]) == (None, False, None)
    text = tocsin("status", conf=conf).stdout
    assert f"no daemon runs: the last one (pid {gone.pid}) last wrote 3 min ago" in text
    assert re.search(r"^bus +webhook +up +1 +0 +0 +0 +1 +in ", text, re.M)


def test_status_tells_how_long_a_sink_is_held(filled):
    conf, store, _ = filled
    store.db.execute("UPDATE sinks SET held_until = ?, reason = 'busy\x1b' WHERE name = 'bus'",
                     (store.now + 300000,))
    store.db.commit()
    bus = json_lines(tocsin("status", "--json", conf=conf))[0]["sinks"][0]
    assert (bus["state"], bus["reason"]) == ("down", "busy\x1b")
    assert bus["held_until"] is not None
    assert re.search(r"^bus .*down .*tried again in \d+ min: busy$",
                     tocsin("status", conf=conf).stdout, re.M)
    store.db.execute("UPDATE sinks SET held_until = ? WHERE name = 'bus'", (store.now - 1000,))
    store.db.commit()
    assert re.search(r"^bus .*down .*tried again once a daemon runs: busy$",
                     tocsin("status", conf=conf).stdout, re.M)


def test_requeue_makes_a_new_row_and_moves_the_old(filled):
    conf, store, ids = filled
    done = tocsin("requeue", ids["dead"], conf=conf)
    assert (done.returncode, done.stdout) == (0, "requeued 1 delivery\n")
    assert store.state_of(ids["dead"]) == ("moved", "requeued")
    rows = json_lines(tocsin("queue", "--sink", "mail", "--json", conf=conf))
    assert [(r["state"], r["origin"], r["n"]) for r in rows] == [("due", "requeue", 1)]


def test_requeue_by_sink_takes_the_dead(filled):
    conf, store, ids = filled
    assert tocsin("requeue", "--sink", "bus", conf=conf).stdout == "requeued 0 deliveries\n"
    assert json_lines(tocsin("requeue", "--sink", "mail", "--json", conf=conf)) == [
        {"requeued": 1, "selected": 1}]
    assert store.state_of(ids["dead"])[0] == "moved"


def test_drop_gives_up_rows(filled):
    conf, store, ids = filled
    done = tocsin("drop", ids["due"], ids["dead"], conf=conf)
    assert (done.returncode, done.stdout) == (0, "dropped 2 deliveries\n")
    assert store.state_of(ids["due"]) == ("dropped", "operator")
    assert tocsin("drop", "--sink", "old", "--state", "orphaned", conf=conf).stdout == (
        "dropped 1 delivery\n")


def test_a_row_that_is_left_alone_is_told_with_its_state(filled):
    conf, _, ids = filled
    assert tocsin("requeue", ids["dead"], conf=conf).stderr == ""
    for command in ("requeue", "drop"):
        done = tocsin(command, ids["dead"], conf=conf)
        assert done.returncode == 0
        assert done.stderr == f"tocsin: left alone: {ids['dead']} is moved\n"


def test_an_unknown_id_exits_1_and_nothing_is_touched(filled):
    conf, store, ids = filled
    for command in ("requeue", "drop"):
        done = tocsin(command, ids["dead"], 4711, conf=conf)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "tocsin: the store knows no delivery 4711\n"
    assert store.state_of(ids["dead"])[0] == "dead"
    done = tocsin("drop", "--sink", "nobody", conf=conf)
    assert done.returncode == 1
    assert "nobody" in done.stderr


# ---- beside a daemon ----


def test_commands_work_beside_a_daemon(tmp_path):
    sim_bin = os.environ.get("TOKTRA_SIM_BIN", "")
    if not os.access(sim_bin, os.X_OK):
        pytest.skip("needs toktra-sim")
    sim = subprocess.Popen([sim_bin, "--port", "0", "--history", "5", "--rate", "off"],
                           stdout=subprocess.PIPE, encoding="utf-8")
    daemon = None
    try:
        port = int(re.search(r":(\d+)/v1", sim.stdout.readline()).group(1))
        with Receiver() as receiver:
            conf = configuration(
                tmp_path, sinks=[webhook(url=receiver.url())],
                sources=[source(port=port).replace(
                    'api_key = "api-key-7d1f"',
                    'api_key = "sandbox-key"; start = "all"; poll_every = "1s"')])
            daemon = subprocess.Popen([BIN, "run", "-c", conf], stderr=subprocess.DEVNULL)
            told = {}
            while not told.get("ready") or told["sinks"][0]["due"]:
                time.sleep(0.2)
                done = tocsin("status", "--json", conf=conf)
                told = json.loads(done.stdout) if done.returncode == 0 else {}
            assert told["pid"] == daemon.pid
            assert told["reasons"] == []
            assert told["sources"][0]["rate"]["limit"] > 0
            rows = json_lines(tocsin("queue", "--all", "--json", conf=conf))
            heard = {r[1]["webhook-id"] for r in receiver.requests}
            assert {r["delivery_id"] for r in rows if r["state"] == "done"} == heard
            again = tocsin("requeue", rows[0]["id"], conf=conf)
            assert again.stdout == "requeued 1 delivery\n"
            while len(receiver.requests) <= len(heard):
                time.sleep(0.1)
            daemon.terminate()
            assert daemon.wait(20) == 0
            assert json_lines(tocsin("status", "--json", conf=conf))[0]["pid"] is None
    finally:
        for process in (daemon, sim):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        sim.stdout.close()
