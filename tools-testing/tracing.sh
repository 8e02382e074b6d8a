#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Traces calls in the Rust kernel and in the C one: all functions of C's objects that ftrace can trace
# must be found and probed by their names, and the stack of a caller must have them.
# usage: tracing.sh [NAME...], see kbuild.sh; else rust and c

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
. "$here/item.sh"
lock
begin_items
kernels=("$@")
[ $# -gt 0 ] || kernels=(rust c)
for name in "${kernels[@]}" c; do
	"$here/kernel.sh" "$name"
done

# The functions with external linkage of the C object, which outlive the boot, and a static one that
# all calls to many go through.
names() {
	llvm-nm-22 --defined-only --extern-only "$build/c/kernel/smp.o" | awk '$2 == "T" { print $3 }' |
		grep -vE '^(__(pfx|cfi|SCT_|traceiter|probestub)_|call_function_init|setup_nr_cpu_ids|smp_init|arch_disable_smp_support)'
	echo smp_call_function_many_cond
}

# usage: trace KERNEL
trace() {
	module "$1" smp_regressions
	# shellcheck disable=SC2046 # Names have no spaces.
	boot "tracing-$1" "$1" 240 "" \
		"$(printf '%q ' "$here/guest/tracing.sh" "$build/modules/$1/smp_regressions.ko" $(names))"
	cat "$logs/tracing-$1.out"
}

for name in "${kernels[@]}"; do
	item "tracing, $name" trace "$name"
done
end_items
