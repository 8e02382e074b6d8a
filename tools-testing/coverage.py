# SPDX-License-Identifier: GPL-2.0
"""Shows which lines and branches of kernel-smp/ ran, from what llvm-cov has exported in the form of lcov.

Fails if fewer lines of a file of the core ran than the page about tests says. --store writes the page.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import sys

import page

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "kernel-smp"

# The files whose lines must run, and by how many percent fewer may, since threads do not run alike twice.
CORE = ("csd", "queue", "batch", "pool", "wait", "single", "many", "flush")
LESS = 2.0


@dataclasses.dataclass
class File:
    """What ran of a file."""

    name: str
    lines: dict = dataclasses.field(default_factory=dict)
    branches: tuple = ()
    functions: dict = dataclasses.field(default_factory=dict)

    def share(self):
        """Returns the percentage of lines that ran."""
        return 100 * self.ran() / len(self.lines)

    def ran(self):
        """Returns how many lines ran."""
        return sum(count > 0 for count in self.lines.values())

    def never(self):
        """Returns the functions that did not run. A closure has no name, and the compiler runs a `const fn`."""
        source = (FOLDER / self.name).read_text(encoding="utf-8").splitlines()
        lines = (source[line - 1] for line, ran in sorted(self.functions.items()) if not ran)
        heads = (re.search(r"(?<!const )\bfn (?:r#)?(\w+)", line) for line in lines)
        return [head[1] for head in heads if head]

    def gaps(self):
        """Returns the lines that did not run, as ranges."""
        found = []
        for line in sorted(line for line, count in self.lines.items() if not count):
            if found and not any(between in self.lines for between in range(found[-1][1] + 1, line)):
                found[-1][1] = line
            else:
                found.append([line, line])
        return [str(first) if first == last else f"{first}-{last}" for first, last in found]


def read(path):
    """Returns the files of an export."""
    files, place = [], {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key == "SF":
            files.append(File(os.path.normpath(value).removeprefix(f"{FOLDER}/")))
            place = {}
        elif key == "FN":
            start, name = value.split(",", 1)
            place[name] = int(start)
        elif key == "FNDA":
            count, name = value.split(",", 1)
            functions = files[-1].functions
            functions[place[name]] = functions.get(place[name], False) or int(count) > 0
        elif key == "DA":
            number, count = value.split(",")[:2]
            files[-1].lines[int(number)] = int(count)
        elif key in ("BRF", "BRH"):
            files[-1].branches += (int(value),)
    return sorted((file for file in files if not file.name.startswith("/")), key=lambda file: file.name)


def of(number, whole):
    """Returns a share for a person."""
    return f"{number} of {whole}, {100 * number / whole:.1f} %" if whole else "none"


def total(files):
    """Returns the sums of lines and branches that there are, and that ran."""
    return (
        sum(len(file.lines) for file in files),
        sum(file.ran() for file in files),
        sum(file.branches[0] for file in files),
        sum(file.branches[1] for file in files),
    )


def store(files):
    """Writes the table of the page."""
    rows = [("file", "lines that ran", "branches that ran", "functions that did not run")]
    for file in files:
        never = ", ".join(f"``{name}()``" for name in file.never())
        rows.append((f"``{file.name}``", of(file.ran(), len(file.lines)), of(*reversed(file.branches)), never))
    lines, ran, branches, taken = total(files)
    page.store("coverage", (16, 20, 20, 44), [*rows, ("all", of(ran, lines), of(taken, branches), "")])


def stored():
    """Returns the percentage of lines of each file in the table of the page."""
    table = page.split(page.TESTING, "coverage")[1]
    return {name: float(share) for name, share in re.findall(r"- ``(\S+)``\n {5}- .*, ([\d.]+) %", table)}


def main():
    """Prints the table, and compares or stores it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", type=pathlib.Path)
    parser.add_argument("--store", action="store_true")
    args = parser.parse_args()

    files = read(args.export)
    if args.store:
        store(files)
        return
    print(f"{'file':<18}{'lines':>22}{'branches':>22}")
    for file in files:
        print(f"{file.name:<18}{of(file.ran(), len(file.lines)):>22}{of(*reversed(file.branches)):>22}")
        if file.never():
            print("    functions:", *file.never())
        if file.gaps():
            print("    lines:", *file.gaps())
    floor = stored()
    for file in files:
        least = floor.get(file.name, 0.0) - LESS
        if file.name.removesuffix(".rs") in CORE and file.share() < least:
            sys.exit(f"smp: {file.name}: {file.share():.1f} % of its lines ran, less than {least:.1f} %")
    lines, ran, branches, taken = total(files)
    print(f"lines: {of(ran, lines)}; branches: {of(taken, branches)}")


main()
