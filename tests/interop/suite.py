"""Runs every stage one after the other, adds up what they say, and fails if one of them does.

    python suite.py [--long] [STAGE…]        stages: flows websocket streaming reload admin
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import HERE, free_port, render, stage

STAGE_SECONDS = {"flows": 120, "websocket": 60, "streaming": 300, "reload": 180, "admin": 240}


class Failed(Exception):
    """A stage that failed; it has said why."""


def run(command, seconds, **environment):
    """A driver; returns what its summary line counted."""
    child = subprocess.Popen(
        [str(part) for part in command],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    found = None
    try:
        started = time.monotonic()
        for line in child.stdout:
            counted = re.fullmatch(r"(\d+) passed, (\d+) failed\n?", line)
            found = counted or found
            print(line if not counted else f"        {line}", end="", flush=True)
            if time.monotonic() - started > seconds:
                break
        status = child.wait(max(1, seconds - (time.monotonic() - started)))
    except subprocess.TimeoutExpired:
        status = f"nothing after {seconds} seconds"
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    passed, failed = (int(found[1]), int(found[2])) if found else (0, 0)
    if status != 0 and failed == 0:
        print(f"FAILED  {Path(command[1]).name} ended with {status}", flush=True)
        failed = 1
    return passed, failed


def flows(at, folder, _long):
    """The provider behind three gateways: two that believe their edge, one that stands at it."""
    urls = {}
    variants = {"EDGE": ("edge.toml", "respond"), "DECOY": ("edge.toml", "decoy"), "PEER": ("peer.toml", "respond")}
    for name, (policy, on_block) in variants.items():
        port, upstream = free_port(), free_port()
        urls[name] = f"http://127.0.0.1:{port}"
        at.start(at.node("provider.mjs", upstream, urls[name]), upstream, f"provider-{name}")
        values = {"PORT": port, "UPSTREAM": upstream, "ON_BLOCK": on_block, "WS_ACL": "office-only"}
        at.gateway(name, render(policy, ADMIN=free_port(), **values), port)
    limit = STAGE_SECONDS["flows"]
    yield "openid-client", run(at.node("driver.mjs"), limit, **urls)
    yield "authlib", run([sys.executable, HERE / "driver.py"], limit, **urls)


def websocket(at, folder, _long):
    port, upstream, admin = free_port(), free_port(), free_port()
    at.start(at.node("provider.mjs", upstream, f"http://127.0.0.1:{port}"), upstream, "provider")
    values = {"PORT": port, "UPSTREAM": upstream, "ADMIN": admin, "ON_BLOCK": "respond"}
    blocking, allowing = (render("edge.toml", WS_ACL=acl, **values) for acl in ("office-only", "anywhere"))
    _, path = at.gateway("gateway", allowing, port)
    texts = {"POLICY": str(path), "ALLOWING": allowing, "BLOCKING": blocking}
    yield "ws", run(at.node("websocket.mjs"), STAGE_SECONDS["websocket"], GATEWAY=f"ws://127.0.0.1:{port}", **texts)


def streaming(at, folder, long):
    arguments = ["--mebibytes", "2048" if long else "256", "--folder", folder]
    yield "streaming", run([sys.executable, HERE / "streaming.py", *arguments], STAGE_SECONDS["streaming"])


def reload(at, folder, _long):
    yield "reload", run([sys.executable, HERE / "reload.py", "--folder", folder], STAGE_SECONDS["reload"])


def admin(at, folder, _long):
    """FusionAuth's clients and schemathesis, each in front of a gateway of its own."""
    here = HERE / "admin"
    peers = {
        "fusionauth-client": [sys.executable, here / "fusionauth.py"],
        "typescript-client": at.node("admin/fusionauth.mjs"),
        "schemathesis": [sys.executable, here / "conformance.py"],
    }
    for name, command in peers.items():
        port, api = free_port(), free_port()
        own = Path(folder) / name
        own.mkdir()
        _, path = at.gateway(f"{name}/gateway", render("admin.toml", PORT=port, ADMIN=api, UPSTREAM=free_port()), api)
        places = {"ADMIN": f"http://127.0.0.1:{api}", "POLICY": str(path), "KEY": "the-admin-key"}
        yield name, run(command, STAGE_SECONDS["admin"], **places)


STAGES = {"flows": flows, "websocket": websocket, "streaming": streaming, "reload": reload, "admin": admin}


def main():
    parser = argparse.ArgumentParser(description="real peers around the gateway")
    parser.add_argument("--long", action="store_true", help="2 GiB through the gateway instead of 256 MiB")
    parser.add_argument("stages", nargs="*", choices=[[], *STAGES], default=[], metavar="STAGE")
    options = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="aclgate-interop-") as folder:
        for name in options.stages or STAGES:
            started = time.monotonic()
            print(f"== {name}", flush=True)
            try:
                with stage(Path(folder) / name) as at:
                    broken = 0
                    for _peer, (good, bad) in STAGES[name](at, Path(folder) / name, options.long):
                        passed, failed, broken = passed + good, failed + bad, broken + bad
                    if broken:
                        raise Failed
            except Failed:
                pass
            except RuntimeError as error:
                print(f"FAILED  {name}: {error}", flush=True)
                failed += 1
            print(f"== {name}: {time.monotonic() - started:.1f} s", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(0 if passed and not failed else 1)


if __name__ == "__main__":
    main()
