# SPDX-License-Identifier: GPL-2.0
"""Reads what deviations.py compares out of relocatable 64-bit objects."""

import collections
import re
import struct

Section = collections.namedtuple("Section", "name type flags data link info")
Symbol = collections.namedtuple("Symbol", "name section value size kind binding")
Relocation = collections.namedtuple("Relocation", "offset symbol addend")

SHN_LORESERVE = 0xFF00
SHT_SYMTAB, SHT_RELA, SHT_NOBITS = 2, 4, 8
STT_OBJECT, STT_FUNC, STT_SECTION = 1, 2, 3
BINDING = {0: "static", 1: "external", 2: "weak"}

# What macros and the compiler name, for tables that are read as such.
MADE = re.compile(r"$|\.L|.*__UNIQUE_ID_|__export_symbol_|__(setup|param)_|__initcall_|.*\.__trace_check_")


def text_at(data, offset):
    """Returns the string that begins there."""
    return data[offset : data.index(b"\0", offset)].decode("utf-8", "backslashreplace")


class Object:
    """One object: its sections, its symbols, and what is relocated in a section."""

    def __init__(self, path):
        self.path = path
        data = path.read_bytes()
        if data[:5] != b"\x7fELF\x02":
            raise ValueError(f"{path} is not a 64-bit object")
        (start,) = struct.unpack_from("<Q", data, 0x28)
        size, count, names = struct.unpack_from("<HHH", data, 0x3A)
        heads = [struct.unpack_from("<IIQQQQIIQQ", data, start + n * size) for n in range(count)]
        strings = data[heads[names][4] :]
        self.sections = []
        for name, kind, flags, _, offset, length, link, info, _, _ in heads:
            content = b"" if kind == SHT_NOBITS else data[offset : offset + length]
            self.sections.append(Section(text_at(strings, name), kind, flags, content, link, info))
        self.symbols = []
        for table in (s for s in self.sections if s.type == SHT_SYMTAB):
            strings = self.sections[table.link].data
            for name, info, _, section, value, length in struct.iter_unpack("<IBBHQQ", table.data):
                name, binding = text_at(strings, name), BINDING[info >> 4]
                self.symbols.append(Symbol(name, section, value, length, info & 15, binding))
        self.relocations = collections.defaultdict(list)
        for table in (s for s in self.sections if s.type == SHT_RELA):
            for offset, info, addend in struct.iter_unpack("<QQq", table.data):
                self.relocations[table.info].append(Relocation(offset, self.symbols[info >> 32], addend))

    def defined(self):
        """The symbols that a person has named, with the name of their section."""
        for symbol in self.symbols:
            if symbol.kind != STT_SECTION and 0 < symbol.section < SHN_LORESERVE and not MADE.match(symbol.name):
                yield symbol, self.sections[symbol.section].name

    def numbers(self, name):
        """The indices of the sections of that name."""
        return [n for n, section in enumerate(self.sections) if section.name == name]

    def function_at(self, section, offset):
        """The name of the function there."""
        for symbol in self.symbols:
            if (symbol.section, symbol.kind) == (section, STT_FUNC) and 0 <= offset - symbol.value < symbol.size:
                return symbol.name
        return "?"

    def target(self, relocation):
        """The section and the offset in it that a relocation of data leads to."""
        return relocation.symbol.section, relocation.symbol.value + relocation.addend

    def string_at(self, relocation):
        """The string that a relocation leads to."""
        section, offset = self.target(relocation)
        return text_at(self.sections[section].data, offset) if 0 < section < SHN_LORESERVE else None
