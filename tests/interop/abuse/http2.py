"""A hostile HTTP/2 client: frames as they are written, and what became of them."""

import socket
import struct
import time

from hpack import Decoder
from hpack.hpack import encode_integer
from hyperframe.frame import Frame, GoAwayFrame, HeadersFrame, RstStreamFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 1, 1, 4, 8, 32

PLAIN = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"idp.example"), (b":path", b"/h2")]
POST = [(b":method", b"POST"), *PLAIN[1:]]


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    size = len(payload) if length is None else length
    return struct.pack(">I", size)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def block(fields):
    """Every field as a literal without indexing: whatever bytes it has."""
    out = b""
    for name, value in fields:
        out += b"\x00"
        for text in (name, value):
            out += bytes(encode_integer(len(text), 7)) + text
    return out


def headers(fields, stream=1, end=True, extra=b""):
    """A head in one HEADERS frame, and CONTINUATION frames where it is large."""
    whole = block(fields) + extra
    pieces = [whole[at : at + 16000] for at in range(0, len(whole), 16000)] or [b""]
    out = b""
    for number, piece in enumerate(pieces):
        last = END_HEADERS if number == len(pieces) - 1 else 0
        if number == 0:
            out += frame(HEADERS, last | (END_STREAM if end else 0), stream, piece)
        else:
            out += frame(CONTINUATION, last, stream, piece)
    return out


def data(payload=b"", stream=1, end=True):
    return frame(DATA, END_STREAM if end else 0, stream, payload)


def window(increment, stream=0):
    return frame(WINDOW, 0, stream, struct.pack(">I", increment))


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


def connect(port, opening=PREFACE + settings()):
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.sendall(opening)
    except OSError:
        pass
    return sock


def frames(sock):
    """What comes, frame by frame, until the end."""
    buffer = b""
    while True:
        while len(buffer) < 9 or len(buffer) < 9 + int.from_bytes(buffer[:3], "big"):
            try:
                piece = sock.recv(65536)
            except ConnectionError:
                return
            if not piece:
                return
            buffer += piece
        head, size = Frame.parse_frame_header(memoryview(buffer[:9]))
        head.parse_body(memoryview(buffer[9 : 9 + size]))
        buffer = buffer[9 + size :]
        yield head


def outcome(port, sent, opening=PREFACE + settings(), seconds=5):
    """What a client gets for these bytes: `status N`, `reset N`, `goaway N`, `closed` or `silence`."""
    sock, decoder = connect(port, opening), Decoder()
    sock.settimeout(seconds)
    try:
        sock.sendall(sent)
    except OSError:
        pass
    try:
        for got in frames(sock):
            if isinstance(got, HeadersFrame):
                return "status " + dict(decoder.decode(got.data))[":status"]
            if isinstance(got, RstStreamFrame):
                return f"reset {got.error_code}"
            if isinstance(got, GoAwayFrame) and got.error_code:
                return f"goaway {got.error_code}"
        return "closed"
    except TimeoutError:
        return "silence"
    finally:
        sock.close()


def ends_within(sock, seconds):
    """Whether the gateway ends this connection in time."""
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline:
            sock.settimeout(max(0.1, deadline - time.monotonic()))
            if not sock.recv(65536):
                return True
    except TimeoutError:
        return False
    except OSError:
        return True
    return False
