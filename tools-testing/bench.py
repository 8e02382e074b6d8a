# SPDX-License-Identifier: GPL-2.0
"""Judges what bench.sh has measured.

Reads what the guests printed, writes all of it to bench-CPUS.json and the ratios alone to
ratios-CPUS.json, and prints a table. Whatever is missing, or is no figure, is an error.
"""

import argparse
import json
import pathlib
import re
import statistics
import sys

KERNELS = ("rust", "c")

# The caller, by the name of what prints the figures.
CALLERS = {
    "smp_bench": "C",
    "smp_bench_api": "Rust",
    "smp_bench_user": "a program",
    "smp_bench_peek": "a governor",
}
PRINTERS = CALLERS | {"host": "threads"}

# What the boot parameters mean for the cases.
BOOTS = {
    "default": "CPUs halt when they are idle",
    "idle=poll": "CPUs poll when they are idle",
    "csdlock_debug=1": "calls are watched",
}

# No call is made in these.
NO_CALL = ("dry run", "dry run, delivery")

# The ratio that is aimed at, where it is not 1.
GOALS = {
    "self, wait": 0.60,
    "self, no wait": 0.60,
    "sending only, no wait": 0.30,
    "sending only, async": 0.90,
    "sending only, many": 0.90,
    "drain, an entry": 0.85,
}

# What is off for how long, by the case that shows it, which has so many of a figure.
OFF = {
    "drain, an entry": ("interrupts are off while a queue of 64 is run", 64),
    "sending only, many": ("preemption is off while a call to all others is sent", 1),
}

# How often the mean the longest wait for a csd may be.
UNFAIR = 2

LINE = re.compile(r"(\w+): (.+): ([\w.]+) (-?\d+(?:\.\d+)?)")
LACK = re.compile(r"(\w+): (.+): lacks (.+)")
END = re.compile(r"(\w+): end: (\d+) figures")


def fail(text):
    """Ends with one line."""
    sys.exit(f"smp: {text}")


def write_json(path, content):
    """Writes a file in which a list, which is short, has a line."""
    content = {"licence": "SPDX-License-Identifier: GPL-2.0"} | content
    text = re.sub(r"\[[^][{}]*\]", lambda m: re.sub(r"\s+", " ", m[0]), json.dumps(content, indent=1))
    path.write_text(text + "\n")


def read(path, modules):
    """Returns the figures that a guest has printed, by caller, case and kind; and what it lacks."""
    figures, lacking, told, ended = {}, {}, {}, {}
    for line in path.read_text(errors="replace").splitlines():
        if match := END.fullmatch(line):
            ended[match[1]] = int(match[2])
        elif match := LACK.fullmatch(line):
            lacking[PRINTERS[match[1]], match[2]] = match[3]
        elif match := LINE.fullmatch(line):
            key = PRINTERS[match[1]], match[2], match[3]
            if key in figures:
                fail(f"{path.name} has two figures for {match[2]}: {match[3]}")
            figures[key] = float(match[4])
            told[match[1]] = told.get(match[1], 0) + 1
    for module in modules:
        number = told.get(module, 0)
        lacks = any(caller == PRINTERS[module] for caller, _ in lacking)
        if number != ended.get(module) or not (number or lacks):
            fail(f"{path.name}: {module} gave {number} figures, not all of its own")
    for (_, case, kind), figure in figures.items():
        if figure <= 0 and kind == "cost":
            fail(f"{path.name}: {case}: {kind} {figure} is no figure")
    return figures, lacking


def print_host(figures, lacking):
    """Prints a table of what was measured on the CPUs of this machine."""
    print("\nns a request on the CPUs of this machine, with real threads: queue and csds alone, the least of many tries")
    print(f"{'':32}{'Rust':>9}{'':9}{'C':>9}{'':9}{'ratio':>7}")
    for case in dict.fromkeys(case for _, case, _ in figures):
        rust, c = (figures["threads", case, kernel] for kernel in KERNELS)
        print(f"{case:<32}{rust:>9.1f}{'':9}{c:>9.1f}{'':9}{rust / c:>7.2f}")
    print_lacks(lacking)


def print_lacks(lacking):
    """Prints what was not measured, and why."""
    for (_, case), what in lacking.items():
        print(f"{case}: not measured, for lack of {what}")


def goal_of(boot, caller, case, cpus):
    """Returns the ratio that is aimed at, or None if there is nothing to be gained."""
    if case in NO_CALL:
        return None
    if caller != "C":
        return 1.0
    if case == "sending only, no wait" and cpus < 4:
        # C waits for the last target only when there is a next one.
        return 1.0
    if case == "sending only, no wait" and boot == "csdlock_debug=1":
        return 0.50
    if case == "sending only, no wait" and cpus >= 8:
        return 0.22
    return GOALS.get(case, 1.0) if boot == "default" else 1.0


def summary(values):
    """What is said of one figure in several runs."""
    least = min(values)
    return {
        "least": least,
        "median": statistics.median(values),
        "spread": round((max(values) - least) / least, 4) if least else 0,
        "runs": values,
    }


def collect(logs, args):
    """Returns a row for each figure, in the order in which they were printed."""
    rows, lacking = [], {}
    modules = ["smp_bench"] if args.scale else ["smp_bench", "smp_bench_user"] if args.bare else list(CALLERS)
    files = logs.glob(f"bench-{args.cpus}-*-rust-1.out")
    places = sorted({tuple(file.name.split("-")[2:4]) for file in files}, key=order)
    if not places:
        fail("nothing was measured")
    for clock, boot in places:
        runs = {kernel: [] for kernel in KERNELS}
        for kernel in KERNELS:
            for run in range(1, args.runs + 1):
                path = logs / f"bench-{args.cpus}-{clock}-{boot}-{kernel}-{run}.out"
                if not path.exists():
                    fail(f"{path.name} is missing")
                figures, lacking = read(path, modules)
                runs[kernel].append(figures)
        first = runs["rust"][0]
        for kernel in KERNELS:
            for figures in runs[kernel]:
                if odd := sorted(set(first) ^ set(figures)):
                    fail(f"{boot}, {kernel}: no figure in each run for {', '.join(odd[0])}")
        for caller, case, kind in first:
            rust, c = ([run[caller, case, kind] for run in runs[k]] for k in KERNELS)
            row = {"clock": clock, "boot": boot, "caller": caller, "case": case, "figure": kind}
            row |= {"rust": summary(rust), "c": summary(c)}
            if min(c) > 0:
                ratios = [r / o for r, o in zip(rust, c)]
                row["ratio"] = round(min(rust) / min(c), 4)
                row["ratio_spread"] = round((max(ratios) - min(ratios)) / row["ratio"], 4) if min(rust) else 0
            if kind == "cost" and clock == "instructions":
                row["goal"] = goal_of(boot, caller, case, args.cpus)
            rows.append(row)
    return rows, lacking


def order(place):
    """Instructions first, and the boots as they are listed."""
    return place[0] != "instructions", list(BOOTS).index(place[1])


def is_met(row):
    """Whether the ratio, as it is printed, is not above the goal."""
    return round(row["ratio"], 2) <= row["goal"]


def print_rows(rows, args):
    """Prints the table, a part for each boot."""
    other = {(r["clock"], r["boot"], r["caller"], r["case"], r["figure"]): r for r in rows}
    part = None
    for row in (r for r in rows if r["figure"] == "cost"):
        place = row["clock"], row["boot"], row["caller"]
        if place != part:
            part = place
            clock = row["clock"].replace("_", " ")
            print(f"\n{args.cpus} CPUs, {clock} a call, called from {row['caller']}; {BOOTS[row['boot']]}")
            print(
                f"{'':32}{'Rust':>9}{'median':>9}{'C':>9}{'median':>9}{'ratio':>7}{'+-':>7}"
                f"   {'goal':<12}{'IPIs Rust, C':>14}{'stack':>11}"
            )

        def pair(kind, digits, where=(*place, row["case"])):
            one = other.get((*where, kind))
            return f"{one['rust']['least']:.{digits}f}, {one['c']['least']:.{digits}f}" if one else ""

        goal = row.get("goal")
        verdict = "" if goal is None else f"{goal:.2f} {'met' if is_met(row) else 'MISSED'}"
        print(
            f"{row['case']:<32}{row['rust']['least']:>9.1f}{row['rust']['median']:>9.1f}"
            f"{row['c']['least']:>9.1f}{row['c']['median']:>9.1f}{row['ratio']:>7.2f}"
            f"{row['ratio_spread']:>7.1%}   {verdict:<12}{pair('ipis', 2):>14}{pair('stack', 0):>11}"
        )
        if row["clock"] != "instructions":
            for kind in ("p50", "p99", "p99.9", "max"):
                if said := pair(kind, 0):
                    print(f"{'  ' + kind:<32}{said}")


def print_rest(rows, lacking, args):
    """Prints what is no cost of a call, and how many goals are met."""
    print()
    print_lacks(lacking)
    met = missed = 0
    for row in rows:
        if row["case"] == "all send to one, interrupts off" and row["clock"] == "instructions":
            good = row["rust"]["least"] == max(row["rust"]["runs"]) == 1
            met, missed = met + good, missed + (not good)
            print(
                f"IPIs when all others send 8 to one CPU, {row['boot']}: Rust {row['rust']['least']:g},"
                f" C {row['c']['least']:g}, goal exactly 1: {'met' if good else 'MISSED'}"
            )
        elif row.get("goal") is not None:
            good = is_met(row)
            met, missed = met + good, missed + (not good)
    fair = print_storm(rows)
    met, missed = met + sum(fair), missed + len(fair) - sum(fair)
    if args.text:
        rust, c = args.text
        good = rust <= c
        met, missed = met + good, missed + (not good)
        print(f"text of the objects: Rust {rust}, C {c}, ratio {rust / c:.2f}, goal 1.00: {'met' if good else 'MISSED'}")
    for row in rows:
        if (row["clock"], row["boot"], row["figure"]) == ("instructions", "default", "cost") and row["case"] in OFF:
            what, factor = OFF[row["case"]]
            print(f"{what}: Rust {factor * row['rust']['least']:.0f}, C {factor * row['c']['least']:.0f} instructions")
    if met or missed:
        print(f"{met} goals are met, {missed} are missed")


def print_storm(rows):
    """Prints how long asynchronous calls wait for a csd while all CPUs make them. Returns whether that is fair."""
    storms = {}
    for row in rows:
        if row["case"] == "storm" and row["clock"] == "instructions":
            storms.setdefault(row["boot"], {})[row["figure"]] = row
    fair = []
    for boot, figures in storms.items():
        said = []
        for kernel, name in zip(KERNELS, ("Rust", "C")):
            waits, mean, longest = (figures[kind][kernel]["median"] for kind in ("waits", "wait", "longest"))
            times = longest / mean if waits else 0
            said.append(f"{name} {waits:.0f} of mean {mean:.0f}, longest {longest:.0f}, {times:.1f} times the mean")
            if kernel == "rust":
                fair.append(times <= UNFAIR)
        print(f"waits for a csd in a storm of all CPUs, {boot}: {'; '.join(said)}: {'met' if fair[-1] else 'MISSED'}")
    return fair


def ratios_of(rows):
    """The ratios of the costs in instructions, with their spreads, by boot, caller and case."""
    stored = {}
    for row in rows:
        if row["figure"] == "cost" and row["clock"] == "instructions":
            cases = stored.setdefault(row["boot"], {}).setdefault(row["caller"], {})
            cases[row["case"]] = [row["ratio"], row["ratio_spread"]]
    return stored


def main():
    """Reads, writes, prints, compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--cpus", type=int, required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--text", type=int, nargs=2, metavar=("RUST", "C"))
    parser.add_argument("--condition", nargs=2, action="append", default=[])
    parser.add_argument("--host", type=pathlib.Path, help="what was measured on this machine")
    parser.add_argument("--bare", action="store_true", help="measured without a guest, and no calls from Rust")
    parser.add_argument("--scale", action="store_true", help="only the cases that are of interest there")
    args = parser.parse_args()

    rows, lacking = collect(args.logs, args)
    conditions = dict(args.condition) | {"CPUs": args.cpus, "runs": args.runs}
    ratios = ratios_of(rows)
    result = {
        "conditions": conditions,
        "text": dict(zip(KERNELS, args.text or ())),
        "lacking": {case: what for (_, case), what in lacking.items()},
        "figures": rows,
    }
    if args.host:
        host, lacking_here = read(args.host, ["host"])
        result["host"] = [
            {"case": case, "kernel": kernel, "ns": figure} for (_, case, kernel), figure in host.items()
        ]
    outputs = {"scale": result}
    if not args.scale:
        outputs = {"bench": result}
        if ratios:
            outputs["ratios"] = {"conditions": conditions, "ratios": ratios}
    for name, content in outputs.items():
        write_json(args.out / f"{name}-{args.cpus}.json", content)
    print_rows(rows, args)
    if args.host:
        print_host(host, lacking_here)
    print_rest(rows, lacking, args)


if __name__ == "__main__":
    main()
