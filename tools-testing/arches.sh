#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Compiles the kernel crate and its C helpers, with our files among them, for each architecture of the
# kernel tree that has Rust: a smallest kernel each, see configs/arches/. Nothing is linked or run, but
# what our files call in C is looked for where it is defined: some of it is declared and not there.
# Long; ARCHES='s390 um' picks some. What cannot be compiled here is named with the reason.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/item.sh"
lock
begin_items
"$here/setup.sh"
"$here/tree.sh"

# What a configuration says of itself. usage: setting NAME WORD
setting() {
	sed -n "s/^# $2: //p" "$here/configs/arches/$1.config"
}

# The architectures whose Kconfig has Rust.
with_rust() {
	(cd "$linux/arch" && grep -lE '^[[:space:]]*select HAVE_RUST\b' -- */Kconfig) | cut -d/ -f1 | sort -u
}

none_is_forgotten() {
	local found
	found=$(comm -23 <(with_rust) \
		<(for name in "${all[@]}"; do setting "$name" Arch | cut -d' ' -f1; done | sort -u))
	[ -z "$found" ] ||
		die "no configuration in $(short "$here")/configs/arches is for: $(paste -sd' ' <<<"$found")"
	echo "$(with_rust | wc -l) have Rust, with ${#all[@]} configurations"
}

# Why a configuration cannot be built on this machine, if so. usage: obstacle NAME
obstacle() {
	local target
	target=$(setting "$1" Target)
	[ -z "$target" ] || /usr/bin/rustc --print target-list | grep -xF "$target" >/dev/null ||
		echo "$(/usr/bin/rustc --version | cut -d' ' -f1,2) has no target $target"
	target=$(setting "$1" Headers)
	[ -z "$target" ] || echo '#include <stdio.h>' | clang-22 --target="$target" -fsyntax-only -x c - 2>/dev/null ||
		echo "the C library of this machine has no headers for $target"
}

# Our files of the kernel crate that a kernel was compiled without, tests in other files included.
left_out() {
	comm -23 <(cd "$top" && git ls-files -co --exclude-standard rust/kernel | sort) \
		<(grep -oE 'rust/kernel/[a-z0-9_/]+\.rs' "$build/$1/rust/.kernel.o.cmd" | sort -u)
}

# Where functions and variables of C that our files name are defined, in the configuration of a kernel.
c_objects() {
	local config=$build/$1/.config
	printf '%s\n' kernel/{panic,cpu,workqueue,time/timekeeping,sched/core,sched/build_policy}.o
	if grep -qx 'CONFIG_SMP=y' "$config"; then echo kernel/smp.o; else echo kernel/up.o; fi
	! grep -qx 'CONFIG_IRQ_WORK=y' "$config" || echo kernel/irq_work.o
}

# What our files name of C, what the kernel crate needs of it, and what is defined nowhere.
undefined() {
	comm -23 <(
		comm -12 <(cd "$top" && git ls-files -co --exclude-standard rust/kernel |
			xargs grep -ohE 'bindings::[a-z_][a-z0-9_]*' | sed 's/.*:://' | sort -u) \
			<(llvm-nm-22 -ju "$build/$1/rust/kernel.o" | sort -u)
	) <(c_objects "$1" | sed "s,^,$build/$1/," | xargs llvm-nm-22 -jU | sort -u)
}

# The crates of macros, which rustc runs on this machine, are the same for all: those of another kernel
# are taken. make builds them anew if they are not.
share_macros() {
	local other
	[ ! -e "$build/$1/rust/host" ] || return 0
	for other in "$build"/arch-*/rust/host; do
		[ -e "$other/libsyn.rlib" ] || continue
		mkdir -p "$build/$1/rust"
		rm -rf "$build/$1/rust/host.new"
		cp -a "$other" "$build/$1/rust/host.new"
		mv "$build/$1/rust/host.new" "$build/$1/rust/host"
		return
	done
}

architecture() {
	local kernel=arch-$1 arch found line
	read -ra arch < <(setting "$1" Arch)
	build_options+=("ARCH=${arch[0]}" "${arch[@]:1}")
	configure "$kernel"
	share_macros "$kernel"
	mapfile -t objects < <(c_objects "$kernel")
	# The first needs rust/, as all do.
	build_kernel "$kernel" "${objects[@]}"
	found=$(grep -E '(^|/)rust/(kernel|helpers)/' "$build/$kernel/warnings" || true)
	[ -z "$found" ] || die "$(sed -n 1p <<<"$found")"
	found=$(undefined "$kernel")
	[ -z "$found" ] || die "declared and not defined: $(paste -sd' ' <<<"$found")"
	found=$(left_out "$kernel")
	[ -z "$found" ] || ! grep -qx 'CONFIG_RUST_SMP_KUNIT_TEST=y' "$build/$kernel/.config" ||
		die "not compiled: $(paste -sd' ' <<<"$found")"
	line=$(sed -nE 's/^pub const L1_CACHE_BYTES: .* = ([0-9]+);$/\1/p' \
		"$build/$kernel/rust/bindings/bindings_generated.rs")
	echo "compiled in $built_in, cache lines of $line bytes${found:+, without $(wc -l <<<"$found") files}"
}

mapfile -t all < <(basename -s .config "$here"/configs/arches/*.config)
read -ra list <<<"${ARCHES:-${all[*]}}"
for name in "${list[@]}"; do
	[ -e "$here/configs/arches/$name.config" ] ||
		die "ARCHES=$name: there is no $(short "$here")/configs/arches/$name.config"
done
item "no arch is forgotten" none_is_forgotten
for name in "${list[@]}"; do
	why=$(obstacle "$name")
	if [ -n "$why" ]; then
		printf '  not here %-35s   %s\n' "arch $name" "$why"
	else
		item "arch $name" architecture "$name"
	fi
done
end_items
