# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Boots a kernel under virtme-ng, runs a command in it and judges what came out. To be sourced
# after lib.sh.

# Lines of a healthy boot that look bad to the expression below.
benign='ODEBUG: |This means that this is a DEBUG kernel and it is|unable to open an initial console'
benign+='|Failed to add ttynull console|NOHZ tick-stop error: Non-RCU local softirq work is pending'
benign+='|Spectre V2 : WARNING|RETBleed: WARNING|Warning: Processor Platform Limit event'
# What a test brings about on purpose.
benign+="${SMP_EXPECTED:+|$SMP_EXPECTED}"

# The kernel tree's own list of what must not be in a console log.
bad='Badness|WARNING:|Warn|BUG|===========|Call Trace:|Call trace:|Oops:|detected stalls on CPUs/tasks:'
bad+='|self-detected stall on CPU|Stall ended before state dump start|\?\?\? Writer stall state'
bad+='|rcu_.*kthread starved for|csd: .*(CSD lock|non-responsive)|!!!'

first_bad_line() {
	grep -aE "$bad" "$1" | grep -avE "$benign" | sed -n 1p || true
}

# More options of QEMU, for a caller to set.
guest_qemu=()

# QEMU's machine. x2APIC under TCG needs QEMU's own interrupt controller and remapping.
# usage: machine_options KERNEL CPUS ACCEL
machine_options() {
	local cpus=$2 accel=$3 thread=multi
	if [ "$(arch_of "$1")" = arm64 ]; then
		echo "-machine virt,gic-version=3 -cpu max,pauth-impdef=on"
		return
	fi
	[ -z "${SMP_NODES:-}" ] || [ $((cpus % 2)) = 1 ] || echo "-smp $cpus,sockets=2"
	if [ "$accel" = kvm ]; then
		echo "-machine q35,accel=kvm -cpu host"
		return
	fi
	if [ -n "${SMP_ICOUNT:-}" ]; then
		# A nanosecond of the guest is an instruction. QEMU cannot do it in x2APIC mode: it ends with
		# "Bad icount read" when the timer's register is written.
		echo "-machine q35 -accel tcg,thread=single -cpu max -icount shift=0,sleep=off"
		return
	fi
	# With many vCPUs for a host core, taking turns in one thread is far faster.
	[ "$cpus" -le $((8 * $(nproc))) ] || thread=single
	echo "-machine q35,kernel-irqchip=off -accel tcg,thread=$thread -cpu max,+x2apic${GUEST_CPU:+,$GUEST_CPU} -device intel-iommu,intremap=on,eim=on"
}

# On a busy host TCG's timer interrupts may come too late for the kernel's early check, which panics; and
# its HPET and TSC drift so far apart that the watchdog marks the TSC unstable. The change of the
# clocksource then stops all CPUs, and a test that holds one of them fails.
tcg_boot="no_timer_check tsc=nowatchdog"

# The options of virtme-ng for kernel NAME, a word a line. usage: virtme_options NAME ACCEL
virtme_options() {
	# virtme-ng shares / by 9p. It leaves root= out, which a kernel without block devices needs; and what
	# is shared does not change meanwhile, so it may be cached.
	local w options=(--mods none --memory "${MEM:-1G}" --cpus "${CPUS:-4}" --force-9p --disable-microvm
		--kopt root=/dev/root
		--kopt 'rootflags=version=9p2000.L,trans=virtio,access=any,msize=524288,cache=loose')
	[ "$2" = kvm ] || options+=(--disable-kvm)
	if [ "$(arch_of "$1")" = arm64 ]; then
		# Programs of this machine do not run there.
		options+=(--arch aarch64 --root "$(guest_root arm64)" --rodir "$top=$top")
	else
		# The guest has a /run of its own, and parts of /var.
		case "$top" in /run/* | /var/*) options+=(--rodir "$top") ;; esac
		if [ "$2" != kvm ]; then
			for w in $tcg_boot; do options+=(--kopt "$w"); done
		fi
	fi
	printf '%s\n' "${options[@]}"
}

# Each CPU but the first measures how long its delays are, and on a busy host gets a value that is up to
# ten times too short: the time limits of tests are counted in delays. This is right for a TSC of 2.5 GHz
# and 250 ticks a second. Where instructions are counted nothing disturbs the measurement.
delay_boot="lpj=10000000"

# With SMP_ICOUNT=1 instructions are counted: with a tick on all CPUs, else the way into the idle loop
# depends on their timers, and with a clock that needs no device. To a watchdog, CPUs that take turns are hung.
# shellcheck disable=SC2034 # For those that source this.
counted_boot="nohz=off tsc=reliable nowatchdog"

# How long a guest may take to come to its tests or its init, in s: many CPUs take turns.
boot_limit() {
	echo $((120 + 5 * ${CPUS:-4}))
}

# How the log tells that it has.
booted='KTAP version|Run /.* as init process'

# Writes the guest's console to LOG. Kills the guest if that fails, as with a full disk.
write_log() {
	sed -u 's/\r*$//' >"$1" 2>/dev/null || { : >"$guest_tmp/lost" && kill -- "-$(cat "$guest_tmp/guest")"; }
}

# Kills GUEST if it does not come to its init in time. Ends when stdin does.
# usage: watch_boot GUEST LOG
watch_boot() {
	local rc=0
	read -rt "$(boot_limit)" || rc=$?
	[ $rc -gt 128 ] || return 0
	grep -aqE "$booted" "$2" || { : >"$guest_tmp/stuck" && kill -- "-$1"; }
}

# Starts the guest and waits for its end. Ends with the guest's status; 124: killed after the limit;
# 125: killed because its log could not be written; 126: killed because it was stuck in its boot; 255:
# it ended by itself, before the command did.
# usage: start_guest LOG OUT KERNEL LIMIT ACCEL APPEND COMMAND
start_guest() {
	local end log=$1 out=$2 kernel=$3 limit=$4 accel=$5 append=$6 command=$7
	local cpus=${CPUS:-4} con scr con_pid scr_pid guest rc=0 options=() kopts=() w
	local machine
	read -ra machine <<<"$(machine_options "$kernel" "$cpus" "$accel" | tr '\n' ' ')"
	mapfile -t options < <(virtme_options "$kernel" "$accel")
	[ "$accel" = kvm ] || [ "$(arch_of "$kernel")" = arm64 ] || [ -n "${SMP_ICOUNT:-}" ] ||
		options+=(--kopt "$delay_boot")
	# Two nodes, a socket each, if the CPUs can be halved; all memory is in the first.
	[ -z "${SMP_NODES:-}" ] || [ $((cpus % 2)) = 1 ] ||
		options+=(--numa "${MEM:-1G},cpus=0-$((cpus / 2 - 1))" --numa "0,cpus=$((cpus / 2))-$((cpus - 1))")
	for w in $append; do kopts+=(--kopt "$w"); done
	guest_tmp=$(mktemp -d)
	exec {con}> >(write_log "$log" 2>/dev/null)
	con_pid=$!
	if [ -n "${SHOW:-}" ]; then
		exec {scr}> >(exec tee "$out" 2>/dev/null)
	else
		exec {scr}> >(exec cat >"$out" 2>/dev/null)
	fi
	scr_pid=$!
	TMPDIR=$guest_tmp setsid timeout -k 5 "$limit" "$cache/venv/bin/virtme-run" \
		--kimg "$(boot_image "$kernel")" --show-boot-console --verbose "${options[@]}" "${kopts[@]}" \
		--script-sh "$command" --qemu-opts "${machine[@]}" "${guest_qemu[@]}" \
		</dev/null 1>&"$scr" 2>&"$con" &
	guest=$!
	echo $guest >"$guest_tmp/guest"
	# shellcheck disable=SC2064 # The guest that runs now is meant.
	trap "exec 2>/dev/null; kill -KILL -- -$guest; wait $guest; rm -rf '$guest_tmp'" EXIT
	exec {con}>&- {scr}>&- {end}> >(watch_boot $guest "$log" >/dev/null 2>&1 9>&-)
	wait $guest || rc=$?
	exec {end}>&-
	[ ! -e "$guest_tmp/lost" ] || rc=125
	[ ! -e "$guest_tmp/stuck" ] || rc=126
	wait $con_pid $scr_pid || true
	trap - EXIT
	rm -rf "$guest_tmp"
	return $rc
}

# Says whether /dev/kvm boots kernel NAME; it may exist and be dead. Asked once a boot of the host.
kvm_works() {
	local verdict log=$logs/kvm.log rc=0
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return 1
	verdict=$cache/kvm-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -e "$verdict" ]; then
		rm -f "$cache"/kvm-*
		say KVM "trying /dev/kvm with a short boot"
		start_guest "$log" /dev/null "$1" 30 kvm "${APPEND:-}" true || rc=$?
		if [ $rc = 0 ] || { grep -aq 'Linux version' "$log" && [ $rc != 124 ]; }; then
			echo yes >"$verdict"
		else
			echo no >"$verdict"
			say KVM "/dev/kvm does not boot a guest; QEMU's TCG is used (log: $(short "$log"))"
		fi
	fi
	[ "$(cat "$verdict")" = yes ]
}

# usage: choose_accel KERNEL
choose_accel() {
	if [ "$(arch_of "$1")" = arm64 ]; then
		[ "${ACCEL:-tcg}" = tcg ] || die "ACCEL=$ACCEL: a kernel for arm64 is emulated here"
		accel=tcg
		"$here/setup.sh" mmdebstrap arm64
		make_guest_root arm64
		return
	fi
	case "${ACCEL:-}" in
	kvm | tcg) accel=$ACCEL ;;
	"") if kvm_works "$1"; then accel=kvm; else accel=tcg; fi ;;
	*) die "ACCEL=$ACCEL: it is kvm or tcg" ;;
	esac
}

# Says what went wrong in a guest that ended with STATUS, if the emulator is known to do that rarely.
# usage: emulator_trouble STATUS LOG
emulator_trouble() {
	local code
	# One with a C kernel hangs there too. Seen in QEMU's memory: a CPU is halted with interrupts on,
	# and its APIC keeps one in service for which no handler is on the way.
	[ "$1" != 126 ] || { echo "did not come to its init"; return; }
	# TCG can translate text in the middle of a patch. All CPUs then meet a breakpoint that is not in
	# memory any more: the byte before the marked one is another.
	code=$(grep -am1 -A9 'Oops: int3' "$2" | grep -am1 'Code: ') || return
	[[ $code != *' cc <'* ]] && echo "met a breakpoint that is not in memory"
}

# Runs COMMAND in a guest of build/NAME. The console goes to build/logs/JOB.log, what the command
# prints to build/logs/JOB.out, and with SHOW=1 to stdout too. Anything but a clean end is one line and a failure.
# usage: boot JOB NAME LIMIT APPEND COMMAND
boot() {
	local job=$1 kernel=$2 limit=${LIMIT:-$3} append="$4 ${APPEND:-}" command=$5 log=$logs/$1.log rc=0 line guest_args
	need_number CPUS "${CPUS:-4}"
	need_number LIMIT "$limit"
	[ -e "$(boot_image "$kernel")" ] || die "$(short "$build/$kernel") has no kernel: run 'make kernel'"
	choose_accel "$kernel"
	guest_args=("$log" "$logs/$job.out" "$kernel" "$limit" "$accel" "$append" "$command")
	start_guest "${guest_args[@]}" || rc=$?
	if [ "$accel" = tcg ] && line=$(emulator_trouble $rc "$log"); then
		mv "$log" "$logs/$job-tcg.log"
		say AGAIN "$job $line; once more (log: $(short "$logs/$job")-tcg.log)"
		rc=0
		start_guest "${guest_args[@]}" || rc=$?
	fi
	[ $rc != 125 ] || die "$job: what the guest prints cannot be written (log: $(short "$log"))"
	[ $rc != 126 ] ||
		die "$job: the guest did not come to its init in $(boot_limit) s; its last line: $(last_line "$log") (log: $(short "$log"))"
	line=$(grep -am1 'Kernel panic - not syncing' "$log") &&
		die "$job: the guest panicked: $line (log: $(short "$log"))"
	line=$(first_bad_line "$log")
	[ $rc != 124 ] && [ $rc != 137 ] ||
		die "$job: the guest did not end within $limit s and was killed; ${line:+it complained: $line; }its last line: $(last_line "$log") (log: $(short "$log"))"
	[ -z "$line" ] || die "$job: $line (log: $(short "$log"))"
	[ $rc != 255 ] ||
		die "$job: the guest ended before its command did; its last line: $(last_line "$log") (log: $(short "$log"))"
	[ $rc = 0 ] ||
		die "$job: $(tail -n 1 "$logs/$job.out" | grep . || echo "the command failed with status $rc") (logs: $(short "$logs/$job").out, .log)"
}

# Runs COMMAND in a guest as boot does, and fails unless the guest hangs. One that hangs before its init
# is the emulator's, and is tried again, once.
boot_hangs() {
	local out log=$logs/$1.log
	for _ in 1 2; do
		! out=$(boot "$@" 2>&1) || die "build/$2 does not hang (log: $(short "$log"))"
		grep -q 'did not end within' <<<"$out" || die "${out#smp: }"
		! grep -aqE "$booted" "$log" || return 0
	done
	die "$1: the guest did not come to its init, so its hanging shows nothing (log: $(short "$log"))"
}

last_line() {
	grep -avE '^[[:space:]]*$|^qemu-system.* terminating on signal' "$1" | tail -n 1
}
