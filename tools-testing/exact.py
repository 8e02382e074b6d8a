# SPDX-License-Identifier: GPL-2.0
"""Compares what calls cost with kernel/smp.c and with the exact wait in it: a table, and a file of it."""

import argparse
import json
import pathlib

from bench import NO_CALL, read

# As it is, and with the patch.
KERNELS = ("before", "after")

# kernel/smp.c waits here: the figure is how long the target is busy.
WAITS = ("sending only, 9 to a busy one",)


def least(logs, kernel, runs):
    """Returns the least figure of the runs, by case."""
    found = [read(logs / f"exact-{kernel}-{run}.out", ["smp_bench"])[0] for run in range(1, runs + 1)]
    return {
        case: min(figures[caller, case, kind] for figures in found)
        for caller, case, kind in found[0]
        if kind == "cost" and case not in NO_CALL + WAITS
    }


def main():
    """Reads what the guests printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("logs", type=pathlib.Path)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--text", type=int, nargs=2, required=True, help="bytes of the text of smp.o")
    args = parser.parse_args()

    before, after = (least(args.logs, kernel, args.runs) for kernel in KERNELS)
    print(f"{'instructions a call':<34}{'C':>9}{'patched':>9}{'ratio':>7}")
    for case, figure in before.items():
        print(f"{case:<34}{figure:>9.0f}{after[case]:>9.0f}{after[case] / figure:>7.3f}")
    print(f"{'text of smp.o, bytes':<34}{args.text[0]:>9}{args.text[1]:>9}")
    ratios = {case: round(after[case] / figure, 4) for case, figure in before.items()}
    worst = max(ratios, key=ratios.get)
    stored = {"licence": "SPDX-License-Identifier: GPL-2.0", "before": before, "after": after, "text": args.text}
    args.out.write_text(json.dumps(stored, indent=1) + "\n")
    print(f"{len(ratios)} cases, the highest ratio {ratios[worst]:.3f}: {worst}")


if __name__ == "__main__":
    main()
