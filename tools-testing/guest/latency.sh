#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: loads the sample that measures latency, and prints its files, each after a line with
# its name. usage: latency.sh MODULE.ko [hotplug] [PARAMETER=VALUE...]; hotplug: CPU 1 goes off and
# on meanwhile.

. "$(dirname "$0")/common.sh"
module=$1
shift
name=$(basename "$module" .ko)
mount_debugfs

said=
if [ "${1:-}" = hotplug ]; then
	shift
	toggle_cpu 1
fi
load "$module" "$@"
touch $scratch/stop
wait
[ ! -e $scratch/toggles ] || said=", CPU 1 went off and on $(wc -l <$scratch/toggles) times"

for file in table histogram; do
	echo "file $file"
	cat "$debugfs/$name/$file" || fail "$name made no file $file"
done
rmmod "$name" || fail "rmmod $name failed"
echo "file end"
echo "$(online) CPUs online$said"
