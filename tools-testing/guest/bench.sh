#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: prints what calls cost, from C, from Rust and by system calls.
# usage: bench.sh FOLDER-OF-MODULES PROGRAM [PARAMETER=VALUE...]; the parameters are for smp_bench.

. "$(dirname "$0")/common.sh"
modules=$1 program=$2
shift 2

# What a module has said, without what the console adds. The last line is its count of figures.
figures_of() {
	local module=$1
	dmesg -C
	load "$modules/$module.ko" "${@:2}"
	dmesg -t | grep -a "^$module: "
	rmmod "$module"
}

echo "clock source: $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
figures_of smp_bench "$@"
[ $# = 0 ] || exit 0
figures_of smp_bench_api
"$program"
