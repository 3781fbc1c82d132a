"""Peers below HTTP and TLS: each connection meets a script of bytes, resets and silence.

A script is a function of a Talk. Once its Rogue is healed, what connections it had are dropped
and each later one is answered as HTTP should be.
"""
import contextlib
import socket
import ssl
import struct
import threading
import warnings

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
LONGEST = 256 << 20  # bytes of an answer without end


class Talk:
    """One connection, seen from the server."""

    def __init__(self, rogue, conn):
        self.rogue, self.conn, self.rest = rogue, conn, b""

    def more(self):
        """The next bytes; EOFError when the client has gone."""
        got = self.conn.recv(65536)
        if not got:
            raise EOFError
        self.rest += got

    def head(self):
        """Reads up to the empty line; the body may lie unread behind it."""
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        self.rogue.heads.append(head)
        return head

    def request(self):
        """Reads one request whole and returns its body."""
        fields = [line.split(b":", 1) for line in self.head().split(b"\r\n")[1:]]
        want = next(int(v) for k, v in fields if k.lower() == b"content-length")
        while len(self.rest) < want:
            self.more()
        body, self.rest = self.rest[:want], self.rest[want:]
        return body

    def say(self, data):
        self.conn.sendall(data)

    def drip(self, data, pause=0.2):
        for byte in data:
            self.say(bytes([byte]))
            self.hold(pause)

    def pour(self, chunk):
        """Says it until nobody listens any more."""
        sent = 0
        with contextlib.suppress(OSError):
            while not self.rogue.closing.is_set() and sent < LONGEST:
                sent += self.conn.send(chunk)
        self.rogue.poured = max(self.rogue.poured, sent)

    def hold(self, seconds=30):
        """Keeps the connection and reads nothing; ends the script when it is healed."""
        if self.rogue.closing.wait(seconds):
            raise EOFError

    def reset(self):
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.conn.close()

    def half_close(self):
        self.conn.shutdown(socket.SHUT_WR)


class Rogue:
    """A peer with a script."""

    def __init__(self, script):
        self.script = script
        self.heads = []  # of all requests
        self.taken = []  # bodies that were answered with 200 after it was healed
        self.poured = 0
        self.closing = threading.Event()
        self.healed = threading.Event()
        self.open = set()
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path="/in", scheme="http", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.port}{path}"

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = self.listener.accept()
                conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.open.add(conn)
                threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        talk = Talk(self, conn)
        with contextlib.suppress(OSError, EOFError):
            if self.healed.is_set():
                self._be_polite(talk)
            else:
                self.script(talk)
        self.open.discard(conn)
        conn.close()

    def _be_polite(self, talk):
        while True:
            body = talk.request()
            self.taken.append(body)
            talk.say(OK)

    def heal(self):
        self.healed.set()
        self._drop()

    def _drop(self):
        self.closing.set()
        for conn in list(self.open):
            with contextlib.suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
        self._drop()


def tls_context(cert, versions=None, wants=None):
    """A server's; versions: the only one that it speaks; wants: the CA of the certificates that
    it demands of clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if versions:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is the point
            context.minimum_version = context.maximum_version = versions
    context.load_cert_chain(*cert)
    if wants:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(wants)
    return context


def speaking_tls(context):
    """A script: the handshake, and then any request is taken, which none should be."""

    def script(talk):
        talk.conn = context.wrap_socket(talk.conn, server_side=True, do_handshake_on_connect=False)
        try:
            talk.conn.do_handshake()
        except ssl.SSLError:
            talk.hold()  # the client is to read why
        talk.rogue.taken.append(talk.request())
        talk.say(OK)

    return script
