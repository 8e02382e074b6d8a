#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: is this the kernel that the boot parameters ask for, and do calls cross CPUs?
# usage: check.sh [online=N] [possible=N] [x2apic=on|off]

. "$(dirname "$0")/common.sh"
mount_tracefs

# Tracing a function patches the kernel's text, which calls every other CPU and waits.
call_all_cpus() {
	echo vfs_read >$tracing/set_ftrace_filter
	taskset -c 0 sh -c "echo function >$tracing/current_tracer && echo nop >$tracing/current_tracer"
}

apic=$(dmesg -t | sed -n 's/.*Switched APIC routing to: //p' | tail -n 1)
for expect in "$@"; do
	case "$expect" in
	online=*) is="online=$(online)" ;;
	possible=*) is="possible=$(($(sed 's/.*-//' /sys/devices/system/cpu/possible) + 1))" ;;
	x2apic=*) case "$apic" in *x2apic*) is=x2apic=on ;; *) is=x2apic=off ;; esac ;;
	*) fail "what is $expect?" ;;
	esac
	[ "$is" = "$expect" ] || fail "$is, not $expect"
done
for parameter in csd_lock_timeout panic_on_ipistall; do
	[ -e /sys/module/smp/parameters/$parameter ] || fail "there is no parameter smp.$parameter"
done

call_interrupts >$scratch/before
call_all_cpus || fail "tracing could not be switched on"
called=$(call_interrupts | paste $scratch/before - | awk 'NR > 1 && $2 > $1' | wc -l)
[ "$called" = $(($(online) - 1)) ] || fail "$called of $(($(online) - 1)) other CPUs took a call"
[ "$(uname -m)" != x86_64 ] || apic=", APIC: ${apic:-as the firmware left it}"
echo "$(online) CPUs online, $called others took a call$apic"
