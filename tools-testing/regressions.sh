#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Looks for regressions: failures that kernel/smp.c once had, in the Rust kernel and in the C one. 16 was
# found here, and 17 is one that kernel/smp/ alone had. The numbers are those of
# Documentation/dev-tools/smp/regressions.rst; number 4 is the exact wait of guarantees.sh. Linux 7.3 in C
# must show what was found and reported: another result is a failure here, too.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
. "$here/item.sh"
lock
begin_items
for name in rust c; do
	"$here/kernel.sh" "$name"
done

# What is said must fit EXPECTED, an expression; "hangs": the guest must not end.
# usage: look KERNEL NUMBER ROUNDS APPEND EXPECTED
look() {
	local kernel=$1 number=$2 rounds=$3 append=$4 expected=$5 job out command
	job=regression-$number-$kernel${append:+-${append// /-}}
	module "$kernel"
	command=$(printf '%q ' "$here/guest/regression.sh" "$build/modules/$kernel/smp_regressions.ko" "$number" "$rounds")
	if [ "$expected" = hangs ]; then
		boot_hangs "$job" "$kernel" 90 "$append" "$command"
		echo "build/$kernel hangs, as was found"
		return
	fi
	# Entries for an offline CPU are reported with a warning.
	[ "$number" != 6 ] || benign+='|WARNING: kernel/smp|Call Trace:'
	# Those of calls that took long are true.
	[ "$number" != 17 ] || benign+='|csd: |Call Trace:'
	boot "$job" "$kernel" 300 "$append" "$command"
	out=$(tail -n 1 "$logs/$job.out")
	grep -qxE "$expected" <<<"$out" || die "build/$kernel: $out (log: $(short "$logs/$job").log)"
	echo "build/$kernel${append:+, $append}: $out"
}

all_ran='([0-9]+) accepted, \1 ran, 0 refused, 0 wrong'
for kernel in rust c; do
	for append in "" csdlock_debug=1; do
		item "1 many senders, $kernel${append:+, $append}" look $kernel 1 5000 "$append" "$all_ran"
		item "2 no such CPU, $kernel${append:+, $append}" look $kernel 2 1 "$append" '0 wrong answers, 0 ran'
	done
done
item "6 offline CPU, rust" look rust 6 3 "" '3 sent, 0 ran, 0 still locked, 0 wrong answers, 3 reported'
item "6 offline CPU, c" look c 6 3 "" '3 sent, 3 ran, 0 still locked, 0 wrong answers, 0 reported'
item "7 two senders of one csd, rust" look rust 7 20000 "" hangs
item "7 two senders of one csd, c" look c 7 20000 "" hangs
for kernel in rust c; do
	item "16 a condition that calls, $kernel" look $kernel 16 1 "" '2 of 4 ran'
	item "17 preempted waiters, $kernel" look $kernel 17 120 "csdlock_debug=1 smp.csd_lock_timeout=100" \
		'120 times preempted, many calls, 0 false reports'
done
end_items
