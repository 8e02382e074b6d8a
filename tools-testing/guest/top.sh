#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: does smptop name the program that disturbs CPU 3? PROGRAM makes system calls on CPU 0 that
# interrupt all CPUs. usage: top.sh PYTHON SMPTOP PROGRAM [live]

. "$(dirname "$0")/common.sh"
python=$1 smptop=$2 program=$3
mount_tracefs
mount_debugfs
cd "$smptop"
[ "${4:-}" = live ] || [ "$(cat /sys/devices/system/cpu/nohz_full)" = 3 ] || fail "CPU 3 is not in nohz_full"

while "$program" >/dev/null; do :; done &
noise=$!
trap 'kill $noise' EXIT

if [ "${4:-}" = live ]; then
	"$python" -B -m smptop
	exit
fi

# usage: part NAME COMMAND...: each part follows a line with its name.
part() {
	echo "part $1"
	shift
	"$@" || fail "$* failed"
}
part once "$python" -B -m smptop --once --plain --interval 3
part target "$python" -B -m smptop --once --json --interval 3 --target 3
part table "$python" -B -m smptop --once --plain --interval 3 --target 3
part latency "$python" -B -m smptop --latency --plain --interval 1
part summary "$python" -B -m smptop --latency --json --interval 1
part timeline "$python" -B -m smptop --timeline $scratch/timeline.json --interval 0.2
part json cat $scratch/timeline.json
echo
part shell ./smptop.sh 3 3
[ ! -s $tracing/kprobe_events ] || fail "probes are left: $(cat $tracing/kprobe_events)"
part end echo "smptop has looked at CPU 3"
