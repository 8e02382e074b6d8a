#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What cross-CPU calls cost on the Rust kernel and on the C one, which are built from one tree and one
# configuration and boot in turn: in instructions of the guest, and in time if KVM works here.
# ACCEL=kvm: in time alone. LEVEL=short: fewer runs, and no other boot parameters. RUNS= says how often each
# kernel boots with them, CPUS= with how many CPUs; CONFIG=small, CC=gcc and HELPERS=call which kernels.
# CHECK=1: fails if a ratio has become worse than the stored one. SCALE=1: some cases with 2, 4, 8, ... 64
# CPUs, with LEVEL=long 128 too, which take as long as all others, and 288.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
. "$here/host.sh"
lock
cpus=${CPUS:-4}
need_number CPUS "$cpus"
[ "$cpus" -gt 1 ] || die "CPUS=$cpus: calls between CPUs need two"
rust=$(IMPL=rust kernel_name)
c=$(IMPL=c HELPERS="" kernel_name)
kind=${rust#rust}
stored=$here/bench/ratios-$cpus$kind.json
[ -z "${CHECK:-}" ] || [ -e "$stored" ] ||
	die "no ratios are stored for $cpus CPUs: there is no $(short "$stored")"
[ "${ACCEL:-}" != kvm ] || [ -z "${CHECK:-}${SCALE:-}" ] ||
	die "ACCEL=kvm: CHECK=1 and SCALE=1 are about instructions, which are counted without KVM"
compiler=clang-22
[[ $rust != *-gcc ]] || compiler=gcc
runs=5
boots=("" idle=poll csdlock_debug=1)
[ "$level" != short ] || runs=2 boots=("")
[ -z "${SCALE:-}" ] || runs=1
runs=${RUNS:-$runs}
need_number RUNS "$runs"
out=$build/bench$kind
export SMP_NODES=1

mkdir -p "$out"
rm -f "$logs"/bench-*
"$here/setup.sh" cargo
for name in $rust $c; do
	"$here/kernel.sh" "$name"
	module "$name"
done
user_program "$compiler" "$out/user" "$logs/bench-user.log"

# With many CPUs that take turns, the length of a loop cannot be measured.
declare -A always=([instructions]="$counted_boot" [ns]=""
	[ns_of_QEMU]="tsc=reliable nowatchdog lpj=4000000")

# Queue and csds alone, on the CPUs of this machine; the llist of C is that of the kernel tree.
measure_host() {
	local log=$logs/bench-host.log
	say BENCH "queue and csds with real threads, on this machine (log: $(short "$log"))"
	SMP_LINUX=$linux SMP_CC=$compiler host_build bench "$top" "$build/host/bench" >"$log" 2>&1 ||
		die "the program was not compiled: $(build_error "$log") (log: $(short "$log"))"
	"$build/host/bench/release/bench" >"$log" 2>&1 || die "the program failed: $(tail -n 1 "$log") (log: $(short "$log"))"
}

# usage: measure CLOCK ACCEL BOOT-PARAMETERS [MODULE-PARAMETER...]
measure() {
	local clock=$1 accel=$2 parameters=$3 run name
	shift 3
	for ((run = 1; run <= runs; run++)); do
		say BENCH "run $run of $runs, $clock, $cpus CPUs, ${parameters:-no boot parameters} (logs: $(short "$logs")/bench-*)"
		for name in $rust $c; do
			CPUS=$cpus ACCEL=$accel boot "bench-$cpus-$clock-${parameters:-default}-${name%%-*}-$run" "$name" 1200 \
				"${always[$clock]} $parameters" \
				"$(printf '%q ' "$here/guest/bench.sh" "$build/$name" "$build/modules/$name" "$out/user" "$@")"
		done
	done
}

# usage: judge [OPTION...]
judge() {
	local objects
	mapfile -t objects < <(smp_objects "$rust")
	python3 "$here/bench.py" "$logs" "$out" --cpus "$cpus" --runs "$runs" \
		--text "$(text_of "${objects[@]}")" "$(text_of "$build/$c/kernel/smp.o")" \
		--condition kernel "$(sed -nE 's/.*Linux version ([^ ]+).*/\1/p' "$logs/bench-$cpus"-*-default-rust-1.log | sed -n 1p)" \
		--condition configuration "$(fragments "$rust" | sed 's,.*/,,' | paste -sd' ')" \
		--condition C "$("$compiler" --version | sed -n 1p)" \
		--condition Rust "$(/usr/bin/rustc --version)" \
		--condition emulator "$(qemu-system-x86_64 --version | sed -n 1p)" \
		--condition commit "$(git -C "$top" describe --always --dirty 2>/dev/null || echo none)" "$@"
}

# usage: draw FILE...
draw() {
	say DRAW "$(short "$out")"
	MPLCONFIGDIR=$cache/matplotlib "$cache/venv/bin/python3" -B "$here/bench_plot.py" "$@" >"$logs/bench-draw.log" 2>&1 ||
		die "nothing was drawn: $(tail -n 1 "$logs/bench-draw.log") (log: $(short "$logs")/bench-draw.log)"
	while IFS= read -r f; do short "$f"; echo; done <"$logs/bench-draw.log"
}

if [ -n "${SCALE:-}" ]; then
	files=()
	counts=(2 4 8 16 32 64)
	[ "$level" != long ] || counts+=(128 288)
	for cpus in "${counts[@]}"; do
		# More CPUs need x2APIC mode, in which QEMU cannot count instructions.
		if [ "$cpus" -lt 256 ]; then
			SMP_ICOUNT=1 MEM=4G measure instructions tcg "" scale=1 loops=50
			files+=("$out/scale-$cpus.json")
		fi
		# With 64 CPUs too, to tell what the emulator's share is.
		[ "$level" != long ] || [ "$cpus" -lt 64 ] || MEM=4G measure ns_of_QEMU tcg "" scale=1 loops=20
		judge --scale
	done
	draw "${files[@]}"
elif [ "${ACCEL:-}" = kvm ]; then
	kvm_works "$rust" || die "ACCEL=kvm: /dev/kvm boots no guest here"
	for parameters in "${boots[@]}"; do
		measure ns kvm "$parameters"
	done
	judge
else
	for parameters in "${boots[@]}"; do
		SMP_ICOUNT=1 measure instructions tcg "$parameters"
	done
	choose_accel "$rust"
	if [ "$accel" = kvm ]; then
		measure ns kvm ""
	else
		say BENCH "no working KVM: no figure is a time"
	fi
	measure_host
	judge --host "$logs/bench-host.log"
	draw "$out/bench-$cpus.json"
	[ -z "${CHECK:-}" ] || python3 "$here/bench_check.py" "$out/ratios-$cpus.json" "$stored"
fi
