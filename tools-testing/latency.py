# SPDX-License-Identifier: GPL-2.0
"""Draws what the sample rust_smp_latency has measured.

The folder has the two files of the sample, as table.txt and histogram.txt. The pictures are put
beside them, and their paths are printed, a line each.
"""

import argparse
import pathlib

from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from picture import fail, head, plt, save

# The states in the order in which they are drawn: what to call them, and how to draw them. The
# colours are told apart without full colour vision (Okabe and Ito), the strokes without any.
STATES = {
    "idle": ("target idle", "#0072B2", "-"),
    "busy": ("target busy: a task spins on it", "#D55E00", "--"),
    "irqs_off": ("target has interrupts off for 50 \N{MICRO SIGN}s", "#000000", "-."),
}

MICROSECOND = 1000


def read(path):
    """Returns the lines of a table as dictionaries, numbers as numbers."""
    try:
        lines = path.read_text().split("\n")
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror}")
    names = lines[0].split()
    rows = []
    for line in filter(None, lines[1:]):
        words = line.split()
        if len(words) != len(names):
            fail(f"{path} has a line that is not like its first: {line.strip()}")
        rows.append({n: int(w) if w.isdigit() else w for n, w in zip(names, words)})
    return rows


def label(ns):
    """A time with two digits, or all that stand before the point."""
    us = ns / MICROSECOND
    value, unit = (us, "") if us < 999.5 else (us / 1000, " ms")
    return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"


def thousands(number):
    """A number whose digits are in groups, with a space that a line does not break at."""
    digits = f"{number:g}" if number < 10000 else f"{number:,.0f}"
    return digits.replace(",", "\N{NARROW NO-BREAK SPACE}")


def times(axis, steps):
    """Labels an axis of times at so many steps of each ten."""
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda us, _: thousands(us)))
    axis.set_minor_formatter(NullFormatter())


def draw_pairs(rows, source, path):
    """Draws the median of each pair of CPUs, a panel a state."""
    cpus = sorted({row[end] for row in rows for end in ("from", "to")})
    timed = [row for row in rows if row["samples"]]
    low = min(row["p50"] for row in timed) / MICROSECOND
    high = max(row["p50"] for row in timed) / MICROSECOND
    norm = LogNorm(low * 0.8, high * 1.25)
    side = max(2.9, 0.65 * len(cpus))
    figure, panels = plt.subplots(
        1,
        len(STATES),
        figsize=(len(STATES) * (side + 0.1) + 1.7, side + 2.3),
        sharey=True,
        layout="compressed",
    )
    colours = plt.get_cmap("cividis").copy()
    colours.set_bad("#e6e6e6")

    for panel, (state, (name, _, _)) in zip(panels, STATES.items()):
        grid = [[float("nan")] * len(cpus) for _ in cpus]
        for row in (row for row in timed if row["state"] == state):
            x, y = cpus.index(row["to"]), cpus.index(row["from"])
            grid[y][x] = row["p50"] / MICROSECOND
            dark = norm(grid[y][x]) < 0.48
            panel.text(
                x,
                y,
                f"{label(row['p50'])}\n",
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize=11,
                fontweight="bold",
                linespacing=1.1,
            )
            panel.text(
                x,
                y + 0.2,
                label(row["p99"]),
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize=8,
            )
        image = panel.imshow(grid, cmap=colours, norm=norm)
        panel.set_title(name.replace(": ", ":\n").replace(" for ", "\nfor "))
        panel.hlines([i - 0.5 for i in range(1, len(cpus))], -0.5, len(cpus) - 0.5, "white", lw=1.5)
        panel.vlines([i - 0.5 for i in range(1, len(cpus))], -0.5, len(cpus) - 0.5, "white", lw=1.5)
        panel.set_xlabel("to CPU")
        panel.set_xticks(range(len(cpus)), cpus)
        panel.set_yticks(range(len(cpus)), cpus)
        panel.tick_params(length=0)
        panel.spines[:].set_visible(False)
    panels[0].set_ylabel("from CPU")

    bar = figure.colorbar(image, ax=panels, pad=0.02, aspect=18)
    bar.set_label("median round trip, \N{MICRO SIGN}s (log scale)")
    bar.outline.set_visible(False)
    bar.ax.minorticks_off()
    times(bar.ax.yaxis, (1, 2, 3, 5, 7))
    head(
        figure,
        "Round trip of a call between two CPUs",
        source
        + "\nLarge and coloured: median; small: 99th percentile; in \N{MICRO SIGN}s if no unit is given. "
        "Grey: no call.",
    )
    figure.get_layout_engine().set(rect=(0.01, 0.02, 0.98, 0.98 - 1.05 / figure.get_figheight()))
    save(figure, path)


def draw_curves(steps, source, path):
    """Draws how many calls take longer than a time, a curve a state."""
    figure, panel = plt.subplots(figsize=(8.4, 5.4), layout="constrained")
    panel.set_xscale("log")
    panel.set_yscale("log")
    most = 0
    for state, (name, colour, stroke) in STATES.items():
        mine = [step for step in steps if step["state"] == state]
        total = sum(step["calls"] for step in mine)
        if not total:
            continue
        most = max(most, total)
        longer = total
        x, y = [mine[0]["from"] / MICROSECOND], [1]
        for step in mine:
            longer -= step["calls"]
            # The curve ends before the last calls: 0 has no logarithm.
            if longer:
                x.append(step["below"] / MICROSECOND)
                y.append(longer / total)
        panel.plot(x, y, color=colour, linestyle=stroke, linewidth=2, label=name)

    panel.set_xlabel("round trip, \N{MICRO SIGN}s")
    panel.set_ylabel("part of the calls that took longer")
    panel.set_ylim(0.6 / most, 1.4)
    times(panel.xaxis, (1,))
    panel.yaxis.set_major_formatter(FuncFormatter(part))
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.grid(which="major", color="#dddddd", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.legend(frameon=False, loc="lower left")
    head(figure, "Round trip of a call between two CPUs: how many take longer", source)
    figure.get_layout_engine().set(rect=(0.01, 0.01, 0.97, 0.99 - 0.9 / figure.get_figheight()))
    save(figure, path)


def part(share, _):
    """A part of all calls, for a person."""
    return "all" if share == 1 else f"1 in {thousands(round(1 / share))}"


def main():
    """Reads, draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--machine", required=True)
    parser.add_argument("--caveat", required=True, help="how far the times can be relied on")
    args = parser.parse_args()

    rows = read(args.folder / "table.txt")
    steps = read(args.folder / "histogram.txt")
    if not any(row["samples"] for row in rows) or not steps:
        fail("no call between two CPUs was timed")
    cpus = len({row["from"] for row in rows})
    calls = max(row["samples"] for row in rows)
    source = (
        f"{args.kernel}, on {args.machine} with {cpus} CPUs.\n"
        f"Up to {thousands(calls)} calls for each pair and state, timed by the sample rust_smp_latency. "
        f"{args.caveat}"
    )
    draw_pairs(rows, source, args.folder / "latency-pairs")
    draw_curves(steps, source, args.folder / "latency-curves")


main()
