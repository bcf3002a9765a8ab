"""What ordinary clients send, which must not be refused: a gate that closes too often is taken out."""

import json

import wire
from parameters import CLOSED, OPEN, OPEN_TENANT, SERVER

FORM = [("Content-Type", "application/x-www-form-urlencoded")]
BROWSER = [
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"), ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
    ("Accept-Language", "de-CH,de;q=0.9,en;q=0.8"), ("Accept-Encoding", "gzip, deflate, br, zstd"), ("Cookie", "fusionauth.sso=AbC-123_.~; _ga=GA1.2.3; theme=\"dark\""), ("Sec-Fetch-Mode", "navigate"),
    ("Upgrade-Insecure-Requests", "1"), ("Referer", "https://app.example/a?b=c"), ("Connection", "keep-alive"), ("sec-ch-ua", '"Chromium";v="140", "Not=A?Brand";v="24"'),
]  # fmt: skip
REDIRECT = "redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fa%3Db%26client_id%3Dx&state=a%20b%2Bc%2Fd%3D%3D&scope=openid+profile+offline_access&response_type=code&code_challenge=abc-_~&nonce=1"
# Not protected: open to the blocked, too.
OPEN_PATHS = (
    "/ /favicon.ico /css/style.css?v=1.2.3 /js/app.min.js /images/a%20b.png /images/Z%C3%BCrich.svg /fonts/x.woff2 /.well-known/openid-configuration /.well-known/jwks.json /robots.txt /api/application"
    " /api/user/search?queryString=a%40b.c&sort=%5B%7B%22x%22%3A1%7D%5D /api/login /api/jwt/refresh /api/user?email=a%2Bb@c.d /admin/ /admin/user/manage?id=1&tab=%2Fx /admin /oauth3/x /accounts /accounting/ /api/v3/users"
    " /api/v22 /a.b/c~d/e_f/g-h /x;v=1 /x?a=1;b=2 /x?a[]=1&a[]=2 /x?q=100%25 /x?next=/oauth2/authorize /x?q=%E2%9C%93 /static/oauth2.js /a//b /health /x?empty= /x? /x?a=b?c=d /docs/account /blog/2024/oauth2-explained"
).split()  # fmt: skip


def allowed():
    """Requests from an allowed address to what is protected."""
    yield "GET", f"/oauth2/authorize?client_id={CLOSED}&{REDIRECT}", BROWSER, b""
    yield "GET", f"/oauth2/authorize?client_id={OPEN}&tenantId={OPEN_TENANT}&{REDIRECT}", BROWSER, b""
    yield "GET", "/account/", BROWSER, b""
    yield "GET", "/api/v2/users", [("Authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln"), ("Accept", "application/json")], b""
    yield "HEAD", "/oauth2/authorize", BROWSER, b""
    yield "OPTIONS", "/oauth2/token", [("Origin", "https://app.example"), ("Access-Control-Request-Method", "POST")], b""
    for body in (f"grant_type=authorization_code&code=a%2Fb-_&client_id={CLOSED}&redirect_uri=https%3A%2F%2Fa%2Fcb", f"grant_type=client_credentials&audience={SERVER}", "grant_type=password&username=j%C3%B6rg&password=%25%26+%3B", f"grant_type=refresh_token&refresh_token=x&client_id={OPEN}", "username=a&password=%FF&x=%zz"):
        yield "POST", "/oauth2/token", FORM, body.encode()
        yield "POST", "/oauth2/token", [("Content-Type", FORM[0][1] + "; charset=UTF-8"), ("Authorization", "Basic YWJjOmRlZg==")], body.encode()
    yield "POST", "/oauth2/token", [("Content-Type", "application/json")], json.dumps({"client_id": CLOSED, "grant_type": "client_credentials", "x": "ü"}).encode()
    yield "POST", "/account/", [("Content-Type", "multipart/form-data; boundary=----WebKitFormBoundaryAbC123")], b'------WebKitFormBoundaryAbC123\r\nContent-Disposition: form-data; name="a"; filename="\xc3\xbc.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\x00\r\n------WebKitFormBoundaryAbC123--\r\n'
    yield "POST", "/account/", FORM, b"x=" + b"y" * 100_000
    yield "POST", "/oauth2/token", [*FORM, ("Transfer-Encoding", "chunked")], b"5\r\na=b&c\r\n2\r\n=d\r\n0\r\n\r\n"


def open_to_blocked():
    """Requests from a blocked address to what is open to everybody."""
    for path in OPEN_PATHS:
        yield "GET", path, BROWSER, b""
    for path in ("/api/user/registration", "/api/login", "/api/user"):
        yield "POST", path, [("Content-Type", "application/json"), ("Authorization", "some-api-key_0123")], b'{"loginId": "a@b.c", "password": "\\u00fc", "applicationId": "x"}'
        yield "PATCH", path, [("Content-Type", "application/merge-patch+json")], b"{}"
        yield "DELETE", path + "/1", [], b""
    yield "POST", "/api/import", [("Content-Type", "application/gzip"), ("Content-Encoding", "gzip")], b"\x1f\x8b\x08\x00"
    yield "PUT", "/upload/x", [("Content-Type", "application/octet-stream")], bytes(range(256)) * 400


def named_open():
    """Requests from a blocked address that name an open application or nothing closed, behind an open default tenant."""
    yield "GET", f"/oauth2/authorize?client_id={OPEN}&{REDIRECT}", BROWSER, b""
    yield "GET", f"/oauth2/authorize?client_id=other-app&{REDIRECT}", BROWSER, b""
    yield "GET", "/account/?tab=2&x=%2F", BROWSER, b""
    for body in (f"client_id={OPEN}&code=x&grant_type=authorization_code", "loginId=a%40b.c&password=p%26q&rememberDevice=true", "grant_type=client_credentials&audience=https%3A%2F%2Fother.example%2F", "code=%C3%BC&state="):
        yield "POST", "/oauth2/token", FORM, body.encode()
    yield "POST", "/oauth2/token", [*FORM, ("Authorization", "Basic " + "b3RoZXI6c2VjcmV0")], b"grant_type=client_credentials"
    yield "POST", "/oauth2/token", [("Content-Type", "application/json; charset=utf-8")], b'{"grant_type": "authorization_code", "nested": {"a": [1, 2, null, true, "\\u00e9"]}}'
    yield "POST", "/account/", [("Content-Type", "multipart/form-data; boundary=----WebKitFormBoundaryAbC")], b'------WebKitFormBoundaryAbC\r\nContent-Disposition: form-data; name="first name"\r\n\r\nJ\xc3\xb6rg\r\n------WebKitFormBoundaryAbC--\r\n'


async def run(table, name, upstream, gateways, options):
    closed, opened = gateways
    wrong, cases = [], 0
    for port, source, fields, requests in (
        (closed, "127.0.0.1", [("X-Forwarded-For", "198.51.100.7")], [*allowed(), *open_to_blocked()]),
        (closed, "127.0.0.10", [], [*allowed(), *open_to_blocked()]),
        (closed, "127.0.0.1", [("X-Forwarded-For", "203.0.113.66")], list(open_to_blocked())),
        (opened, "127.0.0.66", [], [*open_to_blocked(), *named_open()]),
    ):
        raws = [(wire.request(method, path, [*fields, *more], body), method == "HEAD") for method, path, more, body in requests]
        through = await wire.send_all(port, raws, source)
        direct = await wire.send_all(upstream, raws, "127.0.0.1")
        cases += len(raws)
        for (method, path, _, body), answer, other in zip(requests, through, direct):
            if answer.status != other.status:
                wrong.append(f"{method} {path} {body[:80]!r} from {source} {fields}: {answer.status}, and {other.status} without the gateway")
    table.count(name, "ordinary", cases, wrong)
