#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boots with parameters that kernel/smp.c knows, and checks what they must do. usage: boots.sh [NAME]

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/item.sh"
lock
kernel=${1:-$(kernel_name)}
CPUS=4
begin_items
"$here/kernel.sh" "$kernel"
choose_accel "$kernel"

# usage: check NAME APPEND WHAT-TO-EXPECT...
check() {
	local job=boot-$1 append=$2
	shift 2
	ACCEL=$accel boot "$job" "$kernel" 180 "$append" "$(printf '%q ' "$here/guest/check.sh" "$@")"
	tail -n 1 "$logs/$job.out"
}

x2apic=()
[ "$(arch_of "$kernel")" != x86_64 ] || x2apic=(x2apic=on)
item "boot" check plain "" online=4 possible=4 "${x2apic[@]}"
item "boot nosmp" check nosmp nosmp online=1
item "boot maxcpus=2" check maxcpus maxcpus=2 online=2 possible=4 "${x2apic[@]}"
item "boot nr_cpus=3" check nr_cpus nr_cpus=3 online=3 possible=3 "${x2apic[@]}"
[ ${#x2apic[@]} = 0 ] || item "boot nox2apic" check nox2apic nox2apic online=4 possible=4 x2apic=off
item "boot csdlock_debug=1" check csdlock_debug csdlock_debug=1 online=4 possible=4 "${x2apic[@]}"
end_items
