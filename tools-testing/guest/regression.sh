#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: looks for a regression. usage: regression.sh MODULE.ko NUMBER ROUNDS
# Meanwhile a CPU that sends goes off and on, for the regression of many senders.

. "$(dirname "$0")/common.sh"

# How many calls were reported that had begun in time. A report ends with function and argument.
false_reports() {
	sed -n 's/^smp_regressions: call \(0x[0-9a-f]*\) began late$/\1/p' $scratch/dmesg | sort >$scratch/late
	sed -n 's/^smp: csd: Detected .* note_time+.*(\(0x[0-9a-f]*\))\.$/\1/p' $scratch/dmesg | sort |
		comm -23 - $scratch/late | wc -l
}

dmesg -C
[ "$2" != 1 ] || toggle_cpu 3
load "$1" "number=$2" "rounds=$3"
touch $scratch/stop
wait
rmmod smp_regressions || fail "rmmod smp_regressions failed"
dmesg -t >$scratch/dmesg
said=$(sed -n "s/^smp_regressions: $2: //p" $scratch/dmesg)
[ -n "$said" ] || fail "the module said nothing: $(tail -n 1 $scratch/dmesg)"
[ "$2" != 6 ] || said+=", $(grep -c ' sent to offline CPU' $scratch/dmesg || true) reported"
[ "$2" != 17 ] || said+=", $(false_reports) false reports"
[ ! -e $scratch/toggles ] || echo "a sender went off and on $(wc -l <$scratch/toggles) times"
echo "$said"
