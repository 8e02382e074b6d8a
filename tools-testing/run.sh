#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boots the kernel, runs the sample in it and shows what it prints.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
lock
kernel=$(kernel_name)
"$here/kernel.sh" "$kernel"
say BOOT "$(short "$build/$kernel") with ${CPUS:-4} CPUs (log: $(short "$logs")/run.log)"
start=$(date +%s)
SHOW=1 boot run "$kernel" 180 "" "$(printf '%q ' "$here/guest/sample.sh" "$build/$kernel/samples/rust/rust_smp.ko")"
echo "ok: $(sed -nE 's/^.*(Linux version [^ ]+).*/\1/p' "$logs/run.log" | sed -n 1p), build/$kernel, $accel," \
	"$(tail -n 1 "$logs/run.out"), $(since "$start")"
