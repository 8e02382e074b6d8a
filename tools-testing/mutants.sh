#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Breaks the code on purpose, one mutant of mutants/ after the other, in a copy of the checkout, and
# looks whether what each names as its catcher fails. MUTANTS='csd-* api-*' picks some; LEVEL=short
# only looks whether each still applies.
#
# A mutant is a patch; above it stand what it breaks, and what must fail on it, a line each:
#
#   Caught by: kunit SUITE[.TEST]   a suite of KUnit, in a guest
#   Caught by: verdict TEST         a test of smp_verdict, in a guest whose waits are watched
#   Caught by: loom CHECK           a check of model.sh, with loom; or shuttle, or threads
#   Caught by: herd7 TEST           a litmus test, whose own mutant is the same
#   Caught by: misuse CASE          a case of misuse.sh: what it is about compiles
#   Caught by: unload KERNEL        a module that is unloaded while what it has sent is under way
#   Caught by: disassembly OBJECT   the order of instructions, which no guest under QEMU shows
#
# regression-NN-* bring back failures that kernel/smp.c once had; Documentation/dev-tools/smp/regressions.rst
# has the list.

. "$(dirname "$0")/lib.sh"
. "$here/item.sh"
. "$here/kbuild.sh"
. "$here/host.sh"
. "$here/copy.sh"
lock
begin_items
copy=$build/mutants/checkout
catchers='kunit|verdict|loom|loom-debug|shuttle|shuttle-debug|threads|herd7|misuse|unload|disassembly'

mapfile -t list < <(cd "$here/mutants" && for pattern in ${MUTANTS:-*}; do
	compgen -G "$pattern.patch" || echo "$pattern"
done)

# usage: apply_to FOLDER PATCH OPTIONS...
apply_to() {
	patch -d "$1" -p1 -s -f -F0 --no-backup-if-mismatch -r - -i "$here/mutants/$2" "${@:3}"
}

check() {
	local m n
	for ((n = 1; n <= 15; n++)); do
		compgen -G "$here/mutants/$(printf 'regression-%02d-*.patch' $n)" >/dev/null || die "regression $n has no mutant"
	done
	for m in "${list[@]}"; do
		[ -e "$here/mutants/$m" ] || die "MUTANTS: there is no $m in $(short "$here")/mutants"
		grep -q '^Caught by: ' "$here/mutants/$m" &&
			! grep '^Caught by: ' "$here/mutants/$m" | grep -qvE ": ($catchers) [a-z0-9_.*-]+\$" ||
			die "$m does not say what catches it"
		apply_to "$top" "$m" --dry-run >/dev/null || die "$m does not apply any more"
	done
	echo "${#list[@]} mutants apply"
}

# Each of these fails if the mutant survives, and says what failed on it.

caught_by_kunit() {
	in_copy "$copy/tools-testing/kernel.sh" kunit || die "it does not compile, so nothing was tested"
	! in_copy env FILTER="$1" LIMIT=240 SMP_BUILT=kunit "$copy/tools-testing/kunit.sh" kunit || die "survived $1"
	grep -aq 'KTAP version' "$copy/build/logs/kunit.log" || die "the guest did not come to its tests"
	sed -nE 's/^\[[0-9:]*\] \[(FAILED|CRASHED)\] ([^ ]+)$/\2/p' "$copy/build/logs/kunit.txt" |
		sed -n 1p | grep . || echo "the guest did not end well"
}

caught_by_verdict() {
	SMP_EXPECTED='csd: |Call Trace:' APPEND="csdlock_debug=1 ${APPEND:-}" caught_by_kunit "smp_verdict.$1"
}

caught_by_host() {
	local out target=$build/mutants/$1
	host_build "$1" "$copy" "$target" || die "it does not compile, so nothing was tested"
	! out=$(CALLS=300000 host_run "$target" "$2" 120 2>&1) || die "survived $2"
	tail -n 1 <<<"${out#smp: }"
}

caught_by_loom() {
	caught_by_host loom "$1"
}

caught_by_loom-debug() {
	caught_by_host loom-debug "$1"
}

caught_by_shuttle() {
	caught_by_host shuttle "$1"
}

caught_by_shuttle-debug() {
	caught_by_host shuttle-debug "$1"
}

caught_by_threads() {
	caught_by_host threads "$1"
}

caught_by_herd7() {
	LITMUS=$1 env -u SMP_RESULTS "$here/litmus.sh"
}

caught_by_misuse() {
	local out
	! out=$(in_copy "$copy/tools-testing/misuse.sh" 2>&1) || die "survived $1"
	grep -m1 "^smp: $1 .*: it compiles" <<<"$out" | sed 's/^smp: //' || die "$(tail -n 1 <<<"$out")"
}

caught_by_unload() {
	in_copy "$copy/tools-testing/kernel.sh" "$1" || die "it does not compile, so nothing was tested"
	! in_copy env LIMIT=240 SMP_BUILT="$1" "$copy/tools-testing/unload.sh" "$1" || die "survived unload.sh"
	grep -aq 'smp_unload: ' "$copy/build/logs/unload.log" || die "the guest did not come to its test"
	tail -n 1 "$copy/build/logs/unload.out" | grep . || echo "the guest did not end well"
}

caught_by_disassembly() {
	in_copy "$copy/tools-testing/kernel.sh" kunit || die "it does not compile, so nothing was tested"
	build=$copy/build unfenced_sends kunit | grep -m1 . || die "survived, $1 has its fences"
}

# usage: mutant PATCH
mutant() {
	local m=$1 catcher what out found=""
	update_copy "$build/mutants"
	apply_to "$copy" "$m"
	while read -r catcher what; do
		out=$("caught_by_$catcher" "$what" 2>&1) || die "$m: $(tail -n 1 <<<"${out#smp: }")"
		found+="${found:+; }$catcher: $(tail -n 1 <<<"$out")"
	done < <(sed -n 's/^Caught by: //p' "$here/mutants/$m")
	echo "caught by $found"
}

item "mutants apply" check
[ "$level" != short ] || list=()
for m in "${list[@]}"; do
	item "${m%.patch}" mutant "$m"
done
end_items
