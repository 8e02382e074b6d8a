#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel tree's own scftorture, unchanged, with CPU hotplug.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
lock
kernel=$(kernel_name)
duration=${DURATION:-60}
need_number DURATION "$duration"
"$here/kernel.sh" "$kernel"
job=torture-$kernel
say TORTURE "$(short "$build/$kernel") for $duration s with ${CPUS:-4} CPUs (log: $(short "$logs/$job").log)"
boot "$job" "$kernel" $((duration * 2 + 120)) "" \
	"$(printf '%q ' "$here/guest/torture.sh" "$build/$kernel" "$duration")"
log=$logs/$job.log
verdict=$(grep -ao 'scftorture: --- End of test: [A-Z_]*' "$log" | tail -1)
[ "${verdict##* }" = SUCCESS ] || die "scftorture: ${verdict:-no end of the test} (log: $(short "$log"))"
calls=$(sed -nE 's/.*scf_invoked_count VER: ([0-9]+) .*/\1/p' "$log" | tail -1)
# "onoff: ok/tried" for going on, then for going off.
hotplug=$(sed -nE 's,.*VER: .* onoff: ([0-9]+)/[0-9]+:([0-9]+)/[0-9]+ .*,\1 \2,p' "$log" | tail -1)
[ "${calls:-0}" -gt 0 ] || die "scftorture made no call (log: $(short "$log"))"
[ "${hotplug##* }" -gt 0 ] 2>/dev/null || die "scftorture took no CPU off (log: $(short "$log"))"
echo "SUCCESS: $calls callbacks in $duration s on build/$kernel ($accel, ${CPUS:-4} CPUs), CPUs on ${hotplug% *} and off ${hotplug#* } times"
