#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Checks the functions that send x2APIC IPIs: that they are the ones that the running kernel calls,
# in each mode of the APIC; that the fence is there where the CPU needs it; that they are no longer
# than those of C.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
. "$here/item.sh"
lock
begin_items
"$here/kernel.sh" rust
module rust

# The vendor of the CPU and the remapping of interrupts are asked for: KVM has those of the host.
# An NMI also sends to a set of CPUs while the CPU that it has interrupted may be doing so.
# usage: check NAME CPU-FLAGS APPEND WHAT-TO-EXPECT...
check() {
	local job=apic-$1 append=$3
	export GUEST_CPU=$2
	shift 3
	CPUS=4 ACCEL=tcg boot "$job" rust 180 "$append" \
		"$(printf '%q ' "$here/guest/guarantee.sh" "$build/modules/rust/smp_guarantees.ko" nmi 1 2000) &&
		$(printf '%q ' "$here/guest/apic.sh" "$@") && $(printf '%q ' "$here/guest/check.sh" online=4) >/dev/null"
	tail -n 1 "$logs/$job.out"
}

# The instructions of a function, without what ftrace and alignment add.
# usage: instructions OBJECT FUNCTION
instructions() {
	llvm-objdump-22 -dr --no-show-raw-insn --no-leading-addr --disassemble-symbols="$2" "$1" |
		awk '/^[0-9a-f]* ?<.*>:$/ { on = 1; next }
			/R_X86_64/ { sub(/.*R_X86_64_[0-9A-Z]*[ \t]*/, ""); line[n] = line[n] "  # " $0; next }
			on && NF { gsub(/[ \t]+/, " "); line[++n] = $0 }
			END { while (n && line[n] ~ /^ ?(int3|nop|ud2)/) n--
				for (i = 1; i <= n; i++) if (line[i] !~ /__fentry__/) print line[i] }'
}

# usage: compare NAME C-OBJECT C-FUNCTION FUNCTION
compare() {
	local apic=arch/x86/kernel/apic c=$logs/apic-$1-c.txt rust=$logs/apic-$1-rust.txt
	instructions "$build/c/$apic/$2" "$3" >"$c"
	instructions "$build/rust/$apic/x2apic/x2apic_send.o" "$4" >"$rust"
	[ -s "$c" ] && [ -s "$rust" ] || die "$3 or $4 is not found"
	printf '%-60s %s\n' "$4" "$3, C"
	paste -d'|' "$rust" "$c" | awk -F'|' '{ printf "%-60s %s\n", $1, $2 }'
	[ "$(wc -l <"$rust")" -le "$(wc -l <"$c")" ] ||
		die "$4 has $(wc -l <"$rust") instructions, $3 of C has $(wc -l <"$c")"
	said+=", $1 $(wc -l <"$rust") of $(wc -l <"$c")"
}

length() {
	local said=
	build_kernel c arch/x86/kernel/apic/x2apic_cluster.o arch/x86/kernel/apic/x2apic_phys.o
	compare cluster x2apic_cluster.o x2apic_send_IPI x2apic_cluster_send_ipi
	compare physical x2apic_phys.o x2apic_send_IPI x2apic_phys_send_ipi
	echo "instructions, ours of C's: ${said#, }"
}

panic_check() {
	local found
	found=$(llvm-nm-22 -u "$build/rust/arch/x86/kernel/apic/x2apic/x2apic_send.o" |
		grep -E 'core9panicking|rust_begin_unwind|(unwrap|expect)_failed|slice_.*_fail' || true)
	[ -z "$found" ] || die "x2apic_send.o can panic: $(sed -n 1p <<<"$found")"
	echo "none"
}

fence_check() {
	local found object=$build/rust/arch/x86/kernel/apic/x2apic/x2apic_send.o n
	n=$(llvm-objdump-22 -d --no-show-raw-insn "$object" | grep -cw wrmsr)
	[ "$n" -gt 0 ] || die "x2apic_send.o sends no IPI"
	found=$(unfenced_sends rust)
	[ -z "$found" ] || die "$(sed -n 1p <<<"$found")"
	echo "before each of $n WRMSRs"
}

cluster=(driver=cluster send_IPI=x2apic_send_IPI+x2apic_cluster_send_ipi
	send_IPI_mask=x2apic_send_IPI_mask+x2apic_cluster_send_ipi_mask
	send_IPI_mask_allbutself=x2apic_send_IPI_mask_allbutself+x2apic_cluster_send_ipi_mask_allbutself nmi=yes)
physical=(driver=physical send_IPI=x2apic_send_IPI+x2apic_phys_send_ipi nmi=yes)
item "apic cluster, AMD" check cluster "" "" "${cluster[@]}" fence=no
item "apic cluster, Intel" check cluster-intel vendor=GenuineIntel "" "${cluster[@]}" fence=yes
item "apic physical, AMD" check physical "" x2apic_phys "${physical[@]}" fence=no
item "apic physical, Intel" check physical-intel vendor=GenuineIntel x2apic_phys "${physical[@]}" fence=yes
item "apic nox2apic" check xapic "" nox2apic send_IPI=default_send_IPI_single_phys nmi=yes
item "apic no longer than C" length
item "apic no panic symbols" panic_check
item "apic fences in the object" fence_check
end_items
