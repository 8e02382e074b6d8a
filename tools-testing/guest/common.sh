# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Helpers for the scripts that run inside the guest. To be sourced.

set -euo pipefail
# Errors of commands belong to what the host shows too.
exec 2>&1

# The last line that a script prints is what the host shows.
fail() {
	echo "$*"
	exit 1
}

# usage: load MODULE.ko [PARAMETER=VALUE...]
load() {
	[ -e "$1" ] || fail "there is no module $1"
	insmod "$@" || fail "insmod $1 failed: $(dmesg | tail -n 1)"
}

online() {
	grep -c '^processor' /proc/cpuinfo
}

# The counts of the interrupts with this description, an online CPU each.
interrupts() {
	awk -v what="$*" 'index($0, what) { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) print $i }' /proc/interrupts
}

call_interrupts() {
	interrupts Function call interrupts
}

sum() {
	awk '{ n += $1 } END { print n + 0 }'
}

# The guest's / is the host's, read-only.
scratch=/run/smp
mkdir -p $scratch

debugfs=/sys/kernel/debug

# Mounts it, where the init of the guest has not.
mount_debugfs() {
	mountpoint -q "$debugfs" || mount -t debugfs none "$debugfs"
}

tracing=/sys/kernel/tracing

# The same of the trace points and tracers.
mount_tracefs() {
	[ -e "$tracing/current_tracer" ] || mount -t tracefs none "$tracing"
}

# What all CPUs have counted of NAME, in the table of cross-CPU calls. usage: counted NAME
counted() {
	awk -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i; next }
		/^ *[0-9]/ { n += $column } END { print n + 0 }' "$debugfs/smp/stats"
}

# Injects a fault into a percentage of calls, up to a number of times. usage: inject FAULT PERCENT [TIMES]
inject() {
	local dir=$debugfs/fail_smp_$1
	echo "${3:--1}" >"$dir/times"
	echo 0 >"$dir/verbose"
	echo "$2" >"$dir/probability"
}

# Takes CPU $1 off and on, in the background, until there is a file $scratch/stop.
toggle_cpu() {
	local file=/sys/devices/system/cpu/cpu$1/online
	[ -e "$file" ] || fail "there is no CPU $1 to take off"
	while [ ! -e "$scratch/stop" ]; do
		echo 0 >"$file"
		echo 1 >"$file"
		echo >>"$scratch/toggles"
	done &
}
