"""The upstream that counts, the normal client that must never notice, and the gateway's memory."""

import socket
import socketserver
import threading
import time
import uuid
from pathlib import Path

KIB, MIB = 1024, 1024 * 1024


class Upstream(socketserver.ThreadingTCPServer):
    """Reads HTTP/1.1 as the gateway must write it and counts what it understood; `/big` is large, `/bytes/N` has N,
    `/head` a large head that is never the same."""

    daemon_threads = allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Exchange)
        self.lines, self.lock = [], threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def note(self, line):
        with self.lock:
            self.lines.append(line)

    def count(self):
        return len(self.lines)

    def targets(self):
        return [line.split(" ")[1] for line in self.lines]

    def handle_error(self, *_):
        """A client that went away is no news here."""


class Exchange(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        while line := self.rfile.readline().decode("latin-1").rstrip("\r\n"):
            fields = {}
            while (field := self.rfile.readline().decode("latin-1").rstrip("\r\n")):
                name, _, value = field.partition(":")
                fields[name.lower()] = value.strip()
            if "transfer-encoding" in fields:
                while size := int(self.rfile.readline(), 16):
                    self.skip(size + 2)
                while self.rfile.readline().rstrip(b"\r\n"):
                    pass
            else:
                self.skip(int(fields.get("content-length", 0)))
            self.server.note(line)
            path = line.split(" ")[1]
            size = 64 * MIB if path == "/big" else int(path[7:]) if path.startswith("/bytes/") else 2
            more = b"X-Policy: %s\r\nX-Request-Id: %s\r\n" % (b"x" * KIB, uuid.uuid4().hex.encode()) if path == "/head" else b""
            self.wfile.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (more, size))
            while size > 0:
                size -= self.wfile.write((b"ok" * 128 * KIB)[:size])

    def skip(self, size):
        while size > 0:
            piece = self.rfile.read1(min(size, MIB))
            if not piece:
                raise ConnectionError
            size -= len(piece)


class NormalClient:
    """Sends a request every 20 ms on a kept connection, every tenth on a fresh one, and keeps the time."""

    def __init__(self, port):
        self.port, self.times, self.failures, self.running = port, [], [], True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        sock, number = None, 0
        while self.running:
            number += 1
            begun = time.monotonic()
            try:
                if sock is None or number % 10 == 0:
                    sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
                sock.sendall(b"GET /normal HTTP/1.1\r\nHost: a\r\n\r\n")
                answer = b""
                while not answer.endswith(b"\r\n\r\nok"):
                    piece = sock.recv(4096)
                    if not piece:
                        raise ConnectionError(f"closed after {answer!r}")
                    answer += piece
                    if b" 200 " not in answer[:16]:
                        raise ConnectionError(f"{answer!r}")
                self.times.append(time.monotonic() - begun)
            except OSError as error:
                self.failures.append(repr(error))
                sock = None
            time.sleep(0.02)

    def stop(self):
        """Milliseconds at the median, at 99 % and at most, and what failed."""
        self.running = False
        self.thread.join(15)
        times = sorted(self.times) or [float("inf")]
        return [1000 * times[min(len(times) - 1, int(len(times) * part))] for part in (0.5, 0.99, 1)], self.failures


def resident(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def settled(pid):
    """Resident bytes once they have not grown for a second."""
    last, since, deadline = resident(pid), time.monotonic(), time.monotonic() + 20
    while time.monotonic() < min(since + 1, deadline):
        time.sleep(0.05)
        now = resident(pid)
        if now > last:
            last, since = now, time.monotonic()
    return last
