# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The modules of our own that are built outside of the tree. To be sourced after kbuild.sh.

# Builds them for kernel NAME into build/modules/NAME, or one of them. usage: module NAME [MODULE]
module() {
	local dir=$build/modules/$1 log=$logs/modules-$1.log

	mkdir -p "$dir"
	cp "$here"/modules/* "$dir"
	[ -z "${2:-}" ] || echo "obj-m := $2.o" >"$dir/Makefile"
	kmake "$1" M="$dir" modules >"$log" 2>&1 </dev/null ||
		die "building the modules for build/$1 failed: $(build_error "$log") (log: $(short "$log"))"
}
