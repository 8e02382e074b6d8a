# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The modules of our own that are built outside of the tree, and the program that interrupts all CPUs by
# system calls. To be sourced after kbuild.sh.

# Builds them for kernel NAME into build/modules/NAME, or one of them. usage: module NAME [MODULE]
module() {
	local dir=$build/modules/$1 log=$logs/modules-$1.log

	mkdir -p "$dir"
	cp "$here"/modules/* "$dir"
	[ -z "${2:-}" ] || echo "obj-m := $2.o" >"$dir/Makefile"
	kmake "$1" M="$dir" modules >"$log" 2>&1 </dev/null ||
		die "building the modules for build/$1 failed: $(build_error "$log") (log: $(short "$log"))"
}

# Compiles the program. usage: user_program COMPILER OUT LOG
user_program() {
	mkdir -p "$(dirname "$2")"
	"$1" -O2 -Wall -pthread -o "$2" "$here/bench/user.c" >"$3" 2>&1 ||
		die "the program was not compiled: $(build_error "$3") (log: $(short "$3"))"
}
