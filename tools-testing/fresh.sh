#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 'make run' of the last commit on a machine that was just installed: in a new root of Debian that has
# make, git and sudo and else what each Debian has, as root and as a user with sudo. Long: each downloads
# and builds all.
# FRESH='trixie:user bookworm:root' says which, CC= and CONFIG= what is built; LEVEL=long: 'make test' too.
# A root has what this machine needs to reach the archives of packages: the files below. It is removed
# when all is well, and else kept, to look into.

. "$(dirname "$0")/lib.sh"
. "$here/root.sh"
. "$here/item.sh"
lock
begin_items
read -ra fresh <<<"${FRESH:-trixie:user bookworm:root}"
reach=(/etc/pip.conf /etc/ssl/certs /usr/local/share/ca-certificates /etc/resolv.conf /etc/hosts)
command -v mmdebstrap >/dev/null || "$here/setup.sh" mmdebstrap

# What pip, cargo and git are told by the environment.
network=()
while IFS= read -r v; do network+=("$v"); done < <(env | grep -E '^(PIP_|CARGO_|SSL_CERT_|CURL_CA|GIT_SSL|(https?|no)_proxy=)')

# usage: make_fresh SUITE FOLDER
make_fresh() {
	local suite=$1 root=$2 f
	as_root rm -rf "$root"
	mkdir -p "${root%/*}"
	as_root mmdebstrap --variant=important --include=make,git,sudo,ca-certificates "$suite" "$root" \
		"$(source_of "$suite")"
	for f in "${reach[@]}" "$(echo "${PIP_FIND_LINKS:-}" | grep '^/')"; do
		[ ! -e "$f" ] || { as_root mkdir -p "$root${f%/*}" && as_root cp -aLT --remove-destination "$f" "$root$f"; }
	done
	as_root chroot "$root" useradd -m -s /bin/bash builder
	echo 'builder ALL=(ALL) NOPASSWD: ALL' | as_root tee "$root/etc/sudoers.d/builder" >/dev/null
}

# Runs a command of the checkout's make in a root, as USER. usage: in_fresh FOLDER USER ARGUMENT...
in_fresh() {
	local root=$1 user=$2 home path=/usr/local/bin:/usr/bin:/bin
	shift 2
	[ "$user" != root ] || path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	home=$(as_root chroot "$root" getent passwd "$user" | cut -d: -f6)
	git -C "$top" archive --prefix=smp/ HEAD | as_root tar x -C "$root$home"
	as_root chroot "$root" chown -R "$user:" "$home/smp"
	inside "$root" runuser -u "$user" -- env -i HOME="$home" TERM=dumb PATH="$path" "${network[@]}" \
		make -C "$home/smp" ${CC:+CC="$CC"} ${CONFIG:+CONFIG="$CONFIG"} "$@"
}

for f in "${fresh[@]}"; do
	suite=${f%%:*} root=$build/fresh/${f/:/-}
	case "$f" in
	*:root) user=root ;;
	*:user) user=builder ;;
	*) die "FRESH=$f: it is SUITE:root or SUITE:user" ;;
	esac
	item "fresh $f: root" make_fresh "$suite" "$root"
	[ "$item_rc" = 0 ] || continue
	item_live "fresh $f: make run" in_fresh "$root" "$user" run
	[ "$level" != long ] || [ "$item_rc" != 0 ] || item_live "fresh $f: make test" in_fresh "$root" "$user" test
	[ "$item_rc" != 0 ] || as_root rm -rf "$root"
done
end_items
