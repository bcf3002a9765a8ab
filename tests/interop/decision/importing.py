"""Does nginx decide as the gateway does with what `aclgate import` makes of nginx's configuration?

Forty locations with rules at random, and `geo` variables with networks at random, each asked from thirty-two addresses of the
loopback net. The seed is printed, and may be given as an argument.
"""

import random
import re
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness import binary, free_port, stage  # noqa: E402

LOCATIONS, ADDRESSES = 40, 32


def network(chance):
    length = chance.choice([27, 28, 29, 30, 31, 32, 32])
    return f"127.0.0.{chance.randrange(ADDRESSES)}/{length}"


def rules(chance):
    """`allow` and `deny`, some with host bits, some with `all` before their end."""
    lines = [f"{chance.choice(['allow', 'deny'])} {network(chance)};" for _ in range(chance.randrange(1, 9))]
    if chance.random() < 0.7:
        lines.insert(chance.randrange(len(lines) // 2, len(lines) + 1), f"{chance.choice(['allow', 'deny'])} all;")
    return lines


def geo(chance):
    lines = [f"{network(chance)} {chance.randrange(3)};" for _ in range(chance.randrange(1, 9))]
    if chance.random() < 0.3:
        lines.append(f"delete {lines[0].split(' ')[0]};")
    return [f"default {chance.randrange(3)};", *lines]


def configuration(chance, folder, port):
    """What nginx runs, and what of it is imported; a location or variable for each number."""
    geos = "".join(f"geo $g{number} {{ {' '.join(geo(chance))} }}\n" for number in range(LOCATIONS))
    locations = "".join(
        f"location /l{number}/ {{ {' '.join(rules(chance))} try_files /none @fine; }}\n"
        f"location /g{number}/ {{ if ($g{number} = 1) {{ return 403; }} return 204; }}\n"
        for number in range(LOCATIONS)
    )
    temporary = "".join(f"{kind}_temp_path {folder};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return (
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr crit;\nevents {{}}\n"
        f"http {{ access_log off;\n{temporary}{geos}"
        f"server {{ listen 127.0.0.1:{port};\n{locations}location @fine {{ return 204; }} }} }}\n"
    )


def gateway_file(tables, port, upstream):
    names = re.findall(r'^name = "(.*)"$', tables, re.MULTILINE)
    # `location /l7/` is asked at /l7/, `geo g7` at /g7/.
    paths = "".join(
        f'[[path]]\nprefix = "/{name.split("/")[1] if "/" in name else name.split(" ")[1]}/"\nip_acl = "{name}"\n' for name in names
    )
    return (
        f'[server]\nlisten = ["127.0.0.1:{port}"]\n[upstream]\nurl = "http://127.0.0.1:{upstream}"\n'
        f'[client_ip]\nheader = "none"\n[policy]\npreset = "none"\n[log]\nblocked_requests = false\n{paths}{tables}'
    ), len(names)


def blocked(port, address, targets):
    connection = HTTPConnection("127.0.0.1", port, source_address=(address, 0), timeout=20)
    found = []
    for target in targets:
        connection.request("GET", target)
        answer = connection.getresponse()
        answer.read()
        found.append(answer.status == 403)
    connection.close()
    return found


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else time.time_ns()
    print(f"        seed {seed}", flush=True)
    chance = random.Random(seed)
    ports = [free_port() for _ in range(3)]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder, stage(folder) as running:
        config = Path(folder) / "nginx.conf"
        config.write_text(configuration(chance, folder, ports[0]))
        imported = subprocess.run(
            [binary(), "import", "--from", "nginx", "--block-value", "1", config], capture_output=True, text=True
        )
        assert imported.returncode == 0, imported.stderr
        text, count = gateway_file(imported.stdout, ports[1], ports[2])
        assert count == 2 * LOCATIONS, f"{count} lists"
        running.start(["nginx", "-e", "stderr", "-c", config], ports[0], "nginx")
        running.start([sys.executable, HERE / "upstream.py", ports[2]], ports[2], "upstream")
        running.gateway("gateway", text, ports[1])
        targets = [f"/{kind}{number}/" for kind in "lg" for number in range(LOCATIONS)]
        for last in range(1, ADDRESSES):
            address = f"127.0.0.{last}"
            for target, theirs, ours in zip(targets, *(blocked(port, address, targets) for port in ports[:2])):
                passed, failed = passed + (theirs == ours), failed + (theirs != ours)
                if theirs != ours:
                    print(f"FAILED  import: {address} {target}: nginx blocks: {theirs}, the gateway: {ours}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
