"""Real proxies ask for decisions, configured as the manual says, and clients try to get past them.

    python decision.py [nginx|caddy|envoy …]

Clients come from addresses of the loopback net: 127.0.0.2 is inside, 127.0.0.3 is outside. An answer with
`X-Upstream` came from behind the proxy; a refusal that nobody forwarded has none.
"""

import hashlib
import re
import socket
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness import free_port, stage  # noqa: E402

MANUAL = HERE.parents[2] / "docs/src/how-to/ask-instead-of-proxying.md"
INSIDE, OUTSIDE, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.9"
CLOSED = "85a03867-dccf-4882-adde-1a79aeec50df"
OPEN = "3c219e58-ed0e-4b18-ad48-f4f92793ae32"
KEY = "bf69486b-4733-4470-a592-f1bfce7af580"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# Ways to write /private/x that some server somewhere takes for it.
DISGUISES = [
    "/private/x", "/private/", "/private", "//private/x", "/./private/x", "/x/../private/x", "/x/..%2fprivate/x",
    "/x/%2e%2e/private/x", "/%70rivate/x", "/%2570rivate/x", "/PRIVATE/x", "/private;a=b/x", "/;a/private/x",
    "/private%2fx", "/private%5cx", "/private/%2e/x", "/x/..;/private/x", "/%2fprivate/x", "/private/x?y=/public",
    "/private/x%3fy", "/public/..%5cprivate/x", "/%u0070rivate/x", "/private./x", "/private%20/x", "///private///x",
]  # fmt: skip


def from_the_manual(proxy, language):
    """The block of a language in the proxy's section of the manual."""
    section = re.search(rf"^## {proxy}\n(.*?)(?=^## )", MANUAL.read_text(), re.MULTILINE | re.DOTALL | re.IGNORECASE)[1]
    return re.search(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[1]


def replaced(text, **values):
    """The text with each of these replaced; what is not there is a manual that has changed."""
    for old, new in values.values():
        assert old in text, f"the manual has no `{old}`"
        text = text.replace(old, new)
    return text


def indented(text, columns):
    return "".join(" " * columns + line + "\n" for line in text.splitlines())


def gateway_file(proxy, decisions):
    listener = replaced(from_the_manual(proxy, "toml,part"), listen=("127.0.0.1:9092", f"127.0.0.1:{decisions}"))
    trusted = 'trusted_proxies = ["127.0.0.1"]\n'
    if "[client_ip]\n" in listener:
        listener = listener.replace("[client_ip]\n", f"[client_ip]\n{trusted}")
    else:
        listener += f"[client_ip]\n{trusted}"
    policy = (HERE / "policy.toml").read_text().replace("@KEY@", hashlib.sha256(KEY.encode()).hexdigest())
    server = f'[server]\nlisten = ["127.0.0.1:{free_port()}"]\n[upstream]\nurl = "http://127.0.0.1:{free_port()}"\n'
    return f"{server}[log]\nlevel = \"debug\"\n{listener}\n{policy}"


def nginx(folder, port, decisions, upstream):
    server = replaced(
        from_the_manual("nginx", "nginx"),
        listen=("listen 80;", f"listen 127.0.0.1:{port};"),
        ask=("127.0.0.1:9092", f"127.0.0.1:{decisions}"),
        upstream=("127.0.0.1:9011", f"127.0.0.1:{upstream}"),
    )
    temporary = "".join(
        f"{kind}_temp_path {folder};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{server}}}\n"
    )
    return ["nginx", "-e", "stderr", "-c", folder / "nginx.conf"]


def caddy(folder, port, decisions, upstream):
    site = replaced(
        from_the_manual("caddy", "caddyfile"),
        site=("id.example {\n", f"http://:{port} {{\n\tbind 127.0.0.1\n"),
        ask=("127.0.0.1:9092", f"127.0.0.1:{decisions}"),
        upstream=("127.0.0.1:9011", f"127.0.0.1:{upstream}"),
    )
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n\tstorage file_system {folder}\n}}\n{site}")
    return [Path(sys.executable).parent / "caddy", "run", "--config", folder / "Caddyfile"]


def envoy(folder, port, decisions, upstream):
    filters = replaced(from_the_manual("envoy", "yaml"), ask=("127.0.0.1:9092", f"127.0.0.1:{decisions}"))

    def cluster(name, at):
        address = f"{{ socket_address: {{ address: 127.0.0.1, port_value: {at} }} }}"
        return (
            f"  - name: {name}\n    load_assignment:\n      cluster_name: {name}\n      endpoints:\n"
            f"      - lb_endpoints: [ {{ endpoint: {{ address: {address} }} }} ]\n"
        )

    kind = "type.googleapis.com/envoy.extensions.filters"
    (folder / "envoy.yaml").write_text(
        f"""static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": {kind}.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          route_config:
            virtual_hosts:
            - {{ name: all, domains: ["*"], routes: [ {{ match: {{ prefix: "/" }}, route: {{ cluster: upstream }} }} ] }}
          http_filters:
{indented(filters, 10)}          - name: envoy.filters.http.router
            typed_config: {{ "@type": {kind}.http.router.v3.Router }}
  clusters:
{cluster("aclgate", decisions)}{cluster("upstream", upstream)}"""
    )
    binary = Path(sys.executable).parent / "envoy"
    return [binary, "-c", folder / "envoy.yaml", "--use-dynamic-base-id", "--log-level", "error", "--concurrency", "1"]


PROXIES = {"nginx": nginx, "caddy": caddy, "envoy": envoy}


def send(port, client, target, headers=None, method="GET", body="", host="id.example"):
    """Status, and whether the upstream answered; bytes as they are."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    with socket.create_connection(("127.0.0.1", port), 20, (client, 0)) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1"))
        answer = b""
        while b"\r\n\r\n" not in answer and (more := connection.recv(65536)):
            answer += more
    head = answer.split(b"\r\n\r\n")[0].decode("latin-1")
    return int(head.split(" ")[1]), "x-upstream: reached" in head.lower()


class Checks:
    def __init__(self, proxy, port):
        self.proxy, self.port, self.passed, self.failed = proxy, port, 0, 0

    def check(self, what, fine, found):
        self.passed, self.failed = self.passed + bool(fine), self.failed + (not fine)
        if not fine:
            print(f"FAILED  {self.proxy}: {what}: {found}", flush=True)

    def passes(self, what, client, target, **request):
        found = send(self.port, client, target, **request)
        self.check(what, found == (200, True), found)

    def refused(self, what, client, target, *statuses, **request):
        found = send(self.port, client, target, **request)
        self.check(what, not found[1] and found[0] in (statuses or (401, 403)), found)


def subjects(checks):
    for client, judge in ((INSIDE, checks.passes), (OUTSIDE, checks.refused)):
        judge("application", client, f"/oauth2/authorize?client_id={CLOSED}")
        judge("tenant by header", client, "/oauth2/authorize", headers={"X-FusionAuth-TenantId": "d7d09513-a3f5-401c-9685-34ab6c552453"})
        judge("tenant by host", client, "/account/", host="acme.example")
        judge("API key", client, "/api/user", headers={"Authorization": KEY})
        judge("path", client, "/private/x")
        judge("path of a DELETE", client, "/private/x", method="DELETE")
    checks.refused("API key's status", OUTSIDE, "/api/user", 401, headers={"Authorization": KEY})
    checks.passes("open application", OUTSIDE, f"/oauth2/authorize?client_id={OPEN}")
    checks.passes("public path", OUTSIDE, "/public")
    checks.passes("unknown API key", OUTSIDE, "/api/user", headers={"Authorization": "unknown"})


def spoofs(checks):
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "x-forwarded-for", "X_Forwarded_For"):
        for value in (INSIDE, f"{INSIDE}, 127.0.0.1", f"for={INSIDE}"):
            checks.refused(f"spoofed {name}: {value}", OUTSIDE, "/private/x", headers={name: value})
    for name in ("X-Original-URI", "X-Forwarded-Uri", "X-Original-URL", "X-Envoy-Original-Path", "X-Rewrite-URL"):
        for value in ("/public", "http://id.example/public"):
            checks.refused(f"spoofed {name}: {value}", OUTSIDE, "/private/x", headers={name: value})
    for name in ("X-Original-Method", "X-Forwarded-Method", "X-HTTP-Method-Override"):
        checks.refused(f"spoofed {name}", OUTSIDE, "/private/x", headers={name: "OPTIONS"})
    for name in ("X-Original-Host", "X-Forwarded-Host"):
        checks.refused(f"spoofed {name}", OUTSIDE, "/account/", headers={name: "other.example"}, host="acme.example")
    for name in ("X-Forwarded-For", "X-Original-URI", "X-Forwarded-Uri", "X-Original-Host", "X-Real-IP", "Content-Type"):
        checks.refused(f"{name} taken off by Connection", OUTSIDE, "/private/x", 400, 401, 403, 415, headers={"Connection": name})


def disguises(checks):
    for target in DISGUISES:
        checks.refused(f"disguised {target}", OUTSIDE, target, 400, 403, 404)
        found = send(checks.port, INSIDE, target)
        # The proxy may have its own view of a target; the gateway has none of an address that is inside.
        checks.check(f"inside {target}", found == (200, True) or found[0] in (400, 404), found)


def bodies(checks, sends_bodies):
    target = f"/oauth2/token?client_id={OPEN}"
    token = "grant_type=client_credentials&audience=https://acme.example/api/"
    for client in (INSIDE, OUTSIDE):
        judge = checks.passes if client == INSIDE or sends_bodies else checks.refused
        judge(f"harmless body from {client}", client, target, *(() if judge == checks.passes else (403, 415)), method="POST", body="grant_type=authorization_code", headers=FORM)
    checks.passes("token from inside", INSIDE, target, method="POST", body=token, headers=FORM)
    checks.refused("token from outside", OUTSIDE, target, 400, 403, 415, method="POST", body=token, headers=FORM)
    checks.refused("token in a GET", OUTSIDE, target, 400, 403, 415, body=token, headers=FORM)
    large = "a=" + "b" * 70_000 + "&" + token
    checks.refused("token behind a long body", OUTSIDE, target, 400, 403, 413, 415, method="POST", body=large, headers=FORM)


def strangers(checks, decisions):
    question = {
        "X-Original-URI": "/public", "X-Original-Method": "GET", "X-Original-Host": "id.example",
        "X-Forwarded-Uri": "/public", "X-Forwarded-Method": "GET", "X-Forwarded-Host": "id.example",
        "X-Forwarded-For": INSIDE, "X-Real-IP": INSIDE,
    }  # fmt: skip
    target = "/decide/public" if checks.proxy == "envoy" else "/"
    untrusted = send(decisions, STRANGER, target, headers=question)
    agreeing = {name: value for name, value in question.items() if not name.startswith("X-Original") or checks.proxy == "nginx"}
    trusted = send(decisions, "127.0.0.1", target, headers=agreeing)
    checks.check("a trusted peer is answered", trusted[0] == 200, trusted)
    checks.check("a stranger is not", untrusted[0] == 403, untrusted)
    if checks.proxy == "nginx":
        checks.refused("the location of the question", INSIDE, "/.aclgate", 403, 404)


def run(proxy, folder):
    port, decisions, upstream = free_port(), free_port(), free_port()
    with stage(folder) as running:
        running.start([sys.executable, HERE / "upstream.py", upstream], upstream, "upstream")
        gateway, _ = running.gateway("gateway", gateway_file(proxy, decisions), decisions)
        running.start(PROXIES[proxy](Path(folder), port, decisions, upstream), port, proxy)
        checks = Checks(proxy, port)
        subjects(checks)
        spoofs(checks)
        disguises(checks)
        bodies(checks, proxy == "envoy")
        strangers(checks, decisions)
        gateway.stop()
        checks.refused("without the gateway", INSIDE, "/public", 403, 500, 502, 503)
        if checks.failed:
            running.show_logs()
    print(f"        {proxy}: {checks.passed} passed, {checks.failed} failed", flush=True)
    return checks.passed, checks.failed


def main():
    chosen = sys.argv[1:] or list(PROXIES)
    counts = []
    for proxy in chosen:
        with tempfile.TemporaryDirectory() as folder:
            counts.append(run(proxy, Path(folder)))
    passed, failed = (sum(column) for column in zip(*counts))
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
