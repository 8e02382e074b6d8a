# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# The modules of our own that are built outside of the tree. To be sourced after kbuild.sh.

# Builds them for kernel NAME into build/modules/NAME. usage: module NAME
module() {
	local dir=$build/modules/$1

	mkdir -p "$dir"
	cp "$here"/modules/* "$dir"
	kmake "$1" M="$dir" modules >"$logs/modules-$1.log" 2>&1 </dev/null ||
		die "building the modules for build/$1 failed: $(build_error "$logs/modules-$1.log") (log: $(short "$logs")/modules-$1.log)"
}
