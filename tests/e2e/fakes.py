"""Servers that misbehave on request, and the programs under test, as objects.

Everything listens on loopback and a free port, every wait has a deadline, and everything that
was started is ended: tests start things through the fixture `scene` (conftest.py). What each
receiver heard stays in its list for the test to judge.
"""
import asyncio
import base64
import collections
import contextlib
import datetime
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import random
import re
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

# Every deadline is so many times as long: 20 under valgrind.
PATIENCE = float(os.environ.get("TOCSIN_PATIENCE", "1"))

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def wait_for(condition, seconds=20, what="the condition"):
    """Polls until condition() is true and returns its value; fails after that many seconds, times
    PATIENCE."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


# ---- HTTP ------------------------------------------------------------------------------------

Call = collections.namedtuple("Call", "number method path query headers body")
Seen = collections.namedtuple("Seen", "method path headers body at status")


class _HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, *args):
        self.open = set()
        super().__init__(*args)

    def process_request(self, request, client_address):
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def drop_all(self):
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        pass  # a client that went away is what these tests are about


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def _answer(self):
        receiver = self.server.receiver
        want = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(want)
        if len(body) < want:
            self.close_connection = True  # killed in mid-sentence: nothing was heard
            return
        behave = receiver.choose(self, body)
        time.sleep(behave.get("delay", 0))
        receiver.note(self, body, behave)
        getattr(self, "_" + behave.get("kind", "status"))(behave)

    def _status(self, behave):
        data = behave.get("body", "ok")
        data = data if isinstance(data, bytes) else data.encode()
        headers = {"Date": self.date_time_string(), **behave.get("headers", {})}
        if "length" in behave:
            self.close_connection = True  # a length that is not kept: cut in mid-answer
        self.send_response_only(behave.get("status", 200))
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.send_header("Content-Length", str(behave.get("length", len(data))))
        self.end_headers()
        self.wfile.write(data)

    def _reset(self, behave):
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def _hang(self, behave):
        self.close_connection = True
        self.server.receiver.closing.wait(behave.get("seconds", 60))

    def _endless(self, behave):
        self.close_connection = True
        self.send_response_only(behave.get("status", 200))
        self.end_headers()
        sent = 0
        with contextlib.suppress(OSError):
            while not self.server.receiver.closing.is_set() and sent < 1 << 30:
                sent += self.wfile.write(b"x" * 65536)
        self.server.receiver.poured.append(sent)

    do_GET = do_POST = do_PUT = do_PATCH = _answer


class Receiver:
    """An HTTP receiver. `behave` says how it answers: a dict, or a function Call -> dict.

    kind    "status" (default), "reset", "hang" (for `seconds`), "endless"
    status, body, headers (None: leave that one out), length (a Content-Length that is not kept)
    delay   seconds before the answer; the request counts as heard after them
    """

    def __init__(self, behave=None, tls=None):
        self.behave = behave or {}
        self.seen = []
        self.poured = []  # bytes of each endless answer that the other side took
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.count = 0
        self.tls = tls
        self.server = None
        self.start(0)

    def start(self, port):
        self.server = _HttpServer(("127.0.0.1", port), _Handler)
        self.server.receiver = self
        self.port = self.server.server_address[1]
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path="/in", host="127.0.0.1"):
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    def choose(self, handler, body):
        with self.lock:
            self.count += 1
            number = self.count
        if not callable(self.behave):
            return self.behave
        url = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        return self.behave(Call(number, handler.command, url.path, query, headers, body))

    def note(self, handler, body, behave):
        status = behave.get("status", 200) if behave.get("kind", "status") != "reset" else 0
        if behave.get("kind") == "hang":
            status = 0
        headers = {name.lower(): value for name, value in handler.headers.items()}
        seen = Seen(handler.command, handler.path, headers, body, time.time(), status)
        with self.lock:
            self.seen.append(seen)

    def all(self):
        with self.lock:
            return list(self.seen)

    def accepted(self):
        """Requests that were answered with 2xx."""
        return [s for s in self.all() if 200 <= s.status < 300]

    def bodies(self):
        return [json.loads(s.body) for s in self.accepted()]

    def connections(self):
        """How many are open."""
        return len(self.server.open)

    def down(self):
        """Refuses connections from now on, and drops those it has."""
        self.server.shutdown()
        self.server.server_close()
        self.server.drop_all()

    def up(self):
        """Listens again on the same port."""
        self.start(self.port)

    def close(self):
        self.closing.set()
        self.down()


def flaky(seed, share=0.2, hang=2.0):
    """A behaviour: that share of requests meets a 503, a reset or no answer, before accepting."""
    chance = random.Random(seed)
    lock = threading.Lock()
    bad = [{"status": 503, "body": "busy"}, {"kind": "reset"}] * 10
    bad.append({"kind": "hang", "seconds": hang})

    def behave(call):
        with lock:
            return chance.choice(bad) if chance.random() < share else {}

    return behave


def note_of(seen):
    """(alert id, event, possible repeat) of a request to a webhook or to Slack; for Slack the
    alert must be one of alert()."""
    body = json.loads(seen.body)
    if "data" in body:
        data = body["data"]
        return data["alert"]["id"], body["type"].split(".")[1], data.get("possible_repeat", False)
    event, number = re.search(r"(\w+): Title (\d+)$", body["text"]).groups()
    return f"al-{number}", event, "possible repeat" in seen.body.decode()


def note_of_mail(mail):
    """The same of a mail, for an alert of alert(). Not parsed: there are thousands of them."""
    found = re.search(rb"\r\nSubject: \[\w+ (\w+)\] Title (\d+)\r\n", mail.content)
    event, number = (part.decode() for part in found.groups())
    repeat = b"may be a repeat" in mail.content.replace(b"=\r\n", b"")
    return f"al-{number}", event, repeat


def parse_mail(mail):
    content = mail if isinstance(mail, bytes) else mail.content
    return email.message_from_bytes(content, policy=email.policy.default)


def notes(fake):
    """The notes of all that a receiver or a mail server accepted, in order."""
    if isinstance(fake, MailServer):
        return [note_of_mail(m) for m in list(fake.mails)]
    return [note_of(s) for s in fake.accepted()]


def heard(fake):
    """Counter of (alert id, event)."""
    return collections.Counter(note[:2] for note in notes(fake))


def check_signature(seen, secret):
    """Standard Webhooks 1.0.0: true when one of the signatures is right."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{seen.headers['webhook-id']}.{seen.headers['webhook-timestamp']}.".encode()
    signed += seen.body
    want = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return want in seen.headers["webhook-signature"].split(" ")


# ---- mail ------------------------------------------------------------------------------------

Mail = collections.namedtuple("Mail", "sender recipients content login tls at")


class _MailHandler:
    def __init__(self, owner):
        self.owner = owner

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.owner.refuse.get(address)
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        owner = self.owner
        mail = Mail(
            envelope.mail_from,
            list(envelope.rcpt_tos),
            envelope.original_content,
            getattr(session, "auth_data", None) if session.authenticated else None,
            server.transport.get_extra_info("sslcontext") is not None,
            time.time(),
        )
        owner.tries.append(mail)
        answer = owner.answers.pop(0) if owner.answers else "250 2.0.0 accepted"
        if answer.startswith("2"):
            owner.mails.append(mail)  # whether or not anybody waits for the answer
        if owner.delay:
            await asyncio.sleep(owner.delay)
        if answer == "drop":
            server.transport.abort()
            return "421 gone"
        return answer


class _Smtp(SMTP):
    """Counts who is connected."""

    def connection_made(self, transport):
        self.event_handler.owner.open += 1
        super().connection_made(transport)

    def connection_lost(self, error):
        self.event_handler.owner.open -= 1
        super().connection_lost(error)


class _TokenHandler(_MailHandler):
    """Takes OAuth tokens instead of passwords."""

    async def auth_XOAUTH2(self, server, args):
        said = await server.challenge_auth("") if len(args) == 1 else base64.b64decode(args[1])
        parts = dict(p.split("=", 1) for p in said.decode().strip("\1").split("\1"))
        self.owner.logins.append(parts["user"])
        good = parts["auth"] == "Bearer " + self.owner.tokens.get(parts["user"], "")
        return AuthResult(success=good, handled=False, auth_data=parts["user"])


class MailServer:
    """A real SMTP server. tls: None, "starttls" or "implicit"; users: {name: password}, which
    may change while it runs; tokens: the same for XOAUTH2; refuse: {address: answer to its RCPT}."""

    def __init__(self, tls=None, cert=None, users=None, refuse=None, tokens=None):
        self.made = 0  # connections so far
        self.mails = []  # accepted
        self.tries = []  # that came as far as the final dot
        self.answers = []  # to the next final dots: "451 later", "drop", "250 …"
        self.open = 0
        self.delay = 0  # before the answer to the final dot
        self.refuse = refuse or {}
        self.users = users
        self.tokens = tokens
        self.logins = []
        # With a name of its own it asks no DNS for one, which may take seconds, for each mail.
        options = {"decode_data": False, "ident": "fake", "hostname": "localhost"}
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*cert)
        if users is not None:
            options.update(authenticator=self._check, auth_required=True)
            options.update(auth_require_tls=tls == "starttls")
        if tokens is not None:
            options.update(auth_required=True, auth_exclude_mechanism=["PLAIN", "LOGIN"])
            options.update(auth_require_tls=tls == "starttls")
        if tls == "starttls":
            options.update(tls_context=context, require_starttls=True)
        self.options = options
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda loop, context: None)
        listening = self.loop.create_server(
            self._conversation, sock=self.socket, ssl=context if tls == "implicit" else None
        )
        self.server = self.loop.run_until_complete(listening)
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def _conversation(self):
        self.made += 1
        handler = _MailHandler if self.tokens is None else _TokenHandler
        return _Smtp(handler(self), loop=self.loop, **self.options)

    def connections(self):
        """How many are open."""
        return self.open

    def _check(self, server, session, envelope, mechanism, data):
        if isinstance(data, LoginPassword):
            name, password = data.login.decode(), data.password.decode()
            self.logins.append(name)
            if self.users.get(name) == password:
                return AuthResult(success=True, auth_data=name)
        return AuthResult(success=False, handled=False)

    async def _end(self):
        self.server.close()
        tasks = [t for t in asyncio.all_tasks(self.loop) if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def close(self):
        with contextlib.suppress(TimeoutError, RuntimeError):
            asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)


class SmtpSink:
    """postfix's smtp-sink, unpacked by contrib/deps.sh; what came lies in files of `folder`."""

    @staticmethod
    def program():
        return os.path.join(os.environ.get("TOCSIN_TOOLS", TOP + "/build/tools"), "usr/sbin/smtp-sink")

    def __init__(self, folder, *options):
        self.folder = str(folder)
        os.chmod(self.folder, 0o777)
        program = self.program()
        library = os.path.join(os.path.dirname(os.path.dirname(program)), "lib/postfix")
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        self.port = free_port()
        self.process = subprocess.Popen(
            [program, *user, "-d", "mail.", *options, f"127.0.0.1:{self.port}", "64"],
            cwd=self.folder,
            env={**os.environ, "LD_LIBRARY_PATH": library},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers, 10, "smtp-sink")

    def _answers(self):
        assert self.process.poll() is None, "smtp-sink ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def mails(self):
        texts = []
        for name in sorted(os.listdir(self.folder)):
            if name.startswith("mail."):
                with open(os.path.join(self.folder, name), "rb") as file:
                    texts.append(file.read())
        return texts

    def close(self):
        self.process.terminate()
        self.process.wait(10)


class Alertmanager:
    """Debian's prometheus-alertmanager, unpacked by contrib/deps.sh, on a free port; it sends
    what it knows to nobody."""

    CONFIG = "route: { receiver: nobody }\nreceivers: [ { name: nobody } ]\n"

    def __init__(self, folder):
        tools = os.path.abspath(os.environ.get("TOCSIN_TOOLS", TOP + "/build/tools"))
        config = os.path.join(str(folder), "alertmanager.yml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(self.CONFIG)
        self.port = free_port()
        self.process = subprocess.Popen(
            [os.path.join(tools, "usr/bin/prometheus-alertmanager"), f"--config.file={config}",
             f"--storage.path={folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
             "--cluster.listen-address="],
            cwd=os.path.join(tools, "usr/share/prometheus/alertmanager"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._is_ready, 15, "alertmanager")

    def _is_ready(self):
        assert self.process.poll() is None, "alertmanager ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(self.url("/-/ready"), timeout=5):
            return True
        return False

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, what):
        with urllib.request.urlopen(self.url(f"/api/v2/{what}"), timeout=10) as reply:
            return json.load(reply)

    def active(self):
        """Alerts that it holds for active, by the label alert_id."""
        alerts = [a for a in self.get("alerts") if a["status"]["state"] == "active"]
        return {a["labels"]["alert_id"]: a for a in alerts}

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- certificates ----------------------------------------------------------------------------


class Authority:
    """A private CA in a folder, and certificates made by it."""

    def __init__(self, folder, name="Test CA"):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        self.x509, self.hashes, self.serialization, self.ec = x509, hashes, serialization, ec
        self.folder = str(folder)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.file = os.path.join(self.folder, "ca.pem")
        cert = self._sign(self.name, self.key, [], 10, ca=True)
        self._write(self.file, cert.public_bytes(serialization.Encoding.PEM))

    @staticmethod
    def _write(path, data):
        with open(path, "wb") as out:
            out.write(data)

    def _sign(self, subject, key, names, days, ca=False, since=-20, by=None):
        import ipaddress

        x509 = self.x509
        now = datetime.datetime.utcnow()
        alt = [
            x509.IPAddress(ipaddress.ip_address(n)) if n[0].isdigit() else x509.DNSName(n)
            for n in names
        ]
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if by else self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=since))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if alt:
            builder = builder.add_extension(x509.SubjectAlternativeName(alt), critical=False)
        return builder.sign(by or self.key, self.hashes.SHA256())

    def issue(self, label, names=("127.0.0.1", "localhost"), days=10, since=-20, own=False):
        """(certificate file, key file); days < 0: expired; since > 0: not yet valid; own: signed by
        itself."""
        s = self.serialization
        key = self.ec.generate_private_key(self.ec.SECP256R1())
        subject = self.x509.Name([self.x509.NameAttribute(self.x509.NameOID.COMMON_NAME, label)])
        cert = self._sign(subject, key, names, days, since=since, by=key if own else None)
        paths = os.path.join(self.folder, label + ".pem"), os.path.join(self.folder, label + ".key")
        self._write(paths[0], cert.public_bytes(s.Encoding.PEM))
        self._write(paths[1], key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
        return paths


# ---- the API, scripted -----------------------------------------------------------------------


def alert(number, **fields):
    """An alert as the API lists it; its id, unless given, is al-NUMBER."""
    return {
        "id": f"al-{number}",
        "org_id": "org-1",
        "type": "policy_violation",
        "severity": "high",
        "status": "open",
        "title": f"Title {number}",
        "message": f"Message {number}",
        "user_id": None,
        "policy_id": None,
        "metadata": {"model": "gpt-4"},
        "created_at": "2026-01-15T10:30:00Z",
        "resolved_at": None,
        **fields,
    }


def page(items, next_cursor=None, **more):
    """An envelope as bytes; an item that is bytes is put in as it is."""
    texts = [i if isinstance(i, bytes) else json.dumps(i).encode() for i in items]
    rest = {"next_cursor": next_cursor, "has_more": next_cursor is not None, **more}
    return b'{"items":[' + b",".join(texts) + b"]," + json.dumps(rest).encode()[1:]


class Api(Receiver):
    """An API that does what toktra-sim never does. `script` is Call -> behave, or None where
    the call is to be answered as it should; `items` is what is listed then, newest last."""

    def __init__(self, items=(), script=None):
        self.items = list(items)
        self.script = script
        self.tokens = 0
        super().__init__(self._behave)

    @property
    def base(self):
        return self.url("/v1")

    def _behave(self, call):
        behave = self.script(call) if self.script else None
        if behave is None:
            behave = self.right(call)
        headers = {"Content-Type": "application/json", **behave.get("headers", {})}
        return {**behave, "headers": headers}

    def right(self, call):
        if call.path == "/v1/oauth/token":
            self.tokens += 1
            token = {"access_token": f"token-{self.tokens}", "token_type": "bearer", "expires_in": 3600}
            return {"body": json.dumps(token)}
        cursor, limit = call.query.get("cursor", "0"), int(call.query.get("limit", 25))
        if not cursor.isdigit():
            return {"status": 400, "body": '{"error":"bad_request","message":"unknown cursor"}'}
        at = int(cursor)
        end = at + limit
        more = str(end) if end < len(self.items) else None
        return {"body": page(self.items[at:end], more, total_count=len(self.items))}

    def heal(self):
        self.script = None

    def asked(self):
        """Queries of the pages asked for so far."""
        urls = (urllib.parse.urlsplit(s.path) for s in self.all())
        return [dict(urllib.parse.parse_qsl(u.query)) for u in urls if u.path == "/v1/alerts"]
