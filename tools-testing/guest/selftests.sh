#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: the tests of a suite, as TAP lines, and how many interrupts they took.
# usage: selftests.sh FOLDER SUITE WORK [SKIPPED-TEST...]; FOLDER is what selftests.sh on the host made,
# WORK how often the tests that take a number do it.

. "$(dirname "$0")/common.sh"
folder=$1
suite=$2
work=$3
shift 3
skip=()
for test; do skip+=(-S "$suite:$test"); done
n=0

# Reports a command as the tree's selftests are reported. usage: tap NAME COMMAND...
tap() {
	local name=$1 rc=0
	shift
	n=$((n + 1))
	echo "# $suite: $name"
	"$@" 2>&1 | sed 's/^/# /' || rc=$?
	case $rc in
	0) echo "ok $n $suite: $name" ;;
	4) echo "ok $n $suite: $name # SKIP" ;;
	*) echo "not ok $n $suite: $name # exit=$rc" ;;
	esac
}

# stress-ng is content also when its workers ended early: what they did is counted.
# usage: stress STRESSOR OPERATIONS
stress() {
	local out=$scratch/stress rc=0 made
	cd $scratch
	stress-ng "--$1" 2 "--$1-ops" "$2" --verify --metrics --no-rand-seed --timeout 0 >$out 2>&1 || rc=$?
	cat $out
	case $rc in
	0) ;;
	# Its words for: not on this kernel.
	3 | 4) return 4 ;;
	*) return 1 ;;
	esac
	made=$(sed -nE "s/.*metrc: .* $1 +([0-9]+) .*/\1/p" $out)
	[ "${made:-0}" -ge "$2" ] || { echo "${made:-0} operations were made, not $2"; return 1; }
}

# What run_param_test.sh begins with: all its tests, without anything injected.
param() {
	local program test
	cd "$folder/kselftest/kselftest_install/rseq"
	# The C library would register its own.
	export GLIBC_TUNABLES=glibc.pthread.rseq=0
	echo 1..32
	for program in param_test{,_mm_cid}{,_compare_twice}; do
		for test in s l b 'b -M' m 'm -M' i r; do
			# shellcheck disable=SC2086 # The options are words.
			tap "$program -T $test" ./$program -T $test -r "$work" -t $((6 * $(online)))
		done
	done
}

called=$(call_interrupts | sum)
shot=$(interrupts TLB shootdowns | sum)
case "$suite" in
memory)
	echo 1..4
	tap "protect" "$folder/protect" "$work"
	tap "stress-ng tlb-shootdown" stress tlb-shootdown "$work"
	tap "stress-ng mprotect" stress mprotect $((work * 10))
	tap "stress-ng membarrier" stress membarrier $((work / 50))
	;;
rseq-param) param ;;
*)
	# The full scope of the one, and how often and from how many threads the others do it.
	export KSELFTEST_CPU_ON_OFF_TEST_SH_ARGS=-a
	export KSELFTEST_PARAM_TEST_BENCHMARK_ARGS="-r $work -t $((6 * $(online)))"
	export KSELFTEST_PARAM_TEST_MM_CID_BENCHMARK_ARGS=$KSELFTEST_PARAM_TEST_BENCHMARK_ARGS
	"$folder/kselftest/kselftest_install/run_kselftest.sh" -c "$suite" -f -o 3000 "${skip[@]}"
	;;
esac
called=$(($(call_interrupts | sum) - called))
[ $called -gt 0 ] || fail "$suite made no cross-CPU call"
echo "$called call interrupts, $(($(interrupts TLB shootdowns | sum) - shot)) of them for TLBs"
