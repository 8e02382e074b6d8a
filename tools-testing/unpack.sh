#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Unpacks the kernel's source package into build/linux: the newest 7.3.x that Debian's archive has,
# else the nearest version on which our hooks apply. The packages stay in the cache.

. "$(dirname "$0")/lib.sh"
. "$here/apt.sh"
lock

need_space 10 "the tree and its builds need"

# Packages to try, best first: "name version". 7.3 is best; then the nearest, later ones first.
candidates() {
	apt-cache "${apt_options[@]}" search --names-only '^linux-source-[0-9]+\.[0-9]+$' |
		awk '{ split(substr($1, 14), v, "."); d = v[1] * 20 + v[2] - 143
			print (d < 0 ? -d + 0.5 : d), $1 }' | sort -n | cut -d' ' -f2
}

if [ -z "$is_debian" ]; then
	die "the kernel's source comes from Debian's archive: here, give your own tree of Linux 7.3 with KDIR="
fi
lock_cache
read_kernels 'linux-source-*'

for package in $(candidates | grep . || echo linux-source-7.3); do
	download_kernel "$package"
	deb=$(newest "$package")
	[ -n "$deb" ] || continue
	rm -rf "$build/linux.new"
	with_progress "$logs/unpack.log" UNPACK "$(basename "$deb")" unpack "$deb" "$build/linux.new" ||
		die "unpacking $deb failed: $(sed -n 1p "$logs/unpack.log") (log: $(short "$logs")/unpack.log)"
	if [ "$package" != linux-source-7.3 ]; then
		say NOTICE "the archive has no linux-source-7.3 any more; trying $package"
		KDIR=$build/linux.new "$here/tree.sh" check || continue
	fi
	rm -rf "$linux"
	mv "$build/linux.new" "$linux"
	say TREE "Linux $(sed -nE 's/^(VERSION|PATCHLEVEL|SUBLEVEL) = ([0-9]+)$/\2/p' "$linux/Makefile" | paste -sd.) in $(short "$linux")"
	exit 0
done
die "no kernel source of $kernels takes our hooks: give your own tree of Linux 7.3 with KDIR="
