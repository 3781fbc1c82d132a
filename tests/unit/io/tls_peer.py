"""A TLS front before a plain server on loopback, for tests.

tls_peer.py FOLDER NAME PORT MODE: listens, prints its own port, and passes what it decrypts
with FOLDER/NAME.pem on to PORT and back, until its stdin ends. MODE: "implicit"; "starttls",
which begins in plain text and speaks TLS once the server has answered STARTTLS with 220; or
"mutual", which demands a client's certificate.
"""
import select
import socket
import ssl
import sys
import threading


def context(folder, name, mode):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
    if mode == "mutual":
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_verify_locations(f"{folder}/ca.pem")
    return tls


def line(conn):
    heard = b""
    while not heard.endswith(b"\n"):
        byte = conn.recv(1)
        if not byte:
            break
        heard += byte
    return heard


def speak_plain(client, server):
    """The beginning of an SMTP conversation, up to a granted STARTTLS; False: it ended."""
    asked = b""
    while True:
        answer = line(server)
        client.sendall(answer)
        if not answer:
            return False
        if answer[3:4] == b"-":
            continue
        if asked.startswith(b"STARTTLS") and answer.startswith(b"220"):
            return True
        asked = line(client)
        if not asked:
            return False
        server.sendall(asked)


def pass_on(client, server):
    """Both ways, until one side ends; by one thread, for an SSL socket bears no two."""
    ends = {client: server, server: client}
    while True:
        ready = [client] if client.pending() else select.select(list(ends), [], [])[0]
        for source in ready:
            chunk = source.recv(65536)
            if not chunk:
                return
            ends[source].sendall(chunk)


def serve(client, port, tls, mode):
    server = socket.create_connection(("127.0.0.1", port))
    try:
        if mode == "starttls" and not speak_plain(client, server):
            server.close()
            client.close()
            return
        client = tls.wrap_socket(client, server_side=True)
    except OSError:
        server.close()
        client.close()
        return
    try:
        pass_on(client, server)
    except OSError:
        pass  # one of the two has gone
    server.close()
    client.close()


def main():
    folder, name, port, mode = sys.argv[1:]
    tls = context(folder, name, mode)
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")  # in one write
    sys.stdout.flush()

    def accept():
        while True:
            client, _ = listener.accept()
            client.settimeout(5)
            args = (client, int(port), tls, mode)
            threading.Thread(target=serve, args=args, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


main()
