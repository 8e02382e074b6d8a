# SPDX-License-Identifier: GPL-2.0
"""Shows the table of the checks, and writes it where documents have it.

usage: checks.py rows [NAME...]      the rows for test.sh: level, title, command, name, kernels, with tabs between
       checks.py list                the checks for a person
       checks.py fill [--check] FILE...  between the lines "checks: begin" and "checks: end"
"""

import dataclasses
import pathlib
import re
import sys

import page

TABLE = pathlib.Path(__file__).parent / "checks"


@dataclasses.dataclass
class Row:
    """A row of the table."""

    name: str
    level: str
    command: str
    kernels: str
    guest: str
    time: str
    shows: str

    def title(self):
        """Returns the name, with the arguments of the command."""
        arguments = re.sub(r"^.*?\.sh ?", "", self.command)
        return f"{self.name} {arguments}".strip()


def rows():
    """Returns all rows."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    fields = [line.split("|") for line in lines if line and not line.startswith("#")]
    return [Row(*(field.strip() for field in row)) for row in fields]


def checks():
    """Returns the first row of each name."""
    first = {}
    for row in rows():
        first.setdefault(row.name, row)
    return list(first.values())


def print_rows(names):
    """Prints the rows for test.sh: those with a level, or those of some names."""
    known = {row.name for row in rows()}
    for name in names:
        if name not in known:
            sys.exit(f"smp: T: there is no check {name}: 'make test T=list' shows all")
    for row in rows():
        if row.name in names if names else row.level != "-":
            print(row.level, row.title(), row.command, row.name, row.kernels, sep="\t")


def print_list():
    """Prints the checks for a person."""
    print("make test runs all checks but those with a *; make test T='NAME NAME' runs some.\n")
    for row in checks():
        mark = "*" if row.level == "-" else " "
        print(f"{mark} {row.name:12}{row.time:>7}  {row.shows}")


def table(kind):
    """Returns the table as lines of a document."""
    if kind == ".md":
        return [
            "| check | in `make test` | shows |",
            "|---|---|---|",
            *(f"| `{row.name}` | {row.level} | {row.shows} |" for row in checks() if row.level != "-"),
        ]
    if kind == ".rst":
        head = ("check", "in make test", "kernels", "guest scripts", "time", "shows")
        body = [
            (f"``{row.name}``", row.level.replace("-", "no"), row.kernels, row.guest, row.time, row.shows)
            for row in checks()
        ]
        cells = [["" if cell == "-" else cell.replace("*", r"\*") for cell in row] for row in (head, *body)]
        return page.list_table((14, 10, 16, 14, 10, 36), cells)
    return [f"  {row.name:12}{row.command.replace('+ ', ''):28}{row.shows}" for row in checks()]


def fill(path, check):
    """Writes the table into a document, or returns whether it is there already."""
    before, found, after = page.split(path, "checks")
    lines = "\n".join(table(path.suffix)) + "\n"
    if path.suffix:
        lines = f"\n{lines}\n"
    if check:
        return found == lines
    path.write_text(before + lines + after, encoding="utf-8")
    return True


def main():
    """Does what the first argument says."""
    what, *arguments = sys.argv[1:]
    if what == "rows":
        print_rows(arguments)
    elif what == "list":
        print_list()
    elif what == "fill":
        check = "--check" in arguments
        for name in arguments:
            if name != "--check" and not fill(pathlib.Path(name), check):
                sys.exit(f"{name}: its table is not that of {TABLE.name}: checks.py fill {name}")
    else:
        sys.exit(__doc__)


main()
