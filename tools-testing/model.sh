#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Compiles kernel-smp/ as it is for this machine, and checks it: its protocols in all executions with
# loom, in schedules drawn by chance with shuttle, and with real threads, also under ThreadSanitizer;
# a ledger of calls with CPU hotplug; programs drawn by chance against a model. LEVEL=short leaves out
# shuttle, ThreadSanitizer and the watch over requests, and has fewer of the rest; LEVEL=long makes 10^9
# calls.

. "$(dirname "$0")/lib.sh"
. "$here/item.sh"
. "$here/host.sh"
lock
begin_items

backends=(loom loom-debug threads debug shuttle shuttle-debug tsan)
calls=10000000
programs=100000
if [ "$level" = short ]; then
	backends=(loom threads)
	calls=3000000
	programs=20000
fi
[ "$level" != long ] || calls=1000000000
"$here/setup.sh" cargo "${backends[@]}"

build_backends() {
	local backend
	for backend in "${backends[@]}"; do
		say HOST "$backend"
		host_build "$backend" "$top" "$build/host/$backend"
	done
	echo "kernel-smp/ compiles for this machine, as it is"
}

# usage: check BACKEND CHECK
check() {
	local limit=600
	[ "$level" != long ] || limit=14400
	case $1-$2 in
	threads-ledger) export CALLS=$calls ;;
	tsan-ledger | debug-ledger) export CALLS=300000 ;;
	threads-differential) export TIMES=$programs ;;
	tsan-* | debug-*) export TIMES=200 ;;
	esac
	host_run "$build/host/$1" "$2" $limit
}

item_live "host build" build_backends
if [ "$item_rc" = 0 ]; then
	for backend in "${backends[@]}"; do
		for name in $("$(host_checks "$build/host/$backend")" list); do
			[[ $backend != *-debug || $name == stall_* ]] || continue
			item "$backend: ${name//_/ }" check "$backend" "$name"
		done
	done
fi
end_items
