#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: loads the sample, shows what it printed and the kernel's own counters, unloads it.
# usage: sample.sh MODULE.ko [hotplug]; hotplug: CPU 1 goes off and on meanwhile, many times.

. "$(dirname "$0")/common.sh"
module=$1
name=$(basename "$module" .ko)

rounds=1
if [ "${2:-}" = hotplug ]; then
	rounds=20
	toggle_cpu 1
fi

cal=$(interrupts CAL | sum)
for ((i = 0; i < rounds; i++)); do
	dmesg -C
	load "$module"
	[ "$rounds" -gt 1 ] || sleep 1
	dmesg -t >$scratch/dmesg
	rmmod "$name" || fail "rmmod $name failed"
	awk '/ calls sent, / && $2 != $5 { exit 1 }' $scratch/dmesg || fail "calls were lost: $(grep ' calls sent, ' $scratch/dmesg)"
done
touch $scratch/stop
wait

grep "$name" $scratch/dmesg || fail "$name printed nothing"
echo
grep -E '^ *(CPU0|CAL|RES)|CPU0' /proc/interrupts
echo
if [ "$rounds" -gt 1 ]; then
	echo "$rounds loads, CPU 1 went off and on $(wc -l <$scratch/toggles) times, $(($(interrupts CAL | sum) - cal)) call interrupts"
else
	echo "$(online) CPUs online, $(($(interrupts CAL | sum) - cal)) call interrupts while $name was loaded"
fi
