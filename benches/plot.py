#!/usr/bin/env python3
"""What a request costs each proxy, drawn: tables of a comparison in, an SVG out.

    python3 benches/plot.py <comparison.log >benches/cost.svg

A table has a line `### scenario, …` above it and rows `| proxy | µs of CPU a request | …`.
"""

import re
import sys

STYLE = (
    "text { fill: #24292f } .ours { fill: #2f6f4f } .other { fill: #8b949e } "
    "@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .ours { fill: #3f9169 } }"
)
LEFT, WIDTH, BAR, GAP, HEAD = 90, 420, 16, 5, 34
TITLES = {
    "plain": "proxied, HTTP/1.1",
    "tls": "proxied, TLS 1.3 kept alive",
    "h2": "proxied, HTTP/2 over TLS",
    "blocked": "blocked",
}


def tables(lines):
    """Scenario → [(proxy, µs)], cheapest first."""
    found, rows = {}, None
    for line in lines:
        if heading := re.match(r"### (\w+), N = 10 ", line):
            rows = found.setdefault(heading[1], [])
        elif line.startswith("###"):
            rows = None
        elif rows is not None and (row := re.match(r"\| (\w+) \| ([\d.]+) \|", line)):
            rows.append((row[1], float(row[2])))
    return {scenario: sorted(rows, key=lambda row: row[1]) for scenario, rows in found.items() if rows}


def text(x, y, words, anchor="start", weight="normal"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" font-weight="{weight}">{words}</text>'


def group(scenario, rows, y, scale):
    """A heading and its bars; a bar that would be far longer than the page is cut, and says so."""
    yield text(0, y + 20, TITLES.get(scenario, scenario), weight="bold")
    y += HEAD
    for proxy, cost in rows:
        length = min(cost * scale, WIDTH)
        kind = "ours" if proxy == "aclgate" else "other"
        yield text(LEFT - 8, y + BAR - 3, proxy, "end")
        yield f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2" class="{kind}"/>'
        yield text(LEFT + length + 6, y + BAR - 3, f"{cost:.1f} µs" + (" →" if cost * scale > WIDTH else ""))
        y += BAR + GAP


def drawing(scenarios):
    costs = sorted(cost for rows in scenarios.values() for _, cost in rows)
    scale = WIDTH / costs[len(costs) * 4 // 5]
    parts, y = [], 0
    for scenario in [known for known in TITLES if known in scenarios]:
        rows = scenarios[scenario]
        parts.extend(group(scenario, rows, y, scale))
        y += HEAD + len(rows) * (BAR + GAP) + GAP
    font = 'font-family="system-ui, sans-serif" font-size="13"'
    size = f'viewBox="0 0 {LEFT + WIDTH + 90} {y}" width="{LEFT + WIDTH + 90}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>'
    return "\n".join([head, "<title>What a request costs</title>", f"<style>{STYLE}</style>", *parts, "</svg>"])


scenarios = tables(sys.stdin)
if not scenarios:
    sys.exit("no table `### scenario, N = 10 …` in the input")
print(drawing(scenarios))
