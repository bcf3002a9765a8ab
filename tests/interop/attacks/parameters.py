"""Parameter pollution: what a request names, spelled and placed in every way that one upstream or another reads.

Two gateways, two questions. Behind the open one (the default tenant has no ACL) a request from a blocked address must
not be served where the upstream understood the closed application, tenant or resource server. Behind the closed one
a request is let through for the sake of an open application; then this application must be the only one that the
upstream found in the places where the protocol names it.
"""

import base64
import gzip
import itertools
import json
import random
import uuid
import zlib
from dataclasses import dataclass, field
from unicodedata import normalize
from urllib.parse import quote, unquote

import wire

CLOSED, OPEN = "85a03867-dccf-4882-adde-1a79aeec50df", "99999999-dccf-4882-adde-1a79aeec50df"
CLOSED_TENANT, OPEN_TENANT = "d7d09513-a3f5-401c-9685-34ab6c552453", "0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e"
SERVER = "https://acme.example/api/v2/"
STRANGER = "12121212-dccf-4882-adde-1a79aeec50df"
FORM = "application/x-www-form-urlencoded"
QUICK = 1500


@dataclass
class Case:
    target: str
    method: str = "GET"
    fields: list = field(default_factory=list)
    body: bytes = b""

    def raw(self, fields):
        return wire.request(self.method, self.target, [*fields, *self.fields], self.body)

    def __str__(self):
        return f"{self.method} {self.target} {self.fields} {self.body[:300]!r}"


def spelled(name):
    """Spellings of a name."""
    head, tail = name[:-3], name[-3:]
    escaped = "".join(f"%{ord(letter):02x}" for letter in name)
    return [
        name, name.upper(), name.title(), escaped, head + f"%{ord(tail[0]):02X}" + tail[1:], name.replace("_", "%5f"),
        name.replace("_", "."), name.replace("_", "+"), name.replace("_", "%20"), name.replace("_", "["), name.replace("_", "%5b"),
        name.replace("_", "-"), name.replace("_", "%00_"), name.replace("_", "%255f"), name.replace("_", "%u005f"),
        name + "[]", name + "[0]", name + "[a]", name + "[a][b]", name + "[", name + "]", name + "%5B%5D", name + "%5b0%5d",
        name + "[%00]", name + "%00", name + "%00x", name + ".x", name + "+", name + "%20", name + "%09", "+" + name, "%20" + name,
        "%00" + name, "%ef%bb%bf" + name, "%e2%80%8b" + name, "?" + name, "/" + name, ";" + name, "amp;" + name, "[" + name + "]",
        "%0a" + name, "%0d%0a" + name, "a[" + name + "]", "a." + name, "__proto__[" + name + "]", "constructor.prototype." + name,
        name.replace("i", "%c4%b1"), name.replace("c", "%43", 1), name + "%", name + "%zz", "%" + name, name + "%c0%80",
        "GET[" + name + "]", "_" + name, "&" + name, "=" + name, name + "%3d", "%26" + name, "%3b" + name, name + "\xe9", name + "%e9",
    ]  # fmt: skip


def valued(value):
    """Spellings of a value; those of a UUID include what Java's `UUID.fromString` takes."""
    pieces = value.split("-")
    loose = "-".join(piece.lstrip("0") or "0" for piece in pieces)
    padded = "-".join("0" + piece for piece in pieces)
    return [
        value, value.upper(), quote(value, safe=""), "".join(f"%{ord(letter):02x}" for letter in value), "+" + value, value + "+",
        "%20" + value, value + "%20", value + "%09", value + "%0a", value + "%00", "%00" + value, value + "%00x", "%ef%bb%bf" + value,
        loose, padded, "{" + value + "}", "urn:uuid:" + value, value.replace("-", ""), '"' + value + '"', "%22" + value + "%22",
        value + "," + OPEN, OPEN + "," + value, value + "+" + OPEN, OPEN + "%20" + value, value + ";", value + "%26x", value + "?x", value + "#x",
        value + "%23x", value[:-1] + f"%{ord(value[-1]):02X}", value[:-1] + f"%25{ord(value[-1]):02x}", value[:-1] + f"%u{ord(value[-1]):04x}",
        value + "%", value + "/", value + "%c0%80", value.replace("a", "%ef%bd%81"), "%e2%80%8b" + value, value + "%c2%a0", value + "%7f",
    ]  # fmt: skip


def joined(pair, other):
    """One pair beside another."""
    return [
        pair, f"{other}&{pair}", f"{pair}&{other}", f"{other};{pair}", f"{pair};{other}", f"{other}&&{pair}", f"&{pair}", f"{other}&amp;{pair}",
        f"{other}%26{pair}", f"{other}?{pair}", f"?{pair}", f"{other}&;{pair}", f"x={other}&{pair}", f"x&{pair}&", f"{other}%3b{pair}",
        f"{other}&{pair}&{other}", f"{other}%00&{pair}", f"x=%zz&{pair}", f"%&{pair}", f"{other}&?{pair}", f"{pair}#&{other}", f"={pair}",
        f"{other}/{pair}", f"{other}%0a{pair}", f"{other}|{pair}", f"{other},{pair}", f"{other}%23{pair}",
    ]  # fmt: skip


KINDS = [FORM] + [
    FORM + tail for tail in ("; charset=utf-8", ";charset=UTF-8", "; charset=\"utf-8\"", "; charset=iso-8859-1", "; charset=utf-16", "; charset=utf-16le",
                             "; charset=utf-7", "; charset=ibm037", "; charset=utf-32", "; charset=windows-1252", ";", "; x", ";x=y", " ", "\t", "; charset",
                             "; charset=", "; charset=utf-8; charset=utf-16", ", application/json", ",", "; boundary=B", "; charset='utf-8'", "; CHARSET=cp500")
] + [
    FORM.upper(), FORM.title(), "application/x-www-form-urlencoded-x", "application/x-www-form", "text/plain", "text/html", "application/octet-stream", "*/*", "", "x",
    "application/json, " + FORM, "text/plain; " + FORM, "application/x-url-encoded", "multipart/form-data", "multipart/form-data; boundary=B", "application/json",
    "application/xml", "application/javascript", "application/x-www-form-urlencoded\x0b", "application/x-www-form-urlencoded;charset=utf-8,x", "form-urlencoded",
]  # fmt: skip


def wrapped(pairs):
    """A form's text in every dress: content types, charsets, codings, chunks, methods."""
    text = pairs.encode("latin-1")
    for kind in KINDS:
        yield "POST", [("Content-Type", kind)], text
    yield "POST", [], text
    for charset in ("utf-16", "utf-16-le", "utf-16-be", "utf-7", "cp037", "cp500", "utf-32", "utf-8-sig"):
        for kind in (f"{FORM}; charset={charset.replace('cp', 'ibm')}", FORM):
            yield "POST", [("Content-Type", kind)], pairs.encode(charset)
    packed = {"gzip": gzip.compress(text), "deflate": zlib.compress(text), "identity": text, "": text, "x-gzip": gzip.compress(text), "br": text,
              "GZIP": gzip.compress(text), "gzip, identity": gzip.compress(text), "none": text, "utf-8": text, "aes128gcm": text, "identity, ": text}  # fmt: skip
    for coding, body in packed.items():
        yield "POST", [("Content-Type", FORM), ("Content-Encoding", coding)], body
    yield "POST", [("Content-Type", FORM), ("X-Content-Encoding", "gzip")], packed["gzip"]
    yield "POST", [("Content-Type", FORM), ("Content-Encoding", "identity"), ("Content-Encoding", "gzip")], packed["gzip"]
    yield "POST", [("Content-Type", FORM), b"content_encoding: gzip"], packed["gzip"]
    chunks = b"".join(b"%x\r\n%c\r\n" % (1, octet) for octet in text) + b"0\r\n\r\n"
    whole = b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text)
    for coding in ("chunked", "Chunked", "CHUNKED", " chunked", "chunked ", "identity, chunked", "chunked, identity", "gzip, chunked", "xchunked", "\x0bchunked", "chunked;q=1", "\"chunked\"", ","):
        yield "POST", [("Content-Type", FORM), ("Transfer-Encoding", coding)], chunks
        yield "POST", [("Content-Type", FORM), ("Transfer-Encoding", coding)], whole
    yield "POST", [("Content-Type", FORM), ("Transfer-Encoding", "chunked")], whole.replace(b"\r\n", b";a=b\r\n", 1)
    yield "POST", [("Content-Type", FORM), ("Transfer-Encoding", "chunked")], whole.replace(b"\r\n", b"\n", 1)
    yield "POST", [("Content-Type", FORM), ("Transfer-Encoding", "chunked")], b"0" * 8 + whole
    yield "POST", [("Content-Type", FORM), ("Transfer-Encoding", "chunked")], b"0x" + whole
    yield "POST", [("Content-Type", FORM), ("Transfer-Encoding", "chunked")], whole[:-2] + b"client_id: x\r\n\r\n"
    for length in (f"+{len(text)}", f"{len(text)}, {len(text)}", f" {len(text)} ", f"0{len(text)}", f"0x{len(text):x}", f"{len(text)}.0"):
        yield "POST", [("Content-Type", FORM), ("Content-Length", length)], text
    yield "POST", [("Content-Type", FORM), ("Content-Length", str(len(whole))), ("Transfer-Encoding", "chunked")], whole
    yield "POST", [("Content-Type", FORM), ("Transfer-Encoding", "chunked"), ("Content-Length", "0")], whole
    yield "POST", [("Content-Type", FORM), ("Content-Length", "0"), b"Transfer-Encoding : chunked"], whole
    yield "POST", [("Content-Type", FORM), ("Content-Length", str(len(text))), b"Transfer_Encoding: chunked"], text
    yield "POST", [("Content-Type", FORM), b"Transfer-Encoding:\x0bchunked"], whole
    yield "POST", [("Content-Type", "text/plain"), ("Content-Type", FORM)], text
    yield "POST", [("Content-Type", FORM), b"Content_Type: text/plain"], text
    yield "POST", [("Content-Type", "text/plain"), b"Content_Type: " + FORM.encode()], text
    yield "POST", [("Content-Type", "application/json"), b" Content-Type: " + FORM.encode()], text
    yield "POST", [("Content-Type", FORM), ("Expect", "100-continue")], text
    for method in ("PUT", "PATCH", "DELETE", "GET", "OPTIONS", "HEAD", "post", "Post", "PROPFIND", "QUERY", "XPOST", "REPORT"):
        yield method, [("Content-Type", FORM)], text
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"):
        yield "PUT", [("Content-Type", FORM), (name, "POST")], text
        yield "GET", [("Content-Type", FORM), (name, "POST")], text
    yield "POST", [("Content-Type", FORM)], b"x=" + b"y" * 70000 + b"&" + text
    yield "POST", [("Content-Type", FORM)], b"x=" + b"y" * 65000 + b"&" + text
    yield "POST", [("Content-Type", FORM)], b"x=1&" * 1200 + text
    yield "POST", [("Content-Type", FORM)], b"\r\n" + text
    yield "POST", [("Content-Type", FORM)], text + b"\x00"
    yield "POST", [("Content-Type", FORM)], b"\xff=1&" + text
    yield "POST", [("Content-Type", FORM)], b"a=%zz&" + text


def jsons(values):
    """JSON texts that one parser or another takes for these values."""
    plain = json.dumps(values)
    inner = plain[1:-1]
    name, value = next(iter(values.items()))
    rest = "".join(f',"{key}":"{text}"' for key, text in list(values.items())[1:])
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
    for text in (
        plain, f'{{"{escaped}":"{value}"{rest}}}', f'{{"{name}":"x","{name}":"{value}"{rest}}}', f'{{"{name}":"{value}","{name}":"x"{rest}}}',
        f'{{"{name}":["{value}"]{rest}}}', f'{{"{name}":{{"a":"{value}"}}{rest}}}', f"[{plain}]", f'{{"a":{plain}}}', f"\ufeff{plain}", f"/**/{plain}",
        f"{{{inner},}}", plain.replace('"', "'"), f'{{{name}:"{value}"{rest}}}', f" \t\r\n{plain}\n", f"{plain}x", f"{plain}{{}}", f'{{"x":NaN,{inner}}}',
        f'{{"x":1e999,{inner}}}', f'{{"x":01,{inner}}}', f'{{"x":"\t",{inner}}}', f'{{"x":"\\ud800",{inner}}}', f'{{"{name.upper()}":"{value}"{rest}}}',
        f'{{"{name}\\u0000":"{value}"{rest}}}', f'{{"__proto__":{plain}}}', "[" * 200 + plain + "]" * 200, f'{{"x":{"[" * 3000}{"]" * 3000},{inner}}}',
    ):  # fmt: skip
        yield text.encode()
    for charset in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
        yield plain.encode(charset)


JSON_KINDS = ("application/json", "application/json; charset=utf-16", "application/json;charset=utf-8", "text/json", "application/x+json", "application/jsonx", "Application/JSON",
              "application/vnd.api+json; x", "text/plain", "application/json, text/plain", "text/x-json", "application/csp-report", "application/json\t")  # fmt: skip


def multiparts(values):
    """Multipart bodies and their types: what strict parsers refuse, some others take."""
    def part(head, value):
        return f"--B\r\n{head}\r\n\r\n{value}\r\n"

    def of(head, more=""):
        return "".join(part(head.format(name=name) + more, value) for name, value in values.items()) + "--B--\r\n"

    usual = of('Content-Disposition: form-data; name="{name}"')
    kind = "multipart/form-data; boundary=B"
    bodies = [
        usual, of("Content-Disposition: form-data; name={name}"), of("content-disposition:form-data;name=\"{name}\""), of("Content-Disposition: form-data; NAME=\"{name}\""),
        of("Content-Disposition: form-data; name*=utf-8''{name}"), of("Content-Disposition: form-data; name=\"x\"; name=\"{name}\""), of("Content-Disposition: form-data; name=\"{name}\"; name=\"x\""),
        of("Content-Disposition: form-data; name=\"x\"; name*=utf-8''{name}"), of("Content-Disposition: form-data;\r\n name=\"{name}\""), of("Content-Disposition: form-data; name=\"{name}\"; filename=\"a\""),
        of("Content-Disposition: form-data; name=\"{name}\"; filename=\"\""), of("Content-Disposition: form-data; filename=\"; name=x\"; name=\"{name}\""), of("Content-Disposition: attachment; name=\"{name}\""),
        of("Content-Disposition: form-data; name='{name}'"), of("Content-Disposition: form-data; name=\"{name}"), of("Content-Disposition: form-data; name=\"{name}\\\"\""), of("Content-Disposition : form-data; name=\"{name}\""),
        of("X: y\r\nContent-Disposition: form-data; name=\"{name}\""), of("Content-Disposition: form-data; name=\"x\"\r\nContent-Disposition: form-data; name=\"{name}\""),
        of('Content-Disposition: form-data; name="{name}"', "\r\nContent-Type: text/plain; charset=utf-16"), of('Content-Disposition: form-data; name="{name}"', "\r\nContent-Type: application/json"),
        of('Content-Disposition: form-data; name="{name}"', "\r\nContent-Transfer-Encoding: 7bit"), "preamble\r\n" + usual, "\r\n" + usual, usual + "epilogue", usual[:-4], usual[:-2], usual.replace("\r\n", "\n"),
        usual.replace("--B\r\n", "--B \r\n"), usual.replace("--B\r\n", "--B\t\r\n"), "--B--\r\n" + usual, part('Content-Disposition: form-data; name="_charset_"', "utf-16") + usual,
        usual.replace("\r\n\r\n", "\r\n\r\n\r\n"), of('Content-Disposition: form-data; name="%63lient_id"'), of('Content-Disposition: form-data; name="{name}"').replace('name="c', 'name="\\c'),
        of('Content-Disposition: form-data; name = "{name}"'), of('Content-Disposition: form-data; ; name="{name}"'), of('Content-Disposition: form-data, name="{name}"'), of('Content-Disposition: name="{name}"'),
    ]  # fmt: skip
    for body in bodies:
        yield kind, body.encode()
    for charset in ("utf-7", "utf-16-le", "utf-16", "cp037", "cp500"):
        front = part('Content-Disposition: form-data; name="_charset_"', charset).encode()
        # UTF-7 in full, so that it is not the plain text by chance.
        coded = {name: b"+" + base64.b64encode(value.encode("utf-16-be")).rstrip(b"=") + b"-" if charset == "utf-7" else value.encode(charset) for name, value in values.items()}
        yield kind, front + b"".join(b'--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value) for name, value in coded.items()) + b"--B--\r\n"
    coded = "".join(part(f'Content-Disposition: form-data; name="{name}"\r\nContent-Transfer-Encoding: base64', base64.b64encode(value.encode()).decode()) for name, value in values.items())
    yield kind, (coded + "--B--\r\n").encode()
    printable = "".join(part(f'Content-Disposition: form-data; name="{name}"\r\nContent-Transfer-Encoding: quoted-printable', "=" + value.encode().hex("=")) for name, value in values.items())
    yield kind, (printable + "--B--\r\n").encode()
    for other in (
        'multipart/form-data; boundary="B"', "multipart/form-data;boundary=B", "Multipart/Form-Data; Boundary=B", "multipart/form-data; boundary=A; boundary=B", "multipart/form-data; boundary=B; boundary=A",
        "multipart/form-data; boundary = B", "multipart/form-data; boundary=B; charset=utf-16", "multipart/form-data; charset=utf-8; boundary=B", "multipart/mixed; boundary=B", "multipart/related; boundary=B",
        "multipart/form-data; boundary*=utf-8''B", "multipart/form-data; boundary*0=B", "multipart/form-data, boundary=B", "multipart/form-data; boundary=B,C", "multipart/form-data; x=\"; boundary=A\"; boundary=B",
        "multipart/form-data; xboundary=A; boundary=B", "multipart/form-data; boundary='B'", "multipart/form-data; boundary=\"\\B\"", "multipart/form-data boundary=B", "multipart/x; boundary=B", "multipart/form-data;\tboundary=B",
        "multipart/form-data; boundary=B ", "multipart/form-data; boundary=B; x", "multipart/form-data; ; boundary=B", "multipart/alternative; boundary=B",
    ):  # fmt: skip
        yield other, usual.encode()


def basics(value):
    """`Authorization` values whose user somebody takes for this."""
    coded = base64.b64encode(f"{value}:secret".encode()).decode()
    bare = base64.b64encode(value.encode()).decode()
    escaped = base64.b64encode(("".join(f"%{ord(c):02x}" for c in value) + ":s").encode()).decode()
    texts = [f"{value}:s:t", f" {value}:s", f"{value} :s", f"\ufeff{value}:s", f"{value}\x00:s", f"{value.upper()}:s", f"{value}:", f"{value}\n:s", f"+{value}:s", f"{value.replace('-', '%2d')}:s"]
    return [
        f"Basic {coded}", f"basic {coded}", f"BASIC {coded}", f"Basic  {coded}", f"Basic\t{coded}", f"Basic {coded.rstrip('=')}", f"Basic {coded}=", f"Basic {coded}==", f"Basic {bare}", f"Basic {escaped}",
        f"Basic {coded[:8]} {coded[8:]}", f"Basic {coded},x", f"Basic {coded}, Basic {coded}", f"Bearer x, Basic {coded}", f"Basic {coded[:10]}\t{coded[10:]}", f"Basic {coded[:10]}!{coded[10:]}", f"Basic \"{coded}\"",
        f"Basic {base64.urlsafe_b64encode(f'{value}:??>>'.encode()).decode()}", f" Basic {coded}", f"Basic:{coded}", f"Basic{coded}", f"Basic {base64.b64encode(f'{value}:s'.encode('utf-16')).decode()}",
        f"Basic {coded[:12]}==={coded[12:]}", *[f"Basic {base64.b64encode(text.encode()).decode()}" for text in texts],
    ]  # fmt: skip


def naming(value, other, name, target, names=None):
    """Cases that name an application or a tenant; `names`: spellings of the name, all that are known if not given."""
    pair, beside = f"{name}={value}", f"{name}={other}"
    pairs = [f"{spelling}={value}" for spelling in names or spelled(name)] + [f"{name}={text}" for text in valued(value)]
    queries = [text for each in pairs for text in joined(each, beside)]
    for query in queries:
        yield Case(f"{target}?{query}")
    for query in queries[::2]:
        yield Case(target, "POST", [("Content-Type", FORM)], query.encode("latin-1"))
        yield Case(f"{target}?{beside}", "POST", [("Content-Type", FORM)], query.encode("latin-1"))
    for text in (pair, f"{beside}&{pair}"):
        for method, fields, body in wrapped(text):
            yield Case(target, method, fields, body)
            yield Case(f"{target}?{beside}", method, fields, body)
    for kind, body in itertools.chain(multiparts({name: value}), ((kind, body) for kind in JSON_KINDS for body in jsons({name: value}))):
        yield Case(target, "POST", [("Content-Type", kind)], body)
        yield Case(f"{target}?{beside}", "POST", [("Content-Type", kind)], body)
        yield Case(target, "PUT", [("Content-Type", kind)], body)
    for form in (";{}", ";x;{}", ";{}?x", "%3f{}", "%3F{}", "%3b{}", ";{}?" + beside, "?#{}", "#?{}", "%23{}", "?x#{}", "??{}", "/?{}", ";?{}", "&{}"):
        yield Case(target + form.format(pair))
    if name == "client_id":
        for text in basics(value):
            yield Case(target, "POST", [("Authorization", text), ("Content-Type", FORM)], b"grant_type=authorization_code")
            yield Case(f"{target}?{beside}", "GET", [("Authorization", text)])
        yield Case(target, "GET", [("Authorization", basics(other)[0]), ("Authorization", basics(value)[0])])
        yield Case(target, "GET", [("Authorization", basics(other)[0]), b"authorization_: " + basics(value)[0].encode()])
    yield Case(target, "GET", [("Cookie", pair)])


def issuing():
    """Client-credentials requests for the closed resource server."""
    target = "/oauth2/token"
    servers = [SERVER, SERVER.rstrip("/"), "HTTPS://ACME.example/api/v2/", "https://ACME.EXAMPLE/api/v2", SERVER + "/", SERVER + "%20", "%20" + SERVER, SERVER + "%00"]
    for name in ("audience", "resource"):
        for server, escape in itertools.product(servers, (str, lambda text: quote(text, safe="%"))):
            for spelling in (name, name + "[]", name + "[0]", name.replace("a", "%61"), name + "%00", "+" + name, name.upper()):
                for pairs in joined(f"{spelling}={escape(server)}", f"{name}=https://other.example/"):
                    yield Case(target, "POST", [("Content-Type", FORM)], f"grant_type=client_credentials&{pairs}".encode("latin-1"))
        pair = f"grant_type=client_credentials&{name}={quote(SERVER, safe='')}"
        for method, fields, body in wrapped(pair):
            yield Case(target, method, fields, body)
        values = {"grant_type": "client_credentials", name: SERVER}
        for kind, body in itertools.chain(multiparts(values), ((kind, body) for kind in JSON_KINDS for body in jsons(values))):
            yield Case(target, "POST", [("Content-Type", kind)], body)
        for grant in joined("grant_type=client_credentials", "grant_type=password") + [f"{n}=client_credentials" for n in spelled("grant_type")] + [f"grant_type={v}" for v in valued("client_credentials")]:
            yield Case(target, "POST", [("Content-Type", FORM)], f"{grant}&{name}={SERVER}".encode("latin-1"))
            yield Case(f"{target}?{grant}&{name}={SERVER}", "POST", [("Content-Type", FORM)], b"x=y")
            yield Case(f"{target}?{grant}", "POST", [("Content-Type", FORM)], f"{name}={SERVER}".encode())
            yield Case(f"{target}?{name}={SERVER}", "POST", [("Content-Type", FORM)], grant.encode("latin-1"))
            yield Case(f"{target}?{grant}&{name}={SERVER}", "GET")


def java_uuid(text):
    """The UUID that `UUID.fromString` makes of a text, else the text."""
    pieces = text.strip().lower().split("-")
    try:
        numbers = [int(piece, 16) for piece in pieces]
    except ValueError:
        return text
    if len(pieces) != 5:
        return text
    widths = (8, 4, 4, 4, 12)
    return "-".join(f"{number & (1 << 4 * width) - 1:0{width}x}" for number, width in zip(numbers, widths))


def uuids(text):
    """What Java and Python make of a text."""
    try:
        return java_uuid(text), str(uuid.UUID(text))
    except ValueError:
        return (java_uuid(text),)


def values(verdict, name):
    """What the referee read under a name, in all places."""
    return [value for found in verdict["places"].values() if found for value in found.get(name, []) if value]


def is_server(text):
    scheme, _, rest = text.strip().partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}".removesuffix("/") == SERVER.removesuffix("/")


def closed_subject(verdict, _case):
    """The closed subject that the referee understood on a protected page, or nothing."""
    if verdict["resource"] in ("/oauth2/authorize", "/oauth2/token", "/account/"):
        if any(CLOSED in uuids(value) for value in values(verdict, "client_id")):
            return "the closed application"
        # A tenant beside one of its own applications adds nothing; none of the cases names one.
        if any(CLOSED_TENANT in uuids(value) for value in values(verdict, "tenantId")):
            return "the closed tenant"
    if verdict["resource"] == "/oauth2/token" and "client_credentials" in values(verdict, "grant_type"):
        if any(is_server(value) for value in values(verdict, "audience") + values(verdict, "resource")):
            return "the closed resource server"
    return None


def other_than_open(verdict, _case):
    """What the referee found, wherever it looked, beside the open application, which alone let the request through."""
    if verdict["resource"] not in ("/oauth2/authorize", "/oauth2/token", "/account/"):
        return None
    named = [java_uuid(normalize("NFKC", unquote(value))) for value in values(verdict, "client_id")]
    tenants = [java_uuid(normalize("NFKC", value)) for value in values(verdict, "tenantId")]
    if set(named) == {OPEN} or (not named and set(tenants) == {OPEN_TENANT}):
        return None
    return f"applications {named} and tenants {tenants}"


async def ask(port, cases, fields, source, judge):
    """How often the referee answered, and what it should not have served."""
    answers = await wire.send_all(port, [(case.raw(fields), case.method == "HEAD") for case in cases], source)
    wrong, reached = [], 0
    for case, answer in zip(cases, answers):
        verdict = answer.verdict()
        found = judge(verdict, case) if verdict else None
        reached += found is not None
        if found:
            wrong.append(f"{case}: the upstream understood {found}")
        if answer.surplus:
            wrong.append(f"{case}: more than one answer")
    return reached, wrong


async def run(table, name, upstream, gateways, options):
    closed, opened = gateways
    chance = random.Random(name)
    naming_closed = [
        *naming(CLOSED, OPEN, "client_id", "/oauth2/authorize"),
        *naming(CLOSED_TENANT, OPEN_TENANT, "tenantId", "/oauth2/authorize"),
        *naming(CLOSED, STRANGER, "client_id", "/oauth2/token"),
    ]
    # Only what is the name itself once it is decoded: an application that no policy lists adds nothing by a hint.
    names = ("client_id", "%63lient_id", "client%5Fid", "client%5fid", "client_i%64")
    naming_open = [
        *naming(OPEN, STRANGER, "client_id", "/oauth2/authorize", names),
        *naming(STRANGER, OPEN, "client_id", "/oauth2/token", names),
        *naming(OPEN_TENANT, CLOSED_TENANT, "tenantId", "/account/", ("tenantId", "%74enantId", "tenantI%64")),
    ]
    issued = list(issuing())
    fields, blocked = [("X-Forwarded-For", "203.0.113.66")], []
    for kind, port, cases, judge in (
        ("parameters", opened, naming_closed, closed_subject),
        ("audiences", opened, issued, closed_subject),
        ("openings", closed, naming_open, other_than_open),
    ):
        if kind == "openings" and name in ("nginx", "httpd"):
            continue  # they read no forms
        cases = cases if options.all else chance.sample(cases, min(QUICK, len(cases)))
        reached, _ = await ask(upstream, cases, blocked, "127.0.0.1", judge)
        through, wrong = await ask(port, cases, fields, "127.0.0.1", judge)
        table.count(name, kind, len(cases), wrong, reached)
