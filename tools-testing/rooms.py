# SPDX-License-Identifier: GPL-2.0
"""Prints how many bytes of functions each file of kernel-smp/ has in an object.

A function that is inlined counts where it is inlined.
"""

import collections
import pathlib
import re
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "kernel-smp"
NAMED = re.compile(r'\b(?:export_name = "|extern "C" fn )(\w+)')
PATH = re.compile(r"smp_core::((?:[a-z]\w*::)+)")


def exported():
    """Returns the file of each function that has a name of C's."""
    return {
        name: str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.rs") for name in NAMED.findall(path.read_text())
    }


def file_of(symbol, files):
    """Returns the file that defines a function, by the path in its name."""
    if symbol in files:
        return files[symbol]
    if match := PATH.search(symbol):
        parts = match[1].split("::")
        for end in range(len(parts), 0, -1):
            path = "/".join(parts[:end]).rstrip("/") + ".rs"
            if (FOLDER / path).exists():
                return path
    return "other crates"


def main():
    """Prints a line for each file, the largest first."""
    files, sizes = exported(), collections.Counter()
    command = ["llvm-nm-22", "--demangle", "--print-size", "--defined-only", sys.argv[1]]
    for line in subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
        _, size, kind, symbol = (*line.split(maxsplit=3), "", "")[:4]
        if kind in ("T", "t", "W"):
            sizes[file_of(symbol, files)] += int(size, 16)
    for path, size in sizes.most_common():
        print(f"    {path:<18} {size:>6}")


if __name__ == "__main__":
    main()
