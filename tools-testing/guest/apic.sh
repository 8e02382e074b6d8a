#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: where do the static calls of the APIC driver go, in the text of the running kernel?
# That IPIs arrive says little: they would with another function, too.
# usage: apic.sh [driver=WORD] [fence=yes|no] [nmi=yes] [CALL=FUNCTION[+RUST]]...
# CALL is a member of struct apic, RUST the function that FUNCTION of C must go on to; fence is about
# the last of the two for send_IPI.

. "$(dirname "$0")/common.sh"
# What fails in a $(...) ends the script, and says so.
shopt -s inherit_errexit
exec 3>&1
fail() {
	echo "$*" >&3
	exit 1
}

mount_tracefs
awk '{ print $1, $3 }' /proc/kallsyms | sort >$scratch/symbols

# The address of a function, which must have this name alone.
address() {
	local found
	found=$(awk -v s="$1" '$2 == s { print "0x" $1 }' $scratch/symbols)
	[ "$(grep -c . <<<"$found")" = 1 ] || fail "there is not one $1 in /proc/kallsyms"
	echo "$found"
}

# usage: name ADDRESS
name() {
	local hex
	printf -v hex %016x "$1"
	awk -v a="$hex" '$1 == a { print $2; exit }' $scratch/symbols | grep . || echo "0x$hex"
}

# How far it is to the symbol after ADDRESS.
size() {
	local hex
	printf -v hex %016x "$1"
	echo $((0x$(awk -v a="$hex" '$1 > a { print $1; exit }' $scratch/symbols) - $1))
}

# The bytes of the running kernel's text as hexadecimal digits. Any probe can fetch from any address:
# one is set on what opens files, and a file is opened.
# usage: text ADDRESS LENGTH
text() {
	local at fetch="" hex
	for ((at = $1; at < $1 + $2; at += 8)); do
		printf -v hex @0x%x:x8[8] $at
		fetch+=" $hex"
	done
	echo "p:smp/text do_sys_openat2$fetch" >$tracing/kprobe_events || fail "no probe can be set"
	echo 1 >$tracing/events/smp/text/enable
	: </proc/version
	echo 0 >$tracing/events/smp/text/enable
	grep -am1 ' text: ' $tracing/trace | sed 's/^[^=]*=//' | grep -oE '0x[0-9a-f]+' |
		sed 's/^0x//; s/^.$/0&/' | tr -d '\n' >$scratch/text
	echo >$tracing/trace
	echo >$tracing/kprobe_events
	head -c $((2 * $2)) $scratch/text
}

# Where the jump or call at BYTES, five of them at ADDRESS, goes.
# usage: target ADDRESS BYTES
target() {
	local d=$((0x${2:8:2}${2:6:2}${2:4:2}${2:2:2}))
	[ $d -lt $((1 << 31)) ] || d=$((d - (1 << 32)))
	echo $(($1 + 5 + d))
}

# How many jumps and calls of the function at FROM go to that at TO.
# usage: sites FROM TO
sites() {
	local from=$1 to=$2 size bytes i n=0
	size=$(size "$from")
	bytes=$(text "$from" "$size")
	for ((i = 0; i + 10 <= ${#bytes}; i += 2)); do
		case "${bytes:i:2}" in
		e8 | e9) [ "$(target $((from + i / 2)) "${bytes:i:10}")" != $((to)) ] || n=$((n + 1)) ;;
		esac
	done
	echo $n
}

# Which functions make a call.
callers() {
	case "$1" in
	send_IPI) echo native_smp_send_reschedule native_send_call_func_single_ipi ;;
	send_IPI_mask) echo native_send_call_func_ipi ;;
	send_IPI_mask_allbutself) echo apic_send_IPI_allbutself ;;
	*) fail "who calls $1?" ;;
	esac
}

# The two drivers have functions of the same names. usage: check_call CALL FUNCTION [RUST]
check_call() {
	local tramp bytes at is callers caller n
	tramp=$(address "__SCT__apic_call_$1")
	bytes=$(text "$tramp" 5)
	[ "${bytes:0:2}" = e9 ] || fail "the trampoline of $1 is no jump: $bytes"
	at=$(target "$tramp" "$bytes")
	is=$(name "$at")
	[ "$is" = "$2" ] || fail "the static call $1 goes to $is, not to $2"
	callers=$(callers "$1")
	for caller in $callers; do
		n=$(sites "$(address "$caller")" "$at")
		[ "$n" -gt 0 ] || fail "$caller does not call $2"
	done
	if [ -n "${3:-}" ]; then
		n=$(sites "$at" "$(address "$3")")
		[ "$n" -gt 0 ] || fail "$2 does not go on to $3"
	fi
	echo "$1 goes to $2${3:+ and $3}, from the trampoline and: $callers"
}

# MFENCE; LFENCE before WRMSR, or no-ops in their place.
# usage: check_fence FUNCTION yes|no
check_fence() {
	local at size bytes is=no
	at=$(address "$1")
	size=$(size "$at")
	bytes=$(text "$at" "$size")
	echo "$1: $bytes"
	case "$bytes" in
	*0faef00faee8*0f30*) is=yes ;;
	*0faef0* | *0faee8*) is=partly ;;
	*0f30*) ;;
	*) fail "$1 has no WRMSR" ;;
	esac
	[ $is = "$2" ] || fail "fence=$is in $1, not $2"
}

# Each other CPU is asked for a backtrace by an NMI. They stay off the console, where they would look
# like trouble.
check_nmi() {
	local seen
	dmesg -n 1
	echo l >/proc/sysrq-trigger
	dmesg -n 7
	seen=$(dmesg -t | grep -oE '^NMI backtrace for cpu [0-9]+' | sort -u | wc -l)
	[ "$seen" = "$(online)" ] || fail "$seen of $(online) CPUs took an NMI"
}

said=
send=
for expect in "$@"; do
	value=${expect#*=}
	case "$expect" in
	driver=*)
		is=$(dmesg -t | sed -n 's/.*Switched APIC routing to: //p' | tail -n 1)
		[[ $is == *"$value"* ]] || fail "the APIC driver is ${is:-the first}, not $value"
		said+=", $is"
		;;
	fence=*)
		check_fence "$send" "$value"
		said+=", fence: $value"
		;;
	nmi=yes)
		check_nmi
		said+=", NMIs arrive"
		;;
	send_IPI*=*)
		check_call "${expect%%=*}" "${value%+*}" "$(sed -n 's/.*+//p' <<<"$value")"
		[ "${expect%%=*}" != send_IPI ] || send=${value#*+}
		said+=", $value"
		;;
	*) fail "what is $expect?" ;;
	esac
done
echo "${said#, }"
