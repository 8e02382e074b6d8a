# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# What must be on the machine, and how to see whether it is. To be sourced after lib.sh.

qemu_needed=10
llvm=22
bindgen_needed=0.72.1
mutants_needed=27.1.0

# A kernel that GCC builds needs no LLVM but what bindgen reads headers with, and takes the tree's oldest
# Rust. Only LLVM can inline C functions into Rust, if it is that of rustc.
with_gcc=$([ "${CC:-}" != gcc ] || echo yes)

# Which awk there is decides the order of a header of the kernel's build: a later installation of gawk, for
# kvm.sh, would have all kernels built anew.
commands='make gawk gcc ld flex bison bc perl cpio kmod ip rsync xz zstd patch git file python3 ccache busybox
/usr/bin/rustc /usr/bin/rustdoc /usr/bin/rustfmt'
[ -n "$with_gcc" ] || commands+=' shellcheck clang-22 ld.lld-22 llvm-nm-22 llvm-link-22 /usr/bin/clippy-driver'

# Prints what is missing, a line each.
missing_tools() {
	local c v
	for c in $commands; do
		command -v "$c" >/dev/null || echo "$c"
	done
	[ -n "$with_gcc" ] || [ -e "/usr/lib/llvm-$llvm/lib/libclang.so" ] ||
		echo "libclang $llvm (/usr/lib/llvm-$llvm/lib/libclang.so)"
	for c in gelf.h openssl/opensslv.h; do
		echo "#include <$c>" | gcc -E - >/dev/null 2>&1 || echo "the header $c"
	done
	for c in /usr/lib/systemd/systemd-udevd /lib/systemd/systemd-udevd /sbin/udevd; do
		[ ! -x "$c" ] || break
	done
	[ -x "$c" ] || echo "udevd"
	# Not the first python3 in PATH: a user's own one comes and goes.
	/usr/bin/python3 -c 'import ensurepip' 2>/dev/null || echo "/usr/bin/python3 with venv"
	if [ -x /usr/bin/rustc ]; then
		v=$(/usr/bin/rustc -vV | sed -n 's/^LLVM version: //p')
		[ -n "$with_gcc" ] || [ "${v%%.*}" = "$llvm" ] ||
			echo "a /usr/bin/rustc made with LLVM $llvm (it has LLVM $v; CC=gcc takes it, and inlines no C functions)"
		v=$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/core/src/lib.rs
		[ -e "$v" ] || echo "the Rust sources for /usr/bin/rustc ($v)"
	fi
	v=$(qemu-system-x86_64 --version 2>/dev/null | sed -nE 's/.*version ([0-9]+).*/\1/p')
	[ "${v:-0}" -ge $qemu_needed ] || echo "qemu-system-x86_64 $qemu_needed or later (${v:-none} found)"
}

have_bindgen() {
	local found
	[ "$("$cache/cargo/bin/bindgen" --version 2>/dev/null)" != "bindgen $bindgen_needed" ] || return 0
	found=$(bindgen --version 2>/dev/null) && takes_bindgen "${found#bindgen }"
}

have_mutants() {
	[ "$("$cache/cargo/bin/cargo-mutants" mutants --version 2>/dev/null)" = "cargo-mutants $mutants_needed" ]
}

# Whether the system's own bindgen, of VERSION, will do: with GCC, if it is no older than the tree wants.
# usage: takes_bindgen VERSION
takes_bindgen() {
	[ -n "$with_gcc" ] && [ -n "$1" ] && [ "$(printf '%s\n' 0.71.1 "$1" | sort -V | sed -n 1p)" = 0.71.1 ]
}

have_venv() {
	cmp -s "$here/requirements.txt" "$cache/venv/requirements.txt" && [ -x "$cache/venv/bin/virtme-run" ]
}
