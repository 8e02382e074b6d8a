#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Compares what tools can see of C's objects with ours: symbols, sections, what ftrace can trace, frames,
# exports, types, parameters, trace points, log lines, WARN places. What differs is in the list of
# deviations, a page that is read here; all else, and what is listed and gone, fails.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/item.sh"
lock
begin_items
"$here/setup.sh" dwarf
"$here/kernel.sh" c
"$here/kernel.sh" rust
page=$top/Documentation/core-api/smp-rust-deviations.rst
work=$build/deviations
mkdir -p "$work"

# The kernel's own program for CONFIG_GENDWARFKSYMS: it hashes a type with all that it is made of.
build_tool() {
	[ "$work/gendwarfksyms" -nt "$linux/scripts/gendwarfksyms/gendwarfksyms.c" ] ||
		clang-22 -O1 -w -I"$linux/scripts/include" -o "$work/gendwarfksyms" \
			"$linux"/scripts/gendwarfksyms/*.c -ldw -lelf -lz
}

# What kbuild compiled an object with, if that was C, as a command that adds debugging information.
debug_command() {
	sed -nE '1 {
		/ -c -o /!q
		s/^[^ ]* := //; s/ ; .*//; s/ -Wp,-MMD,[^ ]*//; s/ -c -o [^ ]*/ -g -c -o "$OUT"/
		p
	}' "$1"
}

# Compiles the C files of a kernel once more. usage: debug_objects NAME FILE...
debug_objects() {
	local o=$build/$1 file command out
	shift
	for file in "$@"; do
		[ -e "$o/$file" ] || continue
		command=$(debug_command "$o/$(dirname "$file")/.$(basename "$file").cmd")
		out=$work/$(basename "$o")/$file
		[ -n "$command" ] || rm -f "$out"
		if [ -z "$command" ] || [ "$out" -nt "$o/$file" ]; then continue; fi
		mkdir -p "$(dirname "$out")"
		"${clean_env[@]}" OUT="$out" env -C "$o" sh -c "$command"
	done
}

# usage: compare KIND
compare() {
	local apic=arch/x86/kernel/apic ours
	mapfile -t ours < <(smp_objects rust)
	ours=("${ours[@]#"$build/rust/"}")
	case "$1" in
	type | version)
		build_tool
		debug_objects c kernel/smp.o $apic/x2apic_{cluster,phys}.o
		debug_objects rust "${ours[@]}" $apic/x2apic_{cluster,phys}.o
		;;
	esac
	python3 -B "$here/deviations.py" "$1" "$build/c" "$build/rust" "$linux" "$work" "$page" "${ours[@]}"
}

item "as C: functions" compare function
item "as C: variables" compare variable
item "as C: sections" compare section
item "as C: traced by ftrace" compare traced
item "as C: stack frames" compare frame
item "as C: exports" compare export
item "as C: symbol versions" compare version
item "as C: types of variables" compare type
item "as C: parameters" compare parameter
item "as C: trace points" compare "trace point"
item "as C: log lines" compare "log line"
item "as C: other strings" compare string
item "as C: WARN places" compare warning
item "as C: files of WARN places" compare file
end_items
