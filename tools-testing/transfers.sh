#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Counts the cache lines that move between CPUs for a call, and its atomic instructions, with ours and
# with kernel/smp.c: by a plugin of QEMU, in regions that a module marks. The transfers of a region are
# in build/logs/transfers-KERNEL.moves, a line each (transfers/src/lib.rs). STORE=1 stores the figures.

. "$(dirname "$0")/lib.sh"
. "$here/item.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
lock
begin_items
kernels=(rust c)
"$here/setup.sh" cargo
"$here/kernel.sh" "${kernels[@]}"
target=$build/transfers

# usage: crate COMMAND [OPTION...]
crate() {
	local log=$logs/transfers-$1.log
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$target" \
		cargo "$1" --locked --manifest-path "$here/transfers/Cargo.toml" "${@:2}" >"$log" 2>&1 ||
		die "the plugin: $(build_error "$log") (log: $(short "$log"))"
}

# Its own tests. QEMU has the functions that the plugin calls; there they are missing.
plugin() {
	crate build --release
	RUSTFLAGS="-Clink-arg=-Wl,--unresolved-symbols=ignore-all" crate test
	sed -nE 's/^test result: ok\. ([1-9][0-9]*) passed; 0 failed.*/\1 tests of the plugin pass/p' "$logs/transfers-test.log" | grep .
}

# usage: measure KERNEL
measure() {
	module "$1" smp_transfers
	guest_qemu=(-plugin "$target/release/libtransfers.so,out=$logs/transfers-$1.txt,moves=$logs/transfers-$1.moves")
	SMP_ICOUNT=1 boot "transfers-$1" "$1" 600 "$counted_boot" \
		"$(printf '%q ' "$here/guest/transfers.sh" "$build/modules/$1/smp_transfers.ko")"
	echo "$(wc -l <"$logs/transfers-$1.txt") regions"
}

item "transfers: plugin" plugin
for kernel in "${kernels[@]}"; do
	item "transfers: $kernel" measure "$kernel"
done
item_live "transfers" python3 -B "$here/transfers.py" "$logs" --out "$target/transfers.json" ${STORE:+--store} \
	--condition kernel "$(sed -nE 's/.*Linux version ([^ ]+).*/\1/p' "$logs/transfers-rust.log" | sed -n 1p)" \
	--condition commit "$(git -C "$top" describe --always --dirty 2>/dev/null || echo none)"
end_items
