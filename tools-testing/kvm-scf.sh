#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel tree's own kvm.sh --torture scf, unchanged: it builds a kernel for each of its scenarios,
# boots it with scftorture and CPU hotplug, and judges the console. IMPL=c does the same with the
# kernel's own kernel/smp.c. DURATION= is for each scenario, in minutes. HOSTS='a b' has the kernels run on
# these machines, by the tree's kvm-remote.sh, without KVM unless ACCEL=kvm says so.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
lock
[ -z "${CONFIG:-}" ] || die "CONFIG=$CONFIG: the scenarios of kvm.sh have a configuration of their own"
name=$(kernel_name)
minutes=${DURATION:-3}
cpus=${CPUS:-4}
need_number DURATION "$minutes"
need_number CPUS "$cpus"
need_number LIMIT "${LIMIT:-600}"
place=$build/kvm-scf
tree=$place/linux
results=$place/results
log=$logs/kvm-scf-$name.log
torture=tools/testing/selftests/rcutorture
# For other machines kvm.sh takes its scripts from two folders above the results.
[ -z "${HOSTS:-}" ] || results=$tree/$torture/res

# What kvm-remote.sh needs of the other machines, of which it says nothing or only after it has built.
check_hosts() {
	local host said
	command -v ssh >/dev/null || die "HOSTS=$HOSTS: ssh is missing: install openssh-client"
	for host in $HOSTS; do
		said=$(ssh -n -o BatchMode=yes "$host" \
			'for c in bash gawk taskset qemu-system-x86_64; do command -v $c >/dev/null || echo $c; done' 2>&1) ||
			die "HOSTS: ssh must reach $host without a password: $(tail -n 1 <<<"$said")"
		[ -z "$said" ] || die "HOSTS: install on $host: $(paste -sd' ' <<<"$said")"
	done
}

# kvm.sh configures and builds in the tree that it lies in. It gets one of its own, so that ours, or the
# user's, stays as it is. Our files are links there too. What was built there before goes.
copy_tree() {
	mkdir -p "$tree"
	rsync -a --delete --exclude /.git "$linux/" "$tree/"
}

# The commands that kvm.sh finds first: clang by way of ccache, which needs no word more in the
# arguments for make, and QEMU without KVM.
place_commands() {
	rm -rf "${place:?}/bin"
	mkdir -p "$place/bin"
	ln -s "$(command -v ccache)" "$place/bin/clang-22"
	[ "$accel" = kvm ] || place_qemu
}

# Other machines get the commands that lie beside kvm.sh, and no variable.
place_qemu() {
	local command=$tree/$torture/bin/qemu-system-x86_64
	if [ -z "${HOSTS:-}" ]; then
		ln -s "$here/kvm-scf/qemu-system-x86_64" "$place/bin/"
		return
	fi
	{
		printf '#!/bin/bash\nSMP_QEMU=%q\nSMP_MACHINE=%q\n' "$qemu" "$qemu_machine"
		cat "$here/kvm-scf/qemu-system-x86_64"
	} >"$command"
	chmod +x "$command"
}

# There is no kernel yet to try /dev/kvm with, unless another verb built one.
choose_accel_early() {
	local other
	for other in rust c rust-small c-small; do
		[ ! -e "$(boot_image $other)" ] || break
	done
	if [ -z "${ACCEL:-}" ] && { [ -n "${HOSTS:-}" ] || [ ! -e "$(boot_image $other)" ]; }; then
		accel=tcg
	else
		choose_accel $other
	fi
}

# In a group of its own, all of which ends if this script does: kvm.sh runs much in the background.
run_kvm() {
	local options=(--torture scf --duration "$minutes" --results "$results" --datestamp "$name"
		--defconfig alldefconfig --kconfig "$(implementation "$name" | paste -sd' ')"
		--kmake-args "ARCH=x86_64 ${build_options[*]} KCONFIG_ALLCONFIG=$place/all.config"
		--qemu-cmd qemu-system-x86_64 --qemu-args "-smp $cpus" --memory "${MEM:-512M}"
		--shutdown-grace "${LIMIT:-600}" --bootargs "${boot_options[*]} ${APPEND:-}") command=(kvm.sh) group rc=0
	# It knows no other place than /tmp on the other machines.
	[ -z "${HOSTS:-}" ] || command=(kvm-remote.sh "$HOSTS") TMPDIR=/tmp
	"${clean_env[@]}" PATH="$place/bin:$cache/cargo/bin:$PATH" SMP_QEMU="$qemu" SMP_MACHINE="$qemu_machine" \
		env -C "$tree" setsid "$tree/$torture/bin/${command[0]}" "${command[@]:1}" "${options[@]}" &
	group=$!
	# shellcheck disable=SC2064 # The group that runs now is meant.
	trap "kill -- -$group" TERM
	wait $group || rc=$?
	return $rc
}

[ -z "${HOSTS:-}" ] || check_hosts
"$here/setup.sh"
"$here/tree.sh"
choose_accel_early
qemu=$(command -v qemu-system-x86_64)
qemu_machine=$(machine_options "$name" "$cpus" "$accel")
say COPY "$(short "$tree"), for kvm.sh"
copy_tree
place_commands
cat "$here"/configs/{guest,smp,small,kvm-scf}.config >"$place/all.config"
rm -rf "${results:?}/$name"
boot_options=()
[ "$accel" = kvm ] || boot_options=(no_timer_check)
mapfile -t scenarios <"$tree/$torture/configs/scf/CFLIST"
start=$(date +%s)
rc=0
with_progress "$log" KVM.SH "${scenarios[*]} on $name ($accel, $cpus CPUs)${HOSTS:+ on $HOSTS}, $minutes min each" run_kvm || rc=$?

# What kvm.sh says after all runs, without its colours.
summary=$place/summary-$name
sed -E 's/\x1b\[[0-9;]*m//g' "$log" | sed -n '/ Test summary:$/,$p' >"$summary"
[ $rc = 0 ] ||
	die "kvm.sh ended with $rc: $(grep -m1 -E 'BUG|WARNING|error|improperly set|no success|!!!' "$summary" || tail -n 1 "$log") (log: $(short "$log"))"
for scenario in "${scenarios[@]}"; do
	console=$results/$name/$scenario/console.log
	calls=$(sed -nE "s/^$scenario ------- ([0-9]+) SCF handler invocations.*/\1/p" "$summary")
	[ "${calls:-0}" -gt 0 ] || die "$scenario: kvm.sh tells of no call (log: $(short "$log"))"
	hotplug=$(grep -aoE 'onoff: [0-9]+/[0-9]+:[0-9]+/[0-9]+' "$console" | tail -n 1)
	[[ $hotplug =~ ' '([0-9]+)/[0-9]+:([1-9][0-9]*)/ ]] || die "$scenario: no CPU went off (log: $(short "$console"))"
	echo "$scenario: SUCCESS, $calls SCF handler invocations, CPUs on ${BASH_REMATCH[1]} and off ${BASH_REMATCH[2]} times"
	said+="$scenario $calls, "
done
echo "kvm.sh: no error; ${said%, } invocations in $minutes min each, $name, $accel, $cpus CPUs,${HOSTS:+ on $HOSTS,} $(since "$start") with the builds"
