#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boots a kernel with in-kernel tests and has the kernel tree's kunit.py judge them, then runs a
# command in it. usage: kunit.sh [NAME [COMMAND]], see kbuild.sh; else that with the doctests. The results
# are in build/results/, as KTAP, JSON and for JUnit.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
lock
kernel=${1:-kunit$(of_arch)}
log=$logs/$kernel.log
parsed=$logs/$kernel.txt
results=$build/results
mkdir -p "$results"
rm -f "$results/$kernel".*
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
"$linux/tools/testing/kunit/kunit.py" parse --json="$results/$kernel.json" --junit="$results/$kernel.xml" "$log" \
	>"$parsed" 2>&1 </dev/null || rc=$?
"$linux/tools/testing/kunit/kunit.py" parse --raw_output=kunit "$log" >"$results/$kernel.ktap" 2>/dev/null </dev/null || true
sed -nE 's/^\[[0-9:]*\] (=+ [a-z].*|.*\[(FAILED|CRASHED)\].*|# .*failed.*)/\1/p' "$parsed"
# The cases that failed, and the summary in the last line.
found=$(/usr/bin/python3 -B "$here/kunit_results.py" "$results/$kernel.json" 2>&1 || true)
summary=${found##*$'\n'}
failed=$(sed '$d' <<<"$found" | paste -sd' ')
[[ $summary =~ ^[1-9][0-9]*\ tests: ]] ||
	die "KUnit ran no test: ${trouble:-$(tail -n 1 "$parsed")} (logs: $(short "$log"), $(short "$parsed"))"
if [ -n "$failed" ]; then
	die "KUnit: $summary: $failed ${trouble:+and ${trouble% (log*} }(logs: $(short "$log"), $(short "$parsed"))"
fi
[[ $summary != *': 0 passed'* ]] || die "KUnit: $summary (log: $(short "$log"))"
[ -z "$trouble" ] || die "$trouble"
[ $rc = 0 ] || die "kunit.py: $(tail -n 1 "$parsed") (logs: $(short "$log"), $(short "$parsed"))"
echo "$summary"
