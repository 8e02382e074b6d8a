#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What disturbs CPU N, with nothing but a shell and awk: source CPU, function and caller of each call in
# SECONDS (5), the most frequent first. Without a CPU, or with an empty one: source, target and function of
# all calls. usage: smptop.sh [CPU [SECONDS]]

tracing=/sys/kernel/tracing
event=events/csd/csd_queue_cpu
fail() {
	echo "smptop.sh: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || fail "the trace points belong to root: run this as root"
[ -e $tracing/instances ] || mount -t tracefs none $tracing || fail "the kernel has no CONFIG_FTRACE"
instance=$tracing/instances/smptop-sh-$$
# The kernel counts by three keys at most.
trigger="hist:keys=common_cpu,cpu,func.sym:size=8192"
[ -z "$1" ] || trigger="hist:keys=common_cpu,func.sym,callsite.sym:size=8192 if cpu == $1"
mkdir "$instance" || fail "tracefs gives no instance"
remove() {
	echo "!$trigger" >"$instance/$event/trigger"
	rmdir "$instance"
} 2>/dev/null
trap remove EXIT
trap 'exit 1' INT TERM
[ -e "$instance/$event" ] || fail "the kernel has no event csd:csd_queue_cpu"
[ -e "$instance/$event/hist" ] || fail "the kernel has no CONFIG_HIST_TRIGGERS"
echo "$trigger" >"$instance/$event/trigger" || fail "CPU $1 is no number"
sleep "${2:-5}"
awk -v target="$1" '/^[{]/ {
	count = $0; sub(/.*hitcount: */, "", count)
	line = $0; sub(/^[{] */, "", line); sub(/ *[}].*/, "", line)
	n = split(line, key, /, */)
	for (i = 1; i <= n; i++) { sub(/^[^:]*: */, "", key[i]); sub(/^\[[^]]*\] */, "", key[i]); sub(/ *$/, "", key[i]) }
	if (target == "")
		printf "%10d  CPU %s to CPU %s  %s\n", count, key[1], key[2], key[3]
	else
		printf "%10d  CPU %s to CPU %s  %s  from %s\n", count, key[1], target, key[2], key[3]
}' "$instance/$event/hist" | sort -rn
