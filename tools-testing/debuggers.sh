#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What debuggers and bpftrace find, in the Rust kernel and in the C one, built with debugging information.
# drgn: two CPUs of a guest wait for each other for good, QEMU's monitor dumps the guest's memory, and the
# pending csds are listed as crash scripts do it, by the variables of kernel/smp.c. bpftrace: the
# one-liners of Documentation/core-api/smp-rust.rst.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
. "$here/item.sh"
lock
begin_items
"$here/setup.sh" bpftrace
for name in rust-debug c-debug; do
	item_live "kernel build/$name" "$here/kernel.sh" $name
done

# usage: dump KERNEL
dump() {
	local kernel=$1 work=$build/dump job=dump-$1 monitor stuck out guest
	mkdir -p "$work"
	module "$kernel"
	monitor=$work/$kernel.qmp
	rm -f "$monitor" "$work/$kernel.elf"
	stuck=$(llvm-nm-22 "$build/$kernel/vmlinux" | awk '$3 == "n_csd_lock_stuck" { print "0x" $1 }')
	[ -n "$stuck" ] || die "n_csd_lock_stuck is not in $(short "$build/$kernel")/vmlinux"
	(
		guest_qemu=(-device vmcoreinfo -qmp "unix:$monitor,server=on,wait=off")
		boot "$job" "$kernel" 300 "csdlock_debug=1 smp.csd_lock_timeout=2000" \
			"$(printf '%q ' "$here/guest/guarantee.sh" "$build/modules/$kernel/smp_guarantees.ko" irqsoff 1 20000)"
	) >"$logs/$job-guest.out" 2>&1 &
	guest=$!
	until [ -S "$monitor" ] || ! kill -0 $guest 2>/dev/null; do sleep 0.2; done
	[ -S "$monitor" ] || die "the guest did not start (log: $(short "$logs")/$job-guest.out)"
	"$cache/venv/bin/python3" -B "$here/dump.py" --monitor "$monitor" --until "$stuck" "$work/$kernel.elf" || {
		kill "$guest"
		wait "$guest" || true
		die "there is no dump (log: $(short "$logs")/$job.log)"
	}
	# The monitor has ended it.
	wait "$guest" || true
	out=$("$cache/venv/bin/python3" -B "$here/dump.py" "$work/$kernel.elf" "$build/$kernel/vmlinux" \
		"$build/modules/$kernel/smp_guarantees.ko")
	rm -f "$work/$kernel.elf"
	echo "$out"
	[ "$(grep -c '^CPU [01]: in call_single_queue: .*, sync, locked, CPU [01] to [01]: count' <<<"$out")" = 2 ] ||
		die "drgn does not find the csds of CPUs 0 and 1 for each other"
}

one_liners() {
	module "$1"
	boot "bpftrace-$1" "$1" 300 "" "$(printf '%q ' "$here/guest/bpftrace.sh" "$build/modules/$1/smp_regressions.ko")"
	cat "$logs/bpftrace-$1.out"
}

for name in rust c; do
	item "drgn, $name" dump $name-debug
	item "bpftrace, $name" one_liners $name-debug
done
end_items
