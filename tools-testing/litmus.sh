#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Has herd7 decide the litmus tests of Documentation/litmus-tests/smp/ by the kernel's memory model. Each says what must not
# be, and a mutant, as an expression of sed, in which it can be. Each is named in the source, beside
# the ordering that it justifies. LITMUS=NAME picks one.

. "$(dirname "$0")/lib.sh"
. "$here/apt.sh"
. "$here/item.sh"
lock
begin_items
"$here/setup.sh"
"$here/tree.sh"
model=$linux/tools/memory-model
tests=$top/Documentation/litmus-tests/smp
work=$build/litmus
mkdir -p "$work"

# Debian's own herd7 may be there.
find_herd() {
	if command -v herd7 >/dev/null; then
		herd=(herd7)
		return
	fi
	program_of_sid herd7 herdtools7 libc6 libgmp10
	herd=("${program[@]}" -set-libdir "$cache/herd7/usr/share/herdtools7/herd")
}

# What herd7 says about a test: Never, Sometimes or Always.
decide() {
	local log
	log=$work/$(basename "$1").log
	(cd "$model" && "${herd[@]}" -conf linux-kernel.cfg "$1") >"$log" 2>&1 ||
		die "herd7: $(tail -n 1 "$log") (log: $(short "$log"))"
	sed -nE 's/^Observation [^ ]+ (Never|Sometimes|Always) .*/\1/p' "$log" | grep . ||
		die "herd7 did not decide: $(tail -n 1 "$log") (log: $(short "$log"))"
}

# usage: litmus NAME
litmus() {
	local name=$1 test=$tests/$1.litmus mutant=$work/$1-mutant.litmus expected change found
	expected=$(sed -n 's/^ \* Result: //p' "$test")
	change=$(sed -n 's/^ \* Mutant: //p' "$test")
	sed "/^P0/,\$ { $change }" "$test" >"$mutant"
	! cmp -s "$test" "$mutant" || die "the mutant is no other test"
	found=$(decide "$test")
	[ "$found" = "$expected" ] || die "$found, not $expected"
	[ "$(decide "$mutant")" = Sometimes ] || die "the mutant changes nothing: $change"
	git -C "$top" grep -qwF "$name" -- kernel-smp arch-x86 || die "no ordering in the source names $name"
	echo "$found; with the mutant, Sometimes"
}

find_herd
for test in "$tests"/${LITMUS:-*}.litmus; do
	item "litmus $(basename -s .litmus "$test")" litmus "$(basename -s .litmus "$test")"
done
end_items
