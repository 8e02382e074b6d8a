#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Prints how large our object is, beside the one that the kernel's own kernel/smp.c makes with the
# same configuration.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
lock
"$here/setup.sh"
"$here/tree.sh"
build_kernel rust kernel/smp/
build_kernel c kernel/smp.o

# The sum over objects, a line. What each CPU has of its own is part of the data.
sizes() {
	local what=$1 each
	shift
	each=$(llvm-size-22 -A "$@" | awk '/^\.data\.\.percpu/ { n += $2 } END { print n + 0 }')
	llvm-size-22 "$@" | awk -v what="$what" -v each="$each" 'NR > 1 { t += $1; d += $2; b += $3 }
		END { printf "%-12s %8d %8d %8d %8d\n", what, t, d, b, each }'
}

printf '%-12s %8s %8s %8s %8s\n' "" text data bss "each CPU"
sizes Rust "$build"/rust/kernel/smp/{smp_core,entry,params,trace}.o
for o in "$build"/rust/kernel/smp/{smp_core,entry,params,trace}.o; do
	sizes "  $(basename "$o")" "$o"
done
sizes C "$build/c/kernel/smp.o"
