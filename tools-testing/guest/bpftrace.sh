#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: the one-liners of Documentation/core-api/smp-rust.rst, while CPU 2 calls CPU 1.
# usage: bpftrace.sh smp_regressions.ko

. "$(dirname "$0")/common.sh"
mount_tracefs
module=$1

# usage: one_liner NAME PROGRAM PATTERN
one_liner() {
	echo "bpftrace -e '$2'"
	# The module is there until bpftrace has looked up its names.
	bpftrace -e "$2" -c "$(command -v insmod) $module number=17 rounds=2" >$scratch/out 2>&1 ||
		fail "bpftrace, $1: $(tail -n 1 $scratch/out)"
	rmmod smp_regressions
	grep -v '^$' $scratch/out
	grep -qE "$3" $scratch/out || fail "bpftrace, $1: it does not show $3"
}

one_liner "functions" 'kprobe:smp_call* { @[probe] = count(); }' '^@\[kprobe:smp_call_function_single\]: [0-9]+'
one_liner "callers" 'kprobe:smp_call_function_single { @[kstack(2)] = count(); }' 'call_while_preempted'
one_liner "senders to CPU 1" \
	'tracepoint:csd:csd_queue_cpu /args->cpu == 1/ { @[cpu, ksym(args->callsite), ksym(args->func)] = count(); }' \
	'^@\[2, [a-z_]+, note_time\]: [0-9]+'
one_liner "how long functions take" \
	'tracepoint:csd:csd_function_entry { @start[cpu] = nsecs; } tracepoint:csd:csd_function_exit /@start[cpu]/ { @ns[ksym(args->func)] = hist(nsecs - @start[cpu]); delete(@start[cpu]); }' \
	'^@ns\[note_time\]:'
echo "4 one-liners show what they are for"
