# SPDX-License-Identifier: GPL-2.0
"""Writes a litmus test in C as one in the instructions of arm64.

usage: litmus_arm64.py lse|llsc TEST

Accesses become what the kernel's headers make of them there: with the atomic instructions of
ARMv8.1, or with exclusive loads and stores. Takes what the tests of
Documentation/litmus-tests/smp/ use of C, and no more.
"""

import re
import sys

# An access that reads: a name, and its arguments.
CALL = re.compile(r"(\w+)\((?:\*?(\w+))(?:, (\d+))?(?:, (\d+))?\)")
# Suffixes of an atomic instruction, and those of its exclusive load and store.
ORDERS = {"": ("AL", "X", "LX"), "_relaxed": ("", "X", "X"), "_acquire": ("A", "AX", "X")}


class Thread:
    """A thread: its instructions, and the registers that hold addresses."""

    def __init__(self, number, form, parameters):
        self.number = number
        self.form = form
        self.at = {name: f"X{10 + i}" for i, name in enumerate(parameters)}
        self.code = []
        self.labels = 0
        # The registers that say whether exclusive stores have failed.
        self.failed = []

    def add(self, *instructions):
        """Appends instructions."""
        self.code += instructions

    def label(self):
        """Returns a new label."""
        self.labels += 1
        return f"L{self.number}{self.labels}"

    def store(self, instruction, name, value):
        """Appends a store of a constant."""
        self.add(f"MOV W20,#{value}", f"{instruction} W20,[{self.at[name]}]")

    def exclusive_store(self, name, order):
        """Appends an exclusive store, without the loop around it: one that fails is not looked at."""
        self.failed.append(21 + len(self.failed))
        self.add(f"ST{ORDERS[order][2]}R W{self.failed[-1]},W20,[{self.at[name]}]")
        if order == "":
            self.add("DMB ISH")

    def exchange(self, to, name, order, new):
        """Appends xchg()."""
        suffix, load, _ = ORDERS[order]
        at = self.at[name]
        self.add(f"MOV W20,#{new}")
        if self.form == "lse":
            self.add(f"SWP{suffix} W20,{to},[{at}]")
            return
        self.add(f"LD{load}R {to},[{at}]")
        self.exclusive_store(name, order)

    def compare(self, to, name, order, old, new):
        """Appends cmpxchg()."""
        suffix, load, _ = ORDERS[order]
        at, end = self.at[name], self.label()
        self.add(f"MOV W20,#{new}")
        if self.form == "lse":
            self.add(f"MOV {to},#{old}", f"CAS{suffix} {to},W20,[{at}]")
            return
        self.add(f"LD{load}R {to},[{at}]", f"CMP {to},#{old}", f"B.NE {end}")
        self.exclusive_store(name, order)
        self.add(f"{end}:")

    def assign(self, to, value):
        """Appends an assignment to a register."""
        to = to.replace("r", "W")
        if re.fullmatch(r"\d+", value):
            self.add(f"MOV {to},#{value}")
        elif re.fullmatch(r"r\d", value):
            self.add(f"MOV {to},{value.replace('r', 'W')}")
        elif value.startswith("*"):
            self.add(f"LDR {to},[{self.at[value[1:]]}]")
        else:
            call, name, *numbers = CALL.fullmatch(value).groups()
            if call == "READ_ONCE":
                self.add(f"LDR {to},[{self.at[name]}]")
            elif call == "smp_load_acquire":
                self.add(f"LDAR {to},[{self.at[name]}]")
            elif call.startswith("cmpxchg"):
                self.compare(to, name, call.removeprefix("cmpxchg"), *numbers)
            else:
                self.exchange(to, name, call.removeprefix("xchg"), numbers[0])

    def statement(self, line):
        """Appends what a statement of C does."""
        if match := re.fullmatch(r"(?:int )?(r\d) = (.*)", line):
            self.assign(*match.groups())
        elif match := re.fullmatch(r"\*(\w+) = (\d+)|WRITE_ONCE\(\*(\w+), (\d+)\)", line):
            name, value = (field for field in match.groups() if field)
            self.store("STR", name, value)
        elif match := re.fullmatch(r"smp_store_release\((\w+), (\d+)\)", line):
            self.store("STLR", *match.groups())
        elif line == "smp_mb()":
            self.add("DMB ISH")
        elif line == "smp_wmb()":
            self.add("DMB ISHST")
        elif not re.fullmatch(r"int r\d|", line):
            sys.exit(f"no arm64 for: {line}")

    def body(self, text):
        """Appends what the body of a function does."""
        for condition, line in re.findall(r"\s*(?:if \((r\d == \d+)\)\s+)?([^;{}]*);", text):
            if condition:
                register, value = condition.replace("r", "W").split(" == ")
                end = self.label()
                self.add(f"CMP {register},#{value}", f"B.NE {end}")
            self.statement(line.strip())
            if condition:
                self.add(f"{end}:")


def main():
    """Prints the test."""
    form, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"\(\*.*?\*\)", "", file.read(), flags=re.S)
    name = text.split()[1]
    start = re.search(r"\{(.*?)\}", text, re.S).group(1)
    threads = []
    for number, parameters, body in re.findall(r"^P(\d)\((.*?)\)\n\{(.*?)^\}", text, re.S | re.M):
        threads.append(Thread(number, form, re.findall(r"\*(\w+)", parameters)))
        threads[-1].body(body)

    print(f"AArch64 {name}\n{{{start}")
    for thread in threads:
        print(" ".join(f"{thread.number}:{register}={name};" for name, register in thread.at.items()))
    print("}")
    rows = max(len(thread.code) for thread in threads)
    print(" | ".join(f"P{thread.number}" for thread in threads), ";")
    for i in range(rows):
        print(" | ".join(thread.code[i] if i < len(thread.code) else "" for thread in threads), ";")
    condition = re.search(r"^exists \((.*)\)", text, re.M).group(1)
    stored = [f" /\\ {thread.number}:X{register}=0" for thread in threads for register in thread.failed]
    print("exists (" + re.sub(r"(\d):r(\d)", r"\1:X\2", condition) + "".join(stored) + ")")


main()
