#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a cross-CPU call costs, in instructions of the guest, on the Rust kernel and on the C one.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
lock
export SMP_ICOUNT=1 ACCEL=tcg

for name in rust c; do
	"$here/kernel.sh" "$name"
	module "$name"
	boot "cost-$name" "$name" 600 "" "$(printf '%q ' "$here/guest/cost.sh" "$build/modules/$name/smp_cost.ko")"
done
echo
awk -F': ' -v cpus="${CPUS:-4}" 'BEGIN { printf "%-28s %8s %8s  ratio\n", cpus " CPUs, instructions a call", "Rust", "C" }
	NR == FNR { rust[$1] = $2; next }
	{ printf "%-28s %8d %8d  %.2f\n", $1, rust[$1], $2, rust[$1] / $2; n++ }
	END { exit !n }' "$logs/cost-rust.out" "$logs/cost-c.out"
