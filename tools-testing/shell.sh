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
choose_accel "$build/$kernel"
options=()
[ "$accel" = kvm ] || options=("${tcg_options[@]}")
kopts=()
for w in ${APPEND:-}; do kopts+=(--kopt "$w"); done
read -ra machine <<<"$(machine_options "${CPUS:-4}" "$accel")"
cd "$build/$kernel"
# Others may build while the shell is open.
exec 9>&-
exec "$cache/venv/bin/virtme-run" --kimg arch/x86/boot/bzImage --mods none \
	--memory "${MEM:-1G}" --cpus "${CPUS:-4}" --force-9p --disable-microvm "${root_options[@]}" --pwd \
	"${options[@]}" "${kopts[@]}" --qemu-opts "${machine[@]}"
