# SPDX-License-Identifier: GPL-2.0
"""Checks what smptop has shown in a guest, and draws it and a few of the calls that it has recorded.

The folder has the parts that guest/top.sh has printed.
"""

import argparse
import io
import json
import pathlib
import re
import sys

from rich.console import Console

from picture import fail, head, plt, save, write_svg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "smptop"))
from smptop import screen  # pylint: disable=wrong-import-position

TARGET = 3
# How many calls are drawn.
CALLS = 9
# What the program's two system calls run on other CPUs.
FUNCTIONS = ("flush_tlb_func", "ipi_mb", "ipi_rseq", "ipi_sync_core")
# Okabe and Ito, as told apart without full colour vision.
COLOURS = {"wait": "#999999", "run": "#0072B2", "sent": "#D55E00"}


def check_target(folder):
    """The calls of the program come first."""
    seen = json.loads((folder / "target").read_text().splitlines()[-1])
    calls = seen["calls"]
    if not calls:
        fail("no call to CPU 3 was seen")
    total = sum(call["count"] for call in calls)
    first = calls[0]
    share = first["count"] / total
    if any(call["target"] != TARGET for call in calls):
        fail("calls to other CPUs were counted")
    if first["source"] != 0 or first["function"] not in FUNCTIONS or share < 0.3:
        fail(f"the first row is not the program's: {first}, {share:.0%} of {total}")
    shell = (folder / "shell").read_text().split()
    if shell[1:3] != ["CPU", "0"] or shell[6] not in FUNCTIONS:
        fail(f"smptop.sh has another first row: {' '.join(shell[:9])}")
    return f"{share:.0%} of {total} calls to CPU {TARGET} are {first['function']} of {first['caller']} on CPU 0"


def check_latency(folder):
    """Each phase of the program's calls has a length, which all of them are counted for."""
    summary = json.loads((folder / "summary").read_text().splitlines()[-1])
    # The most frequent one: of another there may be a single call, which is cut off.
    name = next((name for name in summary if name in FUNCTIONS), None)
    if not name:
        fail(f"no call of the program was seen from start to end: {', '.join(summary)}")
    calls, phases = summary[name]["calls"], summary[name]["us"]
    returns = sum(phases.get("function to return", {"log2": {}})["log2"].values())
    for phase, values in phases.items():
        # No phase of hundreds of calls takes no time, unless its event was not recorded.
        counted = sum(values["log2"].values())
        if not values["max"] or counted != (returns if phase == "function to return" else calls):
            fail(f"{name}, {phase}: {values}")
    # Each call of the program waits, for up to three functions.
    if not calls / 4 <= returns <= calls:
        fail(f"{returns} returns of {calls} calls of {name}")
    return f"{calls} calls of {name} from start to end, {returns} returns"


def draw_screen(folder):
    """Draws what a terminal shows of the calls to the CPU."""
    seen = json.loads((folder / "target").read_text().splitlines()[-1])
    seen["counters"] = {int(cpu): counts for cpu, counts in seen["counters"].items()}
    console = Console(record=True, width=112, file=io.StringIO())
    console.print(screen.rich(screen.state(seen, TARGET)))
    svg = console.export_svg(title=f"smptop --target {TARGET}", unique_id="smptop")
    # The fonts are on a host of others.
    write_svg(folder / "target.svg", re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL))
    print(folder / "target.svg")


def draw(folder, kernel):
    """Draws the calls of a short stretch of time: sources, targets, and the time until they have run."""
    events = json.loads((folder / "json").read_text().splitlines()[-1])["traceEvents"]
    runs = [event for event in events if event["ph"] == "X" and not event["name"].startswith("queue ")]
    sends = {event["id"]: event for event in events if event["ph"] == "s"}
    starts = {event["id"]: event for event in events if event["ph"] == "f"}
    if not runs:
        fail("the timeline has no calls")
    # The calls in a row that take the least time in all.
    order = sorted((number for number in sends if number in starts), key=lambda number: sends[number]["ts"])
    rows = [order[at : at + CALLS] for at in range(max(1, len(order) - CALLS))]
    near = min(rows, key=lambda row: max(starts[call]["ts"] for call in row) - sends[row[0]]["ts"])
    first = sends[near[0]]["ts"]
    end = max(starts[number]["ts"] for number in near)
    figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
    figure.get_layout_engine().set(rect=(0, 0, 1, 0.84))
    for number in near:
        send, start = sends[number], starts[number]
        run = next(run for run in runs if (run["tid"], run["ts"]) == (start["tid"], start["ts"]))
        length = max(run["dur"], 1)
        axes.annotate(
            "",
            xy=(start["ts"] - first, start["tid"]),
            xytext=(send["ts"] - first, send["tid"]),
            arrowprops={"arrowstyle": "->", "color": COLOURS["wait"], "lw": 1},
        )
        axes.plot(send["ts"] - first, send["tid"], "o", ms=4, color=COLOURS["sent"])
        axes.barh(run["tid"], length, left=start["ts"] - first, height=0.35, color=COLOURS["run"])
        axes.text(start["ts"] - first, run["tid"] + 0.34, run["name"], fontsize=7)
    axes.set_xlim(-20, max(end - first, 50) * 1.15)
    axes.set_yticks(range(4), [f"CPU {cpu}" for cpu in range(4)])
    axes.set_ylim(3.7, -0.6)
    axes.set_xlabel("microseconds, of an emulated machine")
    head(figure, "Calls from queue to function", f"build/{kernel}, recorded by smptop")
    save(figure, folder / "timeline")


def main():
    """Runs the checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--kernel", required=True)
    options = parser.parse_args()
    draw(options.folder, options.kernel)
    draw_screen(options.folder)
    print("; ".join((check_target(options.folder), check_latency(options.folder))))


main()
