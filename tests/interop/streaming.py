"""Large bodies through the gateway: whole, in both directions, and in little memory.

    ACLGATE_BIN=… python streaming.py [--mebibytes 256] [--folder DIR]
"""

import argparse
import http.client
import json
import socket
import tempfile
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from checks import check, summary
from harness import free_port, stage

MIB = 1024 * 1024
BLOCK = bytes(i * 2654435761 >> 7 & 255 for i in range(MIB // 4))
PEAK_BYTES = 64 * MIB
# SPEC §5: memory a connection.
IDLE_BYTES, STREAMING_BYTES = 32 * 1024, 256 * 1024
IDLE_CONNECTIONS, STALLED_CONNECTIONS = 1000, 48

release = threading.Event()


def blocks(size):
    """`size` bytes of which no two neighbouring blocks are at the same offset of the pattern."""
    sent = 0
    while sent < size:
        block = BLOCK[: min(len(BLOCK) - sent // len(BLOCK) % 7, size - sent)]
        sent += len(block)
        yield block


def checksum(pieces):
    count, crc = 0, 0
    for piece in pieces:
        count, crc = count + len(piece), zlib.crc32(piece, crc)
    return {"bytes": count, "crc": crc}


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    rbufsize = MIB
    # Head and body leave apart; the body's first bytes shall not wait for an acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self):
        wanted = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        size, cut = int(wanted.get("bytes", 0)), int(wanted.get("cut", -1))
        chunked = "chunked" in wanted
        self.send_response(200)
        self.send_header(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(size))))
        self.end_headers()
        try:
            for piece in blocks(size if cut < 0 else cut):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            if cut >= 0:
                self.close_connection = True
            elif chunked:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def do_POST(self):
        if self.path.startswith("/stall"):
            release.wait()
        body = self.chunks() if self.headers.get("Transfer-Encoding") else self.counted()
        answer = json.dumps(checksum(body)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def counted(self):
        left = int(self.headers["Content-Length"])
        while left:
            piece = self.rfile.read1(min(left, MIB))
            if not piece:
                return
            left -= len(piece)
            yield piece

    def chunks(self):
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, *_):
        pass


class UpstreamServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        """A client that went away is no news here."""


POLICY = """
[server]
listen = ["127.0.0.1:{port}"]

[upstream]
url = "http://127.0.0.1:{upstream}"

[[ip_acl]]
name = "local-only"
default = "block"
allow = ["127.0.0.0/8"]

# Applies to every request below and allows it: bodies are to stream although an ACL is in question.
[[tenant]]
id = "d7d09513-a3f5-401c-9685-34ab6c552453"
name = "acme"
default = true
ip_acl = "local-only"
"""


def connect(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def pieces(response):
    while piece := response.read(MIB):
        yield piece


def expected(size):
    return checksum(blocks(size))


def settled(server):
    """Resident bytes once they have not grown for half a second."""
    last, since, deadline = resident(server), time.monotonic(), time.monotonic() + 20
    while time.monotonic() < min(since + 0.5, deadline):
        time.sleep(0.05)
        now = resident(server)
        if now > last:
            last, since = now, time.monotonic()
    return last


def resident(server):
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096


def run_checks(gateway, port, size):
    want = expected(size)

    for kind in ("length", "chunked"):

        @check(f"a download of {size // MIB} MiB, {kind}")
        def _():
            connection = connect(port)
            connection.request("GET", f"/oauth2/download?bytes={size}&{kind}=1")
            assert checksum(pieces(connection.getresponse())) == want

        @check(f"an upload of {size // MIB} MiB, {kind}")
        def _():
            connection = connect(port)
            headers = {"Content-Length": str(size)} if kind == "length" else {"Transfer-Encoding": "chunked"}
            headers["Content-Type"] = "application/octet-stream"
            connection.request("POST", "/oauth2/upload", blocks(size), headers, encode_chunked=kind == "chunked")
            assert json.load(connection.getresponse()) == want

    for kind in ("length", "chunked"):

        @check(f"a download that the upstream breaks off does not look whole, {kind}")
        def _():
            connection = connect(port)
            connection.request("GET", f"/download?bytes={MIB}&cut={MIB // 2}&{kind}=1")
            try:
                connection.getresponse().read()
            except (http.client.IncompleteRead, ConnectionError):
                return
            raise AssertionError("it ended as if it were whole")

    @check(f"{IDLE_CONNECTIONS} idle connections take less than {IDLE_BYTES // 1024} KiB each")
    def _():
        before = settled(gateway)
        idle = [connect(port) for _ in range(IDLE_CONNECTIONS)]
        for connection in idle:
            connection.request("GET", "/oauth2/download?bytes=10")
            connection.getresponse().read()
        each = (settled(gateway) - before) // IDLE_CONNECTIONS
        print(f"        {each // 1024} KiB each")
        for connection in idle:
            connection.close()
        assert each < IDLE_BYTES, each

    @check(f"{STALLED_CONNECTIONS} downloads that nobody reads take less than {STREAMING_BYTES // 1024} KiB each")
    def _():
        before = settled(gateway)
        stalled = [connect(port) for _ in range(STALLED_CONNECTIONS)]
        for connection in stalled:
            connection.request("GET", f"/oauth2/download?bytes={32 * MIB}")
        each = (settled(gateway) - before) // STALLED_CONNECTIONS
        print(f"        {each // 1024} KiB each")
        whole = checksum(pieces(stalled[0].getresponse()))
        for connection in stalled:
            connection.close()
        assert each < STREAMING_BYTES, each
        assert whole == expected(32 * MIB)

    @check(f"{STALLED_CONNECTIONS} uploads that the upstream does not read take less than {STREAMING_BYTES // 1024} KiB each")
    def _():
        before = settled(gateway)
        stalled = [connect(port) for _ in range(STALLED_CONNECTIONS)]
        head = f"POST /stall HTTP/1.1\r\nHost: a\r\nContent-Length: {32 * MIB}\r\n\r\n".encode()
        for connection in stalled:
            connection.sock.setblocking(False)
            try:
                connection.sock.send(head)
                while connection.sock.send(BLOCK):
                    pass
            except BlockingIOError:
                pass
        each = (settled(gateway) - before) // STALLED_CONNECTIONS
        print(f"        {each // 1024} KiB each")
        for connection in stalled:
            connection.close()
        release.set()
        assert each < STREAMING_BYTES, each

    @check(f"the gateway never held more than {PEAK_BYTES // MIB} MiB")
    def _():
        peak = gateway.peak_resident_bytes()
        print(f"        {peak // MIB} MiB at most")
        assert peak < PEAK_BYTES, peak


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mebibytes", type=int, default=256)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    upstream = UpstreamServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as scratch, stage(options.folder or scratch) as at:
        port = free_port()
        text = POLICY.format(port=port, upstream=upstream.server_port)
        gateway, _ = at.gateway("gateway", text, port)
        run_checks(gateway, port, options.mebibytes * MIB)
        summary()


if __name__ == "__main__":
    main()
