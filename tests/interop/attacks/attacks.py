"""The hostile client: spellings by the thousand against real upstreams, with the gateway between and without it.

    python attacks.py [--quick|--all] [--only CLASS]… [REFEREE…]

A bypass is an answer in which the upstream itself says that it served, to a blocked address, what is protected.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import forwarding
import ordinary
import parameters
import paths
import special
import stand
import wire
from harness import free_port, stage

BLOCKED, ALLOWED = "203.0.113.66", "198.51.100.7"
QUICK_PATHS, QUICK_MUTANTS, MUTANTS = 2500, 800, 12000
SHOWN = 12


class Table:
    """Cases and what went wrong, by referee and class."""

    def __init__(self):
        self.cases, self.wrong, self.understood, self.shown = Counter(), Counter(), Counter(), Counter()

    def count(self, referee, kind, cases, wrong, understood=None):
        self.cases[referee, kind] += cases
        self.wrong[referee, kind] += len(wrong)
        self.understood[referee, kind] += understood or 0
        for text in wrong:
            self.shown[referee, kind] += 1
            if self.shown[referee, kind] <= SHOWN:
                print(f"FAILED  {referee} {kind}: {text}", flush=True)

    def show(self):
        kinds = list(dict.fromkeys(kind for _, kind in self.cases))
        print(f"\n{'referee':<14}{'class':<14}{'cases':>8}{'reach it':>10}{'bypasses':>10}")
        for referee in dict.fromkeys(name for name, _ in self.cases):
            for kind in kinds:
                if (referee, kind) in self.cases:
                    key = referee, kind
                    print(f"{referee:<14}{kind:<14}{self.cases[key]:>8}{self.understood[key] or '':>10}{self.wrong[key]:>10}")


def sample(items, size, everything, seed):
    items = list(items)
    return items if everything or len(items) <= size else random.Random(seed).sample(items, size)


def served(answer):
    """What the referee says it served, if it is protected."""
    verdict = answer.verdict()
    return verdict["resource"] if verdict and verdict["resource"] in paths.PROTECTED else None


async def path_class(table, name, upstream, closed, options):
    """Does any spelling reach what is protected? Asked of the referee first, then through the gateway."""
    targets = sample(paths.spellings(), QUICK_PATHS, options.all, name)
    taken = await taken_by(upstream, targets)
    bred = paths.mutants(taken, MUTANTS if options.all else QUICK_MUTANTS, name)
    taken += await taken_by(upstream, bred)
    targets += bred
    wrong, cases = [], 0
    for source, fields, asked in (("127.0.0.1", [("X-Forwarded-For", BLOCKED)], targets), ("127.0.0.66", [], targets[::8])):
        sent = [(wire.request("GET", target, fields), False) for target in asked]
        cases += len(sent)
        for target, answer in zip(asked, await wire.send_all(closed, sent, source)):
            resource = served(answer)
            if resource and not (resource == "/api/status" and source == "127.0.0.66"):
                wrong.append(f"{target!r} was served as {resource} (from {source})")
            if answer.surplus:
                wrong.append(f"{target!r} got more than one answer")
    if not taken:
        wrong.append("no spelling reaches the referee: the referee is broken")
    table.count(name, "paths", cases, wrong, len(taken))


async def taken_by(upstream, targets):
    """Those that the referee, asked directly, takes for something protected."""
    direct = [(wire.request("GET", target), False) for target in targets]
    answers = await wire.send_all(upstream, direct, "127.0.0.1")
    return [target for target, answer in zip(targets, answers) if served(answer)]


CLASSES = {
    "paths": path_class,
    "parameters": parameters.run,
    "forwarding": forwarding.run,
    "ordinary": ordinary.run,
}


async def referee(table, name, at, folder, options):
    upstream = free_port()
    at.start(stand.command(name, upstream, folder), upstream, name)
    closed = stand.gateway(at, "closed", upstream, True)
    opened = stand.gateway(at, "open", upstream, False)
    for kind, run in CLASSES.items():
        if not options.only or kind in options.only:
            started = time.monotonic()
            if kind == "paths":
                await run(table, name, upstream, closed, options)
            else:
                await run(table, name, upstream, (closed, opened), options)
            print(f"   {name} {kind}: {time.monotonic() - started:.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description="the hostile client")
    parser.add_argument("--all", action="store_true", help="every case and every referee, instead of a sample")
    parser.add_argument("--quick", action="store_true", help="a sample (the default)")
    parser.add_argument("--only", action="append", choices=[*CLASSES, "special"], default=[])
    parser.add_argument("referees", nargs="*", metavar="REFEREE")
    options = parser.parse_args()
    table = Table()
    names = options.referees or (stand.ALL if options.all else stand.QUICK)
    with tempfile.TemporaryDirectory(prefix="aclgate-attacks-") as scratch:
        Path(scratch).chmod(0o755)
        for name in names if options.only != ["special"] else ():
            folder = Path(scratch) / name
            try:
                with stage(folder) as at:
                    asyncio.run(referee(table, name, at, folder, options))
            except RuntimeError as error:
                table.count(name, "starts", 1, [str(error)])
        if not options.referees and (not options.only or "special" in options.only):
            special.run(table, Path(scratch))
    table.show()
    failed = sum(table.wrong.values())
    print(f"{sum(table.cases.values()) - failed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not table.cases else 0)


if __name__ == "__main__":
    main()
