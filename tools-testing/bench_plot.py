# SPDX-License-Identifier: GPL-2.0
"""Draws what bench.py has written, in the same folder: ratios, a bar a case, or costs against CPUs.

The paths of the pictures are printed, a line each.
"""

import argparse
import json
import pathlib

from matplotlib.ticker import NullFormatter, NullLocator, StrMethodFormatter

from picture import fail, head, plt, save

# The colours are told apart without full colour vision (Okabe and Ito), the strokes without any.
KERNELS = {
    "rust": ("kernel/smp in Rust", "#0072B2", "-", "o"),
    "c": ("kernel/smp.c", "#D55E00", "--", "s"),
}
BETTER, WORSE, AIM = "#0072B2", "#D55E00", "#000000"

# What is drawn against the number of CPUs, a panel each, and whether it is divided by the targets.
AGAINST_CPUS = {
    "one, wait": False,
    "many, wait": True,
    "on each, wait": True,
    "sending only, no wait": True,
    "sending only, many": True,
    "drain, an entry": False,
}


def load(path):
    """Returns a file of bench.py: the conditions, and the costs in instructions, but for system calls."""
    result = json.loads(path.read_text())
    rows = [r for r in result["figures"] if r["figure"] == "cost" and r["clock"] == "instructions"]
    if not rows:
        fail(f"{path} has no cost")
    return result["conditions"], rows


def source_of(conditions, cpus):
    """Where the figures come from."""
    runs = f"least of {conditions['runs']} runs" if conditions["runs"] > 1 else "one run"
    return f"Linux {conditions['kernel']} on {cpus} CPUs; guest instructions, counted by QEMU; {runs}."


def draw_ratios(path):
    """Draws the ratio of each case, and its goal."""
    conditions, rows = load(path)
    rows = [r for r in rows if r["boot"] == "default" and r["goal"] is not None]
    names = [r["case"] + (f" (from {r['caller']})" if r["caller"] != "C" else "") for r in rows]
    places = range(len(rows))
    figure, panel = plt.subplots(figsize=(8.4, 1.6 + 0.24 * len(rows)), layout="constrained")
    colours = [BETTER if round(r["ratio"], 2) <= r["goal"] else WORSE for r in rows]
    panel.barh(places, [r["ratio"] for r in rows], color=colours, height=0.7)
    panel.vlines(
        [r["goal"] for r in rows], [p - 0.45 for p in places], [p + 0.45 for p in places], AIM, lw=2
    )
    for place, row in zip(places, rows):
        panel.text(
            max(row["ratio"], row["goal"]) + 0.01, place, f"{row['ratio']:.2f}", va="center", fontsize=8
        )
    panel.set_yticks(places, names, fontsize=9)
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.set_xlabel("cost in Rust, divided by that in C")
    panel.tick_params(axis="y", length=0)
    head(
        figure,
        "What a cross-CPU call costs in Rust, beside C",
        source_of(conditions, conditions["CPUs"])
        + "\nBlack: the goal. Blue: met. Orange: missed.",
    )
    figure.get_layout_engine().set(rect=(0.01, 0.01, 0.97, 0.98 - 0.85 / figure.get_figheight()))
    save(figure, path.with_name(f"ratios-{conditions['CPUs']}"))


def draw_scale(paths, picture):
    """Draws costs against the number of CPUs, both kernels in each panel."""
    files = sorted((load(path) for path in paths), key=lambda file: file[0]["CPUs"])
    cpus = [conditions["CPUs"] for conditions, _ in files]
    figure, panels = plt.subplots(2, 3, figsize=(11, 7), layout="constrained")
    for panel, (case, divided) in zip(panels.flat, AGAINST_CPUS.items()):
        highest = 0
        for kernel, (name, colour, stroke, mark) in KERNELS.items():
            costs = [r[kernel]["least"] for _, rows in files for r in rows if r["case"] == case]
            if len(costs) != len(cpus):
                fail(f"{case} was not measured for each number of CPUs")
            if divided:
                costs = [cost / (number - 1) for cost, number in zip(costs, cpus)]
            highest = max(highest, *costs)
            panel.plot(cpus, costs, color=colour, linestyle=stroke, marker=mark, label=name)
        panel.set_title(f"{case}, a target" if divided else case)
        panel.set_xscale("log", base=2)
        panel.set_ylim(0, 1.1 * highest)
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.set_xticks(cpus, cpus)
        panel.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        panel.grid(which="major", color="#dddddd", linewidth=0.8)
        panel.set_axisbelow(True)
    panels[1][1].set_xlabel("CPUs")
    panels[0][0].legend(frameon=False, loc="lower right")
    head(
        figure,
        "What a cross-CPU call costs, against the number of CPUs",
        source_of(files[0][0], f"{cpus[0]} to {cpus[-1]}"),
    )
    figure.get_layout_engine().set(rect=(0.01, 0.01, 0.98, 0.99 - 0.7 / figure.get_figheight()))
    save(figure, picture)


def main():
    """Draws the file that is named, or, of several, what they have in common."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    if len(args.files) == 1:
        draw_ratios(args.files[0])
    else:
        draw_scale(args.files, args.files[0].with_name("scale"))


main()
