"""Forwarding headers: who does the upstream believe that the client is, and can the client have a say in it?"""

import re

import wire

FORGED = "198.51.100.77"
NAMES = (
    "X-Forwarded-For X-Real-IP Forwarded X-Forwarded X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port X-Forwarded-Prefix X-Forwarded-Uri"
    " X-Forwarded-Path X-Forwarded-Server X-Forwarded-By X-Forwarded-Client-Cert Forwarded-For Forwarded-For-IP Client-IP X-Client-IP True-Client-IP"
    " CF-Connecting-IP CF-Connecting-IPv6 Fastly-Client-IP X-Cluster-Client-IP X-Remote-IP X-Remote-Addr Remote-Addr X-Originating-IP"
    " X-Original-Forwarded-For X-Original-URL X-Rewrite-URL X-Original-URI X-Original-Host X-Host X-Envoy-External-Address X-Envoy-Original-Path"
    " X-Appengine-User-IP X-Azure-ClientIP X-Azure-SocketIP WL-Proxy-Client-IP Proxy-Client-IP X-ProxyUser-IP X-Coming-From X-Client Client-Address"
    " X-True-IP X-IP Remote-Host X-Replaced-Path X-Accel-Mapping Proxy"
).split()
# What an upstream is told by the gateway itself.
OURS = {"x-forwarded-for", "x-real-ip", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "believed"}


def spelled(name):
    """Whole header lines: spellings that one parser or another takes for this name."""
    value = f"for={FORGED}" if name == "Forwarded" else FORGED
    under, dotted = name.replace("-", "_"), name.replace("-", ".")
    names = [name, name.lower(), name.upper(), under, under.lower(), under.upper(), name.replace("-", "_", 1), "_".join(name.rsplit("-", 1)), dotted, name.replace("-", "~"),
             name.replace("-", "!"), name.replace("-", "+"), name.replace("-", "$"), name.replace("-", "%2d"), name + "_", "_" + name, "HTTP_" + under, "HTTP-" + name, name + "-", name + "."]  # fmt: skip
    lines = [f"{each}: {value}".encode() for each in names]
    text = name.encode()
    tail = value.encode()
    lines += [text + b" : " + tail, text + b"\t: " + tail, b" " + text + b": " + tail, b"\t" + text + b": " + tail, text + b":" + tail, text + b":\t" + tail, text + b"\x00: " + tail,
              b"\x0b" + text + b": " + tail, text + b"\xad: " + tail, b"\xef\xbb\xbf" + text + b": " + tail, text + b"\x0c: " + tail, text + b":\r\n " + tail, b"X: y\r\n\t" + text + b": " + tail,
              b"X: y\r" + text + b": " + tail, b"X: y\n" + text + b": " + tail, b": x\r\n" + text + b": " + tail, b":\r\n" + text + b": " + tail, text + b"\r\n: " + tail, text + b"=" + tail, text + b": \x01" + tail,
              b"X: y\x00\r\n" + text + b": " + tail, text + b":: " + tail, b'"' + text + b'": ' + tail]  # fmt: skip
    return lines


def blocks():
    """What an untrusted peer may try, as lines."""
    for name in NAMES:
        for line in spelled(name):
            yield [line]
        yield [f"{name}: {FORGED}".encode(), f"{name}: {FORGED}".encode()]
        yield [f"Connection: {name}".encode(), f"{name}: {FORGED}".encode()]
        yield [f"Connection: close, {name.lower()}".encode(), f"X-Forwarded-For: {FORGED}".encode()]
    everything = ", ".join(NAMES[:12])
    for line in ("Connection: X-Forwarded-For, X-Real-IP, X-Forwarded-Host", f"Connection: {everything}", "Connection: keep-alive, X-Real-IP", "Connection: x-forwarded-for,,", "Keep-Alive: X-Forwarded-For",
                 "Proxy-Connection: X-Forwarded-For", "Connection: Host", "Connection: X-Forwarded-For\r\nConnection: X-Real-IP", "Trailer: X-Forwarded-For", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"):  # fmt: skip
        yield [line.encode()]
        yield [line.encode(), f"X-Forwarded-For: {FORGED}".encode()]


# From a believed peer: nobody can say who that is, so everything is blocked.
UNDETERMINED = (
    "unknown _hidden 0306.063.0144.07 198.51.100.07 198.51.0100.7 0xc6.0x33.0x64.0x7 3325256711 0xc6336407 198.51.25607 198.51.100.7.0 198.51.100 198.51.100.7/32"
    " fe80::1%eth0 [198.51.100.7] 198.51.100.7:99999 198.51.100.7:x 198.51.100.7: :198.51.100.7 ::ffff:0198.51.100.7 ::ffff:c633:6407:1 [::ffff:198.51.100.7 ::ffff:198.51.100.7] 198.51.100.7;x"
    ' "198.51.100.7" 198.51.100.7\x00 １９８.51.100.7 198。51。100。7 +198.51.100.7 198.51.100.7. .198.51.100.7 198..51.100.7 198.51.100.256 localhost 198.51.100.7%00 for=198.51.100.7'
    " 198-51-100-7 198.51.100.7@x http://198.51.100.7 -1 0 ::ffff:198.51.100.7%1 1e9 198.51.100.٧"
).split()
BLOCKED_LISTS = (
    "203.0.113.66, 198.51.100.7", "203.0.113.66,198.51.100.7", ", 203.0.113.66, 198.51.100.7", "203.0.113.66:4711, 198.51.100.7", "::ffff:203.0.113.66", "[::ffff:cb00:7142]:80", "64:ff9b::c633:6407",
    "2002:c633:6407::1", "::198.51.100.7", "unknown, 198.51.100.7", "203.0.113.66 198.51.100.7", "203.0.113.66;198.51.100.7", "::1, 198.51.100.7", "203.0.113.66\t,198.51.100.7", "2001:db8::1", "0.0.0.0", "::", "127.0.0.1",
)  # fmt: skip
ALLOWED_LISTS = ("198.51.100.7", "198.51.100.7:4711", "::ffff:198.51.100.7", "[::ffff:c633:6407]", "[::ffff:198.51.100.7]:443", " , 198.51.100.7", "198.51.100.7, 203.0.113.66", "198.51.100.7,unknown")


def forged(verdict):
    """What the upstream heard from the client rather than from the gateway."""
    known = {name.lower() for name in NAMES} | {"believed"}
    return {name: value for name, value in verdict["heard"].items() if FORGED in str(value) and re.sub("[^a-z0-9]", "-", name.lower()) in known}


async def run(table, name, upstream, gateways, options):
    closed, opened = gateways
    lines = list(blocks())
    lines = lines if options.all else lines[::3]
    wrong = []
    raws = [(wire.request("GET", "/oauth2/authorize", block), False) for block in lines]
    for port in (closed, opened):
        for block, answer in zip(lines, await wire.send_all(port, raws, "127.0.0.66")):
            verdict = answer.verdict()
            if verdict is None:
                continue
            if port == closed:
                wrong.append(f"{block} from an untrusted peer was served")
            elif forged(verdict):
                wrong.append(f"{block} from an untrusted peer: the upstream heard {forged(verdict)}")
            elif (believed := verdict["heard"].get("believed", "127.0.0.66").removeprefix("::ffff:")) != "127.0.0.66":
                wrong.append(f"{block} from an untrusted peer: the upstream believes in {believed}")
    cases = 2 * len(lines)

    # Beside a header that is believed, other spellings of it must not be heard at all.
    beside = [[f"X-Forwarded-For: 203.0.113.66".encode(), line] for line in (*spelled("X-Forwarded-For")[3:8], *spelled("X-Real-IP")[:8])]
    for block, answer in zip(beside, await wire.send_all(opened, [(wire.request("GET", "/x", block), False) for block in beside], "127.0.0.1")):
        verdict = answer.verdict()
        if verdict and (found := {key: value for key, value in forged(verdict).items() if key in OURS}):
            wrong.append(f"{block} from a proxy: the upstream heard {found}")
    cases += len(beside)

    for values, served in ((UNDETERMINED, False), (BLOCKED_LISTS, False), (ALLOWED_LISTS, True)):
        for connection in ("", "X-Forwarded-For, X-Real-IP"):
            fields = [[("X-Forwarded-For", value), *([("Connection", connection)] if connection else [])] for value in values]
            answers = await wire.send_all(closed, [(wire.request("GET", "/oauth2/authorize", each), False) for each in fields], "127.0.0.1")
            for each, answer in zip(fields, answers):
                verdict = answer.verdict()
                if (verdict is not None) != served:
                    wrong.append(f"{each} from a proxy got {answer.status}")
                elif verdict and not verdict["heard"].get("believed", verdict["heard"].get("x-forwarded-for", "198.51.100.7")).removeprefix("::ffff:").startswith("198.51.100.7"):
                    wrong.append(f"{each} from a proxy: the upstream believes in {verdict['heard']}")
            cases += len(values)
    table.count(name, "forwarding", cases, wrong)
