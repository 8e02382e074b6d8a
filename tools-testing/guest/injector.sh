#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: a ledger of calls while a fault is injected into one of ten IPIs, and what was counted.
# usage: injector.sh BUILD-FOLDER FAULT CALLS

. "$(dirname "$0")/common.sh"
build=$1 fault=$2 calls=$3
files=/sys/kernel/debug
most=1000000
[ -d $files/smp ] || mount -t debugfs none $files

# The counters that both implementations have. Each entry needs an IPI, or there is a reason why not; of
# each CPU one may just be counted.
sums() {
	awk -v cpus="$(online)" 'NR == 1 { for (i = 2; i <= 5; i++) name[i] = $i; next }
		/^ *[0-9]/ { for (i = 2; i <= 5; i++) n[i] += $i }
		END {
			for (i = 2; i <= 5; i++) printf "%s%d %s", (i > 2 ? ", " : ""), n[i], name[i]
			exit (n[2] - n[3] - n[4] - n[5]) ^ 2 > cpus ^ 2
		}' $files/smp/stats
}

load "$build/kernel/torture.ko"
echo 1 >$files/smp/stats
if [ "$fault" != none ]; then
	echo 0 >$files/fail_smp_"$fault"/verbose
	echo $most >$files/fail_smp_"$fault"/times
	echo 10 >$files/fail_smp_"$fault"/probability
fi
# Loading returns when all calls are over.
load "$build/kernel/smp/tests/smp_torture.ko" calls="$calls"
injected=0
if [ "$fault" != none ]; then
	injected=$((most - $(cat $files/fail_smp_"$fault"/times)))
	[ $injected -gt 0 ] || fail "no fault was injected"
	echo 0 >$files/fail_smp_"$fault"/probability
fi
rmmod smp_torture || fail "rmmod smp_torture failed"
echo 0 >$files/smp/stats
counted=$(sums) || fail "the counters do not add up: $counted"
verdict=$(dmesg | sed -n 's/.*smp-torture: --- End of test: //p')
case "$verdict" in
SUCCESS:*) echo "${verdict#SUCCESS: }, $injected faults; $counted" ;;
*) fail "$verdict" ;;
esac
