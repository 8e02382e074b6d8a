#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel tree's own selftests that lean on cross-CPU calls, and changes of memory maps from many
# threads, on our kernel and on that with kernel/smp.c: no failure on either, and the same results.
# LEVEL=short is without the C kernel and rseq, and with less work; LEVEL=long runs the tree's run_param_test.sh
# too, in which rseq is disturbed in many ways, and which takes hours under emulation.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/item.sh"
lock
begin_items
place=$build/selftests
suites=(membarrier cpu-hotplug rseq rseq-param memory)
more=0
[ "$level" != long ] || more=14400
[ -z "${IMPL:-}" ] || die "IMPL=$IMPL: both are compared"
kernels=("$(kernel_name)" "$(IMPL=c kernel_name)")
[ "$level" != short ] || kernels=("${kernels[0]}") suites=(membarrier cpu-hotplug memory)
"$here/setup.sh" stress-ng
for name in "${kernels[@]}"; do
	"$here/kernel.sh" "$name"
done
choose_accel "${kernels[0]}"

# The selftests are built against the headers of this kernel, and outside of its tree.
build_suites() {
	rm -rf "$place/kselftest/kselftest_install"
	kmake selftests headers &&
		"${clean_env[@]}" make -C "$linux/tools/testing/selftests" O="$place" ARCH=x86_64 CC=gcc \
			TARGETS="membarrier cpu-hotplug rseq" FORCE_TARGETS=1 install &&
		gcc -O2 -Wall -pthread -o "$place/protect" "$here/selftests/protect.c"
}

# How often, where a test takes a number.
work() {
	case "$1-$level" in
	memory-short) echo 500 ;;
	memory-*) echo 1000 ;;
	*) echo 100 ;;
	esac
}

# The tests that are left out here, and why. usage: left_out SUITE; a line each: TEST REASON
left_out() {
	case "$1" in
	membarrier)
		[ "$accel" = kvm ] ||
			echo "membarrier_rseq_stress it fails when a thread waits for 50 ms, as all do under emulation"
		;;
	rseq)
		[ "$level" = long ] || echo "run_param_test.sh LEVEL=long runs it; rseq-param is its beginning"
		;;
	esac
}

# The tests that were skipped, and why, as far as they say it.
skipped() {
	awk -v suite="$1" '/^# ?(selftests: )?'"$1"': / { test = $NF; told = 0; next }
		/# SKIP|^(# )+Skipping / {
			why = $0
			sub(/^.*(# SKIP *|Skipping )/, "", why)
			if (why == "" && told)
				next
			told = 1
			print suite ": " test ": " (why == "" ? "it does not say why" : why)
		}' "$logs/selftests-$2-$1.out" | sort -u
}

# usage: suite KERNEL SUITE
suite() {
	local job=selftests-$1-$2 out=$logs/selftests-$1-$2.out lines=$place/$1-$2 tests plan passed failed
	mapfile -t tests < <(left_out "$2" | cut -d' ' -f1)
	rm -f "$lines"
	boot "$job" "$1" $((more + 1200)) "" \
		"$(printf '%q ' "$here/guest/selftests.sh" "$place" "$2" "$(work "$2")" "${tests[@]}")"
	grep -aE '^(# )*(not )?ok [0-9]+' "$out" >"$lines" || true
	failed=$(grep -am1 -E '^(# )*not ok ' "$lines") && die "$2: $failed (log: $(short "$out"))"
	plan=$(sed -nE '0,/^1\.\.[0-9]/s/^1\.\.([0-9]+).*/\1/p' "$out")
	[ "$(grep -ac '^ok ' "$lines")" = "${plan:-none}" ] || die "$2: not all of ${plan:-the} tests ended (log: $(short "$out"))"
	passed=$(grep -acv '# SKIP' "$lines" || true)
	[ "$passed" -gt 0 ] || die "$2: no test was run (log: $(short "$out"))"
	echo "$passed passed, $(grep -ac '# SKIP' "$lines" || true) skipped; $(tail -n 1 "$out")"
}

same() {
	local ours=$place/${kernels[0]}-$1 theirs=$place/${kernels[1]}-$1 first
	[ -e "$ours" ] && [ -e "$theirs" ] || die "$1 did not run on both kernels"
	first=$(diff "$ours" "$theirs" | sed -n '/^[<>]/{p;q}' || true)
	[ -z "$first" ] || die "$1: only on one of both: $first"
	echo "$(wc -l <"$ours") results on ${kernels[0]} are those on ${kernels[1]}"
}

with_progress "$logs/selftests-build.log" TESTS "building the selftests" build_suites ||
	die "building the selftests failed: $(build_error "$logs/selftests-build.log") (log: $(short "$logs")/selftests-build.log)"
for name in "${suites[@]}"; do
	left_out "$name" | while read -r test why; do say LEFT "$name: $test: $why"; done
	for kernel in "${kernels[@]}"; do
		item "$name on $kernel" suite "$kernel" "$name"
		skipped "$name" "$kernel" | while IFS= read -r line; do say SKIPPED "$line"; done
	done
	[ ${#kernels[@]} = 1 ] || item "$name, both" same "$name"
done
end_items
