# SPDX-License-Identifier: GPL-2.0
"""Checks that each file of a crate imports only from files below it in the map of the crate.

The map is the list under "# Map" in the comments of the root file.
"""

import pathlib
import re
import sys


def strip_comments(text):
    """Returns the text without comments. No string of these files has two slashes."""
    return re.sub(r"//.*", "", text)


def heads(text, start):
    """Returns the first names of the use tree that begins at start: `a::b` or `{a, b::{c}}`."""
    if text[start] != "{":
        return [re.match(r"\w*", text[start:]).group()]
    names, depth, expected = [], 0, False
    for token in re.findall(r"\w+|[{},:;*]", text[start:]):
        if token in "{}":
            depth += 1 if token == "{" else -1
            expected = token == "{" and depth == 1
        elif token == ",":
            expected = depth == 1
        elif expected:
            names.append(token)
            expected = False
        if depth == 0:
            return names
    raise ValueError("a use tree has no end")


def imports(text, prefix):
    """Returns the names that follow a prefix such as `crate::`, wherever it is used."""
    names = set()
    for match in re.finditer(rf"(?<![\w:])(?:{prefix})::(?=[\w{{])", text):
        names.update(heads(text, match.end()))
    return names


def reexports(text):
    """Returns the module of each name that the root file hands on."""
    where = {}
    for match in re.finditer(r"pub use self::(?=\{)", text):
        tree = text[match.end() : text.index(";", match.end())]
        for module, names in re.findall(r"(\w+)::(\{[^}]*\}|\w+)", tree):
            for name in re.findall(r"\w+", names):
                where[name] = module
    return where


def check(root, folder, prefix):
    """Checks one crate, or one module with files of its own. Returns what is wrong."""
    text = root.read_text(encoding="utf-8")
    order = re.findall(r"^//!? - \[?`(\w+)`\]?:", text[text.index("# Map\n") :], re.M)
    aliases = reexports(strip_comments(text))
    wrong = []
    modules = re.findall(r"^(?:pub(?:\(crate\))? )?mod (\w+);", text, re.M)
    wrong += [f"{root}: {name} is not in the map" for name in modules if name not in [*order, "tests"]]
    wrong += [f"{root}: {name} is in the map and no module" for name in order if name not in modules]
    for path in sorted(folder.rglob("*.rs")):
        parts = path.relative_to(folder).with_suffix("").parts
        if parts[0] in ("tests", root.stem) or parts[0] not in order:
            continue
        for name in sorted(imports(strip_comments(path.read_text(encoding="utf-8")), prefix)):
            name = aliases.get(name, name)
            if name not in order or name == parts[0]:
                continue
            if order.index(name) < order.index(parts[0]):
                wrong.append(f"{path}: imports {name}, which is above it in the map of {root}")
    return wrong


def main():
    """Checks each ROOT:FOLDER:PREFIX that is given."""
    wrong = []
    for argument in sys.argv[1:]:
        root, folder, prefix = argument.split(":", 2)
        wrong += check(pathlib.Path(root), pathlib.Path(folder), prefix)
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(sys.argv) - 1} maps, no file imports from above")


main()
