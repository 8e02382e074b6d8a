#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: calls of all families with a ledger, CPU hotplug and, if there is an injector, faults.
# usage: smp_torture.sh BUILD-FOLDER CALLS [PARAMETER=VALUE...]

. "$(dirname "$0")/common.sh"
mount_debugfs 2>/dev/null || true
# One in a hundred IPIs is late, comes twice, or is one of many, and one pool in ten is empty.
for fault in delay=1 duplicate=1 burst=1 pool=10; do
	[ -d "$debugfs/fail_smp_${fault%=*}" ] || continue
	inject "${fault%=*}" "${fault#*=}"
	injected=" and faults"
done
load "$1/kernel/torture.ko"
load "$1/kernel/smp/tests/smp_torture.ko" calls="$2" onoff_interval=25 longwait=200 verbose=1 "${@:3}"
rmmod smp_torture || fail "rmmod smp_torture failed"
rmmod torture
dmesg | grep 'smp-torture: ' | grep -v 'End of test'
echo "with CPU hotplug${injected:-}"
