#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Has herd7 decide the litmus tests of Documentation/litmus-tests/smp/ by the kernel's memory model. Each says what must not
# be, and a mutant, as an expression of sed, in which it can be. Each is named in the source, beside
# the ordering that it justifies. The same tests in the instructions of arm64, with the atomic ones and
# with exclusive loads and stores, are decided by Arm's model. LITMUS=NAME picks one.

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

# What herd7 says about a test by a model: Never, Sometimes or Always. usage: decide TEST OPTION...
decide() {
	local log
	log=$work/$(basename "$1").log
	(cd "$model" && "${herd[@]}" "${@:2}" "$1") >"$log" 2>&1 ||
		die "herd7: $(tail -n 1 "$log") (log: $(short "$log"))"
	sed -nE 's/^Observation [^ ]+ (Never|Sometimes|Always) .*/\1/p' "$log" | grep . ||
		die "herd7 did not decide: $(tail -n 1 "$log") (log: $(short "$log"))"
}

# What a line of the head of a test says. usage: head_of TEST KEY
head_of() {
	sed -n "s/^ \* $2: //p" "$1"
}

# usage: litmus NAME
litmus() {
	local name=$1 test=$tests/$1.litmus mutant=$work/$1-mutant.litmus lkmm=(-conf linux-kernel.cfg) expected change found
	expected=$(head_of "$test" Result)
	change=$(head_of "$test" Mutant)
	sed "/^P0/,\$ { $change }" "$test" >"$mutant"
	! cmp -s "$test" "$mutant" || die "the mutant is no other test"
	found=$(decide "$test" "${lkmm[@]}")
	[ "$found" = "$expected" ] || die "$found, not $expected"
	[ "$(decide "$mutant" "${lkmm[@]}")" = Sometimes ] || die "the mutant changes nothing: $change"
	git -C "$top" grep -qwF "$name" -- kernel-smp arch-x86 rust || die "no ordering in the source names $name"
	echo "$found; with the mutant, Sometimes"
}

# The mutants that arm64 does not tell from the test: a store that a CPU sees there is seen by all.
same_on_arm64='csd-exact-wait'

# Takes the mutant that litmus() has made. usage: litmus_arm64 NAME
litmus_arm64() {
	local name=$1 test=$tests/$1.litmus mutant=$work/$1-mutant.litmus arm=$work/$1-arm64 form expected found of_mutant=Sometimes
	expected=$(head_of "$test" Result)
	[[ " $same_on_arm64 " != *" $name "* ]] || of_mutant=$expected
	for form in lse llsc; do
		/usr/bin/python3 -B "$here/litmus_arm64.py" $form "$test" >"$arm-$form.litmus"
		/usr/bin/python3 -B "$here/litmus_arm64.py" $form "$mutant" >"$arm-$form-mutant.litmus"
		found=$(decide "$arm-$form.litmus" -cat aarch64.cat)
		[ "$found" = "$expected" ] || die "$form: $found, not $expected"
		found=$(decide "$arm-$form-mutant.litmus" -cat aarch64.cat)
		[ "$found" = "$of_mutant" ] || die "$form: with the mutant $found, not $of_mutant"
	done
	echo "$expected; with the mutant, $of_mutant"
}

find_herd
for test in "$tests"/${LITMUS:-*}.litmus; do
	name=$(basename -s .litmus "$test")
	item "litmus $name" litmus "$name"
	# That one is about a register of x86.
	[[ $name == x2apic-* ]] || item "litmus $name, arm64" litmus_arm64 "$name"
done
end_items
