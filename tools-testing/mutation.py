# SPDX-License-Identifier: GPL-2.0
"""Mutants of files of kernel-smp/, as cargo-mutants makes them.

usage: mutation.py crate KERNEL-SMP FOLDER ROOM...  writes a crate that "cargo mutants --list" reads
       mutation.py list JSON EQUIVALENT             a line for each mutant: number, line, name, and the reason
                                                    if it is listed as equivalent
       mutation.py apply JSON NUMBER FROM TO        writes a file of folder FROM to TO, as a mutant
       mutation.py store FOUND                      writes what became of them into the page about tests

cargo-mutants leaves out unsafe functions. The crate, which is not compiled, has the files with spaces in
place of that word, so that all lines and columns are those of kernel-smp/. A mutant is named by its file,
function and change, as its line may be another one tomorrow; the second of a name has "(2)" after it.
"""

import collections
import json
import pathlib
import re
import sys

import page

MANIFEST = '[package]\nname = "smp_core"\nversion = "0.0.0"\nedition = "2021"\n\n[lib]\npath = "smp_core.rs"\n'


def write_crate(source, folder, rooms):
    """Writes the files of some rooms, with no function that is unsafe."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text(MANIFEST, encoding="utf-8")
    (folder / "smp_core.rs").write_text("".join(f"mod {room};\n" for room in rooms), encoding="utf-8")
    for room in rooms:
        text = (source / f"{room}.rs").read_text(encoding="utf-8")
        text = re.sub(r'\bunsafe(?=( extern "C")? fn \w)', " " * len("unsafe"), text)
        (folder / f"{room}.rs").write_text(text, encoding="utf-8")


def named(mutants):
    """Returns the mutants by their names."""
    found, times = {}, collections.Counter()
    for mutant in mutants:
        name = re.sub(r":\d+:\d+: ", ": ", mutant["name"], count=1)
        times[name] += 1
        found[name if times[name] == 1 else f"{name} ({times[name]})"] = mutant
    return found


def print_list(mutants, equivalent):
    """Prints all mutants. Ends if the list of those that are equivalent has one that is none."""
    lines = equivalent.read_text(encoding="utf-8").splitlines()
    reasons = dict(line.split("\t") for line in lines if line and not line.startswith("#"))
    mutants = named(mutants)
    files = {mutant["file"] for mutant in mutants.values()}
    for name in reasons:
        if name.split(":")[0] in files and name not in mutants:
            sys.exit(f"smp: {equivalent.name}: there is no mutant {name}")
    for number, (name, mutant) in enumerate(mutants.items()):
        print(number, mutant["span"]["start"]["line"], name, reasons.get(name, ""), sep="\t")


def apply(mutant, source, target):
    """Writes a file as a mutant. The lines after it keep their numbers."""
    lines = (source / mutant["file"]).read_text(encoding="utf-8").splitlines(keepends=True)
    start, end = (
        sum(map(len, lines[: mutant["span"][at]["line"] - 1])) + mutant["span"][at]["column"] - 1
        for at in ("start", "end")
    )
    text = "".join(lines)
    replacement = f"{mutant['replacement']} "
    replacement += "\n" * (text.count("\n", start, end) - replacement.count("\n"))
    (target / mutant["file"]).write_text(text[:start] + replacement + text[end:], encoding="utf-8")


def store(path):
    """Writes the table of the page."""
    fates = collections.defaultdict(collections.Counter)
    for line in path.read_text(encoding="utf-8").splitlines():
        room, _, _, fate = line.split("\t")
        for name in (room, "all"):
            fates[name][fate.split(":")[0]] += 1
    kinds = ("caught", "timed out", "survives", "equivalent", "same program", "does not compile")
    rows = [("file", "mutants", *kinds, "score")]
    for name in sorted(fates, key=lambda name: (name == "all", name)):
        fate = fates[name]
        found = fate["caught"] + fate["timed out"]
        score = f"{100 * found / (found + fate['survives']):.1f} %"
        title = name if name == "all" else f"``{name}.rs``"
        rows.append((title, fate.total(), *(fate[kind] for kind in kinds), score))
    page.store("mutation", (16, *[12] * 8), rows)


def main():
    """Does what the first argument says."""
    what, first, *rest = sys.argv[1:]
    if what == "crate":
        write_crate(pathlib.Path(first), pathlib.Path(rest[0]), rest[1:])
        return
    if what == "store":
        store(pathlib.Path(first))
        return
    mutants = json.loads(pathlib.Path(first).read_text(encoding="utf-8"))
    if what == "list":
        print_list(mutants, pathlib.Path(rest[0]))
    elif what == "apply":
        apply(mutants[int(rest[0])], *map(pathlib.Path, rest[1:]))
    else:
        sys.exit(__doc__)


main()
