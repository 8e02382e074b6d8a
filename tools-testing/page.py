# SPDX-License-Identifier: GPL-2.0
"""Tables of pages: their form, and the lines between which they stand."""

import pathlib
import re
import sys

TESTING = pathlib.Path(__file__).resolve().parent.parent / "Documentation/dev-tools/smp/testing.rst"


def list_table(widths, rows):
    """Returns the lines of a table whose first row is its head."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in rows:
        lines += [f"   {'* -' if at == 0 else '  -'} {cell}".rstrip() for at, cell in enumerate(row)]
    return lines


def split(path, name):
    """Returns the text of a page before a table, the table, and the text after it."""
    text = path.read_text(encoding="utf-8")
    match = re.search(rf"^.*{name}: begin.*\n((?:.*\n)*?)^.*{name}: end", text, re.M)
    if not match:
        sys.exit(f"smp: {path} has no lines '{name}: begin' and '{name}: end'")
    return text[: match.start(1)], match[1], text[match.end(1) :]


def store(name, widths, rows):
    """Writes a table of the page about tests."""
    before, _, after = split(TESTING, name)
    TESTING.write_text("\n".join([before, *list_table(widths, rows), "", after]), encoding="utf-8")
