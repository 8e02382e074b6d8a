#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Counts the cache lines that move between CPUs for a call, and its atomic instructions, with ours and
# with kernel/smp.c: by a plugin of QEMU, in regions that a module marks. The transfers of a region are
# in build/logs/transfers-WAY-KERNEL.moves, a line each (transfers/src/lib.rs). LEVEL=long: also in kernels
# with counters, off and on. STORE=1 stores the figures.

. "$(dirname "$0")/lib.sh"
. "$here/item.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
lock
begin_items
[ -z "${STORE:-}" ] || [ "$level" = long ] || die "STORE=1 stores the figures of LEVEL=long"
kernels=(rust c)
ways=(default watched)
if [ "$level" = long ]; then
	kernels+=(rust-inject c-inject)
	ways+=(uncounted counted)
fi
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

# usage: measure WAY KERNEL
measure() {
	local name=$2 log=$logs/transfers-$1-$2 parameters=$counted_boot counters=""
	case "$1" in
	watched) parameters+=" csdlock_debug=1" ;;
	uncounted) name+=-inject ;;
	counted) name+=-inject counters=1 ;;
	esac
	module "$name" smp_transfers
	guest_qemu=(-plugin "$target/release/libtransfers.so,out=$log.txt,moves=$log.moves")
	SMP_ICOUNT=1 boot "${log##*/}" "$name" 600 "$parameters" \
		"$(printf '%q ' "$here/guest/transfers.sh" "$build/modules/$name/smp_transfers.ko") $counters"
	echo "$(wc -l <"$log.txt") regions"
}

item "transfers: plugin" plugin
for way in "${ways[@]}"; do
	for kernel in rust c; do
		item "transfers: $way, $kernel" measure "$way" "$kernel"
	done
done
item_live "transfers" python3 -B "$here/transfers.py" "$logs" "${ways[@]}" --out "$target/transfers.json" ${STORE:+--store} \
	--condition kernel "$(sed -nE 's/.*Linux version ([^ ]+).*/\1/p' "$logs/transfers-default-rust.log" | sed -n 1p)" \
	--condition commit "$(git -C "$top" describe --always --dirty 2>/dev/null || echo none)"
end_items
