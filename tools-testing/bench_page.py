# SPDX-License-Identifier: GPL-2.0
"""Writes the tables of the page about benchmarks from the figures that are stored in bench/.

Each table stands between two comments of the page. --check only compares, and fails if the page has
other figures. --store first takes over what bench.sh has left in a folder: figures and ratios of a full
run, costs with many CPUs, and what the CPUs of this machine did; --size what size.sh has printed.
"""

import argparse
import json
import pathlib
import re
import sys

from bench import write_json
from page import list_table
from transfers import WAYS

HERE = pathlib.Path(__file__).resolve().parent
STORED = HERE / "bench"
PAGE = HERE.parent / "Documentation/dev-tools/smp/benchmarks.rst"
CPUS = 4

# What a column is called, by the boot parameters.
BOOTS = {
    "default": "CPUs halt",
    "idle=poll": "``idle=poll``",
    "csdlock_debug=1": "``csdlock_debug=1``",
}

# The kernels, by what their folders in build/ end in: configuration, and compiler. C inline functions
# are inlined into Rust by LLVM only, and even there are called on demand.
KINDS = {
    "": ("distribution", "LLVM"),
    "-calls": ("distribution", "LLVM, calls"),
    "-gcc": ("distribution", "GCC"),
    "-small": ("small", "LLVM"),
    "-small-calls": ("small", "LLVM, calls"),
    "-small-gcc": ("small", "GCC"),
}

# What is said of a case, by its caller.
CALLERS = {
    "C": "",
    "Rust": ", from ``kernel::smp``",
    "a program": ", a system call",
    "a governor": ", for ``cpus_peek_for_pending_ipi()``",
}

# The cases that have an equal in C, named by a case from C or by a function, and the ports that use them.
API = (
    ("one, wait", "one, wait", "scftorture"),
    ("one, async", "smp_call_function_single_async()", "blk-mq"),
    ("one, async, an object", "smp_call_function_single_async()", "scftorture"),
    ("any, wait", "any, wait", "acpi-cpufreq"),
    ("on each, wait", "on each, wait", "acpi-cpufreq"),
    ("in a task of one, wait", "in a task of one, wait", "dell-smm-hwmon"),
    ("self, IRQ work", "irq_work_queue()", "igen6_edac"),
    ("self, IRQ work, an object", "irq_work_queue()", "dma-fence-array"),
)
CASES_OF_C = {
    "one, wait": "smp_call_function_single()",
    "any, wait": "smp_call_function_any()",
    "on each, wait": "on_each_cpu_cond_mask()",
    "in a task of one, wait": "smp_call_on_cpu()",
}

# A run with fewer is not stored.
RUNS = 5

BEGIN = re.compile(r"\.\. figures: begin (\w+)")
END = ".. figures: end"


def fail(text):
    """Ends with one line."""
    sys.exit(f"smp: {text}")


def load(name):
    """Returns a stored file."""
    try:
        return json.loads((STORED / name).read_text())
    except OSError as error:
        fail(f"{name} is not stored: {error.strerror}")


def save(name, content):
    """Stores a file."""
    write_json(STORED / name, content)
    print((STORED / name).relative_to(HERE.parent))


def simple_table(rows):
    """Returns the lines of a table whose cells have one line each."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    rule = " ".join("=" * width for width in widths)
    lines = [" ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return [rule, lines[0], rule, *lines[1:], rule]


def number(figure):
    """Prints a figure of a table: from 30 on without a fraction."""
    return f"{figure:.0f}" if figure >= 30 else f"{figure:.1f}"


def pair(figures, unit=1):
    """Prints what Rust and C took."""
    return " / ".join(number(figure / unit) for figure in figures[:2])


def source(conditions):
    """Says where figures come from."""
    runs = f"least of {conditions['runs']} runs" if conditions["runs"] > 1 else "one run"
    return f"Linux {conditions['kernel']}, commit {short(conditions['commit'])}, {runs}."


def short(commit):
    """Prints the commit that was checked out."""
    return commit.removesuffix("-dirty")


def calls_table():
    """The cost of each case in each boot, and the highest ratio of each boot."""
    stored = load(f"figures-{CPUS}.json")
    figures = stored["figures"]
    conditions = stored["conditions"]
    rows = [["Case", *(BOOTS[boot] for boot in figures)]]
    for caller, cases in next(iter(figures.values())).items():
        for case in cases:
            if case.startswith("dry run"):
                continue
            cells = [figures[boot][caller][case] for boot in figures]
            label = case.removesuffix(", all run") + CALLERS[caller]
            rows.append([label, *(f"{pair(cell)}, {cell[2]:.2f}" for cell in cells)])
    highest = []
    for boot, callers in figures.items():
        ratios = [cell[2] for cases in callers.values() for case, cell in cases.items() if "dry run" not in case]
        highest.append(f"{max(ratios):.2f} ({BOOTS[boot]})")
    tools = f"{conditions['C'].split('(')[0].strip()}, {' '.join(conditions['Rust'].split()[:2])}"
    return [
        f"{source(conditions)} {tools},",
        f"{' '.join(conditions['emulator'].split()[:4])}, {conditions['CPUs']} CPUs.",
        f"The highest ratios: {', '.join(highest)}.",
        "",
        *list_table((28, 24, 24, 24), rows),
    ]


def api_table():
    """What the Rust API adds to the function of C that it calls, on the Rust kernel."""
    callers = load(f"figures-{CPUS}.json")["figures"]["default"]
    rows = [["with ``kernel::smp``", "instructions", "function of C", "instructions", "ports"]]
    for case, function, ports in API:
        own = callers["Rust"][case][0]
        of_c = callers["Rust" if function.endswith("()") else "C"][function][0]
        name = function if function.endswith("()") else CASES_OF_C[function]
        rows.append([case, number(own), f"``{name}``", number(of_c), ports])
    return list_table((24, 12, 30, 12, 22), rows)


def compilers_table():
    """The ratio of each case for each compiler and configuration."""
    stored = {kind: load(name) for kind in KINDS if (STORED / (name := f"ratios-{CPUS}{kind}.json")).exists()}
    compilers = dict.fromkeys(ratios["conditions"]["C"] for ratios in stored.values())
    rows = [["Case", *(", ".join(KINDS[kind]) for kind in stored)]]
    for caller, cases in stored[""]["ratios"]["default"].items():
        for case in cases:
            if case.startswith("dry run"):
                continue
            cells = [ratios["ratios"]["default"].get(caller, {}).get(case) for ratios in stored.values()]
            label = case.removesuffix(", all run") + CALLERS[caller]
            rows.append([label, *(f"{cell[0]:.2f}" if cell else "-" for cell in cells)])
    return [
        f"Commits: {', '.join(short(ratios['conditions']['commit']) for ratios in stored.values())}.",
        f"Compilers: {'; '.join(compilers)}.",
        "",
        *list_table((28, *(72 // len(stored) for _ in stored)), rows),
    ]


def stretches_table():
    """For how long interrupts or preemption are off."""
    cases = load(f"figures-{CPUS}.json")["figures"]["default"]["C"]
    drain, many = cases["drain, an entry"], cases["sending only, many"]
    return simple_table(
        [
            ["stretch", "Rust / C"],
            ["interrupts off: a flush of 64 entries", pair([64 * figure for figure in drain[:2]])],
            [f"preemption off: a call to {CPUS - 1} CPUs is sent", pair(many)],
        ]
    )


def host_table():
    """What queue and csds cost on the CPUs of two machines."""
    machines = [load(name) for name in ("host-2.json", "host-16.json")]
    rows = [["case"]]
    for machine in machines:
        rows[0] += [f"Rust / C, {machine['conditions']['cores']} cores", "ratio"]
    for case in machines[-1]["figures"]:
        cells = []
        for machine in machines:
            cell = machine["figures"].get(case)
            cells += [pair(cell), f"{cell[2]:.2f}"] if cell else ["", ""]
        rows.append([case, *cells])
    commits = dict.fromkeys(short(machine["conditions"]["commit"]) for machine in machines)
    return [f"Commit {', '.join(commits)}.", "", *simple_table(rows)]


def scale_table():
    """The cost of some cases with more and more CPUs."""
    stored = load("scale.json")
    figures = stored["figures"]
    cases = next(iter(figures.values()))
    rows = [["Case", *(f"{cpus} CPUs" for cpus in figures)]]
    rows += [[case, *(pair(figures[cpus][case]) for cpus in figures)] for case in cases]
    return [source(stored["conditions"]), "", *list_table((23, *(11 for _ in figures)), rows)]


def time_table():
    """The same in the emulator's time, with so many CPUs that it cannot count instructions."""
    stored = load("qemu-time.json")
    figures = stored["figures"]
    rows = [["case", *(f"{cpus} CPUs" for cpus in figures)]]
    for case in next(iter(figures.values())):
        cells = [figures[cpus][case] for cpus in figures]
        rows.append([case, *(pair(cell, 1000) if cell[0] >= 1000 else exact(cell) for cell in cells)])
    return [source(stored["conditions"]), "", *simple_table(rows)]


def exact(figures):
    """Prints a pair of times below 1 us."""
    return " / ".join(f"{figure / 1000:.3f}" for figure in figures)


def size_table():
    """The bytes of the objects."""
    stored = load("size.json")
    rows = [["objects", "text", "data", "bss"]]
    rows += [[what, *map(str, sizes)] for what, sizes in stored["objects"].items()]
    return [f"Commit {stored['conditions']['objects']}.", "", *simple_table(rows)]


def memory_table():
    """The bytes that each CPU has for calls."""
    stored = load("size.json")
    memory = stored["memory"]
    rows = [["N", *memory]]
    rows += [[what, *(str(sizes[at]) for sizes in memory.values())] for at, what in enumerate(("Rust", "C"))]
    return [f"Commit {stored['conditions']['memory']}.", "", *simple_table(rows)]


def transfers_table():
    """The cache lines that move between CPUs for a call, and its atomic instructions."""
    stored = load("transfers.json")
    ways = stored["figures"]
    rows = [["case", *(f"lines, {WAYS[way]}" if way != "default" else "lines" for way in ways), "atomics"]]
    for case in ways["default"]:
        lines = [f"{way[case][0]:.2f} / {way[case][1]:.2f}" for way in ways.values()]
        rows.append([case, *lines, "{2:.2f} / {3:.2f}".format(*ways["default"][case])])
    head = f"Linux {stored['conditions']['kernel']}, commit {stored['conditions']['commit']}."
    return [head, "", *list_table((25, *(15 for _ in rows[0][1:])), rows)]


TABLES = {
    "calls": calls_table,
    "api": api_table,
    "compilers": compilers_table,
    "stretches": stretches_table,
    "transfers": transfers_table,
    "host": host_table,
    "scale": scale_table,
    "time": time_table,
    "size": size_table,
    "memory": memory_table,
}


def renewed(text):
    """Returns the page with each table as the stored figures make it."""
    lines, missing, inside = [], list(TABLES), None
    for line in text.split("\n"):
        if inside and line != END:
            continue
        if match := BEGIN.fullmatch(line):
            inside = match[1]
            if inside not in missing:
                fail(f"{PAGE.name} has a table {inside} that is not known, or has it twice")
            missing.remove(inside)
            lines += [line, "", *TABLES[inside](), ""]
            continue
        if line == END:
            if not inside:
                fail(f"{PAGE.name} ends a table that did not begin")
            inside = None
        lines.append(line)
    if inside or missing:
        fail(f"{PAGE.name} has no end of {inside}" if inside else f"{PAGE.name} has no table {missing[0]}")
    return "\n".join(lines)


def store_run(folder):
    """Takes over a full run of bench.sh: figures, ratios, and what this machine did."""
    result = json.loads((folder / f"bench-{CPUS}.json").read_text())
    rows = [r for r in result["figures"] if r["figure"] == "cost" and r["clock"] == "instructions"]
    if result["conditions"]["runs"] < RUNS or {r["boot"] for r in rows} != set(BOOTS):
        fail(f"{folder}/bench-{CPUS}.json is of a short run")
    figures = {}
    for row in rows:
        cases = figures.setdefault(row["boot"], {}).setdefault(row["caller"], {})
        cases[row["case"]] = [row["rust"]["least"], row["c"]["least"], row["ratio"]]
    save(f"figures-{CPUS}.json", {"conditions": result["conditions"], "figures": figures})
    save(f"ratios-{CPUS}.json", json.loads((folder / f"ratios-{CPUS}.json").read_text()))
    host = {}
    for row in result["host"]:
        host.setdefault(row["case"], {})[row["kernel"]] = row["ns"]
    cores = max(int(case.split()[0]) for case in host)
    save(
        f"host-{cores}.json",
        {
            "conditions": {"cores": cores, "commit": result["conditions"]["commit"]},
            "figures": {
                case: [ns["rust"], ns["c"], round(ns["rust"] / ns["c"], 4)] for case, ns in host.items()
            },
        },
    )


def store_kind(folder, kind):
    """Takes over the ratios of a kernel of another compiler or configuration."""
    ratios = json.loads((folder / f"ratios-{CPUS}.json").read_text())
    if ratios["conditions"]["runs"] < RUNS:
        fail(f"{folder}/ratios-{CPUS}.json is of {ratios['conditions']['runs']} runs, {RUNS} are needed")
    ratios["ratios"] = {"default": ratios["ratios"]["default"]}
    save(f"ratios-{CPUS}{kind}.json", ratios)


def store_scale(files):
    """Takes over costs with many CPUs, in instructions and in the emulator's time."""
    results = sorted((json.loads(file.read_text()) for file in files), key=lambda r: r["conditions"]["CPUs"])
    for name, clock in ("scale.json", "instructions"), ("qemu-time.json", "ns_of_QEMU"):
        figures = {}
        for result in results:
            for row in result["figures"]:
                # Of calls that are waited for, the mean has the ticks of all CPUs in it.
                kind = "p50" if clock != "instructions" and row["case"].endswith(", wait") else "cost"
                if (row["clock"], row["figure"]) == (clock, kind):
                    cases = figures.setdefault(str(result["conditions"]["CPUs"]), {})
                    cases[row["case"]] = [row["rust"]["least"], row["c"]["least"]]
        if figures:
            conditions = {key: value for key, value in results[0]["conditions"].items() if key != "CPUs"}
            save(name, {"conditions": conditions, "figures": figures})


def store_size(path, commit):
    """Takes over the sums that size.sh has printed."""
    objects, columns, memory = {}, [], {}
    for line in path.read_text().splitlines():
        if match := re.fullmatch(r"(Rust|Rust, options|C) +(\d+) +(\d+) +(\d+) +(\d+)", line):
            objects[match[1]] = [int(match[at]) for at in (2, 3, 4)]
        elif match := re.fullmatch(r"N((?: +\d+)+)", line):
            columns = match[1].split()
        elif columns and (match := re.fullmatch(r"(Rust|C)((?: +\d+)+)", line)):
            memory[match[1]] = [int(figure) for figure in match[2].split()]
    if len(objects) != 3 or len(memory) != 2:
        fail(f"{path} is not what size.sh prints")
    per_cpu = {cpus: [memory["Rust"][at], memory["C"][at]] for at, cpus in enumerate(columns)}
    save("size.json", {"conditions": {"objects": commit, "memory": commit}, "objects": objects, "memory": per_cpu})


def main():
    """Stores, writes, or compares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--store", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--size", type=pathlib.Path, nargs=2, metavar=("FILE", "COMMIT"))
    args = parser.parse_args()

    kind = args.store.name.removeprefix("bench") if args.store else ""
    if kind and kind not in KINDS:
        fail(f"{args.store} is not a folder of bench.sh")
    if kind:
        store_kind(args.store, kind)
    elif args.store:
        if (args.store / f"bench-{CPUS}.json").exists():
            store_run(args.store)
        if files := list(args.store.glob("scale-*.json")):
            store_scale(files)
    if args.size:
        store_size(args.size[0], str(args.size[1]))
    text = PAGE.read_text(encoding="utf-8")
    new = renewed(text)
    if not args.check:
        PAGE.write_text(new, encoding="utf-8")
    elif new != text:
        old_lines, new_lines = text.split("\n"), new.split("\n")
        at = next((n for n, lines in enumerate(zip(old_lines, new_lines)) if len(set(lines)) > 1), len(old_lines) - 1)
        fail(f"{PAGE.name}:{at + 1} has not the figures of {STORED.name}/: python3 -B tools-testing/bench_page.py")
    print(f"{len(TABLES)} tables of {PAGE.name} are made from {STORED.relative_to(HERE.parent)}/")


if __name__ == "__main__":
    main()
