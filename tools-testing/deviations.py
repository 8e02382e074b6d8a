# SPDX-License-Identifier: GPL-2.0
"""Compares what tools can see of C's objects with ours, one kind of thing a run.

A difference is either gone or in the list of deviations, which is a page of the documentation. Fails
if one is not in the list, and if one in the list is gone.
"""

import argparse
import collections
import pathlib
import re
import struct
import subprocess
import sys

from elf import STT_FUNC, STT_OBJECT, Object

APIC = "arch/x86/kernel/apic"

# C's file, and what has ours: objects, or archives of them. Those of kernel/smp/ are named by the caller.
GROUPS = {
    "smp": ("kernel/smp", []),
    "x2apic_cluster": (f"{APIC}/x2apic_cluster", [f"{APIC}/x2apic_cluster.o", f"{APIC}/x2apic/built-in.a"]),
    "x2apic_phys": (f"{APIC}/x2apic_phys", [f"{APIC}/x2apic_phys.o", f"{APIC}/x2apic/built-in.a"]),
}

# The headings of the page, and the differences below them.
HEADINGS = {
    "What C has and kernel/smp/ has not": "missing",
    "What both have and differs": "different",
    "What kernel/smp/ has in addition": "more",
}

# debug: the objects made of C once more, with debugging information; tool: what reads it.
Build = collections.namedtuple("Build", "objects debug source tool")


def fail(text):
    """Ends with one line."""
    sys.exit(f"smp: {text}")


def run(*command, text=None, cwd=None):
    """Runs a tool, and returns what it prints."""
    done = subprocess.run(command, input=text, cwd=cwd, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        fail(f"{pathlib.Path(command[0]).name} failed for {command[-1]}")
    return done.stdout


def symbols(build, kind):
    """Functions or variables: whether they are static, and how large variables are."""
    found = {}
    for o in build.objects:
        for symbol, _ in o.defined():
            if symbol.kind == kind:
                found[symbol.name] = symbol.binding + (f", {symbol.size} bytes" if kind == STT_OBJECT else "")
    return found


def functions(build):
    """Functions, those that kprobes and stacks show."""
    return symbols(build, STT_FUNC)


def variables(build):
    """Variables, those that debuggers look up."""
    return symbols(build, STT_OBJECT)


def sections(build):
    """The section that a symbol lives in: whether it is freed after boot, per CPU, seldom written."""
    return {symbol.name: section for o in build.objects for symbol, section in o.defined()}


def traced(build):
    """Whether ftrace can trace a function: it begins with a call of __fentry__."""
    found = {}
    for o in build.objects:
        traceable = {
            o.function_at(number, relocation.offset)
            for number, relocations in o.relocations.items()
            for relocation in relocations
            if relocation.symbol.name == "__fentry__"
        }
        for symbol, _ in o.defined():
            if symbol.kind == STT_FUNC:
                found[symbol.name] = "traced" if symbol.name in traceable else "not traced"
    return found


def frames(build):
    """Whether a function may end in a jump to another: a stack does not show it below the other."""
    found = {}
    for o in build.objects:
        lines = run("llvm-objdump-22", "-dr", "--no-show-raw-insn", str(o.path)).splitlines()
        names = {symbol.name for symbol, _ in o.defined() if symbol.kind == STT_FUNC}
        now = None
        for line, after in zip(lines, lines[1:] + [""]):
            if head := re.match(r"[0-9a-f]+ <(.+)>:$", line):
                if not head[1].startswith(".L"):
                    now = head[1]
                    if now in names:
                        found.setdefault(now, "returns")
            elif jump := re.match(r" *[0-9a-f]+: *\tj\w+\t.*<(.+?)(\+0x\w+)?>", line):
                relocation = re.match(r"\t\t[0-9a-f]+: +R_X86_64_\w+\t(.+?)([-+]0x\w+)?$", after)
                target = relocation[1] if relocation else jump[1]
                if target not in (now, "__x86_return_thunk") and not target.startswith(".L") and now in names:
                    found[now] = "ends in a jump"
    return found


def exports(build):
    """What is exported, to all modules or to those under the GPL, and in which namespace."""
    found = {}
    for o in build.objects:
        for number in o.numbers(".export_symbol"):
            data, start = o.sections[number].data, 0
            for relocation in sorted(o.relocations[number]):
                licence, namespace = data[start : relocation.offset].decode().split("\0")[:2]
                kind = f"EXPORT_SYMBOL_{licence}" if licence else "EXPORT_SYMBOL"
                found[relocation.symbol.name] = f"{kind}, {namespace}" if namespace else kind
                start = relocation.offset + 8
    return found


def parameters(build):
    """Boot and module parameters, with type and permissions."""
    found = {}
    for o in build.objects:
        for number in o.numbers(".init.setup"):
            at = {relocation.offset: relocation for relocation in o.relocations[number]}
            for offset, early in enumerate(struct.iter_unpack("<16xi4x", o.sections[number].data)):
                found[o.string_at(at[offset * 24])] = "early" if early[0] else "not early"
        for number in o.numbers("__param"):
            at = {relocation.offset: relocation for relocation in o.relocations[number]}
            for offset, (mode, level, flags) in enumerate(struct.iter_unpack("<24xHbB12x", o.sections[number].data)):
                kind = at[offset * 40 + 16].symbol.name.removeprefix("param_ops_")
                found[o.string_at(at[offset * 40])] = f"{kind}, {mode:#o}, level {level}, flags {flags}"
        for number in o.numbers(".modinfo"):
            for text in o.sections[number].data.decode().split("\0"):
                if "parm" in text:
                    found[text] = "modinfo"
    return found


def trace_points(build):
    """The trace points that are called."""
    found = {}
    for o in build.objects:
        for number, relocations in o.relocations.items():
            if o.sections[number].flags & 4 or o.sections[number].name == "__jump_table":
                for relocation in relocations:
                    if relocation.symbol.name.startswith("__tracepoint_"):
                        found[relocation.symbol.name.removeprefix("__tracepoint_")] = "called"
    return found


def strings(build):
    """All strings of C code, but names of files."""
    for o in build.objects:
        for section in o.sections:
            if section.name.startswith((".rodata.str", ".init.rodata")):
                for text in section.data.decode("utf-8", "backslashreplace").split("\0"):
                    if text and not re.search(r"\.(c|h|rs)$", text):
                        yield text


def shown(text):
    """A string as the page has it: without the level, and with single spaces."""
    return " ".join(re.sub(r"^\x01.", "", text).split())


def log_lines(build):
    """Formats of lines of the log, and their levels."""
    return {shown(text): f"level {text[1]}" for text in strings(build) if text[0] == "\x01"}


def other_strings(build):
    """Other strings, but the endings of plurals: formats of warnings and trace events, names in /proc and debugfs."""
    return {shown(text): "" for text in strings(build) if text[0] != "\x01" and len(text) > 1}


def printed_in_rust(text, build):
    """Is it the format of a line that a macro of Rust prints? Rust has it in pieces, one after the other."""
    text = re.sub(r"^smp: ", "", text)
    pieces = [re.escape(piece) for piece in re.split(r"%[-#0-9.]*[a-z]+[A-Z]?", text) if piece.strip()]
    # A short one is found anywhere.
    pattern = re.compile(r".{1,3}".join(pieces).encode(), re.DOTALL)
    return len(text) > 10 and any(
        pattern.search(section.data)
        for o in build.objects
        for section in o.sections
        if section.name.startswith(".rodata")
    )


def file_name(text):
    """A file as the kernel names it: folders from which our files are linked, and the tree's, are left out."""
    return re.sub(r"^(\.\./)+linux/", "", re.sub(r"^.*\bkernel-smp/", "kernel/smp/", text))


def warning_entries(build):
    """The places in the table of WARN and BUG: function, word, format, file, line."""
    for o in build.objects:
        for number in o.numbers("__bug_table"):
            at = {relocation.offset: relocation for relocation in o.relocations[number]}
            data = o.sections[number].data
            for offset in range(0, len(data), 16):
                line, flags = struct.unpack_from("<HH", data, offset + 12)
                word = ("WARN_ONCE" if flags & 2 else "WARN") if flags & 1 else "BUG"
                function, text = o.function_at(*o.target(at[offset])), o.string_at(at[offset + 4])
                yield function, word, shown(text or ""), file_name(o.string_at(at[offset + 8])), line


def warnings(build):
    """The places that warn, as a report names them: by function; and how many lines there do."""
    lines = collections.defaultdict(set)
    for function, word, text, file, line in warning_entries(build):
        lines[f"{word} in {function}" + (f": {text}" if text else "")].add((file, line))
    names = dict(zip(lines, run("llvm-cxxfilt-22", "--no-params", text="\n".join(lines)).splitlines()))
    return {names[name]: f"{len(places)} places" for name, places in lines.items()}


def warning_files(build):
    """The files that reports of WARN and BUG name."""
    return {file: "" for _, _, _, file, _ in warning_entries(build)}


def hashes(build, names):
    """Hashes of the types of symbols, with all that they are made of, as CONFIG_GENDWARFKSYMS has them."""
    found = {}
    for o in build.debug:
        if here := names & {symbol.name for symbol, _ in o.defined()}:
            for line in run(build.tool, str(o.path), text="\n".join(here) + "\n").splitlines():
                _, name, value = line.split()
                found[name] = value
    if names and not found:
        fail(f"no debugging information for {' '.join(names)}")
    return found


def members(build, name):
    """The members of a structure, with their types and places."""
    found = []
    for o in build.debug:
        for entry in run("llvm-dwarfdump-22", f"--name={name}", "--show-children", str(o.path)).split("\n\n"):
            if "DW_TAG_member" in entry:
                found += re.findall(r"DW_AT_(?:name|type|data_member_location)\t\((?:0x\w{8} )?(.*)\)", entry)
    return " ".join(found).replace('"', "")


def types(build):
    """The types of what C's file names, and not only a macro. What is in Rust has no type of C."""
    text = build.source.read_text()
    names = set(re.findall(r"\w+", text))
    found = hashes(build, names & (variables(build).keys() | functions(build).keys()))
    # A hash leaves out what a structure of a C file, and not of a header, is made of.
    for name in re.findall(r"^struct (\w+) {$", text, re.MULTILINE):
        if layout := members(build, name):
            found[f"struct {name}"] = layout
    return dict.fromkeys(names & variables(build).keys(), "a type of Rust") | found


def versions(build):
    """The versions that CONFIG_MODVERSIONS would give what is exported."""
    names = exports(build).keys()
    found = hashes(build, names)
    return {name: found.get(name, "none") for name in names}


# Each kind: what it is called, what reads it, and which differences count.
KINDS = {
    "function": ("a function", functions, HEADINGS.values()),
    "variable": ("a variable", variables, HEADINGS.values()),
    "section": ("the section of a symbol", sections, ["different"]),
    "traced": ("a function for ftrace", traced, ["different"]),
    "frame": ("the frame of a function", frames, ["different"]),
    "export": ("an export", exports, HEADINGS.values()),
    "version": ("the version of an export", versions, ["different"]),
    "type": ("the type of a symbol", types, ["different"]),
    "parameter": ("a parameter", parameters, HEADINGS.values()),
    "trace point": ("a trace point", trace_points, HEADINGS.values()),
    "log line": ("a log line", log_lines, HEADINGS.values()),
    "string": ("a string", other_strings, ["missing"]),
    "warning": ("a WARN or BUG", warnings, HEADINGS.values()),
    "file": ("a file with a WARN or BUG", warning_files, HEADINGS.values()),
}



def read_page(page):
    """Returns the rows of the tables: difference, kind, name. A row has one name or more."""
    rows, difference = [], None
    lines = page.read_text().splitlines()
    text = ""
    for line, after in zip(lines, lines[1:] + [""]):
        if re.match(r"(=+|-+)$", after) and line:
            difference = HEADINGS.get(line)
        elif difference:
            text += f"\n{difference}" * line.startswith("   * - ") + f"\n{line}"
    for difference, row in re.findall(r"^(\w+)\n   \* - (.*?)(?=^\w|\Z)", text, re.DOTALL | re.MULTILINE):
        kind, names, *_ = row.split("\n     - ")
        if kind == "kind":
            continue
        if kind not in KINDS:
            fail(f"{page.name} has the kind {kind}, and there is none of that name")
        rows += [(difference, kind, " ".join(name.split())) for name in re.findall(r"``(.+?)``", names, re.DOTALL)]
    if not rows:
        fail(f"{page.name} has no list of deviations")
    if twice := [row for row, count in collections.Counter(rows).items() if count > 1]:
        fail("{} lists the {} {} twice as {}".format(page.name, *twice[0][1:], twice[0][0]))
    return rows


def paths_of(folder, paths):
    """The objects of a build: those named, and those that archives consist of."""
    for path in paths:
        if path.endswith(".a"):
            # A thin archive is read where it was made.
            yield from run("llvm-ar-22", "t", path, cwd=folder).split()
        else:
            yield path


def builds(args, group):
    """The objects of C and ours."""
    source, ours = GROUPS[group]
    for folder, given in ((args.c, [f"{source}.o"]), (args.rust, ours or args.objects)):
        paths = list(paths_of(folder, given))
        debug = [args.debug / folder.name / path for path in paths]
        yield Build(
            [Object(folder / path) for path in paths],
            [Object(path) for path in debug if path.exists()],
            args.linux / f"{source}.c",
            args.debug / "gendwarfksyms",
        )


def inlined(build):
    """The static functions in C's file that its compiler has inlined: no tool sees them there either."""
    defined = re.findall(r"^static [\w *]*?(\w+)\([^;]*?\)\n\{", build.source.read_text(), re.MULTILINE)
    return set(defined) - functions(build).keys()


def compare(kind, has, got, ours):
    """The differences: which, the name, and what C has and what this has."""
    counts = KINDS[kind][2]
    for name in sorted(has.keys() - got.keys()):
        if "missing" in counts and not (kind in ("log line", "string") and printed_in_rust(name, ours)):
            yield "missing", name, ""
    for name in sorted(has.keys() & got.keys()):
        if "different" in counts and has[name] != got[name]:
            yield "different", name, f"{has[name]} in C, {got[name]} here"
    for name in sorted(got.keys() - has.keys()):
        # What is static and new does not get in the way of a name of C's.
        if "more" in counts and not got[name].startswith("static"):
            yield "more", name, ""


def matches(pattern, name):
    """Does a name of the list, with * for anything, stand for this one?"""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name)


def main():
    """Compares one kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    for name in ("c", "rust", "linux", "debug", "page"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("objects", nargs="+", help="what is there in place of kernel/smp.o")
    args = parser.parse_args()
    what, read, counts = KINDS[args.kind]
    rows = [(difference, name) for difference, kind, name in read_page(args.page) if kind == args.kind]
    total, listed, bad, used, hidden = 0, 0, [], set(), set()

    for group in GROUPS:
        theirs, ours = builds(args, group)
        has, got = read(theirs), read(ours)
        total += len(has if "missing" in counts else has.keys() & got.keys())
        if args.kind == "function":
            hidden |= inlined(theirs)
        place, prefix = ("kernel/smp/", "") if group == "smp" else (f"{APIC}/", f"{group}: ")
        for difference, name, values in compare(args.kind, has, got, ours):
            name = prefix + name
            text = {
                "missing": f"{what} that C has and {place} has not: {name}",
                "different": f"{what} differs: {name}: {values}",
                "more": f"{what} that {place} has and C has not: {name}",
            }[difference]
            if fits := [row for row in rows if row[0] == difference and matches(row[1], name)]:
                used.update(fits)
                listed += 1
                print(f"listed: {text}")
            else:
                bad.append(text)
    for difference, name in rows:
        if (difference, name) not in used:
            bad.append(f"{what} that {args.page.name} lists as {difference}, and that is not: {name}")
    if hidden:
        print(f"inlined in C, and no symbols: {' '.join(sorted(hidden))}")
    for text in bad:
        print(text)
    if bad:
        fail(bad[0] + (f", and {len(bad) - 1} more" if bad[1:] else ""))
    note = f"; C's compiler has inlined {len(hidden)} more" if hidden else ""
    print(f"{total} of C compared, {f'deviations: {listed}, all listed' if listed else 'no deviation'}{note}")


main()
