#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: a step after smpcfd:prepare fails as CPU 1 comes up; afterwards it comes up.

. "$(dirname "$0")/common.sh"
cpu=/sys/devices/system/cpu/cpu1
mapfile -t later < <(sed -n '/smpcfd:prepare/,$p' /sys/devices/system/cpu/hotplug/states | sed -nE '1d; s/^ *([0-9]+):.*/\1/p')

# Lets the first step fail that can.
arm() {
	local state
	for state in "${later[@]}"; do
		! { echo "$state" >$cpu/hotplug/fail; } 2>/dev/null || { armed=$state; return 0; }
	done
	fail "no step after smpcfd:prepare can fail"
}

for ((i = 0; i < 5; i++)); do
	echo 0 >$cpu/online
	arm
	! { echo 1 >$cpu/online; } 2>/dev/null || fail "CPU 1 came up though step $armed fails"
	echo 1 >$cpu/online || fail "CPU 1 does not come up"
done
echo "CPU 1 came up after step $armed had failed, 5 times; $(online) CPUs online"
