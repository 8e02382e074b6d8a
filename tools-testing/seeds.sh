#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The promises of the mailing-list threads, one line each: the test, and its control, a kernel or a
# setting on which the same test must show the promise broken. SHORT=1 leaves out what needs the C
# kernel, and what "make kunit" runs anyway; LONG=1 takes each CPU down 2000 times instead of 200, and
# has all CPUs call all with interrupts off 100000 times instead of 2000.

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
[ -z "${LONG:-}" ] || cycles=2000 rounds=100000
[ -n "${SHORT:-}" ] || kernels+=(c)
for name in "${kernels[@]}"; do
	"$here/kernel.sh" "$name"
done

# usage: promise KERNEL PROMISE RESULT [CALLS]
promise() {
	local kernel=$1
	shift
	module "$kernel"
	boot "seeds-$kernel-$1" "$kernel" 300 "" \
		"$(printf '%q ' "$here/guest/seeds.sh" "$build/modules/$kernel/smp_seeds.ko" "$@")"
	echo "build/$kernel, $(tail -n 1 "$logs/seeds-$kernel-$1.out")"
}

# A kernel on which the promise is broken for good.
hangs() {
	local kernel=$1
	shift
	module "$kernel"
	LIMIT=60 boot_hangs "seeds-$kernel-hangs" "$kernel" 60 "" \
		"$(printf '%q ' "$here/guest/seeds.sh" "$build/modules/$kernel/smp_seeds.ko" "$@")"
	echo "build/$kernel hangs, as it must"
}

# CPU 0 panics in an NMI, and CPU 2 is asked by a call to do it instead. An NMI that comes while CPU 0
# has the console leaves a guest that says nothing any more: it is tried again, once.
forced_panic() {
	local log=$logs/seeds-panic.log try
	module kunit
	for try in first second; do
		! (boot seeds-panic kunit 300 "panic_force_cpu=2 panic=3" \
			"$(printf '%q ' "$here/guest/panic.sh" "$build/modules/kunit/smp_seeds.ko")") || die "the guest did not panic"
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

serving() {
	LIMIT=$((300 + rounds / 50)) suites smp_serving "smp.test_rounds=$rounds"
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
	boot seeds-prepare kunit 300 "" "$here/guest/hotplug_fail.sh"
	tail -n 1 "$logs/seeds-prepare.out"
}

files() {
	module kunit
	boot seeds-files kunit 300 "fail_smp_delay=1,30,0,-1" \
		"$(printf '%q ' "$here/guest/faults.sh" "$build/modules/kunit/smp_seeds.ko")"
	tail -n 1 "$logs/seeds-files.out"
}

# Left out of the short form.
long() {
	[ -n "${SHORT:-}" ] || item "$@"
}

item "000 no-wait calls" promise rust nowait 9 9
long "000 control" promise c nowait 1 9
long "000 in all contexts" suites 'smp_pool*'
item "002 interrupts off" promise kunit irqsoff 1 20000
item "002 control" hangs rust irqsoff 1 20000
long "002 in all contexts" serving
item "002 panic from an NMI" forced_panic
item "003 exact wait" promise rust exact 1
long "003 control" promise c exact 0
long "003 changing masks" suites smp_masks
item "004 dying CPUs" ledger
long "004 late requests" suites smp_late
item "004 prepare fails" prepare_fails
long "faults" suites smp_fault
item "faults and counters" files
item "verdicts" verdicts
end_items
