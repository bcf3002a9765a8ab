"""Attacks on a gateway while a normal client is served: see README.md.

    ACLGATE_BIN=… python suite.py [--quick|--all] [--folder DIR]
"""

import argparse
import multiprocessing
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent))

import conformance  # noqa: E402
import floods  # noqa: E402
from harness import free_port, stage  # noqa: E402
from hyperframe.frame import DataFrame  # noqa: E402
from http2 import PLAIN, POST, PREFACE, connect, data, frames, headers, settings  # noqa: E402
from stage import KIB, MIB, NormalClient, Upstream, processor_seconds, resident, settled  # noqa: E402

POLICY = """
[server]
listen = ["127.0.0.1:{port}", {{ address = "127.0.0.1:{secure}", tls = {{ certificate = "tls.crt", private_key = "tls.key" }} }}]

[server.limits]
connections = {connections}

[server.timeouts]
head = "{head}s"
body = "{body}s"
idle = "{idle}s"

[upstream]
url = "http://127.0.0.1:{upstream}"
"""
HEAD_SECONDS, BODY_SECONDS, IDLE_SECONDS = 2, 3, 60
# A normal client on a busy machine.
P99_MILLISECONDS = 2500
IDLE_BYTES, STREAMING_BYTES, FLOOD_BYTES = 32 * KIB, 256 * KIB, 48 * MIB

passed = failed = 0


def report(name, good, detail=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good or detail and not name.startswith("HTTP/2:"):
        print(f"{'ok  ' if good else 'FAIL'} {name}{f': {detail}' if detail else ''}", flush=True)


class Attack:
    """A row of the table: the attack's duration, the normal client's times, the gateway's memory and work."""

    def __init__(self, name, port, pid, limit=FLOOD_BYTES):
        self.name, self.port, self.pid, self.limit, self.used = name, port, pid, limit, 0

    def __enter__(self):
        self.before, self.work, self.begun = resident(self.pid), processor_seconds(self.pid), time.monotonic()
        self.client = NormalClient(self.port)
        return self

    def __exit__(self, kind, *_):
        (median, late, latest), failures = self.client.stop()
        grown, seconds = resident(self.pid) - self.before, time.monotonic() - self.begun
        work = 100 * (processor_seconds(self.pid) - self.work) / seconds
        good = kind is None and not failures and late < P99_MILLISECONDS and grown < self.limit
        detail = f"{seconds:5.1f} s {self.used:7} connections  p50 {median:6.1f} ms  p99 {late:6.1f} ms  max {latest:6.1f} ms"
        detail += f"  RSS {resident(self.pid) / MIB:6.1f} MiB ({grown / MIB:+.1f})  CPU {work:3.0f} %"
        report(f"{self.name:34}", good, detail + (f"  {failures[:2]}" if failures else ""))


def apart(work, *arguments, **named):
    """Does it in a process of its own: what an attacker computes must not hold up the normal client."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **named).result()


def exchange(sock, request, size):
    sock.sendall(request)
    got = b""
    while b"\r\n\r\n" not in got:
        got += sock.recv(65536)
    left = size - len(got.split(b"\r\n\r\n", 1)[1])
    while left > 0:
        left -= len(sock.recv(min(left, MIB)))


def measured(gateway, crowd_of, count, seconds=2.5):
    """Bytes of each of `count` connections on a fresh gateway, whose heap nothing else has stretched."""
    port, pid = gateway()
    NormalClient(port).stop()
    before = settled(pid)
    crowd = crowd_of(port)
    time.sleep(seconds)
    return (settled(pid) - before) / count, crowd


def idle_memory(gateway, secure, count):
    get = b"GET /bytes/%d HTTP/1.1\r\nHost: a\r\n\r\n"
    post = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n" + b"x" * MIB

    def answered(sock):
        sock.sendall(PREFACE + settings() + headers(PLAIN))
        heard = b""
        while not heard.endswith(b"ok"):
            heard += sock.recv(65536)

    def plain(port):
        return connect(port, b"")

    def tls(protocol):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols([protocol])
        return lambda port: context.wrap_socket(connect(secure[port], b""), server_hostname="a.example")

    for name, begin, prepare in (
        ("that never spoke", plain, lambda sock: None),
        ("after a small request", plain, lambda sock: exchange(sock, get % 10, 10)),
        ("after 1 MiB down", plain, lambda sock: exchange(sock, get % MIB, MIB)),
        ("after 1 MiB up", plain, lambda sock: exchange(sock, post, 2)),
        ("HTTP/2 after a small request", plain, answered),
        ("TLS after a small request", tls("http/1.1"), lambda sock: exchange(sock, get % 10, 10)),
        ("TLS and HTTP/2 after a small request", tls("h2"), answered),
    ):

        def crowd_of(port):
            crowd = []
            for _ in range(count):
                crowd.append(begin(port))
                prepare(crowd[-1])
                # One after another: what a burst has stretched is free for others, but stays resident.
                time.sleep(0.004)
            return crowd

        each, crowd = measured(gateway, crowd_of, count)
        report(f"memory, idle {name}", each < IDLE_BYTES, f"{each / KIB:.1f} KiB each of {count}")
        for sock in crowd:
            sock.close()


def memory_behind_heads(gateway, count):
    """Requests over HTTP/2, one after the other, and what is remembered of the heads of their answers."""

    def crowd_of(port):
        crowd = [connect(port) for _ in range(count)]
        for sock in crowd:
            ended = (got for got in frames(sock) if isinstance(got, DataFrame) and "END_STREAM" in got.flags)
            for stream in range(1, 200, 2):
                sock.sendall(headers([*PLAIN[:3], (b":path", b"/head")], stream))
                next(ended)
        return crowd

    each, crowd = measured(gateway, crowd_of, count)
    report("memory, idle HTTP/2 after 100 large heads", each < IDLE_BYTES, f"{each / KIB:.1f} KiB each of {count}")
    for sock in crowd:
        sock.close()


def memory_behind_streams(gateway, count):
    """A hundred requests at once on each connection, and what stays of them."""

    def crowd_of(port):
        crowd = [connect(port) for _ in range(count)]
        for sock in crowd:
            sock.sendall(b"".join(headers(PLAIN, stream) for stream in range(1, 200, 2)))
            ended = (got for got in frames(sock) if isinstance(got, DataFrame) and "END_STREAM" in got.flags)
            for _ in range(100):
                next(ended)
        return crowd

    each, crowd = measured(gateway, crowd_of, count)
    report("memory, idle HTTP/2 after 100 requests at once", each < IDLE_BYTES, f"{each / KIB:.1f} KiB each of {count}")
    for sock in crowd:
        sock.close()


def memory_behind_a_burst(gateway, count):
    """Uploads that all run at once, and what stays of each when its connection is idle again."""
    half = b"x" * (MIB // 2)

    def crowd_of(port):
        crowd = [connect(port, b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n") for _ in range(count)]
        for sock in [*crowd, *crowd]:
            sock.sendall(half)
        for sock in crowd:
            exchange(sock, b"", 2)
        return crowd

    each, crowd = measured(gateway, crowd_of, count)
    report("memory, idle behind a burst of 1 MiB up", each < IDLE_BYTES, f"{each / KIB:.1f} KiB each of {count}")
    for sock in crowd:
        sock.close()


def streaming_memory(gateway):
    def readers(port):
        return floods.stalled_readers(port, 100, b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")

    each, crowd = measured(gateway, readers, 100, 1)
    report("memory, downloads that nobody reads", each < STREAMING_BYTES, f"{each / KIB:.1f} KiB each of 100")
    time.sleep(BODY_SECONDS + 2)
    ended = sum(is_cut(sock) for sock in crowd)
    report("slow readers are ended", ended == len(crowd), f"{ended} of {len(crowd)}")

    def windows(port):
        return floods.stalled_readers(port, 4, floods.ZERO_WINDOW)

    each, crowd = measured(gateway, windows, 200, 1)
    report("memory, HTTP/2 streams with a window of 0", each < STREAMING_BYTES, f"{each / KIB:.1f} KiB each of 200")
    for sock in crowd:
        sock.close()


def is_cut(sock):
    """Whether what is left in a connection is less than what was asked for."""
    sock.settimeout(10)
    heard = 0
    try:
        while piece := sock.recv(MIB):
            heard += len(piece)
    except OSError:
        pass
    sock.close()
    return heard < 32 * MIB


def timeouts(port):
    """Clients that say too little: what they get, and when."""
    slow = [
        ("a head that stops", b"GET / HTTP/1.1\r\nHost: a\r\n", HEAD_SECONDS, b" 408 "),
        ("a body that stops", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", BODY_SECONDS, b" 408 "),
        ("chunks that stop", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", BODY_SECONDS, b" 408 "),
        ("an HTTP/2 preface that stops", PREFACE[:10], HEAD_SECONDS, b""),
        ("an HTTP/2 body that stops", PREFACE + settings() + headers(POST, end=False) + data(b"a", end=False), BODY_SECONDS, b"408"),
    ]
    for name, sent, seconds, wanted in slow:
        sock, begun, heard = connect(port, sent), time.monotonic(), b""
        sock.settimeout(seconds + 5)
        try:
            while piece := sock.recv(4096):
                heard += piece
                # Huffman hides the status of HTTP/2; any HEADERS frame is an answer.
                if wanted and (wanted in heard or wanted == b"408" and b"\x01\x05\0\0\0\x01" in heard or b"\x01\x04\0\0\0\x01" in heard):
                    break
        except OSError:
            pass
        took = time.monotonic() - begun
        good = seconds - 0.3 <= took < seconds + 2 and (wanted in heard or wanted == b"408")
        report(f"time-out: {name}", good, f"after {took:.1f} s: {heard[:40]!r}")
        sock.close()
    drips = [
        ("slow heads", b"GET / HTTP/1.1\r\nHost: a\r\n", b"a: b\r\n"),
        ("slow lines", b"", b"\r"),
    ]
    for name, opening, drip in drips:
        ended = floods.crowd(port, 200, opening, drip, 0.5, HEAD_SECONDS + 3)
        report(f"time-out: {name} are ended", ended == 200, f"{ended} of 200")


def make_certificate(folder):
    subject = ["-subj", "/CN=a.example", "-addext", "subjectAltName=DNS:a.example"]
    kind = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run([*kind, "-keyout", folder / "tls.key", "-out", folder / "tls.crt", *subject], check=True, capture_output=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = min(10_000 if options.all else 2_000, hard - 1000)
    seconds = 10 if options.all else 3
    upstream, secure = Upstream(), {}
    with tempfile.TemporaryDirectory() as scratch, stage(options.folder or scratch) as at:

        make_certificate(at.folder)

        def gateway():
            port = free_port()
            secure[port] = free_port()
            bounds = {"connections": crowd + 500, "head": HEAD_SECONDS, "body": BODY_SECONDS, "idle": IDLE_SECONDS}
            server, _ = at.gateway(f"gateway-{port}", POLICY.format(port=port, secure=secure[port], upstream=upstream.port, **bounds), port)
            return port, server.process.pid

        idle_memory(gateway, secure, 1000)
        memory_behind_heads(gateway, 100)
        memory_behind_streams(gateway, 200)
        memory_behind_a_burst(gateway, 200)
        streaming_memory(gateway)
        port, pid = gateway()
        conformance.run(port, upstream, report)
        timeouts(port)
        for name, flood in floods.FLOODS:
            with Attack(name, port, pid) as attack:
                attack.used = apart(flood, port, seconds)
        with Attack("TLS handshakes", port, pid) as attack:
            attack.used = apart(floods.handshakes, secure[port], seconds)
        with Attack("TLS handshakes that stop", port, pid, crowd * IDLE_BYTES + 16 * MIB) as attack:
            attack.used = crowd
            ended = apart(floods.crowd, secure[port], crowd, floods.client_hello(), seconds=HEAD_SECONDS + 3)
        report("time-out: TLS handshakes that stop are ended", ended == crowd, f"{ended} of {crowd}")
        for name, opening in (
            ("idle connections", b""),
            ("slow heads", b"GET / HTTP/1.1\r\nHost: a\r\n"),
            ("slow bodies", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\na"),
            ("HTTP/2 connections without a request", PREFACE + settings()),
        ):
            with Attack(name, port, pid, crowd * IDLE_BYTES + 16 * MIB) as attack:
                attack.used = crowd
                apart(floods.crowd, port, crowd, opening, seconds=seconds)
            time.sleep(1)
        for server in at.servers:
            panics = [line for line in server.output().splitlines() if "panic" in line]
            report("the gateway still runs and never panicked", server.process.poll() is None and not panics, "; ".join(panics[:3]))
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
