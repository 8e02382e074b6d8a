#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds the small kernel in the configurations of configs/matrix/, and has each run the in-kernel
# tests, the sample and both tortures, with CPU hotplug: other preemption models, numbers of CPUs,
# sanitizers and debug options. "kunit", with lockdep and the doctests, is that of the check kunit. Long;
# MATRIX='rt calls' picks some. DURATION= and CALLS= are those of the check torture.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/item.sh"
lock
begin_items
"$here/setup.sh" dwarf
"$here/tree.sh"
export DURATION=${DURATION:-20} CALLS=${CALLS:-50000}

# The parameters that the kernel is to be booted with. usage: parameters CONFIGURATION
parameters() {
	[ "$1" = kunit ] || sed -n 's/^# Boot: //p' "$here/configs/matrix/$1.config"
}

# A compiler that is newer than the tree may warn of a file of the tree: the configuration names it in a
# line "# Warns: FILE".
no_new_warning() {
	local file found
	file=$(said_by "$1" Warns)
	found=$(grep -vF "/${file:-nowhere}:" "$build/$1/warnings" | sed -n 1p || true)
	[ -z "$found" ] || die "$found"
}

# Races that KCSAN saw, if a function of ours or of the C half of calls has part in one. Others are
# the kernel's own.
our_races() {
	grep -ahE 'BUG: KCSAN: .* in .*(smp_|csd|x2apic|ipi_|call_function)' "$@" | sed 's/^\[[^]]*\] //' | sort -u || true
}

# Runs a command, and keeps its last line in $last.
say_last() {
	local out rc=0
	out=$("$@" 2>&1) || rc=$?
	echo "$out"
	last=$(tail -n 1 <<<"$out")
	return $rc
}

configuration() {
	local name=matrix-$1 found="" said logs_of last suite
	[ "$1" != kunit ] || name=kunit
	"$here/kernel.sh" "$name"
	no_new_warning "$name"
	if [[ $1 == c || $1 == up ]]; then
		[ ! -e "$build/$name/kernel/smp/smp_core.o" ] || die "kernel/smp/ is built, and is not to be"
	fi
	if [ "$1" = up ]; then
		CPUS=1 boot "$name" "$name" 180 "" true
		echo "boots, kernel/smp/ is not there"
		return
	fi
	# Assertions are there to panic.
	grep -q -e '^CONFIG_RUST_DEBUG_ASSERTIONS=y' -e '^# CONFIG_SMP_RUST is' "$build/$name/.config" ||
		found=$(panic_symbols "$name")
	[ -z "$found" ] || die "can panic: $(sed -n 1p <<<"$found")"

	export SMP_BUILT="${SMP_BUILT:-} $name" APPEND
	APPEND="$(parameters "$1") ${APPEND:-}"
	[ "$1" != kcsan ] || export SMP_EXPECTED='BUG: KCSAN|={20}'
	say_last "$here/kunit.sh" "$name" "$(printf '%q ' "$here/guest/sample.sh" "$build/$name/samples/rust/rust_smp.ko")"
	said=$(grep -oE '[0-9]+ passed' <<<"$last")
	if [ "$1" = cpus8192 ]; then
		# A word of a set has 64 bits, and a pool then has more slots than a sender looks at in a wait.
		for suite in 'smp_m*' 'smp_pool*' rust_helpers; do
			CPUS=66 FILTER=$suite say_last "$here/kunit.sh" "$name"
			said+=", with 66 CPUs $suite $(grep -oE '[0-9]+ passed' <<<"$last")"
		done
	fi
	say_last "$here/torture.sh" scf "$name"
	said+=", scf $(grep -oE '[0-9]+ callbacks' <<<"$last")"
	say_last "$here/torture.sh" smp "$name"
	said+=", ledger $(grep -oE '[0-9]+ calls, [0-9]+ astray' <<<"$last")"
	if [[ $(said_by "$name" Packages) == *rust-clippy* ]]; then
		build_kernel "$name" CLIPPY=1 kernel/smp/ samples/rust/ arch/x86/kernel/apic/x2apic/
		no_new_warning "$name"
		said+=", clippy clean"
	fi
	if [ "$1" = kcsan ]; then
		logs_of=("$logs/$name.log" "$logs/torture-$name.log" "$logs/ledger-$name.log")
		found=$(our_races "${logs_of[@]}")
		[ -z "$found" ] || die "$(sed -n 1p <<<"$found") (logs: $(short "$logs")/*-$name.log)"
		said+=", $(cat "${logs_of[@]}" | grep -ac 'BUG: KCSAN:' || true) races elsewhere"
	fi
	echo "$said"
}

if [ -n "${MATRIX:-}" ]; then
	read -ra list <<<"$MATRIX"
else
	mapfile -t list < <(echo kunit; basename -s .config "$here"/configs/matrix/*.config)
fi
for name in "${list[@]}"; do
	[ "$name" = kunit ] || [ -e "$here/configs/matrix/$name.config" ] ||
		die "MATRIX=$name: there is no $(short "$here")/configs/matrix/$name.config"
done
for name in "${list[@]}"; do
	item "matrix $name" configuration "$name"
done
end_items
