#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What cross-CPU calls cost on this machine itself, in ns. It is to be booted in turn into two kernels
# that were built from one tree with our files ('make tree KDIR=path') and one configuration with
# CONFIG_SMP_BENCHMARK=m, but for CONFIG_SMP_RUST. Each is measured by one call of this; when both are,
# their figures are compared. RUNS= says how often each is measured.

. "$(dirname "$0")/lib.sh"
lock
runs=${RUNS:-5}
need_number RUNS "$runs"
for tool in cc python3 modinfo modprobe dmesg; do
	command -v "$tool" >/dev/null || die "there is no $tool: install it"
done
[ "$(id -u)" = 0 ] || die "BARE=1 loads a module into the running kernel: run it as root"
kernel=$(modinfo -F implementation smp_bench 2>/dev/null | grep -xE 'rust|c') ||
	die "$(uname -r), which runs, has no module smp_bench of ours: build it with CONFIG_SMP_BENCHMARK=m and install it"
other=$([ "$kernel" = c ] && echo rust || echo c)
cpus=$(getconf _NPROCESSORS_ONLN)
out=$build/bench-bare
mkdir -p "$out"
rm -f "$out/bench-$cpus-ns-default-$kernel"-* "$out/$kernel.release"
# What root makes here is its owner's.
trap 'chown -R --reference="$top" "$out" "$build/.lock" && chown --reference="$top" "$build" "$logs"' EXIT
cc -O2 -Wall -pthread -o "$out/user" "$here/bench/user.c" >"$out/user.log" 2>&1 ||
	die "the program was not compiled: $(tail -n 1 "$out/user.log") (log: $(short "$out")/user.log)"

# What the module has said, without what the log had before. The last line is its count of figures.
figures() {
	local mark="smp: measuring, $$ $1"
	echo "$mark" >/dev/kmsg || return
	modprobe smp_bench || return
	modprobe -r smp_bench || return
	dmesg -t | sed "1,/^$mark\$/d" | grep -a '^smp_bench: ' || { echo "its lines are not in the kernel log"; return 1; }
	"$out/user"
}

for ((run = 1; run <= runs; run++)); do
	say BENCH "run $run of $runs, ns, $cpus CPUs, kernel/smp in ${kernel^} (figures: $(short "$out"))"
	log=$out/bench-$cpus-ns-default-$kernel-$run.out
	figures $run >"$log" 2>&1 || die "nothing was measured: $(tail -n 1 "$log") (log: $(short "$log"))"
	grep -q '^smp_bench: end: [1-9]' "$log" || die "the kernel log has lost lines of smp_bench (log: $(short "$log"))"
done
uname -r >"$out/$kernel.release"

if [ ! -e "$out/$other.release" ] || [ ! -e "$out/bench-$cpus-ns-default-$other-1.out" ]; then
	echo "ok: measured $(uname -r); now boot the other kernel and run 'make bench BARE=1' there, to compare"
	exit
fi
measured=$(find "$out" -name "bench-$cpus-ns-default-$other-*.out" | wc -l)
[ "$measured" -ge "$runs" ] || runs=$measured
python3 -B "$here/bench.py" "$out" "$out" --cpus "$cpus" --runs "$runs" --bare \
	--condition kernel "$(cat "$out/rust.release"), $(cat "$out/c.release")" \
	--condition machine "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sed -n 1p)" \
	--condition compiler "$(sed -E 's/^[^(]*\([^)]*\) \((.*)\) #.*/\1/' /proc/version)" \
	--condition commit "$(git -C "$top" describe --always --dirty 2>/dev/null || echo none)"
echo "ok: both kernels are compared; all figures are in $(short "$out")/bench-$cpus.json"
