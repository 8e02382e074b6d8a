# SPDX-License-Identifier: GPL-2.0
"""Prints how many cache lines move between CPUs for a call, and how many atomic instructions it has."""

import argparse
import json
import pathlib
import re
import statistics
import sys

from bench import KERNELS, write_json

STORED = pathlib.Path(__file__).resolve().parent / "bench" / "transfers.json"

# What must be counted. In a turn each side reads what the other has written, and writes it: so the
# line moves four times, but for the last read. A variable that each side writes in each turn adds
# two, if both are in one line.
TURNS = 8
CONTROLS = {
    "nothing": 0,
    "ping-pong": 4 * TURNS - 1,
    "ping-pong, a variable of each side in one line": 6 * TURNS - 1,
    "ping-pong, a variable of each side in a line of its own": 4 * TURNS - 1,
}

# How the kernels were booted.
WAYS = {
    "default": "no boot parameters",
    "watched": "csdlock_debug=1",
    "uncounted": "counters off",
    "counted": "counters on",
}

LINE = re.compile(r"smp_transfers: (.+): regions (\d+) of (\d+)")


def fail(text):
    """Ends with one line."""
    sys.exit(f"smp: {text}")


def read(logs, way, kernel):
    """Returns transfers and atomics of a call, by case: the median of its regions.

    The first ones find lines where another case has left them, or that no region has touched.
    """
    counted = [tuple(map(int, line.split())) for line in (logs / f"transfers-{way}-{kernel}.txt").read_text().splitlines()]
    cases, at = {}, 0
    for line in (logs / f"transfers-{way}-{kernel}.out").read_text().splitlines():
        if match := LINE.fullmatch(line):
            regions, calls = int(match[2]), int(match[3])
            columns = zip(*counted[at : at + regions], strict=True)
            cases[match[1]] = [statistics.median_low(column) / calls for column in columns]
            at += regions
    if not cases or at != len(counted):
        fail(f"{way}, {kernel}: {at} regions were marked, and {len(counted)} counted")
    return cases


def compare(logs, way):
    """Prints a table, and returns the figures. Fails if a control is not as known."""
    rust, c = (read(logs, way, kernel) for kernel in KERNELS)
    print(f"{WAYS[way]:<58}{'transfers':>16}{'atomics':>16}")
    print(f"{'a call; of a ping-pong all':<58}{'Rust':>8}{'C':>8}{'Rust':>8}{'C':>8}")
    figures = {}
    for case in c:
        (lines, atomics), (lines_c, atomics_c) = rust[case], c[case]
        print(f"{case:<58}{lines:>8.2f}{lines_c:>8.2f}{atomics:>8.2f}{atomics_c:>8.2f}")
        if case not in CONTROLS:
            figures[case] = [lines, lines_c, atomics, atomics_c]
    for case, known in CONTROLS.items():
        for kernel, cases in zip(KERNELS, (rust, c)):
            if cases[case][0] != known:
                fail(f"{way}, {kernel}, {case}: {cases[case][0]:.0f} transfers were counted, and there are {known}")
    return figures


def judge(way, figures, stored):
    """Fails if more lines move than in C or than stored."""
    if odd := sorted(set(figures) ^ set(stored)):
        fail(f"{way}, {odd[0]}: either not measured, or not in {STORED.name}")
    for case, (lines, lines_c, _, _) in figures.items():
        if lines > lines_c:
            fail(f"{way}, {case}: {lines} transfers, {lines_c} with C")
        if lines > stored[case][0]:
            fail(f"{way}, {case}: {lines} transfers, {stored[case][0]} in {STORED.name}")


def main():
    """Prints a table for each way, and compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=pathlib.Path)
    parser.add_argument("ways", nargs="+", choices=WAYS)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--store", action="store_true", help="in bench/, and do not compare with what is there")
    parser.add_argument("--condition", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    args = parser.parse_args()

    figures = {way: compare(args.logs, way) for way in args.ways}
    for place in [args.out] + [STORED] * args.store:
        write_json(place, {"conditions": dict(args.condition), "figures": figures})

    stored = json.loads(STORED.read_text())["figures"]
    for way in args.ways:
        judge(way, figures[way], stored.get(way, {}))
    cases = sum(map(len, figures.values()))
    print(f"{cases} cases, in none more transfers than with C or than stored; {len(CONTROLS)} controls are as known")


if __name__ == "__main__":
    main()
