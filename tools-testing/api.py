# SPDX-License-Identifier: GPL-2.0
"""Prints the public items of Rust files, a line each, as rustfmt has formatted them.

usage: api.py FOLDER. Each line has the path of the item and its signature, sorted, for a file that shows a
change of the interface in review. With --examples it prints those items instead whose documentation has no
example, nor says where one is.
"""

import pathlib
import re
import sys

ITEM = re.compile(r"(?:const |unsafe |extern \"C\" )*(?:fn|struct|enum|trait|type|union|const) (\w+)")


def signature(lines, at):
    """Returns the item that begins at a line, up to its body, in one line."""
    text = ""
    for line in lines[at:]:
        text += " " + line.strip()
        if re.search(r";$|\{", line):
            break
    text = re.sub(r"\s*(\{.*|;)$", "", text.strip())
    # The value of a constant and the fields of a tuple struct are for the file itself.
    text = re.sub(r"^((?:pub )?const \w+: [^=]+) = .*$", r"\1", text)
    text = re.sub(r"^(pub struct [^(]+)\(.*\)$", r"\1", text)
    return re.sub(r",(?=$|[)>])", "", re.sub(r"(?<=[(<]) | (?=[)>])", "", re.sub(r"\s+", " ", text)))


def items(path, module):
    """Yields the public items of a file, and whether the documentation of each has an example."""
    owner, hidden, example, lines = "", False, False, path.read_text().splitlines()
    for at, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        word = line.strip()
        if word.startswith(("//", "#[")):
            hidden |= word == "#[doc(hidden)]"
            example |= word == "/// # Examples"
            continue
        if indent == 0 and word == "}":
            owner = ""
        elif indent == 0 and re.match(r"(unsafe )?impl\b", word):
            owner = re.sub(r"^.* for ", "", re.sub(r"^(unsafe )?impl(<.*?>)? ", "", word))
            owner = re.match(r"\w+", owner).group() if " for " not in word else ""
        public = re.match(r"pub (?!use|mod)", word)
        match = ITEM.match(re.sub(r"^pub ", "", word))
        if indent == 0 and (macro := re.match(r"macro_rules! (\w+)", word)):
            if lines[at - 1].startswith(("#[macro_export]", "#[doc")) and not hidden:
                yield f"kernel::{macro.group(1)}!", example
        elif match and not hidden and (public or owner.startswith("trait ")) and (indent == 0 or owner):
            name = owner.removeprefix("trait ")
            item = f"{module}{'::' + name if name and indent else ''}: {signature(lines, at)}"
            # The members of a trait have the example of the trait.
            yield item, example or owner.startswith("trait ")
            if indent == 0 and " trait " in f" {word}":
                owner = "trait " + match.group(1)
        if word:
            hidden = example = False


def main():
    examples = sys.argv[1] == "--examples"
    root = pathlib.Path(sys.argv[-1])
    found = set()
    for path in sorted(root.rglob("*.rs")):
        parts = path.relative_to(root).with_suffix("").parts
        if "tests" in parts or "testing" in parts or parts[0] == "helpers":
            continue
        for item, has_example in items(path, "::".join(("kernel", parts[0]))):
            if not (examples and has_example):
                found.add(item)
    print("".join(f"{line}\n" for line in sorted(found)), end="")


main()
