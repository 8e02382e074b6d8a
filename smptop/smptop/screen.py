# SPDX-License-Identifier: GPL-2.0
"""What is shown: tables of rich, or the same as plain text."""

from smptop.calls import by, total

ROWS = 12


def share(count, total):
    """Prints a part of a whole."""
    return f"{100 * count / total:.0f} %" if total else "-"


def disturbers(rows, target, seconds):
    """Returns title, head and rows: the calls to a CPU."""
    every = total(rows)
    head = ["calls/s", "share", "from CPU", "function", "caller"]
    cells = [
        [f"{count / seconds:.0f}", share(count, every), str(source), function, caller]
        for (source, function, caller), count in by(rows, "source", "function", "caller")[:ROWS]
    ]
    return f"CPU {target}: {every / seconds:.0f} calls a second", head, cells


def functions(rows, seconds):
    """Returns title, head and rows: functions and callers."""
    every = total(rows)
    head = ["calls/s", "share", "function", "caller"]
    cells = [
        [f"{count / seconds:.0f}", share(count, every), function, caller]
        for (function, caller), count in by(rows, "function", "caller")[:ROWS]
    ]
    return f"{every / seconds:.0f} calls a second", head, cells


def cpus(rows, counters, seconds):
    """Returns title, head and rows: what each CPU sends and takes, and what its counters say."""
    sent, taken = dict(by(rows, "source")), dict(by(rows, "target"))
    names = list(next(iter(counters.values()), {}))
    head = ["CPU", "sent/s", "taken/s", *(name.replace("_", " ") for name in names)]
    cells = []
    for cpu in sorted({cpu for (cpu,) in [*sent, *taken]} | set(counters)):
        values = counters.get(cpu, {})
        rates = [f"{ends.get((cpu,), 0) / seconds:.0f}" for ends in (sent, taken)]
        cells.append([str(cpu), *rates, *(str(values.get(name, "")) for name in names)])
    return "CPUs", head, cells


def state(data, target):
    """Returns the tables of an interval: all calls, or those to a CPU."""
    calls, seconds = data["calls"], data["seconds"]
    tables = [
        cpus(calls, data["counters"], seconds),
        functions(data["callers"], seconds) if target is None else disturbers(calls, target, seconds),
    ]
    if data["dropped"]:
        lost = f"{data['dropped']} calls are missing: they are of more kinds than the kernel can count here"
        tables.append((lost, [""], []))
    return tables


def latencies(summary):
    """Returns head and rows: how long calls took, by function and phase."""
    head = ["function", "calls", "phase", "p50 us", "p99 us", "max us", "us: 0, 1, 2-3, 4-7, ..."]
    rows = []
    for function, seen in list(summary.items())[:ROWS]:
        for phase, values in seen["us"].items():
            first = phase == "queue to interrupt"
            bars = histogram(values["log2"])
            numbers = [str(values[name]) for name in ("p50", "p99", "max")]
            rows.append([function if first else "", str(seen["calls"]) if first else "", phase, *numbers, bars])
    return "How long calls take", head, rows


def histogram(log2):
    """Draws the counts of powers of two, the first of them 0."""
    most = max(log2.values())
    steps = " ▁▂▃▄▅▆▇█"
    return "".join(steps[-(-log2.get(bits, 0) * (len(steps) - 1) // most)] for bits in range(max(log2) + 1))


def plain(tables):
    """Returns tables as text."""
    out = []
    for title, head, rows in tables:
        lines = [head, *rows]
        widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
        out.append(title)
        out += ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
        out.append("")
    return "\n".join(out)


def rich(tables):
    """Returns tables for a terminal."""
    from rich.console import Group
    from rich.table import Table

    shown = []
    for title, head, rows in tables:
        table = Table(title=title, title_justify="left", header_style="bold")
        for name in head:
            right = name.startswith(("calls", "share", "sent", "taken", "p50", "p99", "max"))
            table.add_column(name, justify="right" if right else "left")
        for row in rows:
            table.add_row(*row)
        shown.append(table)
    return Group(*shown)
