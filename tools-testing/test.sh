#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs the checks of the table "checks", one line each, and goes on after a failure. T='litmus kunit' picks
# some, T=list shows them. LEVEL=short or long has less or more of each. All results are in build/results/,
# and in the folder REPORT, if that is given, with JSON for KCIDB.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/item.sh"
checks() {
	/usr/bin/python3 -B "$here/checks.py" "$@"
}
if [ "${T:-}" = list ]; then
	checks list
	exit
fi
# Most checks are for the architecture of this machine.
arch=$(of_arch)
[ -z "$arch" ] || T=${T:-${arch#-}}
read -ra names <<<"${T:-}"
rows=$(checks rows "${names[@]}")
lock
begin_report
begin_items
"$here/setup.sh"
"$here/tree.sh"
if [ -z "${T:-}" ]; then
	for name in rust kunit c; do
		item_live "kernel build/$name" "$here/kernel.sh" $name
		[ "$item_rc" != 0 ] || export SMP_BUILT="${SMP_BUILT:-} $name"
	done
fi

asked=${LEVEL:-}
while IFS=$'\t' read -r of_all title command SMP_CHECK SMP_KERNELS; do
	export SMP_CHECK SMP_KERNELS
	LEVEL=$asked
	# The level in the table is that of "make test" as a whole.
	[ -n "${T:-}$asked" ] || [ "$of_all" != short ] || LEVEL=short
	export LEVEL
	read -ra words <<<"${command#+ }"
	for ((n = 0; n < ${#words[@]}; n++)); do
		[[ ${words[n]} != *.sh ]] || words[n]=$here/${words[n]}
	done
	if [[ $command == +* ]]; then
		# It may end before it comes to its items.
		start=$(date +%s) counted=$(wc -l <"$results") rc=0
		env "${words[@]}" </dev/null 2>"$logs/test-$title.log" || rc=$?
		[ $rc != 130 ] || exit 130
		cat "$logs/test-$title.log" >&2
		[ $rc = 0 ] || count $rc "$title" "$start" "$logs/test-$title.log"
		[ "$(wc -l <"$results")" -gt "$counted" ] || die "$title shows no item"
	elif [ -n "${T:-}" ]; then
		item_live "$title" env "${words[@]}"
	else
		item "$title" env "${words[@]}"
	fi
done <<<"$rows"
write_results test || say RESULTS "kunit.py made no file for JUnit of $(short "$build")/results/test.ktap"
[ -z "${REPORT:-}" ] || item "report" write_report test
end_items
