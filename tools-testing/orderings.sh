#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Looks for the instructions of arm64 that order memory accesses in the object of kernel/smp/, in the
# functions that C calls. What they do there is decided by "make test T=litmus".
# usage: orderings.sh [NAME]

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/item.sh"
lock
kernel=${1:-rust-arm64}
begin_items
"$here/kernel.sh" "$kernel"
object=$build/$kernel/kernel/smp/smp_core.o

# The instructions of a function, a line each: "dmb ish", "casal", "ldar", and "stlr w" for one of 32 bits,
# as the flag word of a csd has.
instructions() {
	llvm-objdump-22 -d --no-show-raw-insn --disassemble-symbols="$1" "$object" |
		awk '/^ *[0-9a-f]+:/ { print $2 == "dmb" ? $2 " " $3 : $2 == "stlr" ? $2 " " substr($3, 1, 1) : $2 }'
}

# usage: has FUNCTION INSTRUCTION...
has() {
	local function=$1 found instruction
	shift
	found=$(instructions "$function")
	[ -n "$found" ] || die "$(short "$object") has no $function"
	for instruction; do
		grep -qxF "$instruction" <<<"$found" || die "$function has no $instruction"
	done
	echo "$function: $(printf '%s\n' "$@" | paste -sd, | sed 's/,/, /g')"
}

# cas* is for CPUs with the atomic instructions of ARMv8.1, ld*xr and st*xr for others.
item "ordering: a push is a full exchange" has smp_single_async casal stlxr "dmb ish"
item "ordering: to take the queue is one, too" has __flush_smp_call_function_queue ldxr stlxr "dmb ish"
item "ordering: to lock a csd of a pool is an acquire" has generic_exec_single casa ldaxr
item "ordering: the lock comes before the fields" has generic_exec_single "dmb ishst"
item "ordering: to lock a per-pair csd is a release" has smp_call_function_many_cond "stlr w"
item "ordering: an unlock is a release" has smp_single_async "stlr w"
item "ordering: the end of a wait is an acquire" has __csd_lock_wait ldar
item "ordering: a report reads before the lock" has csd_lock_wait_toolong "dmb ish" ldar
end_items
