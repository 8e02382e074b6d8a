#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: prints what calls cost, from C, from Rust and by system calls.
# usage: bench.sh BUILD-FOLDER FOLDER-OF-MODULES PROGRAM [PARAMETER=VALUE of smp_bench...]

. "$(dirname "$0")/common.sh"
build=$1 modules=$2 program=$3
shift 3

# What a module has said, without what the console adds. The last line is its count of figures.
figures_of() {
	local module=${1##*/}
	dmesg -C
	load "$1.ko" "${@:2}"
	dmesg -t | grep -a "^$module: "
	rmmod "$module"
}

echo "clock source: $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
figures_of "$build/kernel/smp/tests/smp_bench" "$@"
[ $# = 0 ] || exit 0
figures_of "$modules/smp_bench_api"
figures_of "$modules/smp_bench_peek"
"$program"
