#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: a ledger of calls while a fault is injected into one of ten IPIs, and what was counted.
# usage: injector.sh BUILD-FOLDER FAULT CALLS

. "$(dirname "$0")/common.sh"
build=$1 fault=$2 calls=$3
most=1000000
faults=0
mount_debugfs
load "$build/kernel/torture.ko"
echo 1 >$debugfs/smp/stats
[ "$fault" = none ] || inject "$fault" 10 $most
# Loading returns when all calls are over.
load "$build/kernel/smp/tests/smp_torture.ko" calls="$calls"
if [ "$fault" != none ]; then
	faults=$((most - $(cat "$debugfs/fail_smp_$fault/times")))
	[ $faults -gt 0 ] || fail "no fault was injected"
	inject "$fault" 0
fi
rmmod smp_torture || fail "rmmod smp_torture failed"
echo 0 >$debugfs/smp/stats
csds=$(counted csds) ipis=$(counted ipis) batched=$(counted batched) polled=$(counted polled)
said="$csds csds, $ipis ipis, $batched batched, $polled polled"
# Each entry needs an IPI, or there is a reason why not. Of each CPU one may just have been counted in part.
missing=$((csds - ipis - batched - polled))
[ ${missing#-} -le "$(online)" ] || fail "the counters do not add up: $said"
verdict=$(dmesg | sed -n 's/.*smp-torture: --- End of test: //p')
[[ $verdict == SUCCESS:* ]] || fail "$verdict"
echo "${verdict#SUCCESS: }, $faults faults; $said"
