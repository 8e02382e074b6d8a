#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Prints how large our object is, beside the one that the kernel's own kernel/smp.c makes with the
# same configuration, and how much memory each CPU has for calls.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
lock
"$here/setup.sh"
"$here/tree.sh"
build_kernel rust kernel/smp/
build_kernel rust-options kernel/smp/
build_kernel c kernel/smp.o

mapfile -t rust_objects < <(smp_objects rust)
mapfile -t options_objects < <(smp_objects rust-options)

# What each CPU has of its own. usage: each OBJECT...
each() {
	llvm-size-22 -A "$@" | awk '/^\.data\.\.percpu/ { n += $2 } END { print n + 0 }'
}

# The sum over objects, a line. What each CPU has of its own is part of the data.
sizes() {
	local what=$1
	shift
	llvm-size-22 "$@" | awk -v what="$what" -v each="$(each "$@")" 'NR > 1 { t += $1; d += $2; b += $3 }
		END { printf "%-14s %8d %8d %8d %8d\n", what, t, d, b, each }'
}

# How many sets of CPUs a CPU has for its calls to many, in the file and the struct that hold them.
sets_in() {
	sed -n "/struct $2 {/,/^}/p" "$1" | grep -c cpumask_var_t
}

# The slots of the pool of each of that many CPUs, which are a cache line each: a power of two.
slots_of() {
	local least most slots=1
	least=$(sed -n 's/^CONFIG_SMP_RUST_POOL_SLOTS=//p' "$build/rust/.config")
	most=$(sed -n 's/^const SLOTS_MAX: u32 = \(.*\);/\1/p' "$top/kernel-smp/pool.rs")
	while [ $slots -lt "$least" ] || { [ $slots -lt "$1" ] && [ $slots -lt "$most" ]; }; do
		slots=$((2 * slots))
	done
	echo $slots
}

# The bytes that each of that many CPUs has, with as many present: what the object says, with sets of
# that size, which are allocated if there are more than 512 CPUs, a csd for each other CPU, and slots.
# usage: memory BYTES SETS [SLOTS]
memory() {
	local bytes=$1 sets=$2 cpus set slots=0 built
	built=$(sed -n 's/^CONFIG_NR_CPUS=//p' "$build/rust/.config")
	for cpus in 64 512 8192; do
		set=$((cpus / 8 + (cpus > 512 ? 8 : 0)))
		[ -z "${3:-}" ] || slots=$((64 * $(slots_of $cpus)))
		printf ' %8d' $((bytes + sets * (set - built / 8) + cpus * csd + slots))
	done
	echo
}

printf '%-14s %8s %8s %8s %8s\n' "" text data bss "each CPU"
sizes Rust "${rust_objects[@]}"
for o in "${rust_objects[@]}"; do
	sizes "  $(basename "$o")" "$o"
	[ "${o##*/}" != smp_core.o ] || python3 -B "$here/rooms.py" "$o"
done
sizes "Rust, options" "${options_objects[@]}"
sizes C "$build/c/kernel/smp.o"

# The size of a csd, in bytes: C has one a CPU for asynchronous calls.
csd=$((16#$(llvm-nm-22 -S "$build/c/kernel/smp.o" | awk '$4 == "csd_data" { print $2 }')))
printf '\nEach of N CPUs has these bytes for calls, the %s of each pair among them:\n' "$csd"
printf '%-14s %8d %8d %8d\n' N 64 512 8192
printf '%-14s' Rust
memory "$(each "${rust_objects[@]}")" "$(sets_in "$top/kernel-smp/cfd.rs" CallFunctionData)" slots
printf '%-14s' C
memory "$(each "$build/c/kernel/smp.o")" "$(sets_in "$linux/kernel/smp.c" call_function_data)"
