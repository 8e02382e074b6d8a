#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs smptop in the Rust kernel and in the C one, where a program on CPU 0 disturbs CPU 3, which is
# isolated and has no tick: it must name that program's calls first. Draws a few calls.
# With LIVE=1, for "make top": only shows it, in a terminal.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
. "$here/item.sh"
lock
[ -n "${LIVE:-}" ] || begin_items
"$here/setup.sh"
python=$cache/venv/bin/python3
# What tells smptop of the terminal.
terminal=()

# usage: prepare KERNEL
prepare() {
	"$here/kernel.sh" "$1"
	user_program clang-22 "$build/top/user" "$logs/top-user.log"
}

# Runs smptop and the program that disturbs all CPUs. usage: run_in KERNEL LIMIT APPEND [live]
run_in() {
	boot "top-$1" "$1" "$2" "$3" "$(printf '%q ' env "${terminal[@]}" "$here/guest/top.sh" "$python" "$top/smptop" \
		"$build/top/user" "${@:4}")"
}

# usage: look KERNEL
look() {
	local kernel=$1 out=$build/top/$1
	prepare "$kernel"
	rm -rf "$out"
	mkdir -p "$out"
	CPUS=4 run_in "$kernel" 300 "isolcpus=3 nohz_full=3"
	awk -v dir="$out/" '$1 == "part" { out = dir $2; next } out { print > out }' "$logs/top-$kernel.out"
	cat "$out"/{once,table,latency,shell}
	MPLCONFIGDIR=$cache/matplotlib "$python" -B "$here/top.py" "$out" --kernel "$kernel"
}

if [ -n "${LIVE:-}" ]; then
	kernel=$(kernel_name)
	prepare "$kernel"
	say BOOT "$(short "$build/$kernel"): a program on CPU 0 disturbs all others; CTRL+c ends it"
	terminal=(TTY_COMPATIBLE=1 "COLUMNS=$(tput cols 2>/dev/null || echo 120)" "LINES=$(tput lines 2>/dev/null || echo 40)")
	SHOW=1 run_in "$kernel" 86400 "" live
	exit
fi
for kernel in rust c; do
	item "smptop, $kernel" look $kernel
done
end_items
