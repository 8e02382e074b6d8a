#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: loads the sample, shows what it printed and the kernel's own counters, unloads it.
# usage: sample.sh MODULE.ko [CPU]; a CPU goes off and on meanwhile, many times.

. "$(dirname "$0")/common.sh"
module=$1
name=$(basename "$module" .ko)

cpu=${2:-}
rounds=1
if [ -n "$cpu" ]; then
	rounds=20
	toggle_cpu "$cpu"
fi

cal=$(call_interrupts | sum)
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
grep -E 'CPU0| (Function call|Rescheduling) interrupts$' /proc/interrupts
echo
if [ "$rounds" -gt 1 ]; then
	echo "$rounds loads, CPU $cpu went off and on $(wc -l <$scratch/toggles) times, $(($(call_interrupts | sum) - cal)) call interrupts"
else
	echo "$(online) CPUs online, $(($(call_interrupts | sum) - cal)) call interrupts while $name was loaded"
fi
