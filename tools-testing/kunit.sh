#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boots a kernel with in-kernel tests and has the kernel tree's kunit.py judge them, then runs a
# command in it. usage: kunit.sh [NAME [COMMAND]], see kbuild.sh; else that with the doctests.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
lock
kernel=${1:-kunit}
log=$logs/$kernel.log
parsed=$logs/$kernel.txt
"$here/kernel.sh" "$kernel"
say KUNIT "$(short "$build/$kernel") with ${CPUS:-4} CPUs (log: $(short "$log"))"
# A test may take as long as the guest.
append="kunit.enable=1${FILTER:+ kunit.filter_glob=$FILTER}${LIMIT:+ kunit.timeout=$LIMIT}"
# A guest that panics or hangs still has results to show.
if trouble=$(boot "$kernel" "$kernel" 600 "$append" "${2:-true}" 2>&1); then
	trouble=
else
	trouble=${trouble##*$'\n'}
	trouble=${trouble#smp: }
	trouble=${trouble:-the guest failed without a word}
fi
rc=0
"$linux/tools/testing/kunit/kunit.py" parse "$log" >"$parsed" 2>&1 </dev/null || rc=$?
sed -nE 's/^\[[0-9:]*\] (=+ [a-z].*|.*\[(FAILED|CRASHED)\].*|# .*failed.*)/\1/p' "$parsed"
summary=$(grep -aoE 'Testing complete\..*' "$parsed" | tail -1)
tests=$(sed -nE 's/.*Ran ([0-9]+) tests.*/\1/p' <<<"$summary")
[ "${tests:-0}" -gt 0 ] || die "KUnit ran no test: ${trouble:-$(tail -n 1 "$parsed")} (logs: $(short "$log"), $(short "$parsed"))"
ours=$(awk '/# Subtest: / { ours = / (smp|x2apic|rust_smp|rust_cpuhp|rust_irq_work)(_|$)/ } ours && /\]     ok [0-9]/ && !/# SKIP/ { n++ } END { print n + 0 }' "$log")
if grep -qE 'failed: [1-9]|crashed: [1-9]|errors: [1-9]' <<<"$summary"; then
	what=$(sed -nE 's/^\[[0-9:]*\] \[(FAILED|CRASHED)\] ([^ ]+)$/\2/p' "$parsed" | tr '\n' ' ')
	[ -n "$what" ] || what="$(sed -nE 's/^.*\[ERROR\] Test: (.*)/\1/p' "$parsed" | sed -n 1p) "
	die "KUnit: $summary: ${what}${trouble:+and ${trouble% (log*} }(logs: $(short "$log"), $(short "$parsed"))"
fi
[ -z "$trouble" ] || die "$trouble"
[ $rc = 0 ] || die "kunit.py: $(tail -n 1 "$parsed") (logs: $(short "$log"), $(short "$parsed"))"
echo "$summary, $ours of them of our suites"
