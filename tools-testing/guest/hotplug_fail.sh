#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: a step after smpcfd:prepare fails as CPU 1 comes up; afterwards it comes up and takes
# calls.

. "$(dirname "$0")/common.sh"
cpu=/sys/devices/system/cpu/cpu1
state=$(awk -F': ' '/smpcfd:prepare/ { found = 1; next } found { print $1; exit }' /sys/devices/system/cpu/hotplug/states | tr -d ' ')
[ -n "$state" ] || fail "there is no step after smpcfd:prepare"
for ((i = 0; i < 5; i++)); do
	echo 0 >$cpu/online
	echo "$state" >$cpu/hotplug/fail
	! echo 1 2>/dev/null >$cpu/online || fail "CPU 1 came up though step $state fails"
	echo 1 >$cpu/online || fail "CPU 1 does not come up"
done
echo "CPU 1 came up after step $state had failed, 5 times; $(online) CPUs online"
