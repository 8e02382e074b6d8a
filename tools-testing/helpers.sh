#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Counts the calls of C inline functions ("helpers") that the objects of a kernel without
# CONFIG_RUST_INLINE_HELPERS have, by function, and fails if a function on the way of a call has one
# that is not known. Compiles no more than these objects. usage: helpers.sh [NAME], see kbuild.sh

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
lock
kernel=${1:-rust-small-gcc}
"$here/setup.sh"
"$here/tree.sh"
build_kernel "$kernel" prepare kernel/smp/ samples/rust/ arch/x86/kernel/apic/x2apic/
[ ! -s "$build/$kernel/warnings" ] || die "$(sed -n 1p "$build/$kernel/warnings") (log: $(short "$logs/kernel-$kernel").log)"
! grep -q '^CONFIG_RUST_INLINE_HELPERS=y' "$build/$kernel/.config" ||
	die "build/$kernel has C inline functions inlined: there is nothing to count"

# From the entry point to the IPI, and from the interrupt to the function.
on_the_way='smp_single|smp_single_any|smp_single_async|smp_single_queue|__smp_call_function_single
generic_exec_single|smp_call_function_many_cond|__csd_lock_wait|csd_do_func
generic_smp_call_function_single_interrupt|flush_smp_call_function_queue
__flush_smp_call_function_queue|x2apic_(phys|cluster)_send_ipi(_mask(_allbutself)?)?|.*send_mask'

# What is left there. After the queue of an idle CPU is flushed, softirqs run if some are pending. An IPI
# is a write to a register of the APIC, after a fence that is patched at boot, in one helper.
known='flush_smp_call_function_queue do_softirq_post_smp_call_flush
x2apic_phys_send_ipi x2apic_send_fenced
x2apic_cluster_send_ipi x2apic_send_fenced
send_mask cpumask_andnot
send_mask native_x2apic_icr_write
send_mask weak_wrmsr_fence
send_mask x2apic_next_and'

mapfile -t objects < <(smp_objects "$kernel")
objects+=("$build/$kernel/arch/x86/kernel/apic/x2apic/x2apic_send.o")
calls=$(objdump -dr --no-show-raw-insn "${objects[@]}" | c++filt | awk '
	/^[0-9a-f]+ <.*>:$/ { f = $0; sub(/^[0-9a-f]+ </, "", f); sub(/>:$/, "", f); sub(/.*::/, "", f) }
	match($0, /rust_helper_[a-z0-9_]+/) { print f, substr($0, RSTART + 12, RLENGTH - 12) }' | sort | uniq -c)
[ -n "$calls" ] || die "the objects of build/$kernel call no C inline function at all: is this the right kernel?"
all=$(awk '{ n += $1 } END { print n }' <<<"$calls")
hot=$(grep -E "^ *[0-9]+ (${on_the_way//$'\n'/|}) " <<<"$calls" || true)
left=$(awk '{ n += $1 } END { print n + 0 }' <<<"$hot")
echo "calls of C inline functions on the way of a call, in build/$kernel:"
echo "${hot:-  none}"
unknown=$(awk '{ print $2, $3 }' <<<"$hot" | grep -vxF "$known" || true)
[ -z "$unknown" ] || die "a C inline function is called on the way of a call: $(sed -n 1p <<<"$unknown")"
echo "$all calls of C inline functions, $left of them on the way of a call, all known"
