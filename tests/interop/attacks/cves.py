"""Each known mistake of another gateway has its case here, by its name."""

import asyncio
import subprocess

import stand
import wire
from harness import free_port

BLOCKED = [("X-Forwarded-For", "203.0.113.66")]
KEYCLOAK = """
[policy]
preset = "keycloak"
"""
PATHS = """
[[path]]
prefix = "/user/admin"
ip_acl = "office"

[[path]]
prefix = "/Secret/"
ip_acl = "office"
"""


def spelled_paths():
    """CVE, preset or rules, target."""
    for target in ("/realms/closed/../closed/account", "/admin/..;/realms/closed/account", "/js/..;/realms/closed/account", "/js/;/../realms/closed/account", "/realms;x=y/closed/account",
                   "/realms/closed;a=b/account", "//realms/closed/account", "/realms//closed/account", "/js/%2e%2e/realms/closed/account", "/js/%2e%2e;/realms/closed/account", "/resources/..%2frealms/closed/account"):  # fmt: skip
        yield "CVE-2025-10939", KEYCLOAK, target
    for target in ("/;x/realms/closed/account", "/;/realms/;/closed/account", "/x;a=b/../realms/closed/account", "/realms/;matrix/closed/account", "/;a=b;c=d/realms/closed", "/admin;a/..;b/realms/closed/account"):
        yield "CVE-2026-0976", KEYCLOAK, target
    for target in ("/user%2Fadmin", "/user%2fadmin/x", "/user%5cadmin", "/user%5Cadmin", "/user%252fadmin", "/x%2f..%2fuser%2fadmin", "/user\\admin"):
        yield "CVE-2021-29492", PATHS, target
    for target in ("/user/..;foo=bar/admin", "/user/x/..;foo=bar/admin", "/user/..;foo=bar/user/admin", "/user/;foo=bar/admin", "/user;foo=bar/admin", "/user/.;x/admin", "/static/..;foo=bar/user/admin"):
        # Where the parameter is dropped first, the first of them is /admin: only those that end in /user/admin are protected.
        if not target.startswith("/user/..;foo=bar/admin"):
            yield "CVE-2026-73511", PATHS, target
    yield "CVE-2026-73511", PATHS + '\n[[path]]\nprefix = "/admin/"\nip_acl = "office"\n', "/user/..;foo=bar/admin"
    for target in ("/%53ecret/x", "/%73ECRET/x", "/s%45cret/x", "/%53%45%43%52%45%54/x", "/%53%45cret", "/SECRET%2fx", "/secre%54/"):
        yield "CVE-2026-27587", PATHS, target


def lines_of(name):
    forged = "198.51.100.7"
    cases = {
        "CVE-2024-45410": [[("Connection", "X-Forwarded-For"), *BLOCKED], [("Connection", "close, x-forwarded-for"), *BLOCKED], [("Connection", "X-Forwarded-For, X-Real-IP, X-Forwarded-Host"), *BLOCKED]],
        "CVE-2022-31813": [[("Connection", "X-Forwarded-For"), ("X-Forwarded-For", "203.0.113.66")], [("Connection", "keep-alive, X-Forwarded-For, X-Forwarded-Host"), *BLOCKED]],
        "CVE-2025-64484": [[f"X_Forwarded-For: {forged}".encode(), *BLOCKED], [f"X_Forwarded_For: {forged}".encode(), *BLOCKED], [f"x-forwarded_for: {forged}".encode(), *BLOCKED]],
        "CVE-2023-25725": [[b": x", *BLOCKED], [*BLOCKED, b":", b"X-Forwarded-For: 198.51.100.7"], [b":", *BLOCKED], [b" : x", *BLOCKED]],
        "CVE-2021-29922": [[("X-Forwarded-For", "0306.51.100.7")], [("X-Forwarded-For", "198.063.100.7")], [("X-Forwarded-For", "198.51.0144.07")], [("X-Forwarded-For", "010.0.0.1")]],
    }
    return cases[name]


async def early_data(at, folder, upstream):
    """CVE-2024-39321: no early data, whoever the source claims to be."""
    key, certificate, session = (str(folder / name) for name in ("tls.key", "tls.crt", "session.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=id.example", "-addext", "subjectAltName=DNS:id.example", "-keyout", key, "-out", certificate], check=True, capture_output=True)  # fmt: skip
    text = (stand.HERE / "policies/common.toml").read_text().replace("workers = 1", f'workers = 1\ntls = {{ certificate = "{certificate}", private_key = "{key}" }}')
    port = free_port()
    for place, value in {"PORT": port, "UPSTREAM": upstream, "DEFAULT_ACL": 'ip_acl = "office"'}.items():
        text = text.replace(f"@{place}@", str(value))
    at.gateway("tls", text, port)
    early = folder / "early.txt"
    early.write_bytes(wire.request("GET", "/oauth2/authorize", [("Connection", "close")]))
    client = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "id.example", "-tls1_3"]
    wrong = []
    first = subprocess.run([*client, "-sess_out", session, "-ign_eof"], input=wire.request("GET", "/x", [("Connection", "close")]), capture_output=True, timeout=20)
    if b"X-Referee" not in first.stdout and b"x-referee" not in first.stdout:
        wrong.append(f"TLS does not work at all: {first.stdout[-300:]!r} {first.stderr[-300:]!r}")
    if b"Max Early Data: 0" not in first.stdout and b"Early data was not sent" not in first.stdout:
        wrong.append("CVE-2024-39321: a ticket offers early data")
    second = subprocess.run([*client, "-sess_in", session, "-early_data", str(early)], input=b"", capture_output=True, timeout=20)
    if b"Early data was accepted" in second.stdout or b"referee" in second.stdout:
        wrong.append("CVE-2024-39321: early data was accepted")
    return 3, wrong


async def run(at, folder):
    upstream = free_port()
    at.start(stand.command("starlette", upstream, folder), upstream, "starlette")
    ports = {}
    found = {}

    def note(name, count, wrong):
        cases, texts = found.setdefault(name, (0, []))
        found[name] = cases + count, texts + wrong

    for cve, more, target in spelled_paths():
        if more not in ports:
            ports[more] = stand.gateway(at, f"gateway{len(ports)}", upstream, False, more)
        answer = await wire.Line(ports[more]).exchange(wire.request("GET", target, BLOCKED))
        note(cve, 1, [f"{target} was passed on"] if answer.verdict() else [])
    closed = stand.gateway(at, "closed", upstream, True)
    opened = stand.gateway(at, "open", upstream, False)
    for cve in ("CVE-2024-45410", "CVE-2022-31813", "CVE-2025-64484", "CVE-2023-25725", "CVE-2021-29922"):
        for fields in lines_of(cve):
            raw = wire.request("GET", "/oauth2/authorize", fields)
            answer = await wire.Line(closed).exchange(raw)
            note(cve, 1, [f"{fields} was passed on"] if answer.verdict() else [])
            verdict = (await wire.Line(opened).exchange(raw)).verdict()
            heard = verdict["heard"].get("x-forwarded-for", "nobody") if verdict else "203.0.113.66"
            undetermined = cve == "CVE-2021-29922"
            note(cve, 1, [f"{fields}: the upstream heard of {heard}"] if not undetermined and not heard.startswith("203.0.113.66") else [])
            note(cve, 1, [f"{fields}: the upstream heard of {heard}"] if undetermined and heard.split(",")[0] in ("198.51.100.7", "8.0.0.1", "10.0.0.1") else [])
    for line in (b"GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /oauth2/authorize", b"GET\t/oauth2/authorize", b" GET /oauth2/authorize", b"GET  /oauth2/authorize", b"G ET /oauth2/authorize", b"GET /x /oauth2/authorize", b"GET /oauth2/authorize /x", b"GET\x0b/oauth2/authorize", b"GET http://x/ /oauth2/authorize"):  # fmt: skip
        raw = line + b" HTTP/1.1\r\nHost: id.example\r\nX-Forwarded-For: 203.0.113.66\r\n\r\n"
        if line.startswith(b"GET /x HTTP"):
            raw = raw.replace(b"Host: a\r\n", b"Host: a\r\nX-Forwarded-For: 203.0.113.66\r\n", 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", closed)
        writer.write(raw)
        await asyncio.sleep(0.2)
        text = reader._buffer
        writer.close()
        note("CVE-2021-39241", 1, [f"{line} was passed on"] if b"oauth2/authorize" in bytes(text) and b'"resource"' in bytes(text) else [])
    note("CVE-2024-39321", *await early_data(at, folder, upstream))
    return [(name, *both) for name, both in found.items()]
