"""What our own answers tell about us, and what the log tells about clients, at every level."""

import base64
import hashlib
import json
import re

import stand
import wire
from harness import free_port

SECRETS = {
    "key": "kEy-0f3d9a-SECRET", "unknown key": "uNkNoWn-7c2e-SECRET", "bearer": "bEaReR-91ab-SECRET", "password": "pAsS-3e44-SECRET", "client_secret": "cLiEnT-55aa-SECRET", "code": "cOdE-66bb-SECRET",
    "cookie": "cOoKiE-77cc-SECRET", "query value": "qUeRy-88dd-SECRET", "refresh_token": "rEfReSh-99ee-SECRET", "assertion": "aSsErT-aaff-SECRET", "set-cookie": "sEtCoOkIe-bb00-SECRET", "referer": "rEfErEr-cc11-SECRET",
    "body": "bOdY-dd22-SECRET", "state": "sTaTe-ee33-SECRET", "path parameter": "jSeSsIoN-ff44-SECRET", "user info": "uSeR-0055-SECRET", "malformed": "mAlFoRm-1166-SECRET", "websocket": "wEbSoCk-2277-SECRET",
}  # fmt: skip
LEVELS = ("trace", "debug", "info", "warn", "error")
TELLING = re.compile(rb"(?i)aclgate|hyper|tokio|rust|0\.1\.|127\.0\.0\.1|office|acl\b|tenant|11111111|referee|starlette|uvicorn")


def requests():
    s = SECRETS
    basic = base64.b64encode(f"apikey:{s['key']}".encode()).decode()
    client = base64.b64encode(f"id:{s['client_secret']}".encode()).decode()
    form = ("Content-Type", "application/x-www-form-urlencoded")
    body = f"grant_type=client_credentials&audience=https://acme.example/api/v2/&client_secret={s['client_secret']}&code={s['code']}&password={s['password']}&refresh_token={s['refresh_token']}&client_assertion={s['assertion']}&x={s['body']}".encode()
    common = [("Cookie", f"sso={s['cookie']}"), ("Referer", f"https://x/?code={s['referer']}")]
    for target in ("/oauth2/authorize", "/oauth2/token", "/api/user", "/account/", "/api/v2/users", "/other", "/api/status"):
        query = f"{target}?code={s['code']}&x={s['query value']}&state={s['state']}&client_id=85a03867-dccf-4882-adde-1a79aeec50df"
        for value in (s["key"], s["unknown key"], f"Bearer {s['bearer']}", f"Basic {basic}", f"Basic {client}", f"Basic {basic}!", f"apikey {s['key']}"):
            yield wire.request("GET", query, [*common, ("Authorization", value)])
        yield wire.request("GET", f"{target};jsessionid={s['path parameter']}?x={s['query value']}", common)
        yield wire.request("GET", f"http://{s['user info']}:{s['password']}@{wire.HOST}{query}", common)
        yield wire.request("POST", query, [*common, form], body)
        yield wire.request("POST", target, [*common, ("Content-Type", "application/json")], json.dumps({"client_id": "x", "client_secret": s["client_secret"], "x": s["body"]}).encode())
        yield wire.request("POST", target, [*common, ("Content-Type", "text/plain")], body)
        yield wire.request("POST", target, [*common, form], b"%zz" + body)
        yield wire.request("POST", target, [*common, form, ("Transfer-Encoding", "chunked")], b"zz\r\n" + body)
        yield wire.request("GET", query + f"&y=%zz{s['malformed']}\x01", common)
        yield wire.request("GET", query, [*common, f"X-A\x00: {s['malformed']}".encode()])
        yield wire.request("GET", query, [*common, ("Authorization", s["key"]), ("Authorization", s["bearer"])])
        yield wire.request("GET", query + "x" * 9000, common)
        yield wire.request("GET", query + f"#{s['malformed']}", common)
        yield wire.request("GET", target + f"%00{s['malformed']}", common)
        yield wire.request("SEARCH", query, common)
        yield wire.request("GET", query, [*common, ("Connection", "upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Protocol", s["websocket"]), ("Sec-WebSocket-Version", "13")])
        yield wire.request("GET", query, [*common, ("X-Request-Id", f"a\"b{s['malformed']}"), ("X-API-Key", s["key"])])
    yield b"\x16\x03\x01" + SECRETS["malformed"].encode() + b"\r\n\r\n"
    yield wire.request("CONNECT", f"{s['malformed']}:443", common)


async def run(at, folder):
    upstream = free_port()
    at.start(stand.command("starlette", upstream, folder), upstream, "starlette")
    digest = hashlib.sha256(SECRETS["key"].encode()).hexdigest()
    found = []
    sent = list(requests())
    for level, access, form, to in [(level, "json", "text", upstream) for level in LEVELS] + [("trace", "combined", "json", upstream), ("trace", "json", "json", free_port())]:
        key = f'\n[[api_key]]\nname = "blocked"\nsha256 = "{digest}"\nip_acl = "office"\n\n[policy.api_key_sources]\nbearer = true\nheaders = ["X-API-Key"]\n'
        port = stand.gateway(at, f"{level}-{access}-{to}", to, True, f'{key}\n[log]\nlevel = "{level}"\naccess = "{access}"\nformat = "{form}"\n')
        server, wrong = at.servers[-1], []
        for source, client in (("127.0.0.1", "203.0.113.66"), ("127.0.0.1", "198.51.100.7"), ("127.0.0.66", "1.1.1.1")):
            raws = [(raw.replace(b"\r\n\r\n", f"\r\nX-Forwarded-For: {client}\r\n\r\n".encode(), 1), False) for raw in sent]
            for raw, answer in zip(raws, await wire.send_all(port, raws, source)):
                # Everything that the upstream says itself bears its server's name.
                told = TELLING.findall(answer.head + answer.body) if b"server: uvicorn" not in answer.head else []
                if told:
                    wrong.append(f"our own answer tells {told}: {answer.head + answer.body}")
        at.servers.remove(server)
        server.stop()
        log = server.output()
        for name, secret in SECRETS.items():
            encoded = base64.b64encode(f"apikey:{secret}".encode()).decode()[:24], base64.b64encode(f"id:{secret}".encode()).decode()[:24]
            for text in (secret, secret.lower(), *encoded):
                lines = [line for line in log.splitlines() if text in line]
                if lines:
                    wrong.append(f"the log at {level} holds the {name}: {lines[0][:400]}")
        if level == "trace" and not log.strip():
            wrong.append("the log at trace is empty: nothing was tested")
        found.append((f"{level}/{form}", 3 * len(sent), wrong))
    return found
