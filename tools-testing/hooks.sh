# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Puts hooks (patches to files that exist in the kernel tree) in and takes them out. To be sourced
# by tree.sh, which sets $linux and $state.
#
# $state/applied and $state/next hold copies of the hooks that are in the tree, or may be after a run
# that was cut off. Each file is taken back to what it was, hooked anew in a scratch folder, and
# replaced only if that changes it: kbuild then makes anew what it must and no more.

# Splits the *.patch of folder $1 into one piece a file: $2/FILE/NAME.patch.
split_hooks() {
	local p
	mkdir -p "$2"
	for p in "$1"/*.patch; do
		[ -e "$p" ] || continue
		awk -v out="$2" -v name="$(basename "$p")" '
			/^--- / { minus = $0; next }
			/^\+\+\+ / { f = $2; sub(/^[^\/]*\//, "", f); dir = out "/" f
				system("mkdir -p \"" dir "\""); file = dir "/" name
				print minus > file; print > file; next }
			/^(diff |index |-- $)/ { file = ""; next }
			file { print > file }' "$p"
	done
}

try_patch() {
	patch -s -f -F0 --no-backup-if-mismatch -r - "$@" >/dev/null 2>&1
}

# Takes the pieces of folder $1 out of file $2. All or nothing.
take_out() {
	local p
	cp "$2" "$2.try"
	while IFS= read -r p; do
		try_patch -R "$2.try" "$p" || { rm -f "$2.try"; return 1; }
	done < <(find "$1" -maxdepth 1 -name '*.patch' | sort -r)
	mv "$2.try" "$2"
}

# Puts the pieces of folder $1 into file $2; $failed is the one that does not fit.
put_in() {
	local p
	while IFS= read -r p; do
		failed=$(basename "$p")
		try_patch "$2" "$p" || return 1
	done < <(find "$1" -maxdepth 1 -name '*.patch' | sort)
}

# Makes of file $1 in the tree what it was without any hook, in $2.
without_hooks() {
	local set
	cp "$linux/$1" "$2"
	for set in applied next ours; do
		[ ! -d "$scratch/$set/$1" ] || ! take_out "$scratch/$set/$1" "$2" || return 0
	done
	# None came out: they are not in, and must fit.
	for set in applied next ours; do
		[ -d "$scratch/$set/$1" ] || continue
		cp "$2" "$2.try"
		put_in "$scratch/$set/$1" "$2.try" && rm -f "$2.try" && return 0
		rm -f "$2.try"
	done
	return 1
}

# Prepares in $scratch/new what each hooked file must be.
# usage: plan_hooks FOLDER
plan_hooks() {
	local f src failed
	scratch=$(mktemp -d)
	trap 'rm -rf "$scratch"' EXIT
	split_hooks "$1" "$scratch/want"
	split_hooks "$state/applied" "$scratch/applied"
	split_hooks "$state/next" "$scratch/next"
	split_hooks "$top/patches" "$scratch/ours"
	(cd "$scratch" && find want applied next ours -name '*.patch' -printf '%h\n' | cut -d/ -f2- | sort -u) >"$scratch/files"
	while IFS= read -r f; do
		src=$scratch/new/$f
		[ -f "$linux/$f" ] || die "a hook is for $f, which $linux does not have: nothing was changed"
		mkdir -p "$(dirname "$src")"
		without_hooks "$f" "$src" ||
			die "$failed does not apply to $f in $linux, nor come out of it: nothing was changed"
		[ -d "$scratch/want/$f" ] || continue
		# That one might have come out of a file which has no hook at all.
		! take_out "$scratch/want/$f" "$src" ||
			die "the hook for $f fits a file without it the wrong way round, and needs more context: nothing was changed"
		put_in "$scratch/want/$f" "$src" ||
			die "$failed does not apply to $f in $linux: nothing was changed"
	done <"$scratch/files"
	hooks_from=$1
}

# Does what was planned.
change_hooks() {
	local f n=0
	rm -rf "$state/next"
	mkdir -p "$state/next"
	cp "$hooks_from"/*.patch "$state/next/" 2>/dev/null || true
	while IFS= read -r f; do
		rm -f "$linux/$f.smp-new"
		! cmp -s "$scratch/new/$f" "$linux/$f" || continue
		cp --preserve=mode "$linux/$f" "$linux/$f.smp-new"
		cat "$scratch/new/$f" >"$linux/$f.smp-new"
		mv "$linux/$f.smp-new" "$linux/$f"
		n=$((n + 1))
	done <"$scratch/files"
	rm -rf "$state/applied"
	mv "$state/next" "$state/applied"
	[ $n = 0 ] || say HOOK "$n files changed in $(short "$linux")"
}
