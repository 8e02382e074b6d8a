#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An interactive shell in the built kernel. CTRL+d ends it, CTRL+a x kills the guest.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
lock
[ -t 0 ] || die "make shell needs a terminal"
kernel=$(kernel_name)
"$here/kernel.sh" "$kernel"
choose_accel "$kernel"
mapfile -t options < <(virtme_options "$kernel" "$accel")
kopts=()
for w in ${APPEND:-}; do kopts+=(--kopt "$w"); done
read -ra machine <<<"$(machine_options "$kernel" "${CPUS:-4}" "$accel")"
cd "$build/$kernel"
# Others may build while the shell is open.
exec 9>&-
exec "$cache/venv/bin/virtme-run" --kimg "$(boot_image "$kernel")" \
	"${options[@]}" --pwd "${kopts[@]}" --qemu-opts "${machine[@]}"
