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
	{ kernel = FILENAME ~ /cost-rust/ ? "rust" : "c"; cost[kernel, $1, $2] = $3 }
	kernel == "rust" && $1 == "smp_cost" { names[n++] = $2 }
	END {
		printf "%d CPUs, instructions a call      kernel/smp in Rust      kernel/smp in C\n", cpus
		printf "%-28s %9s %9s %9s %9s  ratio\n", "called from", "C", "Rust", "C", "Rust"
		for (i = 0; i < n; i++) {
			k = names[i]
			rust = cost["rust", "smp_cost", k]
			c = cost["c", "smp_cost", k]
			printf "%-28s %9d %9s %9d %9s  %.2f\n", k, rust, cost["rust", "smp_cost_api", k], c, cost["c", "smp_cost_api", k], rust / c
		}
		exit !n
	}' "$logs/cost-rust.out" "$logs/cost-c.out"
