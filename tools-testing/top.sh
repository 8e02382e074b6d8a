#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs smptop in the Rust kernel and in the C one, where a program on CPU 0 disturbs CPU 3, which is
# isolated: it must name that program's calls first. Draws a few calls.
# With LIVE=1, for "make top": only shows it, in a terminal.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/item.sh"
lock
[ -n "${LIVE:-}" ] || begin_items
"$here/setup.sh"
python=$cache/venv/bin/python3

# The program that disturbs all CPUs.
program() {
	mkdir -p "$build/top"
	clang-22 -O2 -Wall -pthread -o "$build/top/user" "$here/bench/user.c" >"$logs/top-user.log" 2>&1 ||
		die "the program was not compiled: $(build_error "$logs/top-user.log") (log: $(short "$logs")/top-user.log)"
}

# usage: look KERNEL
look() {
	local kernel=$1 out=$build/top/$1
	"$here/kernel.sh" "$kernel"
	program
	rm -rf "$out"
	mkdir -p "$out"
	CPUS=4 boot "top-$kernel" "$kernel" 300 "isolcpus=3" \
		"$(printf '%q ' "$here/guest/top.sh" "$python" "$top/smptop" "$build/top/user")"
	awk -v dir="$out/" '$1 == "part" { out = dir $2; next } out { print > out }' "$logs/top-$kernel.out"
	cat "$out"/{once,table,latency,shell}
	"$python" -B "$here/top.py" "$out" --kernel "$kernel"
}

if [ -n "${LIVE:-}" ]; then
	kernel=$(kernel_name)
	"$here/kernel.sh" "$kernel"
	program
	say BOOT "$(short "$build/$kernel"): a program on CPU 0 disturbs all others; CTRL+c ends it"
	SHOW=1 boot top "$kernel" 86400 "" "$(printf '%q ' env TTY_COMPATIBLE=1 COLUMNS="$(tput cols 2>/dev/null || echo 120)" \
		LINES="$(tput lines 2>/dev/null || echo 40)" "$here/guest/top.sh" "$python" "$top/smptop" "$build/top/user" live)"
	exit
fi
for kernel in rust c; do
	item "smptop, $kernel" look $kernel
done
end_items
