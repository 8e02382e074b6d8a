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

# The counts of a line of /proc/interrupts, an online CPU each.
interrupts() {
	awk -v k="$1:" '$1 == k { for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) print $i }' /proc/interrupts
}

sum() {
	awk '{ n += $1 } END { print n + 0 }'
}

# The guest's / is the host's, read-only.
scratch=/run/smp
mkdir -p $scratch

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
