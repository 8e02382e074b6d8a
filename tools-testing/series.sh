#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Writes the patch series that patches/series declares to build/series/: for each stage numbered patches
# with a cover letter, and one mbox. FROM='Name <mail>' is their author. CHECK=1 proves that they apply,
# give the linked tree, build and boot. KDIR=PATH APPLY=1 makes them commits of a git checkout there;
# STAGES='5 7' picks some.

. "$(dirname "$0")/lib.sh"
. "$here/apt.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/item.sh"
checkout=$linux
if [ -n "${APPLY:-}" ]; then
	[ -n "${KDIR:-}" ] || die "APPLY=1 needs KDIR=, a git checkout of Linux 7.3"
	[ "$(git -C "$checkout" rev-parse --show-toplevel 2>/dev/null)" = "$checkout" ] ||
		die "$checkout is no git checkout: nothing was changed"
	[ -z "$(git -C "$checkout" status --porcelain | sed -n 1p)" ] ||
		die "$checkout has changes that are not committed: nothing was changed"
	unset KDIR
	linux=$build/linux
fi
lock
"$here/setup.sh"
"$here/tree.sh"
out=$build/series
state=$(grep -lxF "$linux" "$build"/trees/*/path)
state=${state%/path}

# What the diffs of the first stages change: C files that are neither linked nor hooked.
diffed() {
	sed -n 's,^+++ b/,,p' "$top"/patches/c/*.patch | sort -u
}

# usage: write FOLDER
write() {
	rm -rf "$1.new"
	python3 -B "$here/series.py" "$top/patches/series" "$linux" "$state/wanted" "$1.new" --author "${FROM:-Submitter <submitter@example.org>}"
	rm -rf "$1" "$1.new/git"
	mv "$1.new" "$1"
}

# The mboxes of the stages that were asked for, in order.
mboxes() {
	local stage found
	if [ -z "${STAGES:-}" ]; then
		printf '%s\n' "$out"/*.mbox
		return
	fi
	for stage in $STAGES; do
		found=$(compgen -G "$out/$stage-*.mbox") || die "STAGES=$STAGES: there is no stage $stage"
		echo "$found"
	done
}

# Makes commits of an mbox, or leaves the checkout as it was. usage: apply CHECKOUT MBOX
apply() {
	local log=$logs/series-am.log head who=()
	head=$(git -C "$1" rev-parse HEAD)
	git -C "$1" config user.email >/dev/null || who=(-c user.name=Submitter -c user.email=submitter@example.org)
	git -C "$1" "${who[@]}" am --quiet --empty=drop "$2" >"$log" 2>&1 && return
	git -C "$1" am --abort
	git -C "$1" reset --quiet --hard "$head"
	die "$(basename "$2") does not apply: $(grep -m1 '^error: ' "$log" || tail -n 1 "$log") (log: $(short "$log"))"
}

write "$out"
for mbox in "$out"/*.mbox; do
	say SERIES "$(short "${mbox%.mbox}"): $(grep -c '^Subject: ' "$mbox") mails, and $(short "$mbox")"
done

if [ -n "${APPLY:-}" ]; then
	before=$(git -C "$checkout" rev-parse HEAD)
	trap 'git -C "$checkout" reset --quiet --hard "$before"' ERR
	mapfile -t list < <(mboxes)
	for mbox in "${list[@]}"; do
		(apply "$checkout" "$mbox") || { git -C "$checkout" reset --quiet --hard "$before"; exit 1; }
		say APPLY "$(basename "$mbox")"
	done
	exit
fi
[ -n "${CHECK:-}" ] || exit 0

begin_items
tree=$build/series-tree

# Makes a git checkout of the kernel's source as it is in the archive, with no link and no hook.
pristine() {
	local deb version
	version=$(sed -nE 's/^(VERSION|PATCHLEVEL) = ([0-9]+)$/\2/p' "$linux/Makefile" | paste -sd.)
	deb=$(newest "linux-source-$version")
	[ -n "$deb" ] || die "there is no package of Linux $version in $store: the series is checked on one"
	if [ "$(cat "$tree/.git/deb" 2>/dev/null)" != "$deb" ]; then
		rm -rf "$tree"
		unpack "$deb" "$tree"
		git -C "$tree" init --quiet
		# Work behind our back would keep the lock.
		git -C "$tree" config gc.auto 0
		git -C "$tree" config maintenance.auto false
		git -C "$tree" add --all --force
		git -C "$tree" -c user.name=Debian -c user.email=debian@example.org commit --quiet -m "$(basename "$deb")"
		git -C "$tree" tag pristine
		echo "$deb" >"$tree/.git/deb"
	fi
	git -C "$tree" am --abort 2>/dev/null || true
	git -C "$tree" checkout --quiet --force pristine
	git -C "$tree" clean --quiet --force -d
	echo "$(basename "$deb"), $(git -C "$tree" ls-files | wc -l) files"
}

same_bytes() {
	write "$build/series-again"
	diff -r "$out" "$build/series-again" || die "two runs do not give the same"
	echo "$(find "$out" -name '[0-9]*.patch' | wc -l) mails"
	rm -rf "$build/series-again"
}

# Applies all stages, and compares each file that is linked or hooked, and no other.
applies() {
	local mbox path n=0
	for mbox in "$out"/*.mbox; do
		apply "$tree" "$mbox"
		git -C "$tree" tag --force "after-$(basename "$mbox" .mbox)" >/dev/null
	done
	while IFS= read -r path; do
		cmp -s "$tree/$path" "$linux/$path" || die "$path is not as in $(short "$linux")"
		n=$((n + 1))
	done < <(cut -f1 "$state/wanted"; sed -n 's,^+++ b/,,p' "$top"/patches/*.patch | sort -u)
	n=$((n + $(diffed | wc -l)))
	[ "$(git -C "$tree" diff --name-only pristine | wc -l)" = "$n" ] ||
		die "the series changes $(git -C "$tree" diff --name-only pristine | wc -l) files, the linked tree $n"
	echo "$(git -C "$tree" rev-list --count pristine..) patches, $n files, $((n - $(diffed | wc -l))) of them as in $(short "$linux")"
}

# usage: checkpatch_on MBOX-FOLDER; what stays, and why, is in checkpatch.
checkpatch_on() {
	local ignore
	ignore=$(sed -n 's/^\([A-Z_]\+\) .*/\1/p' "$here/checkpatch" | paste -sd,)
	(cd "$tree" && scripts/checkpatch.pl --strict --terse --no-summary --show-types --no-signoff --ignore "$ignore" \
		"$1"/000[1-9]-*.patch "$1"/001*.patch) || true
}

checkpatch_check() {
	local folder found
	for folder in "$out"/*/; do
		found=$(checkpatch_on "${folder%/}")
		[ -z "$found" ] || { echo "$found"; die "checkpatch: $(sed -n 1p <<<"$found")"; }
	done
	echo "no error, no warning, no check but the $(grep -c '^[A-Z_]\+ ' "$here/checkpatch") kinds in $(short "$here/checkpatch")"
}

maintainers() {
	local patch found
	for patch in "$out"/*/[0-9]*.patch; do
		[[ $patch != */0000-* ]] || continue
		found=$(cd "$tree" && scripts/get_maintainer.pl --nogit --nogit-fallback --norolestats "$patch" 2>/dev/null) || true
		grep -vq linux-kernel@ <<<"$found" || die "get_maintainer.pl knows nobody for $(short "$patch")"
	done
	echo "somebody for each patch"
}

# What is built of a stage. usage: stage_config TAG
stage_config() {
	echo "# SPDX-License-Identifier: GPL-2.0"
	[[ $1 > after-5 ]] || printf 'CONFIG_%s=n\n' RUST_SMP_KUNIT_TEST SAMPLE_RUST_SMP SAMPLE_RUST_SMP_PERCPU SAMPLE_RUST_SMP_LATENCY
	[[ $1 > after-6 ]] && echo CONFIG_SMP_RUST=y || printf 'CONFIG_%s=n\n' SMP_RUST SMP_RUST_KUNIT_TEST
	[[ $1 > after-7 ]] && echo CONFIG_X2APIC_RUST=y || printf 'CONFIG_%s=n\n' X2APIC_RUST X2APIC_RUST_KUNIT_TEST
}

# Builds the kernel at the end of a stage, and has it run its tests. usage: stage TAG
stage() {
	git -C "$tree" checkout --quiet --force "$1"
	stage_config "$1" >"$build/series.config"
	rm -f "$build/series-kernel/all.config"
	linux=$tree build_kernel series-kernel bzImage modules
	[ ! -s "$build/series-kernel/warnings" ] || die "$(sed -n 1p "$build/series-kernel/warnings")"
	export SMP_BUILT=series-kernel
	"$here/kunit.sh" series-kernel
	DURATION=10 "$here/torture.sh" scf series-kernel
}

item "series: source" pristine
item "series: same bytes" same_bytes
item "series: git am" applies
item "series: checkpatch" checkpatch_check
item "series: maintainers" maintainers
for mbox in "$out"/*.mbox; do
	item "series: ${mbox##*/}" stage "after-$(basename "$mbox" .mbox)"
done
end_items
