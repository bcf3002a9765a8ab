"""Floods and slow clients. Each runs for some seconds while a normal client is served; none may take the gateway down."""

import socket
import ssl
import threading
import time

from http2 import *  # noqa: F403
from http2 import CONTINUATION, END_STREAM, HEADERS, PING, PLAIN, PREFACE, PRIORITY, RST, SETTINGS, block, connect, data
from http2 import ends_within, frame, frames, headers, settings, window
from hpack.hpack import encode_integer

HEAD = b"GET /attack HTTP/1.1\r\nHost: a\r\n"


def pour(port, make, seconds, opening=PREFACE + settings()):
    """Sends what `make(number)` gives as fast as it is taken, on a new connection whenever one is ended.
    Returns the connections that were used."""
    deadline, used = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        sock, used = connect(port, opening), used + 1
        sock.settimeout(1)
        try:
            number = 0
            while time.monotonic() < deadline:
                sock.sendall(make(number))
                number += 1
                sock.setblocking(False)
                try:
                    while sock.recv(65536):
                        pass
                    break
                except BlockingIOError:
                    pass
                sock.settimeout(1)
        except OSError:
            pass
        sock.close()
    return used


def resets(port, seconds):
    def make(number):
        streams = range(1 + 200 * number, 1 + 200 * (number + 1), 2)
        return b"".join(headers(PLAIN, stream) + frame(RST, 0, stream, b"\0\0\0\x08") for stream in streams)

    return pour(port, make, seconds)


def continuations(port, seconds):
    head = frame(HEADERS, END_STREAM, 1, block(PLAIN))
    more = frame(CONTINUATION, 0, 1, block([(b"a", b"b" * 1000)])) * 20
    return pour(port, lambda number: more if number else head + more, seconds)


def empty_continuations(port, seconds):
    head = frame(HEADERS, END_STREAM, 1, block(PLAIN))
    return pour(port, lambda number: frame(CONTINUATION, 0, 1) * 1000 if number else head, seconds)


def setting_changes(port, seconds):
    return pour(port, lambda _: settings((4, 65535)) * 1000, seconds)


def pings(port, seconds):
    return pour(port, lambda _: frame(PING, 0, 0, b"12345678") * 1000, seconds)


def priorities(port, seconds):
    return pour(port, lambda n: b"".join(frame(PRIORITY, 0, 1 + 2 * (i % 1000), b"\0\0\0\0\x01") for i in range(1000)), seconds)


def empty_data(port, seconds):
    head = headers([(b":method", b"POST"), *PLAIN[1:]], end=False)
    return pour(port, lambda number: data(b"", end=False) * 1000 if number else head, seconds)


def window_updates(port, seconds):
    head = headers([(b":method", b"POST"), *PLAIN[1:]], end=False)
    return pour(port, lambda number: window(1, number % 2) * 1000 if number else head, seconds)


def bombs(port, seconds):
    """An entry of 4 KiB in the table, named again and again by one byte each."""
    value = b"a" * 4000
    plant = block(PLAIN) + b"\x40" + bytes(encode_integer(1, 7)) + b"x" + bytes(encode_integer(len(value), 7)) + value
    bomb = plant + b"\xbe" * 10000

    def make(number):
        stream = 1 + 2 * number
        return frame(HEADERS, END_STREAM, stream, bomb[:16000]) + frame(CONTINUATION, 4, stream, bomb[16000:])

    return pour(port, make, seconds)


def heads(port, seconds):
    """As many fields as fit, on one HTTP/1 connection after the other."""
    head = HEAD + b"".join(b"a%d: b\r\n" % n for n in range(5000))
    return pour(port, lambda _: head, seconds, b"")


def large_heads(port, seconds):
    return pour(port, lambda number: b"a" * 65536 if number else HEAD + b"a: ", seconds, b"")


def connections(port, seconds):
    deadline, used = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        for sock in [connect(port, b"") for _ in range(50)]:
            used += 1
            sock.close()
    return used


def garbage(port, seconds):
    return pour(port, lambda _: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 500, seconds, b"")


def crowd(port, count, opening, drip=b"", every=1.0, seconds=10):
    """`count` connections that open so and then send a little now and then. How many were ended meanwhile."""
    crowd = [connect(port, opening) for _ in range(count)]
    deadline, ended = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and crowd:
        time.sleep(min(every, max(0.05, deadline - time.monotonic())))
        left = []
        for sock in crowd:
            try:
                sock.setblocking(False)
                if drip:
                    sock.send(drip)
                gone = not sock.recv(65536)
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            if gone:
                ended += 1
                sock.close()
            else:
                left.append(sock)
        crowd = left
    for sock in crowd:
        sock.close()
    return ended


def handshakes(port, seconds):
    """Whole TLS handshakes, none of which is resumed, by four at a time."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    deadline, used = time.monotonic() + seconds, []

    def shake():
        while time.monotonic() < deadline:
            try:
                context.wrap_socket(connect(port, b""), server_hostname="a.example").close()
                used.append(port)
            except OSError:
                pass

    crew = [threading.Thread(target=shake) for _ in range(4)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    return len(used)


def client_hello():
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    side = ssl.create_default_context().wrap_bio(into, out, server_hostname="a.example")
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def stalled_readers(port, count, opening):
    """Connections that ask for much and read nothing, until they are ended. Returns them open."""
    crowd = []
    for _ in range(count):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(10)
        sock.connect(("127.0.0.1", port))
        sock.sendall(opening)
        crowd.append(sock)
    return crowd


ZERO_WINDOW = PREFACE + settings((4, 0)) + b"".join(
    headers([*PLAIN[:3], (b":path", b"/big")], stream) for stream in range(1, 100, 2)
)
FLOODS = [
    ("rapid reset", resets),
    ("CONTINUATION flood", continuations),
    ("empty CONTINUATION flood", empty_continuations),
    ("SETTINGS flood", setting_changes),
    ("PING flood", pings),
    ("PRIORITY flood", priorities),
    ("empty DATA flood", empty_data),
    ("WINDOW_UPDATE flood", window_updates),
    ("HPACK bombs", bombs),
    ("very many fields", heads),
    ("very large heads", large_heads),
    ("connection flood", connections),
    ("garbage", garbage),
]
