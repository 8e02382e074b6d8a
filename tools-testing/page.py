# SPDX-License-Identifier: GPL-2.0
"""The tables of the page about tests that are filled by what they show: coverage and mutation score."""

import pathlib
import sys

from bench_page import list_table

PAGE = pathlib.Path(__file__).resolve().parent.parent / "Documentation/dev-tools/smp/testing.rst"


def split(name):
    """Returns the text of the page before a table, the table, and the text after it."""
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(f".. {name}: begin\n")
    table, end, after = rest.partition(f".. {name}: end\n")
    if not end:
        sys.exit(f"smp: {PAGE.name} has no table {name}")
    return before + begin, table, end + after


def store(name, widths, rows):
    """Writes a table."""
    before, _, after = split(name)
    PAGE.write_text("\n".join([before, *list_table(widths, rows), "", after]), encoding="utf-8")


def of(number, whole):
    """Returns a share for a person."""
    return f"{number} of {whole}, {100 * number / whole:.1f} %" if whole else "none"
