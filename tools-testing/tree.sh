#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Brings the kernel tree and this repository together: unpacks the tree if there is none, links our
# files into it and applies our hooks. "tree.sh undo" takes both out again, "tree.sh check" only looks
# whether they would go in.
#
# All is decided before anything is written, so a tree that does not fit stays as it was. A run that
# was cut off is simply done again.

. "$(dirname "$0")/lib.sh"
. "$here/hooks.sh"
lock

# Where a folder of ours lands in the kernel tree.
rooms='kernel-smp kernel/smp
rust rust
arch-x86 arch/x86/kernel/apic
samples samples/rust
Documentation Documentation'

# What must be linked: "path in the tree<tab>our file", a line each.
wanted_links() {
	local from to f
	[ ! -e "$top/Kconfig" ] || printf 'kernel/smp/Kconfig\t%s\n' "$top/Kconfig"
	while read -r from to; do
		[ -d "$top/$from" ] || continue
		find "$top/$from" -type f ! -name '.*.sw?' ! -name '*~' | sort | while IFS= read -r f; do
			printf '%s\t%s\n' "$to/${f#"$top/$from"/}" "$f"
		done
	done <<<"$rooms"
}

# The links of ours that are in the tree. A checkout that was moved left links to its old place.
present_links() {
	local old dirs=() to
	old=$(cat "$state/top" 2>/dev/null || echo "$top")
	while read -r _ to; do
		[ ! -d "$linux/$to" ] || dirs+=("$linux/$to")
	done <<<"$rooms"
	find "${dirs[@]}" -type l \( -lname "$top/*" -o -lname "$old/*" \) -printf '%P\t%H\n' |
		awk -F'\t' -v l="$linux/" '{ print substr($2, length(l) + 1) "/" $1 }' | sort -u
}

# A file that is in the way of a link.
foreign() {
	[ ! -L "$1" ] ||
		die "$1 is a link to $(readlink "$1"): nothing was changed (if that is another checkout of this, there: make untree KDIR=$linux)"
	die "$1 exists and is no link of ours: nothing was changed"
}

check_links() {
	local path target
	while IFS=$'\t' read -r path target; do
		if [ -e "$linux/$path" ] || [ -L "$linux/$path" ]; then
			grep -qxF "$path" "$state/present" || foreign "$linux/$path"
		fi
	done <"$state/wanted"
}

remove_link() {
	rm "$linux/$1"
	(cd "$linux" && rmdir -p --ignore-fail-on-non-empty "$(dirname "$1")")
}

change_links() {
	local path target n=0
	while IFS= read -r path; do
		remove_link "$path"
		n=$((n + 1))
	done < <(cut -f1 "$state/wanted" | sort | comm -13 - "$state/present")
	while IFS=$'\t' read -r path target; do
		[ "$(readlink "$linux/$path" || true)" != "$target" ] || continue
		mkdir -p "$(dirname "$linux/$path")"
		ln -sfn "$target" "$linux/$path"
		n=$((n + 1))
	done <"$state/wanted"
	[ $n = 0 ] || say LINK "$n links changed in $(short "$linux")"
}

if [ "$linux" = "$build/linux" ] && [ ! -e "$linux/Makefile" ]; then
	[ "${1:-}" != undo ] || exit 0
	"$here/unpack.sh"
fi
version=$(sed -nE 's/^(VERSION|PATCHLEVEL|SUBLEVEL) = ([0-9]+)$/\2/p' "$linux/Makefile" 2>/dev/null | paste -sd. || true)
[ -d "$linux/rust/kernel" ] && [ -n "$version" ] || die "$linux is not a Linux source tree"
[ -w "$linux" ] || die "$linux cannot be written: take a copy of it as KDIR"
case "$version" in
7.3.*) ;;
*) say NOTICE "$(short "$linux") is Linux $version; this is made for 7.3" ;;
esac

state=$build/trees/$(basename "$linux")-$(printf %s "$linux" | cksum | cut -d' ' -f1)
[ "$linux" != "$build/linux" ] || state=$build/trees/linux
mkdir -p "$state"
present_links >"$state/present"
if [ "${1:-}" = undo ]; then
	: >"$state/wanted"
	plan_hooks /nonexistent
else
	wanted_links >"$state/wanted"
	check_links
	plan_hooks "$top/patches"
fi
if [ "${1:-}" = check ]; then
	rm -rf "$state"
	exit 0
fi
printf '%s\n' "$linux" >"$state/path"
change_hooks
change_links
if [ "${1:-}" = undo ]; then
	rm -rf "$state"
	say UNTREE "$(short "$linux") has none of our links and hooks"
else
	printf '%s\n' "$top" >"$state/top"
fi
