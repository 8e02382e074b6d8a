# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Another Debian in a folder: a release whose toolchain builds a kernel there, or an architecture whose
# programs a guest runs. To be sourced after lib.sh.

. "$here/apt.sh"

# What a kernel with Rust needs, beside the Rust toolchain that a configuration names.
root_packages=make,gcc,bc,bison,flex,libelf-dev,libssl-dev,python3,perl,kmod,cpio,xz-utils,zstd,ccache

# What configuration matrix-* NAME says in a line "# KEY: ...".
said_by() {
	case "$1" in
	matrix-*) sed -n "s/^# $2: //p" "$here/configs/matrix/${1#matrix-}.config" ;;
	esac
}

# The root that kernel NAME is built in: configurations of the same suites share one.
root_of() {
	local suites
	suites=$(said_by "$1" Root)
	echo "$cache/roots/${suites// /-}"
}

# The packages that the configurations of SUITES name. usage: packages_of SUITES
packages_of() {
	grep -lxF "# Root: $1" "$here"/configs/matrix/*.config | xargs sed -n 's/^# Packages: //p' |
		tr ' ' '\n' | sort -u | paste -sd,
}

# The line of sources.list for a suite of the archive. The lists of sid are valid for a week, which a
# mirror may be behind. usage: source_of SUITE
source_of() {
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg check-valid-until=no] $(archive) $1 main"
}

# Whether ROOT was made, and of these packages. usage: has_packages ROOT PACKAGES
has_packages() {
	[ -e "$1/.packages" ] && [ "$(cat "$1/.packages")" = "$2" ]
}

# Notes of which packages ROOT is made, as the last step. usage: note_packages ROOT PACKAGES
note_packages() {
	as_root tee "$1/.packages" <<<"$2" >/dev/null
}

# Has mmdebstrap make ROOT anew, with the cache locked. usage: unpack_root ROOT WHAT ARGUMENT...
unpack_root() {
	local root=$1 what=$2 log=$logs/root-${1##*/}.log
	shift 2
	lock_cache
	as_root rm -rf "$root"
	mkdir -p "$cache/roots"
	with_progress "$log" ROOT "Debian $what in $(short "$root")" as_root mmdebstrap "$@" ||
		die "no root of Debian $what: $(grep -m1 -E '^E: ' "$log" || tail -n 1 "$log") (log: $(short "$log"))"
}

# Runs a command in ROOT, as root, with processes and devices. usage: inside ROOT COMMAND...
inside() {
	# shellcheck disable=SC2016 # The inner shell expands it.
	as_root unshare --mount --pid --fork --propagation private bash -c \
		'mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && exec chroot "$@"' - "$@"
}

# The root of guests of ARCH.
guest_root() {
	echo "$cache/roots/guest-$1"
}

# What scripts of guest/ and virtme-ng's init call.
guest_packages='base-passwd,bash,busybox,coreutils,findutils,gawk,grep,gzip,iproute2,kmod,mount,procps,sed,udev,util-linux'

# Makes the root of guests of ARCH, if there is none. Nothing in it is run here: what its packages would
# do when they are configured, as far as it is needed, is done by hand. usage: make_guest_root ARCH
make_guest_root() {
	local root file
	root=$(guest_root "$1")
	if ! has_packages "$root" $guest_packages; then
		# The cache is locked no longer than this.
		(
			unpack_root "$root" "$codename for $1" --architectures="$1" --variant=extract \
				--include=$guest_packages "$codename" "$root" "$(archive)"
			as_root chown -R "$(id -u):$(id -g)" "$root"
			ln -s gawk "$root/usr/bin/awk"
			[ -e "$root/bin/sh" ] || ln -s bash "$root/bin/sh"
			ln -s /bin/busybox "$root/sbin/poweroff"
			for file in passwd group; do
				cp "$root/usr/share/base-passwd/$file.master" "$root/etc/$file"
			done
			note_packages "$root" $guest_packages
		)
	fi
	# Where the guest finds the checkout.
	mkdir -p "$root$top"
}

# Makes the root that kernel NAME is built in, if there is none. usage: make_root NAME
make_root() {
	local suite suites packages root sources=()
	root=$(root_of "$1")
	suites=$(said_by "$1" Root)
	packages=$(packages_of "$suites")
	! has_packages "$root" "$packages" || return 0
	"$here/setup.sh" mmdebstrap
	# The cache is locked no longer than this.
	(
		for suite in $suites; do
			sources+=("$(source_of "$suite")")
		done
		unpack_root "$root" "$suites" --variant=apt --include="$root_packages,$packages" \
			"${suites%% *}" "$root" "${sources[@]}"
		note_packages "$root" "$packages"
	)
}

# Runs a command in the root of kernel NAME, as the user of now, who finds the checkout, the tree and
# the cache at their places. usage: in_root NAME COMMAND...
in_root() {
	local root binds="" dir
	root=$(root_of "$1")
	shift
	for dir in "$top" "$linux" "$cache" "${CCACHE_DIR:-$HOME/.cache/ccache}" /proc /dev; do
		mkdir -p "$dir"
		as_root mkdir -p "$root$dir"
		binds+=$(printf 'mount --rbind %q %q && ' "$dir" "$root$dir")
	done
	# shellcheck disable=SC2016 # The inner shell expands it.
	as_root unshare --mount --propagation private bash -c "$binds"'exec chroot --userspec="$1" "$2" "${@:3}"' - \
		"$(id -u):$(id -g)" "$root" env HOME="$HOME" PWD="$PWD" "$@"
}
