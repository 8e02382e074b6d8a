#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Packages of kernels with the configuration of Debian's cloud kernel, to install with apt: one with our
# kernel/smp and one with the kernel's own, or that of IMPL. They go to build/deb/. With LSMOD=FILE they have
# only the modules that are named there, as lsmod prints them (the kernel's localmodconfig).

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
lock
# The packages are those of this make, so what builds is not looked for; and there is none of debugging
# information, which is in vmlinux.
export CONFIG=debian DEB_BUILD_PROFILES=pkg.linux-upstream.nokerneldbg DPKG_FLAGS=-d KDEB_CHANGELOG_DIST=unstable
[ -z "${LSMOD:-}" ] || LSMOD=$(realpath -e "$LSMOD" 2>/dev/null) || die "LSMOD is not a file: give one with what lsmod prints"
need_space 25 "to build the packages takes"
"$here/setup.sh" deb dwarf
"$here/tree.sh"

# usage: make_packages KERNEL
make_packages() {
	local name=$1 log=$logs/deb-$1.log
	build_kernel "$name" bzImage modules
	rm -f "$build"/linux-*.deb
	with_progress "$log" DEB "packages of $(short "$build/$name")" kmake "$name" bindeb-pkg ||
		die "no packages: $(build_error "$log") (log: $(short "$log"))"
	rm -rf "$build/$name/debian" "$build"/linux-libc-dev_*.deb "$build"/linux-upstream_* "$build"/deb/linux-*-smp-"$impl"_*.deb
	mkdir -p "$build/deb"
	mv "$build"/linux-*.deb "$build/deb/"
}

for impl in ${IMPL:-rust c}; do
	name=$(IMPL=$impl kernel_name)
	make_packages "$name"
done
(cd "$build/deb" && ls -1s --block-size=M -- *.deb)
say READY "packages in $(short "$build/deb"): apt install ./linux-image-*-smp-rust_*.deb"
