#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Installs what is needed and not there yet. When all is there it only looks, and says nothing.
# usage: setup.sh [cargo] [mutants] [tsan] [dwarf] [deb] [stress-ng] [bpftrace] [mmdebstrap] [arm64]; cargo is
# needed then also if bindgen is there, cargo-mutants, what clang links to programs for ThreadSanitizer, what
# the kernel reads debugging information with, what packages are made with, the commands of these names, and
# QEMU for arm64.

. "$(dirname "$0")/lib.sh"
. "$here/tools.sh"
. "$here/apt.sh"
lock
apt_options=()

packages='make gawk gcc binutils libc6-dev flex bison bc perl cpio kmod iproute2 rsync xz-utils zstd patch git file
python3 python3-venv ccache busybox-static udev libelf-dev libssl-dev ca-certificates'
if [ -n "$with_gcc" ]; then
	packages+=' libclang-dev'
else
	packages+=' shellcheck clang-22 lld-22 llvm-22 libclang-22-dev'
fi

install_packages() {
	local p rust want
	apt_step "reading the package lists" as_root apt-get update
	# Debian keeps a newer Rust beside its default one, in packages with -web in their names.
	if has_candidate rustc-web; then
		rust='rustc-web rust-web-src rustfmt-web rust-web-clippy'
	else
		rust='rustc rust-src rustfmt rust-clippy'
	fi
	want=
	for p in $packages $rust; do
		installed "$p" || want+=" $p"
	done
	for p in $want; do
		has_candidate "$p" || die "no package $p for Debian $codename in this machine's apt sources (main, updates and security are needed)"
	done
	# shellcheck disable=SC2086 # The list is words.
	[ -z "$want" ] || apt_step "installing$want" as_root apt-get install -y --no-install-recommends $want
	installed qemu-system-x86 && [[ $missing != *qemu* ]] || install_qemu qemu-system-x86
}

# usage: install_qemu PACKAGE
install_qemu() {
	local v
	v=$(apt-cache policy "$1" | sed -nE 's/^  Candidate: ([0-9]+:)?([0-9]+)\..*/\2/p')
	if [ "${v:-0}" -ge $qemu_needed ]; then
		apt_step "installing $1" as_root apt-get install -y --no-install-recommends "$1"
		return
	fi
	private_apt qemu "$codename" "$codename-backports"
	apt_step "reading the lists of $codename-backports" as_root apt-get "${apt_options[@]}" update
	apt_step "installing $1 from $codename-backports" as_root apt-get "${apt_options[@]}" \
		install -y --no-install-recommends -t "$codename-backports" "$1"
}

# usage: need_cargo WHAT-FOR
need_cargo() {
	! command -v cargo >/dev/null || return 0
	[ -n "$is_debian" ] || die "cargo is missing, to $1 with"
	has_candidate cargo || apt_step "reading the package lists" as_root apt-get update
	if has_candidate cargo-web; then
		apt_step "installing cargo-web" as_root apt-get install -y --no-install-recommends cargo-web
	else
		apt_step "installing cargo" as_root apt-get install -y --no-install-recommends cargo
	fi
}

# usage: need_package PACKAGE WHAT-FOR
need_package() {
	[ -n "$is_debian" ] || die "$1 is missing, $2"
	has_candidate "$1" || apt_step "reading the package lists" as_root apt-get update
	apt_step "installing $1" as_root apt-get install -y --no-install-recommends "$1"
}

have_tsan() {
	compgen -G "/usr/lib/llvm-$llvm/lib/clang/*/lib/linux/libclang_rt.tsan-x86_64.a" >/dev/null
}

install_bindgen() {
	local packaged
	packaged=$(apt-cache policy bindgen 2>/dev/null | sed -nE 's/^  Candidate: ([0-9.]+).*/\1/p')
	if [ -n "$is_debian" ] && takes_bindgen "$packaged"; then
		need_package bindgen "to read headers with"
		return
	fi
	need_cargo "install bindgen $bindgen_needed"
	lock_cache
	have_bindgen || install_crate bindgen-cli "$bindgen_needed"
}

# usage: install_crate CRATE VERSION
install_crate() {
	local log=$logs/setup-$1.log
	with_progress "$log" SETUP "building $1 $2" \
		cargo install --locked --force "$1" --version "$2" --root "$cache/cargo" ||
		die "cargo could not install $1: $(grep -m1 '^error' "$log" || tail -1 "$log") (log: $(short "$log"))"
}

install_mutants() {
	need_cargo "install cargo-mutants $mutants_needed"
	lock_cache
	have_mutants || install_crate cargo-mutants "$mutants_needed"
}

# What is there stays: another checkout, with an older list, may be using it.
make_venv() {
	/usr/bin/python3 -m venv "$cache/venv" &&
		"$cache/venv/bin/pip" install --disable-pip-version-check -r "$here/requirements.txt" &&
		cp "$here/requirements.txt" "$cache/venv/"
}

missing=$(missing_tools)
if [ -n "$missing" ]; then
	[ -n "$is_debian" ] || die "these are missing: $(paste -sd';' <<<"$missing"); only on Debian can they be installed for you"
	say SETUP "missing: $(paste -sd';' <<<"$missing")"
	install_packages
	missing=$(missing_tools)
	[ -z "$missing" ] || die "still missing after the installation: $(paste -sd';' <<<"$missing")"
fi
have_bindgen || install_bindgen
[[ " $* " != *" cargo "* ]] || need_cargo "build checks"
[[ " $* " != *" mutants "* ]] || have_mutants || install_mutants
[[ " $* " != *" tsan "* ]] || have_tsan || need_package libclang-rt-$llvm-dev "with clang's half of ThreadSanitizer"
[[ " $* " != *" dwarf "* ]] || [ -e /usr/include/dwarf.h ] || need_package libdw-dev "to read debugging information with"
[[ " $* " != *" deb "* ]] || command -v dh >/dev/null || need_package debhelper "to make packages with"
[[ " $* " != *" stress-ng "* ]] || command -v stress-ng >/dev/null || need_package stress-ng "to change memory maps from many threads with"
[[ " $* " != *" bpftrace "* ]] || command -v bpftrace >/dev/null || need_package bpftrace "to trace guests with"
[[ " $* " != *" mmdebstrap "* ]] || command -v mmdebstrap >/dev/null || need_package mmdebstrap "to unpack another Debian with"
[[ " $* " != *" arm64 "* ]] || command -v qemu-system-aarch64 >/dev/null || install_qemu qemu-system-arm
if ! have_venv; then
	lock_cache
	have_venv || with_progress "$logs/setup-venv.log" SETUP "virtme-ng, Sphinx, matplotlib and what they need, in $cache/venv" make_venv ||
		die "the Python environment could not be made: $(grep -m1 '^ERROR' "$logs/setup-venv.log" || tail -1 "$logs/setup-venv.log") (log: $(short "$logs")/setup-venv.log)"
fi
