#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What faults of IPIs do to the kernel's own kernel/smp.c and to ours: a ledger of calls while a fault is
# injected into one of ten IPIs. A call whose IPI is lost hangs, unless the debugging code of csds looks
# for it and sends the IPI again. CALLS=10000; STORE=1 stores the table for the patch series.

# What that code prints.
SMP_EXPECTED='csd: |Call Trace:'
. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/item.sh"
lock
begin_items
calls=${CALLS:-10000}
need_number CALLS "$calls"
table=$build/inject/faults.tsv
mkdir -p "$build/inject"
for kernel in c-inject rust-inject; do
	"$here/kernel.sh" "$kernel"
done
printf '# SPDX-License-Identifier: GPL-2.0\n# Made by "make test T=injector".\n' >"$table"

# usage: command_of KERNEL FAULT
command_of() {
	printf '%q ' "$here/guest/injector.sh" "$build/$1" "$2" "$calls"
}

# usage: row KERNEL FAULT BOOT-PARAMETERS END
row() {
	printf '%s\t%s\t%s\t%s\n' "${1%-inject}" "${@:2}" >>"$table"
}

# usage: under KERNEL FAULT [BOOT-PARAMETER...]
under() {
	local kernel=$1 fault=$2 job=inject-$1-$2 said
	shift 2
	boot "$job" "$kernel" 300 "$*" "$(command_of "$kernel" "$fault")"
	said=$(tail -n 1 "$logs/$job.out")
	row "$kernel" "$fault" "$*" "${said%%;*}"
	echo "$said"
}

# usage: hangs KERNEL FAULT
hangs() {
	boot_hangs "inject-$1-$2-hangs" "$1" 40 "" "$(command_of "$1" "$2")"
	row "$1" "$2" "" hangs
	echo "hangs, as it must"
}

# A table with a failure in it is not stored.
failed=0
shown() {
	item "$@"
	failed=$((failed | item_rc))
}

for kernel in c-inject rust-inject; do
	for fault in none delay reorder duplicate burst; do
		shown "$fault, ${kernel%-inject}" under "$kernel" "$fault"
	done
	shown "drop, ${kernel%-inject}" hangs "$kernel" drop
	shown "drop, ${kernel%-inject}, debugging" under "$kernel" drop csdlock_debug=1 smp.csd_lock_timeout=100
done
[ -z "${STORE:-}" ] || [ $failed != 0 ] || cp "$table" "$here/bench/faults.tsv"
end_items
