#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: can the functions NAMES be traced and probed, and what does a synchronous call look like
# to ftrace? usage: tracing.sh smp_regressions.ko NAME...

. "$(dirname "$0")/common.sh"
mount_tracefs
module=$1
shift

# The functions of the architecture that send an IPI and take one.
send=x2apic_send_IPI take=__sysvec_call_function_single
[ "$(uname -m)" = x86_64 ] || send=arch_send_call_function_single_ipi take=generic_smp_call_function_single_interrupt

# Makes synchronous calls from CPU 2 to CPU 1 for a while. What was traced is in a file, with the names
# of the module.
calls() {
	echo >$tracing/trace
	load "$module" number=17 rounds=1
	echo 0 >$tracing/tracing_on
	cat $tracing/trace >$scratch/trace
	rmmod smp_regressions
	echo 1 >$tracing/tracing_on
}

# Makes calls until COMMAND succeeds: the sender of one round may be preempted at once. usage: calls_until COMMAND...
calls_until() {
	local round
	for ((round = 0; round < 20; round++)); do
		calls
		! "$@" || return 0
	done
	return 1
}

awk '{ print $1 }' $tracing/available_filter_functions | sort >$scratch/traceable
for name in "$@"; do
	grep -qx "$name" $scratch/traceable || fail "$name is not in available_filter_functions"
	echo "p:smp/probe $name" >$tracing/kprobe_events || fail "$name cannot be probed"
	echo >$tracing/kprobe_events
done

echo 'p:smp/probe generic_smp_call_function_single_interrupt' >$tracing/kprobe_events
echo 1 >$tracing/events/smp/probe/enable
probe_is_hit() {
	hits=$(awk '$1 == "probe" { print $2 }' $tracing/kprobe_profile)
	[ "$hits" -ge 10 ]
}
calls_until probe_is_hit || fail "a probe of the interrupt was hit $hits times"
echo 0 >$tracing/events/smp/probe/enable
echo >$tracing/kprobe_events

# The stack of a caller that sends an IPI. Another call of the same CPU may have sent the IPIs of a round:
# a timer that interrupts the caller sends its own.
echo "$send*" >$tracing/set_ftrace_filter
echo 1 >$tracing/options/func_stack_trace
echo function >$tracing/current_tracer
stack_is_seen() {
	ipis=$(grep -c ": $send <-" $scratch/trace || true)
	awk '/<stack trace>/ { s = ""; on = 1; next }
		on && /=>/ { s = s $0 "\n"; if (/ kthread/ && s ~ /=> __smp_call_function_single\n/) { printf "%s", s; exit }; next }
		{ on = 0 }' $scratch/trace >$scratch/stack
	[ "$ipis" -ge 10 ] && [ -s $scratch/stack ]
}
calls_until stack_is_seen || fail "ftrace saw $ipis calls of $send, and no stack with a synchronous call"
echo nop >$tracing/current_tracer
echo 0 >$tracing/options/func_stack_trace
echo >$tracing/set_ftrace_filter
echo "The stack of a caller that sends an IPI:"
cat $scratch/stack
! grep -q '=> _R' $scratch/stack || fail "a mangled name in the stack of a caller"

# One call on both CPUs, from start to end.
echo 'smp_call_function_single' >$tracing/set_graph_function
echo $take >>$tracing/set_graph_function
echo 1 >$tracing/options/funcgraph-proc
echo function_graph >$tracing/current_tracer
calls_until grep -q note_time $scratch/trace || fail "function_graph did not see the function that is called"
echo nop >$tracing/current_tracer
awk '/smp_call_function_single\(\) \{/ { s = ""; on = 1 } on { s = s $0 "\n"; n++ }
	on && /^ *2\)/ && /\|  }/ { if (s ~ /note_time/) { printf "%s", s; exit } on = 0 }' $scratch/trace | head -n 60
echo "$# functions can be traced and probed, $hits hits of a probe, $ipis IPIs traced"
