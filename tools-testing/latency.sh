#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boots the kernel, has the sample rust_smp_latency measure in it, and draws what came out.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
lock
kernel=$(kernel_name)
"$here/kernel.sh" "$kernel"
plot=$build/plot
rm -rf "$plot"
mkdir -p "$plot"
say BOOT "$(short "$build/$kernel") with ${CPUS:-4} CPUs (log: $(short "$logs")/plot.log)"
boot plot "$kernel" 600 "" \
	"$(printf '%q ' "$here/guest/latency.sh" "$build/$kernel/samples/rust/rust_smp_latency.ko")"

# Each file follows a line with its name.
awk -v dir="$plot/" '$1 == "file" { out = dir $2 ".txt"; next } out && out !~ /\/end.txt$/ { print > out }' "$logs/plot.out"
case "$kernel" in
rust*) implementation="kernel/smp in Rust" ;;
*) implementation="kernel/smp.c" ;;
esac
case "$accel" in
tcg) source="an emulated machine (QEMU TCG)" caveat="The form, not the speed of hardware." ;;
*) source="a virtual machine (KVM)" caveat="With what the host does meanwhile." ;;
esac
say DRAW "$(short "$plot")"
MPLCONFIGDIR=$cache/matplotlib "$cache/venv/bin/python3" -B "$here/latency.py" "$plot" \
	--kernel "$(sed -nE 's/^.*(Linux) version ([^ ]+).*/\1 \2/p' "$logs/plot.log" | sed -n 1p), $implementation" \
	--machine "$source" --caveat "$caveat" >"$logs/plot-draw.log" 2>&1 ||
	die "nothing was drawn: $(tail -n 1 "$logs/plot-draw.log") (log: $(short "$logs")/plot-draw.log)"
while IFS= read -r f; do short "$f"; echo; done <"$logs/plot-draw.log"
