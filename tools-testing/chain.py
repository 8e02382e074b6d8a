# SPDX-License-Identifier: GPL-2.0
"""Prints the longest chains of functions from entry points to an end, and checks their lengths.

Reads the LLVM IR of a crate that was compiled without inlining, so that each function is there. Functions
of other crates, such as kernel and core, are walked through and not counted. What is marked #[cold] is
left out: it is off the path that a call normally takes.
"""

import argparse
import re
import subprocess
import sys


def demangle(names):
    """Returns a readable name for each mangled one."""
    out = subprocess.run(
        ["llvm-cxxfilt-22"], input="\n".join(names), capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return dict(zip(names, out))


def read(text):
    """Returns the calls of each function, and the functions that are cold. None: an indirect call."""
    cold = set(re.findall(r"^attributes (#\d+) = \{[^}]*\bcold\b", text, re.M))
    calls, is_cold, name = {}, set(), None
    for line in text.splitlines():
        define = re.match(r'define .*?@"?([\w.$]+)"?\(', line)
        if define:
            name = define.group(1)
            calls[name] = []
            if cold & set(re.findall(r" (#\d+)(?= )", line)):
                is_cold.add(name)
        elif name and re.match(r"\s+(?:%\S+ = )?(?:(?:tail|musttail|notail) )?(?:call|invoke) ", line):
            callee = re.search(r'(?:@"?([\w.$]+)"?|(%[\w.]+))\(', line)
            if callee:
                if not (callee.group(1) or "").startswith("llvm."):
                    calls[name].append(callee.group(1))
            elif " asm " not in line:
                sys.exit(f"this call is not understood: {line.strip()}")
        elif line == "}":
            name = None
    return calls, is_cold


class Crate:
    """A crate's functions, by readable names without hashes and type arguments."""

    def __init__(self, text, crate):
        self.calls, self.cold = read(text)
        self.crate = crate
        self.names = demangle(list(self.calls))

    def title(self, name):
        """Returns the name of one of the crate's own functions, a closure by that of its function."""
        full = re.sub(r"^<([\w:]+)>", r"\1", self.names[name])
        if not full.startswith(f"{self.crate}::"):
            return None if full.startswith("<") or "::" in full else full
        return re.sub(r"(::\{closure[^}]*\})+$", "", full.removeprefix(f"{self.crate}::"))

    def is_called(self, callee, end):
        """Whether this is the function, be it in C, a C inline function, or one in Rust of its name."""
        return callee in (end, f"rust_helper_{end}") or self.names.get(callee, "").split("::")[-1] == end

    def longest(self, name, end, seen=()):
        """Returns the longest chain from a function to a call of end, or None."""
        title = self.title(name)
        best = None
        for callee in self.calls[name]:
            if callee == end or (end and self.is_called(callee, end)):
                rest = []
            elif callee in self.calls and callee not in self.cold and callee not in seen:
                rest = self.longest(callee, end, (*seen, name))
            else:
                continue
            if rest is not None and (best is None or len(rest) > len(best)):
                best = rest
        if best is None or title is None or (best and best[0] == title):
            return best
        return [title, *best]


def main():
    """Prints a line for each chain, and fails if one is longer than its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ir")
    parser.add_argument("crate")
    parser.add_argument(
        "chain",
        nargs="+",
        help="C:START:END:LIMIT; C is the C function that calls START, and END is empty for a callback",
    )
    args = parser.parse_args()
    with open(args.ir, encoding="utf-8") as file:
        crate = Crate(file.read(), args.crate)
    failed = []
    for chain in args.chain:
        caller, start, end, limit = chain.split(":")
        names = crate.longest(start, end or None)
        if names is None:
            failed.append(f"{start} does not lead to {end or 'a callback'}")
            continue
        names = [caller, *names]
        print(f"{len(names)}, {limit} at most: {' > '.join(names)}")
        if len(names) > int(limit):
            failed.append(f"{start}: {len(names)} functions, and {limit} at most")
    if failed:
        sys.exit("\n".join(failed))


main()
