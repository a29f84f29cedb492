#!/usr/bin/env python3
"""Recomputes the figures of a check from an export, with nothing but docs/export.md and
docs/measurement.md, and the standard library.

    thongsuot export --check vneid-home --period 2026-10 --output x.jsonl
    python3 auditor.py x.jsonl

Prints one line a check: its id and up+slow, partial, down, unknown and excluded milliseconds.
For checks in one lane that one vantage runs under one rule.
"""

import gzip
import json
import sys


def read(path):
    """The lines of an export, JSONL or CSV, as objects."""
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path, newline="")
    columns = None
    for line in opened:
        line = line.rstrip("\r\n")
        if line.startswith("{"):
            yield json.loads(line)
        elif line.startswith("# "):
            yield json.loads(line[2:])
        elif columns is None:
            columns = line.split(",")
        else:
            yield dict(zip(columns, line.split(",")), type="result")


def minus(spans, holes):
    for hole_from, hole_to in holes:
        cut = []
        for start, end in spans:
            cut += [(start, min(end, hole_from)), (max(start, hole_to), end)]
        spans = [(start, end) for start, end in cut if start < end]
    return spans


def both(left, right):
    pairs = [(max(a, c), min(b, d)) for a, b in left for c, d in right]
    return [(start, end) for start, end in pairs if start < end]


def length(spans):
    return sum(end - start for start, end in spans)


def cells(results, reach_at):
    """The time that each testimony speaks for: (from, to, good, index)."""
    testimony = {}
    for one in results:
        if one["counts_as"] != "nothing":
            at = int(one["started_ms"])
            # Of two in one millisecond the worse counts.
            testimony[at] = testimony.get(at, True) and one["counts_as"] == "good"
    testimony = sorted(testimony.items())
    spans = []
    for place, (at, good) in enumerate(testimony):
        start, end = at - reach_at(at), at + reach_at(at)
        if place > 0:
            start = max(start, (testimony[place - 1][0] + at) // 2)
        if place + 1 < len(testimony):
            end = min(end, (at + testimony[place + 1][0]) // 2)
        spans.append((start, end, good))
    return spans


def confirmed(cells, needed):
    """Which bad results belong to `needed` in a row, or among any ten in a row."""
    window = max(needed, 10)
    marked = set()
    bad = [not good for _, _, good in cells]
    for first in range(len(bad)):
        for size in (needed, window):
            inside = [place for place in range(first, min(first + size, len(bad))) if bad[place]]
            if len(inside) >= needed:
                marked.update(inside)
    return marked


def judge(export, check, results):
    (rule,) = check["rules"]
    assert len(rule["lanes"]) == 1 and len(rule["vantages"]) == 1, "one lane and one vantage only"
    schedule = check["schedule"]

    def reach_at(at):
        known = [it for it in schedule if it["from_ms"] <= at] or schedule[:1]
        return known[-1]["reach_ms"]

    all_cells = cells(results, reach_at)
    down_marks = confirmed(all_cells, rule["confirm"])
    period = [(export["from_ms"], export["to_ms"])]
    over = [(export["from_ms"], export["judged_until_ms"])]
    judged = both(both(over, check["service_ms"]), rule["watched_ms"])
    judged = minus(judged, check["maintenance_ms"])
    up = down = 0
    for place, (start, end, _) in enumerate(all_cells):
        part = length(both([(start, end)], judged)) if start < end else 0
        if place in down_marks:
            down += part
        else:
            up += part
    unknown = length(judged) - up - down
    return up, 0, down, unknown, length(period) - length(judged)


def main(path):
    export, checks, results = None, {}, {}
    for line in read(path):
        if line["type"] == "export":
            export = line
        elif line["type"] == "check":
            checks[line["check"]] = line
        elif line["type"] == "result":
            results.setdefault(line["check"], []).append(line)
    for name, check in checks.items():
        print(name, *judge(export, check, results.get(name, [])))


if __name__ == "__main__":
    main(sys.argv[1])
