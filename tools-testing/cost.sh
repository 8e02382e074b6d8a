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
	boot "cost-$name" "$name" 600 "" "$(printf '%q ' "$here/guest/cost.sh" "$build/modules/$name")"
done
echo
awk -F': ' -v cpus="${CPUS:-4}" '
	FILENAME ~ /cost-rust/ && $1 == "smp_cost" { rust[$2] = $3; names[n++] = $2 }
	FILENAME ~ /cost-rust/ && $1 == "smp_cost_api" { api[$2] = $3 }
	FILENAME ~ /cost-c/ && $1 == "smp_cost" { c[$2] = $3 }
	FILENAME ~ /cost-c/ && $1 == "smp_cost_api" { api_c[$2] = $3 }
	END {
		printf "%d CPUs, instructions a call      kernel/smp in Rust      kernel/smp in C\n", cpus
		printf "%-28s %9s %9s %9s %9s  ratio\n", "called from", "C", "Rust", "C", "Rust"
		for (i = 0; i < n; i++) {
			k = names[i]
			printf "%-28s %9d %9s %9d %9s  %.2f\n", k, rust[k], api[k], c[k], api_c[k], rust[k] / c[k]
		}
		exit !n
	}' "$logs/cost-rust.out" "$logs/cost-c.out"
