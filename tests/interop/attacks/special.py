"""What is not asked of every upstream: named cases of others' mistakes, answers that must not differ, logs that must not tell."""

import asyncio

import cves
import disguise
import leaks
import multiplexed
from harness import stage


def run(table, scratch):
    for name, module in (("cves", cves), ("multiplexed", multiplexed), ("disguise", disguise), ("leaks", leaks)):
        try:
            with stage(scratch / name) as at:
                for kind, cases, wrong in asyncio.run(module.run(at, scratch / name)):
                    table.count(name, kind, cases, wrong)
                    print(f"   {name} {kind}: {cases} cases", flush=True)
        except RuntimeError as error:
            table.count(name, "starts", 1, [str(error)])
