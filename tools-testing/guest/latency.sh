#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: loads the sample that measures latency, and prints its files, each after a line with
# its name. usage: latency.sh MODULE.ko [CPU] [PARAMETER=VALUE...]; a CPU goes off and on meanwhile.

. "$(dirname "$0")/common.sh"
module=$1
shift
name=$(basename "$module" .ko)
mount_debugfs

said=
cpu=
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
	cpu=$1
	shift
	toggle_cpu "$cpu"
fi
load "$module" "$@"
touch $scratch/stop
wait
[ ! -e $scratch/toggles ] || said=", CPU $cpu went off and on $(wc -l <$scratch/toggles) times"

for file in table histogram; do
	echo "file $file"
	cat "$debugfs/$name/$file" || fail "$name made no file $file"
done
rmmod "$name" || fail "rmmod $name failed"
echo "file end"
echo "$(online) CPUs online$said"
