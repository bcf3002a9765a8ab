"""HTTP/2 as RFC 9113 has it, and heads that would be something else in HTTP/1.1: what is refused, and how.

Each case: name, bytes behind preface and settings, what may come of it. `bad` is any refusal: a reset stream, a
GOAWAY with an error, a closed connection, or 400. Nothing that is refused may reach upstream.
"""

import struct

from http2 import *  # noqa: F403
from http2 import ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HAS_PRIORITY, HEADERS, PADDED, PING, PLAIN
from http2 import POST, PRIORITY, PUSH, RST, SETTINGS, WINDOW, block, data, frame, headers, outcome, settings, window


def with_field(name, value):
    return headers([*PLAIN, (name, value)])


def replaced(name, value):
    return headers([(known, value if known == name else old) for known, old in PLAIN])


def without(name):
    return headers([field for field in PLAIN if field[0] != name])


def fine():
    yield "a plain request", headers(PLAIN), "status 200"
    yield "te: trailers", with_field(b"te", b"trailers"), "status 200"
    yield "an unknown frame", frame(77, 0, 0, b"x") + headers(PLAIN), "status 200"
    yield "a priority", frame(PRIORITY, 0, 1, b"\0\0\0\0\x01") + headers(PLAIN), "status 200"
    yield "an unknown setting", settings((0xFF, 1)) + headers(PLAIN), "status 200"
    yield "a body of the length that was said", headers([*POST, (b"content-length", b"5")], end=False) + data(b"hello"), "status 200"
    yield "padding", frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, b"\x02" + block(PLAIN) + b"\0\0"), "status 200"
    yield "trailers", headers(POST, end=False) + data(b"a", end=False) + headers([(b"sum", b"1")]), "status 200"
    yield "cookie crumbs", headers([*PLAIN, (b"cookie", b"a=1"), (b"cookie", b"b=2")]), "status 200"
    trailers = headers([(b"content-length", b"9"), (b"x-forwarded-for", b"127.0.0.1")])
    yield "trailers with what does not belong there", headers(POST, end=False) + data(b"a", end=False) + trailers, "status 200"


def limits():
    yield "101 fields", headers([*PLAIN, *[(b"a", b"b")] * 101]), "status 431"
    yield "a list of 64 KiB", headers([*PLAIN, *[(b"a", b"b" * 8000)] * 8]), "status 431"
    yield "a target of 8193 bytes", replaced(b":path", b"/" + b"a" * 8192), "status 414"
    yield "CONNECT", headers([(b":method", b"CONNECT"), (b":authority", b"a:443")]), "status 405"


def heads():
    for name in (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"):
        yield f"field of the connection: {name.decode()}", with_field(name, b"chunked")
    yield "te: gzip", with_field(b"te", b"gzip")
    for name in (b"Upper", b"", b"a b", b"a:b", b"a\r\nb", b"a\0", b"a\xff", b":unknown", b":status"):
        yield f"field name {name}", with_field(name, b"1")
    for value in (b"a\r\nb: c", b"a\nb", b"a\rb", b"a\0b", b"\x01", b"a\x7f", b" a", b"a ", b"\ta"):
        yield f"field value {value}", with_field(b"authorization", value)
    for name, _ in PLAIN[:2] + PLAIN[3:]:
        yield f"no {name.decode()}", without(name)
    for name, value in PLAIN:
        yield f"{name.decode()} twice", headers([*PLAIN, (name, value)])
    yield "no authority and no host", without(b":authority")
    yield "a pseudo-header behind a field", headers([*PLAIN[:3], (b"a", b"b"), PLAIN[3]])
    for path in (b"", b"a", b"*", b"?a", b"/a b", b"/a\r\nX: y", b"/\0", b"/\xc3\xa9", b"/\x7f", b"http://b/", b"/%00", b"/%0d%0a", b"/<", b"/h2#/admin"):
        yield f":path {path}", replaced(b":path", path)
    for authority in (b"", b"u@idp.example", b"a b", b"a\r\nX: y", b"a/b", b"a:b", b"[::1", b"a,b"):
        yield f":authority {authority}", replaced(b":authority", authority)
    for method in (b"", b"G T", b"GET / HTTP/1.1\r\nX: y", b"G\0", b"A" * 100):
        yield f":method {method[:30]}", replaced(b":method", method)
    for scheme in (b"ftp", b"http\r\n", b"http://a/?", b""):
        yield f":scheme {scheme}", replaced(b":scheme", scheme)
    yield "host that differs", with_field(b"host", b"other.example")
    for name in (b"host", b"authorization", b"content-type"):
        yield f"{name.decode()} twice", headers([*PLAIN, (name, b"idp.example"), (name, b"idp.example")])


def lengths():
    def said(value, *pieces, end=False):
        return headers([*POST, (b"content-length", value)], end=end) + b"".join(pieces)

    yield "less DATA than said", said(b"5", data(b"abc"))
    yield "more DATA than said", said(b"2", data(b"abc"))
    yield "no DATA where some was said", said(b"5", end=True)
    yield "DATA where none was said", said(b"0", data(b"GET /smuggled HTTP/1.1\r\n\r\n"))
    for value in (b"+1", b"-1", b"1,1", b"0x1", b"", b"99999999999999999999"):
        yield f"content-length {value}", said(value, data(b"a"))
    yield "content-length twice", headers([*POST, (b"content-length", b"1"), (b"content-length", b"1")], end=False) + data(b"a")
    body = headers(POST, end=False) + data(b"a", end=False)
    yield "a pseudo-header in trailers", body + headers([(b":path", b"/b")])
    yield "a field of the connection in trailers", body + headers([(b"connection", b"x")])
    yield "trailers that do not end the stream", body + headers([(b"sum", b"1")], end=False)


def protocol():
    plain = headers(PLAIN)
    yield "DATA on stream 0", frame(DATA, 0, 0, b"a")
    yield "DATA on an idle stream", data(b"a", stream=5)
    yield "HEADERS on stream 0", headers(PLAIN, stream=0)
    yield "an even stream", headers(PLAIN, stream=2)
    yield "a smaller stream", headers(POST, stream=5, end=False) + headers(PLAIN, stream=3) 
    yield "RST_STREAM on an idle stream", frame(RST, 0, 7, b"\0\0\0\x08")
    yield "RST_STREAM of 3 bytes", headers(POST, end=False) + frame(RST, 0, 1, b"\0\0\0")
    yield "RST_STREAM on stream 0", frame(RST, 0, 0, b"\0\0\0\x08")
    yield "WINDOW_UPDATE of 0", window(0)
    yield "WINDOW_UPDATE beyond the largest window", window(0x7FFFFFFF)
    yield "WINDOW_UPDATE of 3 bytes", frame(WINDOW, 0, 0, b"\0\0\0")
    yield "WINDOW_UPDATE on an idle stream", window(1, 9)
    yield "ENABLE_PUSH of 2", settings((2, 2))
    yield "INITIAL_WINDOW_SIZE too large", settings((4, 0x80000000))
    yield "MAX_FRAME_SIZE too small", settings((5, 1))
    yield "MAX_FRAME_SIZE too large", settings((5, 0x1000000))
    yield "SETTINGS of 5 bytes", frame(SETTINGS, 0, 0, b"\0" * 5)
    yield "SETTINGS on a stream", frame(SETTINGS, 0, 1)
    yield "an acknowledgement with a payload", frame(SETTINGS, ACK, 0, b"\0" * 6)
    yield "PING of 7 bytes", frame(PING, 0, 0, b"\0" * 7)
    yield "PING on a stream", frame(PING, 0, 1, b"\0" * 8)
    yield "PUSH_PROMISE", headers(POST, end=False) + frame(PUSH, END_HEADERS, 1, struct.pack(">I", 2) + block(PLAIN))
    yield "CONTINUATION without a head", frame(CONTINUATION, END_HEADERS, 1, block(PLAIN))
    yield "another frame within a head", frame(HEADERS, END_STREAM, 1, block(PLAIN)) + frame(PING, 0, 0, b"\0" * 8)
    yield "another stream within a head", frame(HEADERS, END_STREAM, 1, block(PLAIN)) + frame(CONTINUATION, 4, 3)
    yield "a frame larger than agreed", frame(DATA, 0, 1, b"\0" * 16385)
    yield "more padding than payload", headers(POST, end=False) + frame(DATA, PADDED, 1, b"\x09abc")
    yield "a stream that depends on itself", frame(HEADERS, END_HEADERS | END_STREAM | HAS_PRIORITY, 1, b"\0\0\0\x01\0" + block(PLAIN))
    yield "an index that is not there", headers(PLAIN, extra=b"\xff\x80\x01")
    yield "index 0", headers(PLAIN, extra=b"\x80")
    yield "a table larger than agreed", frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x3f\xe1\xff\x7f" + block(PLAIN))
    yield "a string longer than its block", headers(PLAIN, extra=b"\x00\x7f\xff\xff\x7f")
    yield "Huffman padding that is not", headers(PLAIN, extra=b"\x00\x81\x00\x01a")
    yield "DATA behind the end of a stream", plain + data(b"a")
    yield "GOAWAY of 3 bytes", frame(GOAWAY, 0, 0, b"\0\0\0")


def is_refusal(result):
    return result.startswith(("reset", "goaway")) or result in ("closed", "status 400")


def run(port, upstream, report):
    for name, sent, expected in [*fine(), *limits()]:
        result = outcome(port, sent)
        report(f"HTTP/2: {name}", result == expected, result)
    seen = upstream.count()
    for name, sent in [*heads(), *lengths(), *protocol()]:
        result = outcome(port, sent)
        # The stream whose end is followed by DATA had a right to its answer.
        answered = name in ("DATA behind the end of a stream", "a smaller stream") and result == "status 200"
        report(f"HTTP/2: {name}", is_refusal(result) or answered, result)
    targets = upstream.targets()[seen:]
    report("HTTP/2: nothing that was refused went upstream whole", all(target == "/h2" for target in targets), str(targets[:5]))
    report("HTTP/2: no field of a fragment or trailer went astray", "/h2#/admin" not in upstream.targets(), "")
