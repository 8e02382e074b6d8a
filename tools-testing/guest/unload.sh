#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: unloads a module while what it has sent is under way, and loads it so that its
# initialization fails. Callbacks of CPU hotplug that it has leaked are gone then. usage: unload.sh smp_unload.ko

. "$(dirname "$0")/common.sh"
module=$1
rounds=3

all_have_run() {
	dmesg -t | grep -q 'smp_unload: all have run'
}

# A callback that is left would run code that is freed.
no_callback_is_left() {
	! grep -q smp_unload /sys/devices/system/cpu/hotplug/states || fail "a callback of CPU hotplug is still there"
	echo 0 >/sys/devices/system/cpu/cpu1/online || fail "CPU 1 does not go offline"
	echo 1 >/sys/devices/system/cpu/cpu1/online || fail "CPU 1 does not come online"
}

for ((i = 0; i < rounds; i++)); do
	dmesg -C
	insmod "$module" || fail "insmod failed: $(dmesg | tail -n 1)"
	grep -q smp_unload:leaked /sys/devices/system/cpu/hotplug/states || fail "the callbacks are not registered"
	if rmmod smp_unload 2>$scratch/error; then
		fail "the module was unloaded while what it has sent was under way"
	fi
	grep -q 'in use' $scratch/error || fail "rmmod: $(tail -n 1 $scratch/error)"
	until rmmod smp_unload 2>$scratch/error; do
		grep -q 'in use' $scratch/error || fail "rmmod: $(tail -n 1 $scratch/error)"
	done
	all_have_run || fail "the module was unloaded before all had run: $(dmesg -t | tail -n 1)"
	no_callback_is_left

	dmesg -C
	! insmod "$module" fails=1 2>$scratch/error || fail "an initialization that fails did not"
	all_have_run || fail "the module was freed before all had run: $(dmesg -t | tail -n 1)"
	dmesg -t | grep -q 'smp_unload: the chain ends: Unloading' || fail "a module that goes has sent more"
	[ ! -e /sys/module/smp_unload ] || fail "the module is still there"
	no_callback_is_left
done
echo "$rounds times refused while calls were under way, $rounds times an initialization that failed has waited for them; no callback of CPU hotplug was left"
