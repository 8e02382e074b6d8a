#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# All checks, one line each; goes on after a failure.

. "$(dirname "$0")/lib.sh"
. "$here/item.sh"
lock
begin_items
"$here/setup.sh"
"$here/tree.sh"
for name in rust kunit c; do
	item_live "kernel build/$name" "$here/kernel.sh" $name
	[ "$item_rc" != 0 ] || export SMP_BUILT="${SMP_BUILT:-} $name"
done
"$here/lint.sh"
"$here/deviations.sh"
item "misuse does not compile" "$here/misuse.sh"
"$here/doc.sh"
SHORT=1 "$here/model.sh"
"$here/litmus.sh"
"$here/mutants.sh" check
item "kunit and doctests" "$here/kunit.sh"
item "scftorture" "$here/torture.sh" scf
item "torture with a ledger" "$here/torture.sh" smp
# With lockdep, waits that serve, and faults.
item "torture of build/kunit" env CALLS=50000 "$here/torture.sh" smp kunit
item "sample" "$here/run.sh"
for name in rust_smp rust_smp_percpu rust_smp_latency; do
	item "$name, CPU hotplug" "$here/sample.sh" $name
done
item "modules are kept" "$here/unload.sh"
"$here/boots.sh"
SHORT=1 "$here/seeds.sh"
"$here/apic.sh"
"$here/tracing.sh"
item "no slower than before" env SHORT=1 CHECK=1 "$here/bench.sh"
SHORT=1 "$here/robust.sh"
end_items
