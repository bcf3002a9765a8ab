"""Requests as bytes, from a chosen address of this host, and answers as bytes: nothing in between corrects either."""

import asyncio
import json
import re
from dataclasses import dataclass, field

DEADLINE_SECONDS = 8
HOST = "id.example"


@dataclass
class Answer:
    """`status` 0: the connection ended without an answer."""

    status: int = 0
    head: bytes = b""
    body: bytes = b""
    fields: dict = field(default_factory=dict)
    surplus: bytes = b""

    def verdict(self):
        """What the referee has understood, or nothing where the answer is not a referee's."""
        if "x-referee" not in self.fields:
            return None
        try:
            said = json.loads(self.body)
        except ValueError:
            said = {}
        said.setdefault("resource", self.fields.get("x-resource", "other"))
        for name in ("places", "heard"):
            said.setdefault(name, {})
        if "x-believed" in self.fields:
            said["heard"]["believed"] = self.fields["x-believed"]
        return said


class Line:
    """A connection that is opened when it is needed, from `source`, and kept as long as the server keeps it."""

    def __init__(self, port, source="127.0.0.1"):
        self.port, self.source = port, source
        self.reader = self.writer = None

    async def exchange(self, raw, bodiless=False):
        for fresh in (False, True):
            reused = self.writer is not None
            try:
                if not reused:
                    opening = asyncio.open_connection("127.0.0.1", self.port, local_addr=(self.source, 0))
                    self.reader, self.writer = await asyncio.wait_for(opening, DEADLINE_SECONDS)
                self.writer.write(raw)
                answer, keep = await asyncio.wait_for(self.read(bodiless), DEADLINE_SECONDS)
            except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, ValueError):
                answer, keep = Answer(), False
            if not keep:
                self.close()
            if answer.status or not reused or fresh:
                return answer
        return answer

    async def read(self, bodiless):
        status = 100
        while 100 <= status < 200 and status != 101:
            head = await self.reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1][:3])
        fields = {}
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.decode("latin-1").partition(":")
            if name:
                fields[name.lower()] = value.strip()
        body, keep = b"", fields.get("connection", "").lower() != "close"
        if bodiless or status in (204, 304, 101):
            pass
        elif fields.get("transfer-encoding", "").lower() == "chunked":
            while True:
                size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
                piece = await self.reader.readexactly(size + 2)
                if not size:
                    break
                body += piece[:-2]
        elif "content-length" in fields:
            body = await self.reader.readexactly(int(fields["content-length"]))
        else:
            body, keep = await self.reader.read(), False
        surplus = bytes(self.reader._buffer)
        return Answer(status, head, body, fields, surplus), keep and not surplus

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


def octets(text):
    """Text to the letter: what is above U+00FF as UTF-8, the rest as single octets."""
    return text.encode("latin-1") if all(ord(letter) < 256 for letter in text) else text.encode()


def request(method, target, fields=(), body=b"", host=HOST):
    """A request as it goes over the wire. `fields`: pairs, or whole lines as bytes. A body without framing gets a length."""
    lines = [octets(method) + b" " + octets(target) + b" HTTP/1.1"]
    if host is not None:
        lines.append(b"Host: " + octets(host))
    framed = False
    for item in fields:
        line = item if isinstance(item, bytes) else octets(item[0]) + b": " + octets(item[1])
        framed = framed or re.match(rb"(?i)(content-length|transfer-encoding)\b", line) is not None
        lines.append(line)
    if body and not framed:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def send_all(port, cases, source, width=12):
    """Every case (raw, bodiless) over `width` connections; the answers in the order of the cases."""
    answers = [Answer()] * len(cases)
    waiting = iter(enumerate(cases))

    async def worker():
        line = Line(port, source)
        for number, (raw, bodiless) in waiting:
            answers[number] = await line.exchange(raw, bodiless)
        line.close()

    await asyncio.gather(*(worker() for _ in range(min(width, len(cases) or 1))))
    return answers
