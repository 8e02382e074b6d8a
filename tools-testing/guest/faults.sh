#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: the files of the injector and of the counters, with fail_smp_delay=1,30,0,-1 on the
# command line. usage: faults.sh MODULE.ko

. "$(dirname "$0")/common.sh"
dir=/sys/kernel/debug
[ -d $dir/smp ] || mount -t debugfs none $dir
delay=$dir/fail_smp_delay

# usage: refused VALUE FILE
refused() {
	! { echo "$1" >"$2"; } 2>/dev/null || fail "$2 takes $1"
}

counted() {
	awk -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i; next }
		/^ *[0-9]/ { n += $column } END { print n + 0 }' $dir/smp/stats
}

[ "$(cat $delay/probability)" = 30 ] || fail "the boot parameter fail_smp_delay= had no effect"
for fault in pool drop delay reorder duplicate burst; do
	[ "$(cat $dir/fail_smp_$fault/from $dir/fail_smp_$fault/to)" = $'-1\n-1' ] ||
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
echo 1 >$dir/smp/stats
load "$1" guarantee=nowait calls=9
echo 0 >$dir/smp/stats
rmmod smp_guarantees
csds=$(counted csds) ipis=$(counted ipis) slots=$(counted most_slots)
[ "$csds" -ge 9 ] && [ "$ipis" -gt 0 ] && [ "$slots" -ge 8 ] ||
	fail "the counters say: $(cat $dir/smp/stats)"
echo "boot parameter and files work; $csds csds and $ipis IPIs were counted"
