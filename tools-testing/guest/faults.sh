#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: the files of the injector and of the counters, with fail_smp_delay=1,30,0,-1 on the
# command line. usage: faults.sh MODULE.ko

. "$(dirname "$0")/common.sh"
mount_debugfs
delay=$debugfs/fail_smp_delay

# usage: refused VALUE FILE
refused() {
	! { echo "$1" >"$2"; } 2>/dev/null || fail "$2 takes $1"
}

[ "$(cat $delay/probability)" = 30 ] || fail "the boot parameter fail_smp_delay= had no effect"
for fault in pool drop delay reorder duplicate burst; do
	[ "$(cat $debugfs/fail_smp_$fault/from $debugfs/fail_smp_$fault/to)" = $'-1\n-1' ] ||
		fail "fail_smp_$fault is not for all CPUs"
done
refused 100000 $delay/to
refused -2 $delay/from
echo 2 >$delay/from
[ "$(cat $delay/from)" = 2 ] || fail "$delay/from does not keep its value"
echo -1 >$delay/from

load "$1" guarantee=nowait calls=9
rmmod smp_guarantees
[ "$(counted csds)" = 0 ] || fail "csds are counted while the counters are off"
echo 1 >$debugfs/smp/stats
load "$1" guarantee=nowait calls=9
echo 0 >$debugfs/smp/stats
rmmod smp_guarantees
csds=$(counted csds) ipis=$(counted ipis) slots=$(counted most_slots)
[ "$csds" -ge 9 ] && [ "$ipis" -gt 0 ] && [ "$slots" -ge 8 ] ||
	fail "the counters say: $(cat $debugfs/smp/stats)"
echo "boot parameter and files work; $csds csds and $ipis IPIs were counted"
