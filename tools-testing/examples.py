# SPDX-License-Identifier: GPL-2.0
"""Takes the examples in C and Rust out of pages (.md, .rst), each into a file of its own.

A line has the number in the file that it has in the page. The files are printed, a line each. Fails
if a block looks like code and does not say its language.
"""

import argparse
import pathlib
import re
import sys
import textwrap

# What the languages are called, and the names of their files.
SUFFIXES = {"c": "c", "rust": "rs"}


def indent(line):
    """Returns how many spaces a line begins with."""
    return len(line) - len(line.lstrip())


def markdown_blocks(lines):
    """Yields the blocks of a page in Markdown: index of the first line, language or "", lines."""
    start = fence = None
    language = ""
    for index, line in enumerate(lines):
        mark = re.match(r"\s*(```+|~~~+)\s*(\w*)", line)
        if fence:
            if mark and mark[1].startswith(fence):
                yield start, language, lines[start:index]
                start = fence = None
            continue
        if start is not None and line and indent(line) < 4:
            yield start, "", lines[start:index]
            start = None
        if mark:
            start, fence, language = index + 1, mark[1], mark[2]
        elif start is None and indent(line) >= 4 and not lines[index - 1]:
            start = index
    if start is not None:
        yield start, language if fence else "", lines[start:]


def sphinx_blocks(lines):
    """Yields the same of a page for Sphinx."""
    for index, line in enumerate(lines):
        directive = re.match(r"\s*\.\. +(?:code-block|code|sourcecode)::\s*(\w*)", line)
        if not directive and (not line.endswith("::") or line.lstrip().startswith(".. ")):
            continue
        start = end = index + 1
        while end < len(lines) and (not lines[end] or indent(lines[end]) > indent(line)):
            end += 1
        # Options stand before the first empty line.
        while directive and start < end and lines[start]:
            start += 1
        yield start, directive[1] if directive else "", lines[start:end]


def main():
    """Writes the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("page", type=pathlib.Path, nargs="+")
    args = parser.parse_args()

    for page in args.page:
        text = page.read_text(encoding="utf-8").expandtabs()
        lines = [line.rstrip() for line in text.split("\n")]
        blocks = markdown_blocks if page.suffix == ".md" else sphinx_blocks
        for start, language, block in blocks(lines):
            if language in SUFFIXES:
                example = args.folder / f"{page.stem}-{start + 1}.{SUFFIXES[language]}"
                code = textwrap.dedent("\n".join(block)).rstrip()
                example.write_text("\n" * start + code + "\n", encoding="utf-8")
                print(example)
            elif not language and any(line.endswith((";", "{")) for line in block):
                sys.exit(f"smp: {page}:{start + 1}: this looks like code, and names no language")


if __name__ == "__main__":
    main()
