"""Three receivers on loopback: a chat that answers as Slack does, a webhook, a mail server.

Each hands every message it took to `arrived`, as an Arrival. `failing` makes one refuse what
comes (503, the mail server 451); `slow_s` makes it answer that late, having taken the message.
What is told of a message is read from the message alone, as its reader would.
"""
import asyncio
import base64
import dataclasses
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse

from aiosmtpd.smtp import SMTP

EVENTS = "opened|acknowledged|resolved|reopened|changed"
TIMESTAMP_TOLERANCE_S = 300  # what Standard Webhooks recommends


@dataclasses.dataclass
class Arrival:
    where: str
    alert_id: str
    event: str
    severity: str
    title: str
    key: object  # a repeat has the key of the first
    says_repeat: bool  # "this may be a repeat"
    signed: bool = None  # the webhook's signature is right
    message: object = None  # all of it, for those who want to see it
    at: float = dataclasses.field(default_factory=time.time)


def read_chat(body):
    """A Slack message. The alert's id is in the link of its title."""
    message = json.loads(body)
    text = message["text"]
    everything = json.dumps(message, ensure_ascii=False)
    head = re.match(rf"(?:\[(\w+)\] )?.*?({EVENTS}): (.*)", text, re.S)
    link = re.search(r"/alerts/([^|>]+)[|>]", everything)
    moment = re.search(r"<!date\^(\d+)", everything)
    alert_id = urllib.parse.unquote(link.group(1)) if link else ""
    return Arrival(
        "chat",
        alert_id,
        head.group(2) if head else "",
        (head.group(1) or "").lower() if head else "",
        plain(head.group(3) if head else text),
        # Slack has no key for repeats: the same event of the same alert, seen at that moment.
        (alert_id, head and head.group(2), moment and moment.group(1)),
        "possible repeat" in everything,
        message=message,
    )


def plain(text):
    """Slack's markup as it is read."""
    text = re.sub(r"<[^>|]*\|([^>]*)>", r"\1", text)
    text = re.sub(r"^>>> ", "", text)
    text = re.sub(r"\*([^*\n]+)\*", r"\1", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def read_mail(content):
    """A mail. The alert's id stands in its text."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    text = mail.get_body(("plain",)).get_content()
    subject = re.match(r"\[(?:(\w+) )?(\w+)\] (.*)", mail["Subject"], re.S)
    alert_id = re.search(r"^Alert:\s+(\S+)", text, re.M)
    return Arrival(
        "mail",
        alert_id.group(1) if alert_id else "",
        subject.group(2) if subject else "",
        (subject.group(1) or "") if subject else "",
        subject.group(3) if subject else mail["Subject"],
        mail["Message-ID"],
        "may be a repeat" in text,
        message=mail,
    )


def read_hook(headers, body, secret):
    """A webhook, and whether its signature is right."""
    seen = json.loads(body)
    alert = seen["data"]["alert"]
    return Arrival(
        "hook",
        alert["id"],
        seen["type"].split(".")[1],
        alert.get("severity") or "",
        alert.get("title") or "",
        headers["webhook-id"],
        seen["data"].get("possible_repeat", False),
        signed=is_signed(headers, body, secret),
        message=(headers, seen),
    )


def is_signed(headers, body, secret):
    """Standard Webhooks 1.0: an HMAC over id, time and body, and the time is now."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    number, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "0")
    digest = hmac.new(key, f"{number}.{moment}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    is_right = any(
        hmac.compare_digest(signature, one)
        for one in headers.get("webhook-signature", "").split(" ")
    )
    return is_right and abs(time.time() - int(moment)) < TIMESTAMP_TOLERANCE_S


class Receiver:
    """What the three have in common."""

    def __init__(self, arrived):
        self.arrived = arrived
        self.failing = False
        self.slow_s = 0
        self.refused = 0


class _Post(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_POST(self):
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if receiver.failing:
            receiver.refused += 1
            self.answer(503, b"service unavailable")
            return
        try:
            arrival = self.server.read(self.headers, body)
        except json.JSONDecodeError:
            self.answer(400, b"invalid_payload")
            return
        receiver.arrived(arrival)
        time.sleep(receiver.slow_s)
        self.answer(200, b"ok")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that was killed
            super().handle_error(request, client_address)


class HttpReceiver(Receiver):
    """`read` makes an Arrival of (headers, body)."""

    def __init__(self, arrived, read):
        super().__init__(arrived)
        self.server = _Server(("127.0.0.1", 0), _Post)
        self.server.receiver = self
        self.server.read = read
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()


class MailReceiver(Receiver):
    """An SMTP server, on a loop and a thread of its own."""

    def __init__(self, arrived):
        super().__init__(arrived)
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(
            loop.create_server(lambda: SMTP(self, hostname="localhost"), "127.0.0.1", 0)
        )
        self.port = server.sockets[0].getsockname()[1]
        threading.Thread(target=loop.run_forever, daemon=True).start()

    # The name is aiosmtpd's; the answer is what it returns.
    async def handle_DATA(self, server, session, envelope):
        if self.failing:
            self.refused += 1
            return "451 4.3.0 try again later"
        self.arrived(read_mail(envelope.content))
        await asyncio.sleep(self.slow_s)
        return "250 2.0.0 accepted"
