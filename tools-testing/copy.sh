# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A copy of the checkout, in which a check may break things. To be sourced after lib.sh.

# Brings FOLDER/checkout up to date. Files keep their times, so that only what changed is built again.
# usage: update_copy FOLDER
update_copy() {
	local copy=$1/checkout list=$1/files gone f
	mkdir -p "$copy/build"
	(cd "$top" && git ls-files -co --exclude-standard | while IFS= read -r f; do
		[ ! -e "$f" ] || printf '%s\n' "$f"
	done | sort) >"$list"
	gone=$(cd "$copy" && find . -path ./build -prune -o -type f -printf '%P\n' | sort | comm -23 - "$list")
	while IFS= read -r f; do
		[ -z "$f" ] || rm "$copy/$f"
	done <<<"$gone"
	tar -C "$top" -c --no-recursion -T "$list" | tar -C "$copy" -x --skip-old-files
	while IFS= read -r f; do
		cmp -s "$top/$f" "$copy/$f" || cp "$top/$f" "$copy/$f"
	done <"$list"
}

# Runs a command as if nothing of ours had called it.
in_copy() {
	env -u SMP_LOCKED -u SMP_BUILT -u SMP_RESULTS "$@"
}
