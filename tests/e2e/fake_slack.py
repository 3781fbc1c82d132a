"""Slack's Web API, as far as a bot needs it: channels, messages, threads, updates, refusals."""
import json
import threading

import block_kit

TOKEN = "xoxb-0-fake-token"
CHANNEL, NAME = "C0ALERTS01", "alerts"


class Refused(Exception):
    def __init__(self, error, **more):
        super().__init__(error)
        self.answer = {"ok": False, "error": error, **more}


class Slack:
    """A `behave` for a receiver. Messages lie in `messages`, by ts and in order; each has `shown`
    (the members that people see), `edits`, and `thread` (its parent's ts, or None). What should
    not be asked at all is noted in `blunders`. `trouble(method, body)` may return an answer of
    its own: {"status", "body", "headers", "delay", "after"} (after: it is done all the same)."""

    def __init__(self, trouble=None):
        self.trouble = trouble or (lambda method, body: None)
        self.tokens = {TOKEN: "chat:write"}
        self.names = {NAME: CHANNEL, CHANNEL: CHANNEL}
        self.is_archived = False
        self.messages = {}
        self.calls = []  # (method, body, answer), in order
        self.blunders = []
        self.lock = threading.Lock()
        self.clock = 1_700_000_000

    # ---- what tests ask ----

    def top(self):
        return [m for m in self.messages.values() if m["thread"] is None]

    def replies(self, ts):
        return [m for m in self.messages.values() if m["thread"] == ts]

    def delete(self, ts):
        with self.lock:
            del self.messages[ts]

    def count(self, method):
        return sum(1 for call in self.calls if call[0] == method)

    # ---- requests ----

    def __call__(self, call):
        method = call.path.removeprefix("/api/")
        try:
            body = json.loads(call.body)
        except ValueError:
            body = None
        trouble = self.trouble(method, body)
        with self.lock:
            if trouble and not trouble.get("after"):
                self.calls.append((method, body, trouble))
                return trouble
            try:
                answer = self.answer(method, call, body)
            except Refused as refused:
                answer = refused.answer
            self.calls.append((method, body, answer))
        return trouble or {"body": json.dumps(answer), "headers": {"Content-Type": "application/json"}}

    def answer(self, method, call, body):
        if call.method != "POST" or method not in ("chat.postMessage", "chat.update"):
            raise Refused("unknown_method")
        if call.headers.get("content-type") != "application/json; charset=utf-8":
            raise Refused("invalid_charset")
        if body is None:
            raise Refused("invalid_json")
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        self.log_in(call.headers.get("authorization", ""))
        found = block_kit.faults(body)
        if found:
            raise Refused("invalid_blocks", errors=found,
                          response_metadata={"messages": ["[ERROR] " + w for w in found]})
        return self.post(body) if method == "chat.postMessage" else self.update(body)

    def log_in(self, authorization):
        if not authorization:
            raise Refused("not_authed")
        scopes = self.tokens.get(authorization.removeprefix("Bearer "))
        if scopes is None:
            raise Refused("invalid_auth")
        if "chat:write" not in scopes.split(","):
            raise Refused("missing_scope", needed="chat:write", provided=scopes)

    def channel_of(self, body):
        channel = self.names.get(body.get("channel", "").removeprefix("#"))
        if channel is None:
            raise Refused("channel_not_found")
        if self.is_archived:
            raise Refused("is_archived")
        return channel

    def post(self, body):
        channel, parent = self.channel_of(body), body.get("thread_ts")
        if parent is not None:
            if parent not in self.messages:
                raise Refused("thread_not_found")
            if self.messages[parent]["thread"] is not None:
                self.blunders.append(f"a reply's ts as a thread's: {parent}")
            if body["channel"] != channel:
                self.blunders.append(f"a reply to a channel's name: {body['channel']}")
        self.clock += 1
        ts = f"{self.clock}.{len(self.messages) * 10:06d}"  # no number: it ends with a zero
        self.messages[ts] = {"ts": ts, "thread": parent, "shown": shown(body), "edits": [],
                             "is_broadcast": body.get("reply_broadcast", False)}
        return {"ok": True, "channel": channel, "ts": ts,
                "message": {"type": "message", "bot_id": "B1", "ts": ts, **shown(body)}}

    def update(self, body):
        if body.get("channel") not in self.names.values():
            raise Refused("channel_not_found")
        self.channel_of(body)
        message = self.messages.get(body.get("ts"))
        if message is None:
            raise Refused("message_not_found")
        # what is not named stays
        message["edits"].append(message["shown"])
        message["shown"] = {**message["shown"], **shown(body)}
        return {"ok": True, "channel": body["channel"], "ts": body["ts"], "text": body["text"],
                "message": shown(body)}


def shown(body):
    return {key: body[key] for key in ("text", "blocks", "attachments") if key in body}


def error(word, status=200, **more):
    """An answer for `trouble`."""
    headers = more.pop("headers", {})
    return {"status": status, "headers": {"Content-Type": "application/json", **headers},
            "body": json.dumps({"ok": False, "error": word, **more})}
