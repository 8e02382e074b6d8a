# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Packages on Debian. Backports are read with a private apt configuration, so the system's sources,
# lists and preferences stay as they are and nothing else is upgraded from there. To be sourced after
# lib.sh.

# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
# shellcheck source=/dev/null
is_debian=$(. /etc/os-release; [ "${ID:-}" != debian ] || echo yes)

# A service that a package starts must not keep our locks.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		DEBIAN_FRONTEND=noninteractive "$@" 8>&- 9>&-
	elif command -v sudo >/dev/null; then
		sudo DEBIAN_FRONTEND=noninteractive "$@" 8>&- 9>&-
	else
		die "installing packages needs root, or sudo"
	fi
}

# The archive that this machine's own apt uses.
archive() {
	local uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $codename" 'Origin: Debian' | sed -n 1p)
	[ -n "$uri" ] || die "apt knows no Debian archive for $codename: run 'apt-get update' and see its errors"
	echo "$uri"
}

# Options for apt that let it see SUITES only, kept in the cache under NAME.
# usage: private_apt NAME SUITE...; sets apt_options
private_apt() {
	local dir=$cache/apt/$1 uri
	shift
	uri=$(archive)
	mkdir -p "$dir/sources" "$dir/lists/partial" "$dir/cache/archives/partial"
	cat >"$dir/sources/smp.sources" <<-END
		Types: deb
		URIs: $uri
		Suites: $*
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	END
	apt_options=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$dir/sources"
		-o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root
		-o APT::Update::Error-Mode=any)
}

# Runs an apt command with its output in a log; the log's own error line tells what failed.
apt_step() {
	local text=$1 log=$logs/setup.log rc=0
	shift
	lock_cache
	# What runs in the background cannot ask for a password.
	[ "$1" != as_root ] || as_root true
	with_progress "$log" SETUP "$text" "$@" || rc=$?
	[ "$rc" = 0 ] ||
		die "$text failed: $(grep -m1 -E '^(E:|W: Failed)' "$log" || tail -1 "$log") (log: $(short "$log"))"
}

has_candidate() {
	apt-cache "${apt_options[@]}" policy "$1" 2>/dev/null | grep 'Candidate: [^(]' >/dev/null
}

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Packages of kernels: where they come from, and where they are kept.
kernels=trixie-backports
store=$cache/src

# The newest one of PACKAGE that is there. usage: newest PACKAGE
newest() {
	find "$store" -maxdepth 1 -name "$1_*.deb" | sort -V | tail -1
}

# Reads the list of kernels, once a day. Without network the cache must do, if it has a package that
# matches PATTERN. usage: read_kernels PATTERN; sets apt_options and offline
read_kernels() {
	local log=$logs/setup-source.log
	offline=
	mkdir -p "$store"
	private_apt source "$kernels"
	[ -z "$(find "$cache/apt/source" -maxdepth 1 -name read -mtime -1)" ] || return 0
	if with_progress "$log" SETUP "reading the lists of $kernels" apt-get "${apt_options[@]}" update; then
		touch "$cache/apt/source/read"
		return 0
	fi
	[ -n "$(newest "$1")" ] ||
		die "$kernels cannot be read, and the cache has no $1: $(grep -m1 '^E:' "$log") (log: $(short "$log"))"
	say NOTICE "$kernels cannot be read; what the cache has is used (log: $(short "$log"))"
	offline=yes
}

# Brings the newest PACKAGE into the cache, if the archive can be asked. usage: download_kernel PACKAGE
download_kernel() {
	local version
	[ -z "$offline" ] || return 0
	version=$(apt-cache "${apt_options[@]}" policy "$1" | sed -n 's/^  Candidate: //p')
	! compgen -G "$store/$1_${version}_*.deb" >/dev/null || return 0
	rm -rf "$store/new"
	mkdir -p "$store/new"
	apt_step "downloading $1 $version" env -C "$store/new" apt-get "${apt_options[@]}" download "$1"
	mv "$store/new/$1"_*.deb "$store/"
}

# Unpacks the kernel's source. usage: unpack FILE.deb FOLDER
unpack() {
	mkdir -p "$2"
	dpkg-deb --fsys-tarfile "$1" | tar xO --wildcards '*linux-source-*.tar.xz' |
		xz -dc -T0 | tar x --strip-components=1 -C "$2"
}

# Unpacks packages of SUITE in the cache under NAME, if FILE is not there yet.
# usage: unpack_packages NAME SUITE FILE PACKAGE...
unpack_packages() {
	local name=$1 suite=$2 file=$3 place=$cache/$1 deb
	shift 3
	[ ! -e "$place/$file" ] || return 0
	[ -n "$is_debian" ] || die "$name is missing; only on Debian can it be installed for you"
	# The cache is locked no longer than this.
	(
		private_apt "$name" "$suite"
		apt_step "reading the lists of $suite, for $name" apt-get "${apt_options[@]}" update
		rm -rf "$place"
		mkdir -p "$place"
		apt_step "downloading $name" env -C "$place" apt-get "${apt_options[@]}" download "$@"
	)
	for deb in "$place"/*.deb; do
		dpkg-deb -x "$deb" "$place"
	done
	rm "$place"/*.deb
}

# A program of sid, which is newer than that of the releases, with the C library that it was built for.
# "program" is what stands in front of its arguments then. usage: program_of_sid NAME PACKAGE...
program_of_sid() {
	local place=$cache/$1 libraries=$cache/$1/usr/lib/x86_64-linux-gnu
	program=("$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$place/usr/bin/$1")
	unpack_packages "$1" sid "usr/bin/$1" "${@:2}"
}
