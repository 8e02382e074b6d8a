#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In a guest that runs Debian with systemd: what its users do, in three boots of the same kernel. After the
# first boot come the workloads, and kexec; after the second one a crash; the third one saves the dump to
# /dev/vdc. Writes a line a result to /dev/ttyS1: "ok" or "failed", name, text; or "error" and a line of the
# journal. smp_seconds= on the command line of the kernel is how long each workload runs.

. "$(dirname "$0")/common.sh"
tracing=/sys/kernel/tracing
version=$(uname -r)

argument() {
	sed -n "s/.*\<$1=\([^ ]*\).*/\1/p" /proc/cmdline
}

seconds=$(argument smp_seconds)
boot=$(argument smp_boot)

tell() {
	printf '%s\t%s\t%s\n' "$@" >/dev/ttyS1
}

# usage: item NAME COMMAND...; the last line of the command is its result
item() {
	local name=$1 rc log=$scratch/log
	shift
	# Not "|| rc=$?": that would let the command's own errors pass.
	set +e
	(set -e; "$@") >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	if [ $rc = 0 ]; then
		tell ok "$name" "$(tail -n 1 "$log")"
	else
		tell failed "$name" "status $rc: $(tail -n 3 "$log" | paste -sd' ' | cut -c1-300)"
	fi
}

# Runs a command again and again, and says how often. usage: again COMMAND...
again() {
	local end=$((SECONDS + seconds)) n=0
	while [ $SECONDS -lt $end ] || [ $n = 0 ]; do
		"$@" >/dev/null
		n=$((n + 1))
	done
	echo "$n times"
}

# What makes CPUs call each other, in the background, until the script that calls this ends.
make_noise() {
	stress-ng --quiet --tlb-shootdown 2 --membarrier 1 --timeout $((seconds + 300)) &
	noise=$!
	trap 'kill $noise' EXIT
}

running() {
	local state
	state=$(systemctl is-system-running --wait || true)
	[ "$state" = running ] || fail "$state: $(systemctl --failed --plain --no-legend | paste -sd' ')"
	echo "running $(cut -d. -f1 /proc/uptime) s after the kernel began"
}

packages() {
	dpkg --install /opt/smp/packages/*.deb
	# shellcheck disable=SC2046 # The list is words.
	dpkg --purge $(for f in /opt/smp/packages/*.deb; do dpkg-deb -f "$f" Package; done)
}

compile() {
	make -s -C /opt/smp/lua/src clean
	make -s -C /opt/smp/lua/src -j"$(nproc)" generic
}

stress() {
	stress-ng --tlb-shootdown 2 --membarrier 2 --numa 1 --mmap 1 --cpu 1 --sched batch --timeout "$seconds" --metrics-brief
	echo "tlb-shootdown, membarrier, numa, mmap, cpu for $seconds s"
}

cpus_off_and_on() {
	chcpu -d 1-3
	chcpu -e 1-3
}

with_perf() {
	make_noise
	perf record -q -a -g -e cpu-clock -o $scratch/perf.data -- sleep "$seconds"
	perf report -q -i $scratch/perf.data --stdio --no-children -g none 2>/dev/null >$scratch/report
	perf stat -x, -a -e csd:csd_queue_cpu -o $scratch/stat -- sleep 2
	[ "$(awk -F, '/csd_queue_cpu/ { print $1 }' $scratch/stat)" -gt 0 ] || fail "no csd was counted"
	echo "$(grep -c % $scratch/report) functions, $(awk -F, '/csd_queue_cpu/ { print $1 }' $scratch/stat) csds in 2 s"
}

with_bpftrace() {
	make_noise
	bpftrace -e "kprobe:smp_call_function_many_cond { @many = count(); }
		tracepoint:csd:csd_queue_cpu { @csds = count(); }
		interval:s:$seconds { exit(); }" | grep -E '^@' | tee $scratch/counts
	[ "$(grep -cE '^@(many|csds): [1-9]' $scratch/counts)" = 2 ] || fail "not both were counted: $(paste -sd' ' $scratch/counts)"
	paste -sd' ' $scratch/counts
}

with_kprobe() {
	make_noise
	echo 'p:smp_try smp_call_function_many_cond' >$tracing/kprobe_events
	echo 1 >$tracing/events/kprobes/smp_try/enable
	sleep "$seconds"
	echo 0 >$tracing/events/kprobes/smp_try/enable
	awk '$1 == "smp_try" { print $2 " hits"; n = $2 } END { exit !n }' $tracing/kprobe_profile
	echo >$tracing/kprobe_events
}

with_function_graph() {
	local lines
	make_noise
	echo smp_call_function_many_cond >$tracing/set_graph_function
	echo function_graph >$tracing/current_tracer
	sleep "$seconds"
	lines=$(head -n 20000 $tracing/trace | grep -c smp_call_function_many_cond || true)
	echo nop >$tracing/current_tracer
	[ "$lines" -gt 0 ] || fail "no call was traced"
	echo "$lines calls in what the buffers held"
}

# usage: modules NAME...
modules() {
	modprobe -a "$@"
	modprobe -r "$@"
}

scftorture() {
	modprobe scftorture
	sleep "$seconds"
	modprobe -r scftorture
	dmesg | sed -n 's/.*scftorture:.*End of test: \([A-Z_]*\).*/\1/p' | tail -n 1 | tee $scratch/end
	grep -qx SUCCESS $scratch/end
}

# What the kernel's own scripts look for in a log, but what this guest is known for with any kernel.
kernel_log() {
	local line
	line=$(dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace:|detected stalls|self-detected stall|soft lockup|CSD lock' | sed -n 1p || true)
	[ -z "$line" ] || fail "$line"
	echo "$(dmesg | wc -l) lines"
}

# The kernel is loaded with the arguments of now, but for these. usage: load_kernel HOW ARGUMENT...
load_kernel() {
	local how=$1 line
	shift
	line=$(sed -E 's/ ?(smp_boot|crashkernel)=[^ ]*//g' /proc/cmdline)
	kexec "$how" "/boot/vmlinuz-$version" --initrd="/boot/initrd.img-$version" --append="$line $*"
}

case "$boot" in
first)
	item "boot to systemd's running" running
	journalctl -b -p err -o cat | while IFS= read -r line; do tell error journal "$line"; done
	item "install and purge packages" again packages
	item "compile Lua with make -j" again compile
	item "stress-ng" stress
	item "CPUs off and on by chcpu" again cpus_off_and_on
	item "perf record and stat" with_perf
	item "bpftrace" with_bpftrace
	item "kprobe" with_kprobe
	item "function_graph" with_function_graph
	item "load and unload modules" again modules rust_smp dm_mod btrfs
	# shellcheck disable=SC2046 # The list is words.
	item "load and unload modules built by DKMS" again modules $(cat /opt/smp/modules)
	item "scftorture" scftorture
	item "no complaint in the kernel's log" kernel_log
	item "load for kexec" load_kernel --load smp_boot=second crashkernel=384M
	systemctl kexec
	;;
second)
	item "kexec to systemd's running" running
	item "no complaint in the kernel's log" kernel_log
	# One CPU, as kdump does it. QEMU's interrupt remapping is left as the crashed kernel had it.
	item "load for a crash" load_kernel --load-panic smp_boot=dump nr_cpus=1 irqpoll reset_devices systemd.unit=multi-user.target
	sync
	echo c >/proc/sysrq-trigger
	;;
dump)
	item "boot after a crash, save the dump" dd if=/proc/vmcore of=/dev/vdc bs=1M status=none
	sync
	systemctl poweroff --force
	;;
*)
	tell failed "smp_boot=$boot" "is it first, second or dump?"
	;;
esac
