"""Webhooks beyond a POST with a secret: addresses by template, our own certificate, a proxy, an open
and its close by `send`, and presets that take several steps or sign in their own way."""
import collections
import hashlib
import hmac
import json
import re
import urllib.parse

from fakes import Authority, Receiver, alert, heard, wait_for
from programs import answers, newer, run, webhook
from rogues import tls_context


def told(scene, sink, *alerts, **daemon):
    """A daemon that tells these alerts to this one sink."""
    sim = scene.sim()
    started = scene.start(scene.config(sim, [sink], **daemon))
    sim.put(*alerts)
    return sim, started


def test_method_address_and_headers_may_hold_names_of_the_alert(scene):
    hook = scene.receiver()
    headers = {"X-Title": "{{title}}", "X-Severity": "{{severity | upper}}"}
    url = hook.url("/in/{{type}}?id={{id}}&title={{title}}")
    told(scene, {"name": "hook", "type": "webhook", "url": url, "method": "PUT", "headers": headers},
         alert(1, title="a b&c=d/é\r\nX-Evil: yes", created_at=newer()))
    wait_for(lambda: len(hook.all()) == 1)
    seen = hook.all()[0]
    path = "/in/policy_violation?id=al-1&title=a%20b%26c%3Dd%2F%C3%A9%0D%0AX-Evil%3A%20yes"
    assert (seen.method, seen.path) == ("PUT", path)
    assert seen.headers["x-severity"] == "HIGH" and "x-evil" not in seen.headers
    assert seen.headers["x-title"].encode("latin-1").decode() == "a b&c=d/é  X-Evil: yes"


class Strict(Receiver):
    """Hears those alone who show a certificate of this authority."""

    def __init__(self, cert, ca):
        self.cert, self.ca = cert, ca
        super().__init__()

    def start(self, port):
        super().start(port)
        context = tls_context(self.cert, wants=self.ca)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.tls = self.cert


def test_a_receiver_that_wants_our_certificate_gets_it(scene, tmp_path):
    ca = Authority(tmp_path)
    hook = scene.keep(Strict(ca.issue("server"), ca.file))
    cert, key = ca.issue("tocsin")
    told(scene, webhook("hook", hook, ca_file=ca.file, cert_file=cert, key_file=key),
         alert(1, created_at=newer()))
    wait_for(lambda: heard(hook)[("al-1", "opened")] == 1)


def test_a_proxy_is_asked_for_the_whole_address(scene):
    proxy = scene.receiver()
    sink = {"name": "hook", "type": "webhook", "url": "http://127.0.0.1:9/in?x=1",
            "proxy": proxy.url("").rstrip("/")}
    told(scene, sink, alert(1, created_at=newer()))
    wait_for(lambda: len(proxy.all()) == 1)
    assert proxy.all()[0].path == "http://127.0.0.1:9/in?x=1"


def test_send_follow_tells_an_open_and_then_its_close(scene):
    hook = scene.receiver({"status": 202, "body": '{"status":"success"}'})
    sinks = [
        {"name": "plain", "type": "webhook", "url": hook.url()},
        {"name": "pager", "type": "webhook", "preset": "pagerduty", "base_url": hook.url(""),
         "vars": {"routing_key": "r" * 32}},
    ]
    config = scene.config(scene.api([]), sinks)
    said = answers(config, "send", "plain", "--event", "resolved", "--follow")
    assert [json.loads(s["request"]["body"])["type"] for s in said] == ["alert.opened", "alert.resolved"]
    ids = {json.loads(s["request"]["body"])["data"]["alert"]["id"] for s in said}
    assert len(ids) == 1
    said = answers(config, "send", "pager", "--event", "resolved", "--follow")
    bodies = [json.loads(seen.body) for seen in hook.all()[-2:]]
    assert [b["event_action"] for b in bodies] == ["trigger", "resolve"]
    assert bodies[0]["dedup_key"] == bodies[1]["dedup_key"]
    assert "r" * 32 not in json.dumps(said)
    wrong = run(config, "send", "plain", "--follow")
    assert wrong.returncode == 2 and "--follow wants another --event" in wrong.stderr


def test_send_shows_the_attributes_of_a_cloudevent_and_no_other_header(scene):
    hook = scene.receiver()
    config = scene.config(scene.api([]), [
        {"name": "events", "type": "webhook", "preset": "cloudevents", "url": hook.url(),
         "vars": {"mode": "binary"}, "headers": {"X-Key": "not-a-secret-by-name"}}])
    (said,) = answers(config, "send", "events")
    shown = said["request"]["headers"]
    assert shown["ce-type"] == "io.toktra.alert.opened" and shown["ce-id"].startswith("tcs_")
    assert shown["X-Key"] == "***"


class Jira:
    """Issues by label, their comments and transitions; `lose` answers are cut after the work."""

    def __init__(self):
        self.issues = {}
        self.comments, self.moves = collections.defaultdict(list), collections.defaultdict(list)
        self.lose = 0

    def __call__(self, call):
        body = json.loads(call.body)
        assert call.headers["authorization"].startswith("Basic ")
        if call.path == "/rest/api/3/search/jql":
            label = re.search(r'labels = "([^"]+)"', body["jql"]).group(1)
            found = [{"key": key} for key, at in self.issues.items() if label in at["labels"]]
            return {"body": json.dumps({"issues": found[-1:]})}
        if call.path == "/rest/api/2/issue":
            key = f"OPS-{len(self.issues) + 1}"
            self.issues[key] = body["fields"]
            if self.lose > 0:
                self.lose -= 1
                return {"kind": "reset"}
            return {"status": 201, "body": json.dumps({"id": "1", "key": key})}
        key, what = re.fullmatch(r"/rest/api/2/issue/(OPS-\d+)/(comment|transitions)", call.path).groups()
        (self.comments if what == "comment" else self.moves)[key].append(body)
        return {"status": 201, "body": "{}"} if what == "comment" else {"status": 204, "body": ""}


def test_jira_makes_one_issue_even_where_an_answer_is_lost_and_closes_it(scene):
    jira = Jira()
    hook = scene.receiver(jira)
    scene.expect("msg=sink-down")
    jira.lose = 1
    sink = {"name": "jira", "type": "webhook", "preset": "jira", "base_url": hook.url("").rstrip("/"),
            "retry": {"min": "100ms", "max": "400ms"},
            "vars": {"project": "OPS", "user": "u", "token": "secret-token", "done_transition": "31"}}
    sim, daemon = told(scene, sink, alert(1, created_at=newer()))
    wait_for(lambda: jira.issues)
    scene.wait_drained()
    assert list(jira.issues) == ["OPS-1"] and jira.lose == 0
    assert jira.issues["OPS-1"]["summary"] == "[HIGH] Title 1"
    sim.change("al-1", status="acknowledged")
    wait_for(lambda: len(jira.comments["OPS-1"]) == 1)
    sim.change("al-1", status="resolved", resolved_at=newer())
    wait_for(lambda: len(jira.moves["OPS-1"]) == 1)
    assert jira.moves["OPS-1"] == [{"transition": {"id": "31"}}]
    assert [c["body"] for c in jira.comments["OPS-1"]] == [
        "The alert was acknowledged.", "The alert was resolved."]
    scene.wait_drained()
    assert len(jira.issues) == 1 and not any("secret-token" in line for line in daemon.err)


def sigv4_signature(seen, secret, region):
    """AWS's documentation, from the request as it arrived."""
    fields = dict(re.findall(r"(\w+)=([^,]+)", seen.headers["authorization"]))
    day = fields["Credential"].split("/")[1]
    names = fields["SignedHeaders"].split(";")
    url = urllib.parse.urlsplit(seen.path)
    canonical = "\n".join([seen.method, url.path, url.query] +
                          [f"{n}:{seen.headers[n].strip()}" for n in names] +
                          ["", ";".join(names), hashlib.sha256(seen.body).hexdigest()])
    scope = f"{day}/{region}/sns/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", seen.headers["x-amz-date"], scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (day, region, "sns", "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex(), fields["Signature"]


def test_sns_is_signed_as_aws_documents_it(scene):
    hook = scene.receiver({"body": '{"PublishResponse":{}}'})
    sink = {"name": "sns", "type": "webhook", "preset": "sns", "base_url": hook.url("").rstrip("/"),
            "vars": {"region": "eu-west-1", "topic_arn": "arn:aws:sns:eu-west-1:1:t", "session_token": "st+/=",
                     "access_key_id": "AKID", "secret_access_key": "s3cr3t/key+1"}}
    told(scene, sink, alert(1, title="ä & =", created_at=newer()))
    wait_for(lambda: len(hook.all()) == 1)
    seen = hook.all()[0]
    assert seen.headers["x-amz-security-token"] == "st+/="
    ours, theirs = sigv4_signature(seen, "s3cr3t/key+1", "eu-west-1")
    assert ours == theirs
    form = dict(urllib.parse.parse_qsl(seen.body.decode()))
    assert json.loads(form["Message"])["title"] == "ä & =" and form["Action"] == "Publish"
