#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the exact wait of the patch series costs in C: kernel/smp.c with and without it, in a tree that
# differs from ours in this file alone. RUNS=3; STORE=1 stores the figures for the cover letter.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
lock
runs=${RUNS:-3}
need_number RUNS "$runs"
kernel=c-small
"$here/kernel.sh" $kernel

# The same tree once more, in hard links. It has the same place beside the kernel's folder, so that ccache
# has its objects.
patched=$build/exact
mkdir -p "$patched"
rm -rf "$patched/linux"
cp -al "$linux" "$patched/linux"
cp "$linux/kernel/smp.c" "$patched/smp.c"
for diff in 0002-smp-kernel-doc 0011-exact-wait; do
	patch -s -f -F0 --no-backup-if-mismatch -r - "$patched/smp.c" "$top/patches/c/$diff.patch" ||
		die "patches/c/$diff.patch does not apply to $(short "$linux")/kernel/smp.c"
done
ln -f "$patched/smp.c" "$patched/linux/kernel/smp.c"
linux=$patched/linux build=$patched build_kernel $kernel bzImage modules

# usage: measure NAME BUILD RUN
measure() {
	say EXACT "run $3 of $runs, $1 (log: $(short "$logs")/exact-$1-$3.log)"
	build=$2 SMP_NODES=1 SMP_ICOUNT=1 boot "exact-$1-$3" $kernel 1200 "$counted_boot" \
		"$(printf '%q ' "$here/guest/bench.sh" "$2/$kernel" - - loops=500)"
}

for ((run = 1; run <= runs; run++)); do
	measure before "$build" "$run"
	measure after "$patched" "$run"
done

python3 -B "$here/exact.py" "$logs" --runs "$runs" --out "$patched/exact-wait.json" \
	--text "$(text_of "$build/$kernel/kernel/smp.o")" "$(text_of "$patched/$kernel/kernel/smp.o")"
[ -z "${STORE:-}" ] || cp "$patched/exact-wait.json" "$here/bench/exact-wait.json"
