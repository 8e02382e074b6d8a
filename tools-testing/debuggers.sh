#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What debuggers and bpftrace find, in the Rust kernel and in the C one, built with debugging information.
# drgn: CPUs of a guest deadlock, or wait for one with interrupts off; QEMU's monitor dumps the guest's
# memory, and smptop/pending.py says what is pending in it. bpftrace: the one-liners of
# Documentation/core-api/smp-rust.rst.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
. "$here/item.sh"
lock
begin_items
"$here/setup.sh" bpftrace
python=$cache/venv/bin/python3
for name in rust-debug c-debug; do
	item_live "kernel build/$name" "$here/kernel.sh" $name
done

# Dumps a guest into build/dump/JOB-KERNEL.elf when the int SYMBOL is not 0 any more, and prints what is pending
# in the dump.
# usage: pending JOB KERNEL SYMBOL MODULE APPEND COMMAND...
pending() {
	local job=$1-$2 kernel=$2 symbol=$3 module=$build/modules/$2/$4.ko append=$5 work=$build/dump monitor address guest
	shift 5
	mkdir -p "$work"
	module "$kernel"
	monitor=$work/$job.qmp
	rm -f "$monitor" "$work/$job.elf"
	address=$(llvm-nm-22 "$build/$kernel/vmlinux" | awk -v name="$symbol" '$3 == name { print "0x" $1 }')
	[ -n "$address" ] || die "$symbol is not in $(short "$build/$kernel")/vmlinux"
	(
		guest_qemu=(-device vmcoreinfo -qmp "unix:$monitor,server=on,wait=off")
		CPUS=4 boot "$job" "$kernel" 300 "$append" "$(printf '%q ' "$@")"
	) >"$logs/$job-guest.out" 2>&1 &
	guest=$!
	until [ -S "$monitor" ] || ! kill -0 $guest 2>/dev/null; do sleep 0.2; done
	[ -S "$monitor" ] || die "the guest did not start (log: $(short "$logs")/$job-guest.out)"
	"$python" -B "$here/dump.py" "$monitor" "$address" "$work/$job.elf" || {
		kill "$guest"
		wait "$guest" || true
		die "there is no dump (log: $(short "$logs")/$job.log)"
	}
	# The monitor has ended it.
	wait "$guest" || true
	"${python%/*}/drgn" --quiet -c "$work/$job.elf" -s "$build/$kernel/vmlinux" -s "$module" "$top/smptop/pending.py" |
		tee "$work/$job.txt"
}

# usage: crash JOB KERNEL COMMAND...
crash() {
	printf '%s\n' "${@:3}" | "${python%/*}/drgn-crash" "$build/$2/vmlinux" "$build/dump/$1.elf" 2>/dev/null |
		sed 's/^%crash> //'
}

# usage: must_have FILE PATTERN
must_have() {
	grep -qE "$2" "$build/dump/$1.txt" || die "drgn does not find: $2"
}

# Two CPUs wait for each other with interrupts off.
deadlock() {
	pending deadlock "$1" n_csd_lock_stuck smp_guarantees "csdlock_debug=1 smp.csd_lock_timeout=2000" \
		"$here/guest/guarantee.sh" "$build/modules/$1/smp_guarantees.ko" irqsoff 1 20000
	must_have "deadlock-$1" '^  waits in .*, called by call_with_interrupts_off, for [0-9.]+ s$'
	must_have "deadlock-$1" '^  in call_single_queue: .*, sync, locked, to CPU 1: count\('
	must_have "deadlock-$1" '^CPU 0 does not answer CPU 1: interrupts off, waits for CPU 1 itself$'
	must_have "deadlock-$1" '^CPU 1 does not answer CPU 0: interrupts off, waits for CPU 0 itself$'
	rm "$build/dump/deadlock-$1.elf"
}

# Two CPUs wait for one that has interrupts off. The commands of crash show the same.
lockup() {
	local job=lockup-$1 out=$build/dump/lockup-$1 csd first
	pending lockup "$1" softlockup_count smp_lockup "watchdog_thresh=5" \
		"$here/guest/lockup.sh" "$build/modules/$1/smp_lockup.ko"
	must_have "$job" '^CPU 2 does not answer CPUs 0, 1.*: interrupts off, is in driver_polls_device$'
	csd=$(sed -n 's/^  in call_single_queue: csd \(0x[0-9a-f]*\), .*: update_copy(.*/\1/p' "$out.txt" | tail -n 1)
	[ -n "$csd" ] || die "drgn does not find a csd of the module in the queue of CPU 2"
	crash "$job" "$1" log 'p call_single_queue:2' 'bt -c 2' "struct call_single_data_t $csd" >"$out-crash.txt"
	first=$(sed -n 's/.*first = .*)\(0x[0-9a-f]*\),$/\1/p' "$out-crash.txt")
	crash "$job" "$1" "list -h $first" >>"$out-crash.txt"
	must_have "$job-crash" '^ #0 .* \[smp_lockup\]$'
	must_have "$job-crash" "^${csd#0x}\$"
	must_have "$job-crash" '\.func = \(smp_call_func_t\)0x'
	rm "$out.elf"
}

one_liners() {
	module "$1"
	boot "bpftrace-$1" "$1" 300 "" "$(printf '%q ' "$here/guest/bpftrace.sh" "$build/modules/$1/smp_regressions.ko")"
	cat "$logs/bpftrace-$1.out"
}

for name in rust c; do
	item "drgn, deadlock, $name" deadlock $name-debug
	item "drgn, soft lockup, $name" lockup $name-debug
	item "bpftrace, $name" one_liners $name-debug
done
end_items
