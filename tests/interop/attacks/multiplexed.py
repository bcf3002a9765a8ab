"""The same over HTTP/2: pseudo-headers and fields that HTTP/1.1 has no room for, sent without the library's own checks."""

import asyncio

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import paths
import stand
import wire
from harness import free_port

BLOCKED = [("x-forwarded-for", "203.0.113.66")]


async def ask(port, fields, source="127.0.0.1"):
    """Whether the upstream served something protected; nothing of it is on the wire otherwise."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    settings = h2.config.H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False, validate_inbound_headers=False)
    connection = h2.connection.H2Connection(settings)
    connection.initiate_connection()
    connection.send_headers(1, [(wire.octets(name), wire.octets(value)) for name, value in fields], end_stream=True)
    writer.write(connection.data_to_send())
    answer, ended = wire.Answer(), False
    try:
        while not ended and (data := await asyncio.wait_for(reader.read(65536), 8)):
            for event in connection.receive_data(data):
                match event:
                    case h2.events.ResponseReceived():
                        answer.fields = {name.decode(): value.decode("latin-1") for name, value in event.headers}
                        answer.status = int(answer.fields[":status"])
                    case h2.events.DataReceived():
                        answer.body += event.data
                    case h2.events.StreamEnded() | h2.events.StreamReset() | h2.events.ConnectionTerminated():
                        ended = True
            writer.write(connection.data_to_send())
    except (OSError, asyncio.TimeoutError, h2.exceptions.ProtocolError):
        pass
    writer.close()
    return answer


def heads():
    """Heads of blocked requests, each with what it is about."""
    usual = [(":method", "GET"), (":scheme", "http"), (":authority", wire.HOST), (":path", "/oauth2/authorize")]

    def with_(name, value):
        return [(name, value) if pair[0] == name else pair for pair in usual]

    for target in paths.spellings()[:400] + [target for target in paths.spellings() if target[:1] not in "/%"][:60]:
        yield with_(":path", target)
    for path in ("oauth2/authorize", "*", "", "/oauth2/authorize ", " /oauth2/authorize", "/oauth2/authorize\t", "/oauth2/auth\norize", "/oauth2/authorize HTTP/1.1", "/x HTTP/1.1\r\nHost: a\r\n\r\nGET /oauth2/authorize", "http://id.example/oauth2/authorize", "/\x00/oauth2/authorize", "/x#/../oauth2/authorize", "/oauth2/authorize#x"):
        yield with_(":path", path)
    for method in ("GET /oauth2/authorize HTTP/1.1\r\nX: y", "GET ", "", "G ET", "get", "GET\t"):
        yield with_(":method", method)
    for scheme in ("https", "ftp", "", "http://x/oauth2/authorize?", "HTTP"):
        yield with_(":scheme", scheme)
    for authority in ("", "x/oauth2/authorize?", "id.example/..", "a@id.example", "id.example:99999", "id.example\\x", "x y", "[::1", "id.example#"):
        yield with_(":authority", authority)
    yield usual + [("host", "other.example")]
    yield usual + [("host", wire.HOST), ("host", wire.HOST)]
    yield usual + [(":path", "/x")]
    yield [(":path", "/x"), *usual]
    yield [pair for pair in usual if pair[0] != ":authority"]
    yield usual[:3] + [("x", "y"), usual[3]]
    for name, value in (("X-Forwarded-For", "198.51.100.7"), ("x_forwarded_for", "198.51.100.7"), ("connection", "x-forwarded-for"), ("transfer-encoding", "chunked"), ("content-length", "5"), ("x-forwarded-for ", "198.51.100.7"), ("", "x"), ("x\r\nx-forwarded-for", "198.51.100.7"), ("x", "y\r\nx-forwarded-for: 198.51.100.7"), ("te", "gzip"), ("upgrade", "h2c"), ("x", "a\x00b"), ("proxy-connection", "x-forwarded-for"), ("x-forwarded-for:", "198.51.100.7"), (":protocol", "websocket"), (":x", "y"), ("keep-alive", "x-real-ip")):
        yield usual + [(name, value)]


async def run(at, folder):
    upstream = free_port()
    at.start(stand.command("starlette", upstream, folder), upstream, "starlette")
    closed = stand.gateway(at, "closed", upstream, True)
    wrong, cases = [], 0
    usual = [(":method", "GET"), (":scheme", "http"), (":authority", wire.HOST), (":path", "/oauth2/authorize"), ("x-forwarded-for", "198.51.100.7")]
    if not (await ask(closed, usual)).verdict():
        wrong.append("an allowed request over HTTP/2 was not served")
    for fields in heads():
        for source, more in (("127.0.0.1", BLOCKED), ("127.0.0.66", [])):
            cases += 1
            verdict = (await ask(closed, fields + more, source)).verdict()
            served = verdict and verdict["resource"] in paths.PROTECTED
            if served and not (verdict["resource"] == "/api/status" and source == "127.0.0.66"):
                wrong.append(f"{fields} from {source} was served as {verdict['resource']}")
    return [("HTTP/2", cases + 1, wrong)]
