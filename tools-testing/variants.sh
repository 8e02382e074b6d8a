#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds the small kernel in the variants of configs/variants/, and runs the in-kernel tests and the
# sample in each: other preemption models, numbers of CPUs, debug options. Long; VARIANTS='rt calls'
# picks some.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/item.sh"
lock
begin_items
"$here/setup.sh"
"$here/tree.sh"

variant() {
	local name=variant-$1 found
	"$here/kernel.sh" "$name"
	[ ! -s "$build/$name/warnings" ] || die "$(sed -n 1p "$build/$name/warnings")"
	if [ "$1" = up ]; then
		[ ! -e "$build/$name/kernel/smp/smp_core.o" ] || die "kernel/smp/ is built without SMP"
		CPUS=1 boot "$name" "$name" 180 "" true
		echo "boots, kernel/smp/ is not there"
		return
	fi
	# Assertions are there to panic.
	grep -q -e '^CONFIG_RUST_DEBUG_ASSERTIONS=y' -e '^# CONFIG_SMP_RUST is' "$build/$name/.config" ||
		found=$(panic_symbols "$name")
	[ -z "${found:-}" ] || die "can panic: $(sed -n 1p <<<"$found")"
	SMP_BUILT="${SMP_BUILT:-} $name" "$here/kunit.sh" "$name" \
		"$(printf '%q ' "$here/guest/sample.sh" "$build/$name/samples/rust/rust_smp.ko")"
}

if [ -n "${VARIANTS:-}" ]; then
	read -ra list <<<"$VARIANTS"
else
	mapfile -t list < <(basename -s .config "$here"/configs/variants/*.config)
fi
for v in "${list[@]}"; do
	[ -e "$here/configs/variants/$v.config" ] ||
		die "VARIANTS=$v: there is no $(short "$here")/configs/variants/$v.config"
done
for v in "${list[@]}"; do
	item "variant $v" variant "$v"
done
end_items
