#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Disturbs the harness on purpose, in a copy of the checkout, and looks whether it ends at once with a
# clear error, leaves no process and nothing half-made, and whether the next make works. LEVEL=short
# leaves out what needs a kernel, or the right to mount.

. "$(dirname "$0")/lib.sh"
. "$here/item.sh"
. "$here/tools.sh"
. "$here/copy.sh"

work=$build/robust
copy=$work/checkout
stand_ins=$work/stand-ins
built=${ROBUST_BUILT:-}
tree=$copy/build/linux
run_log=$copy/build/logs/run.log
kernel_log=$copy/build/logs/kernel-rust-small.log

# --- A make, and what is left of it ---

# Starts make in the copy as a shell at a terminal does: in a process group of its own, which Ctrl-C
# is for. All its processes can be told by a word in their environment.
# usage: start ARGUMENT...; sets pid and out. $built is a kernel that need not be looked at again.
start() {
	out=$work/${out_name:-make}.out
	[ -n "${out_name:-}" ] || rm -f "$copy"/build/logs/*
	trap end_all EXIT
	env "${without_ours[@]}" -u SMP_LOCKED -u SMP_BUILT -u SMP_RESULTS \
		--default-signal=INT,QUIT -C "$copy" ${built:+"SMP_BUILT=$built"} "SMP_ROBUST=$$" PATH="$stand_ins:$PATH" \
		setsid make "$@" >"$out" 2>&1 9>&- &
	pid=$!
	echo "$pid" >"$work/pid"
}

processes() {
	grep -lzsx "SMP_ROBUST=$$" /proc/[0-9]*/environ | cut -d/ -f3 || true
}

end_all() {
	local list
	# Bash would tell about each.
	exec 2>/dev/null
	mapfile -t list < <(processes)
	[ ${#list[@]} = 0 ] || kill -KILL "${list[@]}" || true
	rm -rf "$stand_ins"
}

last_of() {
	grep -v '^[[:space:]]*$' "$1" | tail -n 1
}

# Waits until a line of FILE fits PATTERN. usage: seen LIMIT FILE PATTERN
seen() {
	grep -qm1 -E "$3" < <(timeout "$1" tail -n +1 -s 0.1 -F --pid="$pid" "$2" 2>/dev/null) ||
		die "make did not come to '$3': $(last_of "$out")"
}

# Waits for a file. usage: there LIMIT FILE
there() {
	local end=$((SECONDS + $1))
	until [ -e "$2" ]; do
		[ $SECONDS -lt $end ] && kill -0 "$pid" 2>/dev/null || die "make did not come to $2: $(last_of "$out")"
		sleep 0.1
	done
}

# Waits until make ended, and nothing of it is left. usage: ended LIMIT; sets rc
ended() {
	local left="" n
	timeout "$1" tail -s 0.1 -f /dev/null --pid="$pid" || die "make goes on for $1 s: $(last_of "$out")"
	rc=0
	wait "$pid" || rc=$?
	cat "$out"
	for ((n = 0; n < 50; n++)); do
		left=$(processes)
		[ -n "$left" ] || return 0
		sleep 0.1
	done
	die "5 s after make ended there are still: $(ps -o comm= -p "$(paste -sd, <<<"$left")" | paste -sd' ')"
}

# What is printed is for people.
no_noise() {
	local noise
	noise=$(grep -vE '^(  |smp: |make(\[[0-9]+\])?: |rust_smp: | (RES|CAL): +[0-9]|[0-9]+ CPUs online, |ok: |$)' "$out" | sed -n 1p || true)
	[ -z "$noise" ] || die "it says: $noise"
}

# The make that was started must fail, and say why in one line. usage: refused LIMIT PATTERN
refused() {
	ended "$1"
	[ "$rc" != 0 ] || die "make passed"
	[ "$(grep -c '^smp: ' "$out" || true)" = 1 ] || die "not one line of error, but: $(grep '^smp: ' "$out" | paste -sd'|')"
	no_noise
	verdict=$(grep '^smp: ' "$out")
	[[ $verdict =~ $2 ]] || die "it should say '$2' and says: $verdict"
}

# usage: works LIMIT ARGUMENT...
works() {
	start "${@:2}"
	passed "$1"
}

passed() {
	ended "$1"
	[ "$rc" = 0 ] || die "the next make failed: $(grep '^smp: ' "$out" || last_of "$out")"
	no_noise
}

# What Ctrl-C does. usage: interrupted WHAT; the last line of the item
interrupt() {
	kill -INT -- "-$pid"
	interrupted
}

interrupted() {
	ended 10
	[ "$rc" != 0 ] || die "make ended with status 0"
	no_noise
}

# Puts a stand-in for TOOL first in PATH. It does ACTION the Nth time that its arguments fit PATTERN.
# usage: stand_in TOOL PATTERN N ACTION
stand_in() {
	mkdir -p "$stand_ins"
	rm -f "$work/count" "$work/reached" "$work/go"
	mkfifo "$work/go"
	cat >"$stand_ins/$1" <<-END
		#!/bin/bash
		if [[ "\$*" == $2 ]]; then
			echo >>'$work/count'
			[ "\$(wc -l <'$work/count')" != $3 ] || { : >'$work/reached'; $4; }
		fi
		exec $(command -v "$1") "\$@"
	END
	chmod +x "$stand_ins/$1"
}

ctrl_c="kill -INT -- -\$(cat '$work/pid'); exec sleep 60"
pause="cat '$work/go'"

# Runs a function where it can mount what others do not see.
alone() {
	local way
	for way in -m -rm; do
		unshare $way true 2>/dev/null || continue
		ROBUST_BUILT=$built unshare $way "$here/robust.sh" alone "$@"
		return
	done
	die "cannot mount anything: run it as root, or allow user namespaces ('unshare -rm' must work)"
}

# What is in build/ of the copy, on a disk of SIZE: what is written goes to memory.
small_disk() {
	mkdir -p "$work/disk"
	mount -t tmpfs -o "size=$1" none "$work/disk"
	mkdir "$work/disk/new" "$work/disk/tmp"
	mount -t overlay -o "lowerdir=$copy/build,upperdir=$work/disk/new,workdir=$work/disk/tmp" none "$copy/build"
}

resize_disk() {
	mount -o "remount,size=$1" "$work/disk"
}

# --- The tree ---

hooked_files() {
	sed -n 's,^+++ [^/]*/,,p' "$copy"/patches/*.patch | sort -u
}

# What a tree consists of, and what is in the files that have hooks.
contents() {
	(
		cd "$1"
		find . -name __pycache__ -prune -o -type d -printf '%P\n' -o -type l -printf '%P -> %l\n' -o -printf '%P %y %m %s\n' | sort
		hooked_files | xargs cksum
	)
}

is_whole() {
	[ -e "$tree" ] || die "there is no tree"
	contents "$tree" | cmp -s - "$work/contents" ||
		die "the tree is not what it should be: $(contents "$tree" | diff - "$work/contents" | grep -m1 '^[<>]')"
	! compgen -G "$copy/build/linux.*" >/dev/null || die "something was left: $(compgen -G "$copy/build/linux.*")"
}

make_tree() {
	works 300 tree
	contents "$tree" >"$work/contents"
	echo "$(wc -l <"$work/contents") files and folders"
}

# Kernels that were built belong to the tree that is there, so all of it is put aside meanwhile.
set_aside() {
	mkdir "$work/aside"
	mv "$copy"/build/* "$work/aside/"
	cp -a "$work/aside/trees" "$copy/build/"
}

put_back() {
	[ -e "$work/aside" ] || return 0
	rm -rf "$copy"/build/*
	mv "$work/aside"/* "$copy/build/"
	rmdir "$work/aside"
}

stop_unpacking() {
	start tree
	seen 60 "$out" UNPACK
	there 60 "$tree.new/arch"
	interrupt
	[ ! -e "$tree" ] || die "there is a tree"
}

next_tree() {
	works 300 tree
	is_whole
}

# usage: stop_at VERB TOOL PATTERN N
stop_at() {
	[ "$1" != tree ] || works 60 untree
	stand_in "$2" "$3" "$4" "$ctrl_c"
	start "$1"
	there 60 "$work/reached"
	interrupted
	rm -r "$stand_ins"
	works 60 tree
	is_whole
}

# What is left of a tree must not pass for one.
stop_clean() {
	rm -f "$work/halved"
	stand_in rm '-rf\ */build/linux*' 1 "/bin/rm -rf '$tree/arch'; : >'$work/halved'; $ctrl_c"
	start clean
	there 60 "$work/halved"
	interrupted
	rm -r "$stand_ins"
	next_tree
}

broken_hook() {
	local hook=$copy/patches/0001-kernel-smp.patch
	cp -p "$hook" "$work/hook"
	sed -i '/^@@/,/^ ./s/^ ./ not &/' "$hook"
	start tree
	refused 60 "${hook##*/} does not apply to [^ ]+ in .*: nothing was changed"
	mv "$work/hook" "$hook"
	is_whole
	works 60 tree
	is_whole
	echo "$verdict"
}

# usage: bad_kdir FOLDER PATTERN
bad_kdir() {
	local before=""
	[ ! -d "$1" ] || before=$(find "$1" | sort)
	start tree KDIR="$1"
	refused 60 "$2"
	[ ! -d "$1" ] || [ "$(find "$1" | sort)" = "$before" ] || die "$1 was changed"
	echo "$verdict"
}

not_a_tree() {
	rm -rf "$work/kdir"
	bad_kdir "$work/kdir" 'is not a folder'
	mkdir "$work/kdir"
	bad_kdir "$work/kdir" 'is not a Linux source tree'
}

other_version() {
	local f
	rm -rf "$work/kdir"
	mkdir -p "$work/kdir/rust/kernel"
	printf '%s\n' 'VERSION = 6' 'PATCHLEVEL = 1' 'SUBLEVEL = 0' >"$work/kdir/Makefile"
	bad_kdir "$work/kdir" 'a hook is for .*: nothing was changed'
	grep -q 'NOTICE .*is Linux 6.1.0; this is made for 7.3' "$out" || die "it does not say that the version is another"
}

# To be run alone.
read_only() {
	rm -rf "$work/kdir"
	mkdir -p "$work/kdir/rust/kernel"
	printf '%s\n' 'VERSION = 7' 'PATCHLEVEL = 3' 'SUBLEVEL = 4' >"$work/kdir/Makefile"
	mount --bind "$work/kdir" "$work/kdir"
	mount -o remount,bind,ro "$work/kdir"
	bad_kdir "$work/kdir" 'kdir cannot be written: take a copy of it'
}

# A git checkout of what the hooks need of a tree: without them, and with commits.
make_checkout() {
	rm -rf "$work/kdir"
	mkdir "$work/kdir"
	(cd "$tree" && hooked_files | xargs cp --parents -t "$work/kdir" Makefile)
	works 60 untree KDIR="$work/kdir"
	git -C "$work/kdir" init -q
	commit "Linux"
}

commit() {
	git -C "$work/kdir" add -A
	git -C "$work/kdir" -c user.name=smp -c user.email=smp@localhost commit -q -m "$1"
}

# Both verbs work, and what they change is gone after both.
in_and_out() {
	local left changed
	works 60 tree KDIR="$work/kdir"
	! grep NOTICE "$out" || die "it should know this version"
	changed=$(git -C "$work/kdir" diff --name-only | wc -l)
	[ "$changed" = "$(hooked_files | wc -l)" ] || die "$changed files have a hook"
	works 60 untree KDIR="$work/kdir"
	left=$(git -C "$work/kdir" status --porcelain)
	[ -z "$left" ] || die "make untree leaves $left"
	echo "$changed files were hooked, and are as they were"
}

git_checkout() {
	make_checkout
	in_and_out
}

release_candidate() {
	make_checkout
	sed -i 's/^\(SUBLEVEL =\).*/\1 0/; s/^\(EXTRAVERSION =\).*/\1 -rc7/' "$work/kdir/Makefile"
	commit "Linux 7.3-rc7"
	in_and_out
}

# Above a hook a commit may add what it likes. What it changes of the lines of a hook is refused.
local_commits() {
	make_checkout
	(cd "$work/kdir" && hooked_files | xargs sed -i '1s/^/\n/')
	commit "Add a line to all"
	in_and_out
	sed -i 's/^obj-$(CONFIG_SMP) += smp.o$/obj-$(CONFIG_SMP) += smp.o mine.o/' "$work/kdir/kernel/Makefile"
	commit "Build one more object"
	bad_kdir "$work/kdir" '0001-kernel-smp.patch does not apply to kernel/Makefile in .*: nothing was changed'
}

configured_in_place() {
	touch "$tree/.config"
	start kernel CONFIG=small
	refused 120 'was configured in place: .make mrproper. there first'
	rm "$tree/.config"
	echo "$verdict"
}

# Each verb that needs a path in which kernels can be built must say at once that this is none; those that
# take things out again work.
odd_path() {
	local copy name verb verbs all
	mapfile -t all < <(sed -n 's/^verbs := //p' "$top/Makefile" | tr ' ' '\n' | grep -vxE 'clean|untree')
	[ ${#all[@]} -gt 5 ] || die "the Makefile has only these verbs: ${all[*]}"
	for name in a:colon a%percent 'a space'; do
		rm -rf "${work:?}/$name"
		update_copy "$work/$name"
		copy=$work/$name/checkout
		verbs=(kernel)
		[ "$name" != 'a space' ] || verbs=("${all[@]}")
		for verb in "${verbs[@]}"; do
			start "$verb"
			refused 10 'cannot work in .*: move this checkout to a path of'
		done
		[ -z "$(ls -A "$copy/build")" ] || die "something was made in $copy/build: $(ls -A "$copy/build")"
		works 60 untree
		works 60 clean
		rm -rf "${work:?}/$name"
	done
	echo "${#all[@]} verbs: ${verdict#smp: }"
}

odd_places() {
	mkdir -p "$work/a kdir"
	bad_kdir "$work/a kdir" 'cannot work in .*: move the tree to a path of'
	rmdir "$work/a kdir"
	XDG_CACHE_HOME=$work/a:cache start tree
	refused 10 'cannot work in .*: set XDG_CACHE_HOME to a path of'
	[ ! -e "$work/a:cache" ] || die "$work/a:cache was made"
	echo "$verdict"
}

# --- Tools, downloads, the lock ---

two_at_once() {
	local first
	works 60 untree
	stand_in ln '-sfn*' 50 "$pause"
	start tree
	there 60 "$work/reached"
	first=$pid
	out_name=second start tree
	seen 30 "$out" 'WAIT '
	echo >"$work/go"
	passed 60
	pid=$first out=$work/make.out passed 60
	is_whole
	echo "the second waited"
}

for_each_tool_but() {
	local f
	rm -rf "$work/tools"
	mkdir -p "$work/tools"
	for f in /usr/local/bin/* /usr/bin/* /usr/sbin/* /bin/* /sbin/*; do
		[ -e "$work/tools/${f##*/}" ] || [ "${f##*/}" = "$1" ] || ln -s "$f" "$work/tools/${f##*/}"
	done
}

# Nothing may be installed here, so apt has no network.
missing_tool() {
	for_each_tool_but flex
	rm "$work/tools/apt-get"
	printf '%s\n' '#!/bin/sh' 'echo "E: no network"; exit 100' >"$work/tools/apt-get"
	chmod +x "$work/tools/apt-get"
	PATH=$work/tools start tree
	refused 60 'reading the package lists failed: E: no network'
	grep -q 'SETUP   missing: flex$' "$out" || die "it does not say that flex is missing"
	works 60 tree
	is_whole
	echo "$verdict"
}

missing_elsewhere() {
	for_each_tool_but flex
	printf '%s\n' ID=other >"$work/os-release"
	mount --bind "$work/os-release" /etc/os-release
	PATH=$work/tools start tree
	refused 60 'missing: flex; only on Debian'
	echo "$verdict"
}

# A cache with all that the user's one has, but the kernel's source; and an apt-get that does ACTION
# in the middle of a download.
empty_cache() {
	local name
	cached=$(find "$cache/src" -maxdepth 1 -name 'linux-source-*.deb' | sort -V | tail -n 1)
	[ -n "$cached" ] || die "the kernel's source is not in $cache/src"
	name=$(basename "$cached")
	rm -rf "$work/cache"
	mkdir -p "$work/cache/smp-rust/src"
	cp -a "$cache/apt" "$work/cache/smp-rust/"
	touch "$work/cache/smp-rust/apt/source/read"
	ln -s "$cache/venv" "$cache/cargo" "$work/cache/smp-rust/"
	stand_in apt-get '*\ download\ *' 1 "head -c 1000000 '$cached' >'$name'; $1"
	sed -i "s,^fi\$,cp '$cached' '$name'; exit; fi," "$stand_ins/apt-get"
	export XDG_CACHE_HOME=$work/cache
}

stop_downloading() {
	empty_cache "$ctrl_c"
	start tree
	there 60 "$work/reached"
	interrupted
	rm -r "$stand_ins"
	start tree
	seen 60 "$out" 'UNPACK'
	interrupt
	cmp "$work"/cache/smp-rust/src/*.deb "$cached" || die "half a package is in the cache"
}

# Both would download the same file.
two_checkouts() {
	local first
	empty_cache "$pause"
	update_copy "$work/other"
	rm -rf "$work/other/checkout/build/linux"
	start tree
	there 60 "$work/reached"
	first=$pid
	copy=$work/other/checkout out_name=second start tree
	seen 30 "$out" 'WAIT '
	echo >"$work/go"
	passed 300
	pid=$first out=$work/make.out passed 300
	is_whole
	contents "$work/other/checkout/build/linux" | sed "s,$work/other/,$work/," | cmp -s - "$work/contents" ||
		die "the second tree is not what it should be"
	echo "the second waited"
}

two_setups() {
	local first
	empty_cache :
	update_copy "$work/other"
	rm "$work/cache/smp-rust/venv"
	start setup
	seen 30 "$out" 'SETUP '
	first=$pid
	copy=$work/other/checkout out_name=second start setup
	seen 30 "$out" 'WAIT '
	passed 600
	pid=$first out=$work/make.out passed 600
	"$work/cache/smp-rust/venv/bin/virtme-run" --help >/dev/null || die "virtme-run does not work"
	rm -rf "$work/cache"
	echo "the second waited"
}

# --- The report ---

# Each is refused before anything runs.
bad_report() {
	: >"$work/no-folder"
	start test T=count REPORT="$work/report" ORIGIN=A.b
	refused 10 'ORIGIN=A.b: KCIDB takes a name of '
	start test T=count REPORT="$work/no-folder/report"
	refused 10 'REPORT=.* cannot be written: name a folder that can'
	echo "$verdict"
}

# usage: reports FILE PATTERN
reports() {
	grep -qE "$2" "$work/report/$1" || die "$1 does not say '$2'"
}

# Each file of the report says that a check failed, and kcidb_io would not take a status that it does not know.
report_of_failure() {
	local kcidb=("$cache/venv/bin/python3" -B "$here/kcidb.py" --check "$work/report/kcidb.json")
	rm -rf "$work/report"
	stand_in find 'rust/kernel\ samples*' 1 'echo "find: broken" >&2; exit 1'
	start test T=count REPORT="$work/report"
	ended 60
	rm -r "$stand_ins"
	[ "$rc" != 0 ] || die "make passed"
	reports test.ktap '^not ok 1 count$'
	reports test.xml '<failure'
	reports kcidb.json '"path": "smp.count"'
	reports kcidb.json '"status": "FAIL"'
	reports kcidb.json '"log_excerpt": ".*find: broken'
	"${kcidb[@]}"
	sed -i 's/"FAIL"/"FAILED"/' "$work/report/kcidb.json"
	! "${kcidb[@]}" || die "kcidb_io takes the status FAILED"
	echo "said by test.ktap, test.xml and kcidb.json"
}

# --- The disk ---

no_room() {
	rm -rf "$tree"
	small_disk 100m
	start tree
	refused 60 'has 0 GiB free: the tree and its builds need 10'
	echo "$verdict"
}

full_unpacking() {
	small_disk 12g
	start tree
	seen 60 "$out" UNPACK
	resize_disk 200m
	refused 60 'the disk is full: unpacking .* failed: .*log: build/logs/unpack.log'
	[ ! -e "$tree" ] || die "there is a tree"
	echo "$verdict"
}

# --- The kernel ---

# Removes some of what a build makes.
spoil() {
	find "$copy/build/rust-small"/{kernel,lib} -name '*.o' -delete
	rm -f "$copy/build/rust-small/vmlinux" "$copy/build/rust-small/vmlinux.o"
}

stop_configuring() {
	rm -f "$copy/build/rust-small/all.config"
	start kernel CONFIG=small
	seen 120 "$out" 'CONFIG '
	interrupt
	[ ! -e "$copy/build/rust-small/all.config" ] || die "it passes for configured"
	works 1800 kernel CONFIG=small
	grep -q 'CONFIG ' "$out" || die "it was not configured anew"
}

compiling() {
	spoil
	start kernel CONFIG=small
	seen 300 "$kernel_log" ' CC '
}

stop_compiling() {
	compiling
	interrupt
	works 1800 kernel CONFIG=small
}

# As "kill" does, or a CI system: make alone is told.
end_compiling() {
	compiling
	kill "$pid"
	interrupted
	works 1800 kernel CONFIG=small
}

# What make started has no chance to end its compilers, so the next one must wait for them.
kill_compiling() {
	local first
	compiling
	first=$pid
	out_name=second start kernel CONFIG=small
	seen 30 "$out" 'WAIT '
	kill -KILL -- "-$first"
	passed 1800
}

full_compiling() {
	spoil
	small_disk 12m
	start kernel CONFIG=small
	refused 900 'the disk is full: building build/rust-small failed: .*log: build/logs/kernel-rust-small.log'
	resize_disk 6g
	works 1800 kernel CONFIG=small
	echo "$verdict"
}

stop_test() {
	start test
	seen 600 "$copy/build/logs/kernel-rust.log" '^ +[A-Z]+ '
	interrupt
}

# --- The guest ---

booting() {
	start run CONFIG=small
	seen 300 "$run_log" 'Linux version'
}

stop_boot() {
	booting
	interrupt
}

stop_sample() {
	booting
	seen 180 "$run_log" 'rust_smp: '
	interrupt
}

kill_qemu() {
	local p
	booting
	[ -z "${1:-}" ] || seen 180 "$run_log" "$1"
	for p in $(processes); do
		[[ $(cat "/proc/$p/comm") != qemu* ]] || kill -KILL "$p"
	done
	refused 20 'run: the guest ended before its command did; its last line: .*log: build/logs/run.log'
	echo "$verdict"
}

full_log() {
	small_disk 200m
	booting
	cat /dev/zero >"$work/disk/filler" 2>/dev/null || true
	refused 20 'the disk is full: '
	rm "$work/disk/filler"
	works 600 run CONFIG=small
	echo "$verdict"
}

# Opens as /dev/kvm does, and can do nothing.
dead_kvm() {
	[ ! -e /dev/kvm ] || mount --bind /dev/null /dev/kvm
	start run CONFIG=small ACCEL=kvm
	refused 300 'run: .*(kvm|KVM)'
	echo "$verdict"
}

two_runs() {
	local first
	start run CONFIG=small
	seen 600 "$out" 'BOOT '
	first=$pid
	out_name=second start run CONFIG=small
	seen 30 "$out" 'WAIT '
	passed 600
	pid=$first out=$work/make.out passed 600
	grep '^ok: ' "$work/second.out"
}

# --- What there is to disturb ---

if [ "${1:-}" = alone ]; then
	"${@:2}"
	exit
fi
lock
begin_items
"$here/setup.sh"
mkdir -p "$work"
put_back
update_copy "$work"

item "make tree" make_tree
set_aside
item "Ctrl-C in a download" stop_downloading
item "Ctrl-C in unpacking" stop_unpacking
if [ "$level" != short ]; then
	item "disk full in unpacking" alone full_unpacking
	item "too small a disk" alone no_room
fi
item "make tree after all that" next_tree
item "Ctrl-C in hooking" stop_at tree mv '*.smp-new\ *' 5
item "Ctrl-C in linking" stop_at tree ln '-sfn*' 50
item "Ctrl-C in untree" stop_at untree mv '*.smp-new\ *' 5
item "a hook that does not fit" broken_hook
item "KDIR is no tree" not_a_tree
item "KDIR of another version" other_version
item "KDIR that is read-only" alone read_only
item "KDIR that is a git checkout" git_checkout
item "KDIR that is 7.3-rc7" release_candidate
item "KDIR with commits of others" local_commits
item "a tree configured in place" configured_in_place
item "a checkout in an odd path" odd_path
item "KDIR, a cache in odd paths" odd_places
item "two makes at once" two_at_once
item "a missing tool" missing_tool
item "REPORT that is no folder" bad_report
item "a report of a failure" report_of_failure
if [ "$level" != short ]; then
	item "the same, not on Debian" alone missing_elsewhere
	item "Ctrl-C in make clean" stop_clean
	rm -rf "$tree"
	item "two checkouts, one cache" two_checkouts
	item "two set-ups, one cache" two_setups
fi
put_back
if [ "$level" != short ]; then
	item "make kernel" works 3600 kernel CONFIG=small
	item "Ctrl-C in configuring" stop_configuring
	item "Ctrl-C in compiling" stop_compiling
	item "SIGTERM in compiling" end_compiling
	item "SIGKILL in compiling" kill_compiling
	item "disk full in compiling" alone full_compiling
	item "Ctrl-C in make test" stop_test
	built=rust-small
	item "Ctrl-C in a boot" stop_boot
	item "Ctrl-C in the sample" stop_sample
	item "QEMU killed in a boot" kill_qemu
	item "QEMU killed in the sample" kill_qemu 'rust_smp: '
	item "disk full in a guest's log" alone full_log
	item "ACCEL=kvm, which is dead" alone dead_kvm
	built=
	item "two make run at once" two_runs
fi
end_items
