#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel tree's own scftorture, unchanged, and a torture module of ours, with CPU hotplug.
# usage: torture.sh [scf|smp|both [NAME]], see kbuild.sh; else IMPL and CONFIG say it. DURATION= is for
# the first, in seconds, CALLS= for ours.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
lock
kernel=${2:-$(kernel_name)}
duration=${DURATION:-60}
calls=${CALLS:-1000000}
need_number DURATION "$duration"
need_number CALLS "$calls"
"$here/kernel.sh" "$kernel"

scf() {
	local job=torture-$kernel log verdict invoked hotplug
	log=$logs/$job.log
	say TORTURE "scftorture on $(short "$build/$kernel") for $duration s with ${CPUS:-4} CPUs (log: $(short "$log"))"
	boot "$job" "$kernel" $((duration * 2 + 120)) "" \
		"$(printf '%q ' "$here/guest/torture.sh" "$build/$kernel" "$duration")"
	verdict=$(grep -ao 'scftorture: --- End of test: [A-Z_]*' "$log" | tail -1)
	[ "${verdict##* }" = SUCCESS ] || die "scftorture: ${verdict:-no end of the test} (log: $(short "$log"))"
	invoked=$(sed -nE 's/.*scf_invoked_count VER: ([0-9]+) .*/\1/p' "$log" | tail -1)
	# "onoff: ok/tried" for going on, then for going off.
	hotplug=$(sed -nE 's,.*VER: .* onoff: ([0-9]+)/[0-9]+:([0-9]+)/[0-9]+ .*,\1 \2,p' "$log" | tail -1)
	[ "${invoked:-0}" -gt 0 ] || die "scftorture made no call (log: $(short "$log"))"
	[ "${hotplug##* }" -gt 0 ] 2>/dev/null || die "scftorture took no CPU off (log: $(short "$log"))"
	echo "SUCCESS: $invoked callbacks in $duration s on build/$kernel ($accel, ${CPUS:-4} CPUs), CPUs on ${hotplug% *} and off ${hotplug#* } times"
}

smp() {
	local job=ledger-$kernel log verdict hotplug more=()
	log=$logs/$job.log
	# Only there a call may wait with interrupts off.
	! grep -q '^CONFIG_SMP_RUST_POLLING_WAIT=y' "$build/$kernel/.config" || more+=(weight_irqs_off=5)
	say TORTURE "smp_torture on $(short "$build/$kernel"), $calls calls with ${CPUS:-4} CPUs (log: $(short "$log"))"
	boot "$job" "$kernel" $((calls / 1000 + 120)) "" \
		"$(printf '%q ' "$here/guest/smp_torture.sh" "$build/$kernel" "$calls" "${more[@]}")"
	verdict=$(sed -nE 's/.*smp-torture: --- End of test: (.*)/\1/p' "$log" | tail -1)
	[[ $verdict == SUCCESS* ]] || die "smp_torture: ${verdict:-no end of the test} (log: $(short "$log"))"
	hotplug=$(grep -aoE 'onoff: [0-9]+/[0-9]+:[0-9]+/[0-9]+' "$log" | tail -1)
	[[ $hotplug =~ :([1-9][0-9]*)/ ]] || die "smp_torture took no CPU off (log: $(short "$log"))"
	echo "$verdict on build/$kernel ($accel, ${CPUS:-4} CPUs), $(tail -n 1 "$logs/$job.out"), CPUs off ${BASH_REMATCH[1]} times"
}

case "${1:-both}" in
scf | smp) "$1" ;;
both)
	scf
	smp
	;;
*) die "usage: torture.sh [scf|smp|both [NAME]]" ;;
esac
