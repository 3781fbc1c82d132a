"""Chats by preset: the shape of what they get, and the daemon with their answers.

What no alert can do to a request, and whose fault each answer is, is tests/unit/sinks/chats*.
"""
import json
import re

import pytest

from fakes import alert, wait_for
from programs import webhook
from support import TEMPLATES, tocsin

EVENTS = ["opened", "acknowledged", "reopened", "changed", "resolved"]

# ---- shapes ----------------------------------------------------------------------------------
# A shape is a type, a set of allowed values, a compiled pattern, [shape of each], a function that
# tells, or {"key": shape, "key?": shape of an optional one}; keys that it does not name are wrong.


def misfit(value, shape, at="$"):
    """Where and why value is not of that shape; None when it is."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{at} is no object"
        required = {k for k in shape if not k.endswith("?")}
        known = {k.rstrip("?") for k in shape}
        if not required <= set(value) <= known:
            return f"{at} lacks {required - set(value)} or has {set(value) - known}"
        parts = ((value[k], shape.get(k, shape.get(k + "?")), f"{at}.{k}") for k in value)
    elif isinstance(shape, list):
        if not isinstance(value, list) or not value:
            return f"{at} is no list, or empty"
        parts = ((v, shape[0], f"{at}.{i}") for i, v in enumerate(value))
    elif isinstance(shape, set):
        return None if value in shape else f"{at} is {value!r}, none of {shape}"
    elif isinstance(shape, re.Pattern):
        fits = isinstance(value, str) and shape.fullmatch(value)
        return None if fits else f"{at} is {value!r}"
    elif isinstance(shape, type):
        return None if type(value) is shape else f"{at} is {value!r}, no {shape.__name__}"
    else:
        return shape(value, at)
    return next(filter(None, (misfit(*p) for p in parts)), None)


def text(most):
    return re.compile(r"(?s)(?=.*\S).{1,%d}" % most)


ADDRESS = re.compile(r"https?://[!-~]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
RUN = {"type": {"TextRun"}, "text": text(2000), "isSubtle?": bool, "weight?": {"Bolder"},
       "size?": {"Medium"}}


def element(value, at):
    """Of an Adaptive Card. No TextBlock and no Fact: their texts would be Markdown."""
    shapes = {
        "Container": {"type": str, "style": {"attention", "warning", "accent", "good", "emphasis"},
                      "bleed": bool, "items": [element]},
        "RichTextBlock": {"type": str, "inlines": [RUN], "spacing?": {"Small"}},
    }
    kind = value.get("type") if isinstance(value, dict) else None
    return misfit(value, shapes[kind], at) if kind in shapes else f"{at} is {value!r}"


SHAPES = {
    "teams": {"type": {"message"}, "attachments": [{
        "contentType": {"application/vnd.microsoft.card.adaptive"},
        "contentUrl": {None},
        "content": {
            "$schema": str, "type": {"AdaptiveCard"}, "version": {"1.4"},
            "msteams": {"width": {"Full"}},
            "body": [element],
            "actions?": [{"type": {"Action.OpenUrl"}, "title": text(50), "url": ADDRESS}]}}]},
    "discord": {
        "allowed_mentions": {"parse": lambda v, at: None if v == [] else f"{at} is {v!r}"},
        "username?": text(80), "thread_name?": text(100),
        "embeds": [{"title": text(256), "url?": ADDRESS, "description": text(4096), "color": int,
                    "footer?": {"text": text(2048)}, "timestamp": TIME}]},
    "google-chat": {
        "thread?": {"threadKey": text(4000)}, "fallbackText": text(1000),
        "cardsV2": [{"cardId": text(100), "card": {
            "header": {"title": text(200)},
            "sections": [{"widgets": [lambda v, at: misfit(v, {
                "textParagraph?": {"text": text(20000)},
                "buttonList?": {"buttons": [{"text": text(50), "onClick": {
                    "openLink": {"url": ADDRESS}}}]}}, at)]}]}}]},
    "telegram": {
        "chat_id": text(100), "message_thread_id?": text(20), "parse_mode": {"HTML"},
        "link_preview_options": {"is_disabled": {True}},
        "reply_parameters?": {"message_id": text(20), "allow_sending_without_reply": {True}},
        "text": re.compile(r"(?s)([^<>&]|</?(b|i|code)>|<a href=\"[^\"<>]+\">|</a>|&(amp|lt|gt);)+")},
}


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    path = tmp_path_factory.mktemp("chats") / "tocsin.conf"
    path.write_text(f'templates = "{TEMPLATES}";\n')
    return path


@pytest.mark.parametrize("name", SHAPES)
def test_each_request_has_the_vendor_s_shape(conf, name, tmp_path):
    hostile = tmp_path / "alert.json"
    words = '</script> [x](http://evil) <b>@everyone</b> {{DATE(2017-02-14T06:00:00Z)}} \r\n"\\'
    hostile.write_text(json.dumps(alert(1, **dict.fromkeys(
        ["title", "message", "severity", "type", "user_id", "policy_id"], words))))
    cases = [["--event", e] for e in EVENTS] + [["--digest"], ["--alert", str(hostile)]]
    for options in cases + [c + ["--handle", "41"] for c in cases]:
        done = tocsin("presets", "render", name, *options, conf=conf)
        assert done.returncode == 0, done.stderr
        body = json.loads(done.stdout.split("\n\n", 1)[1])
        assert misfit(body, SHAPES[name]) is None, options


def test_a_shape_is_told_from_what_it_is_not():
    """So that the test above can fail."""
    good = {"a": "x", "b": [1]}
    shape = {"a": text(3), "b": [int], "c?": bool}
    assert misfit(good, shape) is None
    for bad in [{}, {"a": "x"}, {**good, "d": 1}, {**good, "a": "xxxx"}, {**good, "a": " "},
                {**good, "b": []}, {**good, "b": ["1"]}, {**good, "c": 1}, [good]]:
        assert misfit(bad, shape) is not None, bad
    assert element({"type": "TextBlock", "text": "x"}, "$") is not None


# ---- the daemon ------------------------------------------------------------------------------

TOKEN = "12345:secret-of-the-bot"


def telegram(receiver):
    sink = webhook("phone", receiver, preset="telegram", base_url=receiver.url(""), rate="off",
                   vars={"token": TOKEN, "chat_id": "-100"})
    del sink["url"]
    return sink


def answer(code, /, **body):
    return {"status": code, "body": json.dumps(body), "headers": {"Content-Type": "application/json"}}


def test_discord_is_waited_for_as_it_asks_and_a_deleted_webhook_is_the_operator_s(scene):
    scene.expect("the webhook was deleted")
    gone = []

    def behave(call):
        if gone:
            return answer(404, message="Unknown Webhook", code=10015)
        if call.number == 1:
            return answer(429, message="You are being rate limited.", retry_after=0.7, **{"global": False})
        return answer(200, id="9", channel_id="77")

    sim, chat = scene.sim(), scene.receiver(behave)
    sim.put(alert(1, title="@everyone [x](http://evil.example)"))
    path = "/api/webhooks/1/hush-hush-token"
    daemon = scene.tocsin(sim, [webhook("chat", chat, preset="discord", url=chat.url(path), rate="off")],
                          link="https://app.example.com/{{id}}")
    wait_for(chat.accepted)
    first, second = chat.all()
    assert 0.6 < second.at - first.at < 5
    assert second.path == path + "?wait=true"
    body = json.loads(second.body)
    assert body["allowed_mentions"] == {"parse": []}
    assert body["embeds"][0]["url"] == "https://app.example.com/al-1"
    assert "\\@everyone \\[x\\]\\(http\\://evil" in body["embeds"][0]["title"]
    scene.wait_drained()
    gone.append(True)
    sim.put(alert(2))
    daemon.poll()
    line = wait_for(lambda: [l for l in daemon.log("retry") if "10015" in l["reason"]])[0]
    assert "the webhook was deleted" in line["reason"] and "sinks: chat: url: " in line["hint"]
    daemon.says("sink-down", sink="chat")
    assert not any("hush-hush" in l for l in daemon.err)
    assert scene.count("SELECT count(*) FROM v_deliveries WHERE state = 'dead'") == 0


def test_telegram_waits_as_it_asks_and_answers_in_the_alert_s_thread(scene):
    def behave(call):
        if call.number == 1:
            return answer(429, ok=False, error_code=429, description="Too Many Requests",
                          parameters={"retry_after": 1})
        return answer(200, ok=True, result={"message_id": 40 + call.number})

    sim, phone = scene.sim(), scene.receiver(behave)
    sim.put(alert(1, title="<b>@all</b> evil.example"))
    daemon = scene.tocsin(sim, [telegram(phone)])
    wait_for(phone.accepted)
    sim.change("al-1", status="acknowledged")
    daemon.poll()
    wait_for(lambda: len(phone.accepted()) == 2)
    sim.change("al-1", status="resolved")
    daemon.poll()
    wait_for(lambda: len(phone.accepted()) == 3)
    refused, opened, acknowledged, resolved = phone.all()
    assert 0.9 < opened.at - refused.at < 5
    assert {s.path for s in phone.all()} == {f"/bot{TOKEN}/sendMessage"}
    assert "reply_parameters" not in json.loads(opened.body)
    assert "&lt;b&gt;＠all&lt;∕b&gt; evil․example" in json.loads(opened.body)["text"]
    for later in (acknowledged, resolved):
        assert json.loads(later.body)["reply_parameters"] == {
            "message_id": "42", "allow_sending_without_reply": True}
    assert "✅" in json.loads(resolved.body)["text"]
    assert not any("secret-of-the-bot" in l for l in daemon.err)


def test_a_telegram_group_s_new_id_is_told_to_the_operator(scene):
    scene.expect("the group has a new id")
    new = answer(400, ok=False, error_code=400, parameters={"migrate_to_chat_id": -1001234567890},
                 description="Bad Request: group chat was upgraded to a supergroup chat")
    sim, phone = scene.sim(), scene.receiver(new)
    sim.put(alert(1))
    daemon = scene.tocsin(sim, [telegram(phone)])
    line = daemon.says("retry")
    assert "-1001234567890" in line["reason"] and "vars: chat_id" in line["hint"]


def test_a_critical_alert_that_ends_stops_ringing_at_pushover(scene):
    """Two requests of one delivery: what rings is cancelled, then the end is told."""

    def behave(call):
        if call.path.endswith("/cancel.json"):
            return answer(200, status=1)
        return answer(200, status=1, **({"receipt": "rcpt-1"} if call.number == 1 else {}))

    sim, phone = scene.sim(), scene.receiver(behave)
    sim.put(alert(1, severity="critical"))
    sink = webhook("phone", phone, preset="pushover", base_url=phone.url(""), rate="off",
                   vars={"token": "app-token-1", "user": "user-key-1", "retry": "45"})
    del sink["url"]
    daemon = scene.tocsin(sim, [sink])
    wait_for(phone.accepted)
    sim.change("al-1", status="resolved")
    daemon.poll()
    wait_for(lambda: len(phone.accepted()) == 3)
    opened, cancel, told = phone.all()
    assert json.loads(opened.body) | {"priority": 2, "retry": 45, "expire": 3600} == json.loads(opened.body)
    assert cancel.path == "/1/receipts/rcpt-1/cancel.json" and cancel.body == b"token=app-token-1"
    assert json.loads(told.body)["priority"] == 0 and "resolved" in json.loads(told.body)["title"]
    scene.wait_drained()
    assert scene.count("SELECT count(*) FROM v_deliveries WHERE state = 'done'") == 2
