#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What is guaranteed beyond the C code, after five mailing-list threads, one line each: the test, and its
# control, a kernel or a setting on which the same test must fail. LEVEL=short leaves out what needs the C
# kernel, and what the check kunit runs anyway; LEVEL=long takes each CPU down 2000 times instead of 200,
# and has all CPUs call all with interrupts off 100000 times instead of 2000.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
. "$here/item.sh"
lock
begin_items
kernels=(rust kunit)
cycles=200
rounds=2000
[ "$level" != long ] || cycles=2000 rounds=100000
[ "$level" != short ] || cycles=100
[ "$level" = short ] || kernels+=(c)
for name in "${kernels[@]}"; do
	"$here/kernel.sh" "$name"
done

# usage: guarantee KERNEL GUARANTEE RESULT [CALLS]
guarantee() {
	local kernel=$1
	shift
	module "$kernel"
	boot "guarantees-$kernel-$1" "$kernel" 300 "" \
		"$(printf '%q ' "$here/guest/guarantee.sh" "$build/modules/$kernel/smp_guarantees.ko" "$@")"
	echo "build/$kernel, $(tail -n 1 "$logs/guarantees-$kernel-$1.out")"
}

# A kernel that deadlocks.
hangs() {
	local kernel=$1
	shift
	module "$kernel"
	LIMIT=60 boot_hangs "guarantees-$kernel-hangs" "$kernel" 60 "" \
		"$(printf '%q ' "$here/guest/guarantee.sh" "$build/modules/$kernel/smp_guarantees.ko" "$@")"
	echo "build/$kernel hangs, as it must"
}

# CPU 0 panics in an NMI, and CPU 2 is asked by a call to do it instead. An NMI that comes while CPU 0
# has the console leaves a guest that says nothing any more: it is tried again, once.
forced_panic() {
	local log=$logs/guarantees-panic.log try
	module kunit
	for try in first second; do
		! (boot guarantees-panic kunit 300 "panic_force_cpu=2 panic=3" \
			"$(printf '%q ' "$here/guest/panic.sh" "$build/modules/kunit/smp_guarantees.ko")") || die "the guest did not panic"
		! grep -aq 'panic: Redirecting from CPU 0 to CPU 2' "$log" || break
		[ $try = first ] || die "the panic was not redirected (log: $(short "$log"))"
		say AGAIN "the guest fell silent"
	done
	# Only the CPU that was asked says this.
	grep -aq 'panic: Redirected from CPU 0' "$log" || die "CPU 2 did not panic (log: $(short "$log"))"
	echo "CPU 2 panicked for CPU 0, which was in an NMI"
}

# usage: suites FILTER [APPEND]
suites() {
	FILTER=$1 APPEND="${2:-} ${APPEND:-}" "$here/kunit.sh" kunit
}

polling() {
	LIMIT=$((300 + rounds / 50)) suites smp_polling "smp.test_rounds=$rounds"
}

verdicts() {
	SMP_EXPECTED='csd: |Call Trace:' suites smp_verdict csdlock_debug=1
	awk '/verdicts: / { right += $(NF - 3); wrong += $(NF - 1) }
		END { printf "%d of %d verdicts were right\n", right, right + wrong; exit !right || wrong }' \
		<(tr -d , <"$logs/kunit.log")
}

ledger() {
	LIMIT=$((300 + cycles * 3)) suites smp_ledger "smp.test_cycles=$cycles"
	grep -ao 'ledger: [0-9].*' "$logs/kunit.log" | tail -n 1
}

prepare_fails() {
	boot guarantees-prepare kunit 300 "" "$here/guest/hotplug_fail.sh"
	tail -n 1 "$logs/guarantees-prepare.out"
}

files() {
	module kunit
	boot guarantees-files kunit 300 "fail_smp_delay=1,30,0,-1" \
		"$(printf '%q ' "$here/guest/faults.sh" "$build/modules/kunit/smp_guarantees.ko")"
	tail -n 1 "$logs/guarantees-files.out"
}

# Left out of the short form.
more() {
	[ "$level" = short ] || item "$@"
}

item "no-wait storage" guarantee rust nowait 9 9
more "no-wait storage, control" guarantee c nowait 1 9
more "no-wait storage, contexts" suites 'smp_pool*'
item "interrupts off" guarantee kunit irqsoff 1 20000
item "interrupts off, control" hangs rust irqsoff 1 20000
more "interrupts off, contexts" polling
item "interrupts off, panic in NMI" forced_panic
item "exact wait" guarantee rust exact 1
more "exact wait, control" guarantee c exact 0
more "changing mask" suites smp_mask_changes
item "dying CPU" ledger
more "dying CPU, late entries" suites smp_reported
item "dying CPU, no memory" prepare_fails
more "x2APIC" suites 'x2apic*'
more "fault injection" suites smp_fault
item "fault injection, files" files
item "reports" verdicts
end_items
