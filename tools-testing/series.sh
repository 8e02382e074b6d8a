#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Writes the patch series that patches/series declares to build/series/: for each stage numbered patches
# with a cover letter, and one mbox. FROM='Name <mail>' is their author. CHECK=1 proves that they apply,
# give the linked tree, build and boot; with LEVEL=short nothing boots, with LEVEL=long it also shows
# what the kernel's own tools say, and which stages apply to other kernels.
# KDIR=PATH APPLY=1 makes them commits of a git checkout there; STAGES='5 7' picks some.

. "$(dirname "$0")/lib.sh"
. "$here/apt.sh"
. "$here/hooks.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
. "$here/item.sh"
checkout=$linux
if [ -n "${APPLY:-}" ]; then
	[ -n "${KDIR:-}" ] || die "APPLY=1 needs KDIR=, a git checkout of Linux 7.3"
	[ "$(git -C "$checkout" rev-parse --show-toplevel 2>/dev/null)" = "$checkout" ] ||
		die "$checkout is no git checkout: nothing was changed"
	[ -z "$(git -C "$checkout" status --porcelain | sed -n 1p)" ] ||
		die "$checkout has changes that are not committed: nothing was changed"
	[ ! -e "$(git -C "$checkout" rev-parse --absolute-git-dir)/rebase-apply" ] ||
		die "$checkout is in the middle of a git am or rebase: nothing was changed"
	unset KDIR
	linux=$build/linux
fi
lock
"$here/setup.sh"
"$here/tree.sh"
out=$build/series
state=$(grep -lxF "$linux" "$build"/trees/*/path)
state=${state%/path}

# What the diffs of the first stages change: C files that are not linked.
diffed() {
	sed -n 's,^+++ b/,,p' "$top"/patches/c/*.patch | sort -u
}

# usage: write FOLDER
write() {
	rm -rf "$1.new"
	(
		plan_hooks /nonexistent
		python3 -B "$here/series.py" "$top/patches/series" "$linux" "$scratch/new" "$state/wanted" "$1.new" \
			${FROM:+--author "$FROM"}
	)
	rm -rf "$1" "$1.new/git"
	mv "$1.new" "$1"
}

# The patches of a stage, or of all, without cover letters. usage: patches_in FOLDER
patches_in() {
	find "$1" -name '[0-9]*.patch' ! -name '0000-*' | sort
}

# The mboxes of the stages that were asked for, in order.
mboxes() {
	local stage found
	if [ -z "${STAGES:-}" ]; then
		printf '%s\n' "$out"/*.mbox
		return
	fi
	for stage in $STAGES; do
		found=$(compgen -G "$out/$stage-*.mbox") || die "STAGES=$STAGES: there is no stage $stage"
		echo "$found"
	done
}

# Makes commits of an mbox, or leaves the checkout as it was. usage: apply CHECKOUT MBOX
apply() {
	local log=$logs/series-am.log head as=()
	head=$(git -C "$1" rev-parse HEAD)
	git -C "$1" config user.email >/dev/null || as=(-c user.name=Submitter -c user.email=submitter@example.org)
	git -C "$1" "${as[@]}" am --quiet --empty=drop "$2" >"$log" 2>&1 && return
	git -C "$1" am --abort
	git -C "$1" reset --quiet --hard "$head"
	die "$(basename "$2") does not apply, nothing was changed: $(sed -n '/^error: /{s///p;q}' "$log" | grep . || tail -n 1 "$log") (log: $(short "$log"))"
}

write "$out"
for mbox in "$out"/*.mbox; do
	say SERIES "$(short "${mbox%.mbox}"): $(grep -c '^Subject: ' "$mbox") mails, and $(short "$mbox")"
done

if [ -n "${APPLY:-}" ]; then
	before=$(git -C "$checkout" rev-parse HEAD)
	list=$(mboxes)
	for mbox in $list; do
		if ! (apply "$checkout" "$mbox"); then
			git -C "$checkout" reset --quiet --hard "$before"
			exit 1
		fi
		say APPLY "$(basename "$mbox")"
	done
	exit
fi
[ -n "${CHECK:-}" ] || exit 0

begin_items

# Chooses the folders of a kernel: its source is at the same place beside it as that of all others, so
# that ccache has most of its objects. usage: use NAME
use() {
	kernel=$1
	tree=$build/$1-tree/linux
	mkdir -p "$build/$1-tree/$1"
	ln -sfn "$1-tree/$1" "$build/$1"
}
use series-kernel
last=$(printf '%s\n' "$out"/*.mbox | tail -n 1)
last=after-$(basename "$last" .mbox)

# Makes a git checkout of a kernel's source as it is in the archive, with no link and no hook.
# usage: pristine DEB FOLDER
pristine() {
	if [ "$(cat "$2/.git/deb" 2>/dev/null)" != "$1" ]; then
		rm -rf "$2"
		unpack "$1" "$2"
		git -C "$2" init --quiet
		# Work behind our back would keep the lock.
		git -C "$2" config gc.auto 0
		git -C "$2" config maintenance.auto false
		git -C "$2" add --all --force
		git -C "$2" -c user.name=Debian -c user.email=debian@example.org commit --quiet -m "$(basename "$1")"
		git -C "$2" tag pristine
		echo "$1" >"$2/.git/deb"
	fi
	git -C "$2" am --abort 2>/dev/null || true
	git -C "$2" checkout --quiet --force pristine
	git -C "$2" clean --quiet --force -d
	echo "$(basename "$1"), $(git -C "$2" ls-files | wc -l) files"
}

source_of_ours() {
	local deb version
	version=$(sed -nE 's/^(VERSION|PATCHLEVEL) = ([0-9]+)$/\2/p' "$linux/Makefile" | paste -sd.)
	deb=$(newest "linux-source-$version")
	[ -n "$deb" ] || die "there is no package of Linux $version in $store: the series is checked on one"
	pristine "$deb" "$tree"
}

# Says which stages apply to another kernel; if all do, that is built, and runs KUnit.
# usage: other_kernel SUITE PACKAGE
other_kernel() {
	local folder=$store/$1 tree kernel mbox said="" all=1
	use "series-$1"
	mkdir -p "$folder"
	# The cache is locked no longer than this.
	(
		private_apt "series-$1" "$1"
		apt_step "reading the lists of $1" apt-get "${apt_options[@]}" update
		apt_step "downloading $2 of $1" env -C "$folder" apt-get "${apt_options[@]}" download "$2"
	)
	pristine "$(find "$folder" -name "$2_*.deb" | sort -V | tail -n 1)" "$tree"
	for mbox in "$out"/*.mbox; do
		if (apply "$tree" "$mbox") >"$logs/series-other.log" 2>&1; then
			said+=", $(basename "$mbox" .mbox)"
		else
			all=""
			said+=", not $(sed 's/^smp: //; s/\.mbox does not apply, nothing was changed: / (/; s/ (log.*/)/' "$logs/series-other.log" | tail -n 1)"
		fi
	done
	said="applies: ${said#, }"
	if [ -n "$all" ]; then
		build_series HEAD bzImage modules
		said+="; builds; KUnit: $(SMP_BUILT=$kernel "$here/kunit.sh" "$kernel" | tail -n 1)"
	fi
	echo "$said"
}

same_bytes() {
	write "$build/series-again"
	diff -r "$out" "$build/series-again" || die "two runs do not give the same"
	echo "$(find "$out" -name '[0-9]*.patch' | wc -l) mails"
	rm -rf "$build/series-again"
}

# Applies all stages, and compares each file that is linked or hooked, and no other.
applies() {
	local mbox path n=0
	for mbox in "$out"/*.mbox; do
		apply "$tree" "$mbox"
		git -C "$tree" tag --force "after-$(basename "$mbox" .mbox)" >/dev/null
	done
	while IFS= read -r path; do
		cmp -s "$tree/$path" "$linux/$path" || die "$path is not as in $(short "$linux")"
		n=$((n + 1))
	done < <({ cut -f1 "$state/wanted"; sed -n 's,^+++ b/,,p' "$top"/patches/*.patch; } | sort -u |
		grep -vxFf <(diffed))
	n=$((n + $(diffed | wc -l)))
	[ "$(git -C "$tree" diff --name-only pristine | wc -l)" = "$n" ] ||
		die "the series changes $(git -C "$tree" diff --name-only pristine | wc -l) files, the linked tree $n"
	echo "$(git -C "$tree" rev-list --count pristine..) patches, $n files, $((n - $(diffed | wc -l))) of them as in $(short "$linux")"
}

# The kernel-doc comments of the C files that the series changes.
kernel_doc() {
	local files found
	mapfile -t files < <(git -C "$tree" diff --name-only pristine -- '*.c' '*.h')
	found=$(cd "$tree" && scripts/kernel-doc -none -Wall "${files[@]}" 2>&1) || true
	[ -z "$found" ] || { echo "$found"; die "kernel-doc: $(sed -n 1p <<<"$found")"; }
	echo "${#files[@]} C files"
}

# usage: checkpatch_on MBOX-FOLDER; what stays, and why, is in checkpatch.
checkpatch_on() {
	local ignore patches
	mapfile -t patches < <(patches_in "$1")
	ignore=$(sed -n 's/^\([A-Z_]\+\) .*/\1/p' "$here/checkpatch" | paste -sd,)
	(cd "$tree" && scripts/checkpatch.pl --strict --terse --no-summary --show-types --no-signoff --ignore "$ignore" \
		"${patches[@]}") || true
}

checkpatch_check() {
	local folder found
	for folder in "$out"/*/; do
		found=$(checkpatch_on "${folder%/}")
		[ -z "$found" ] || { echo "$found"; die "checkpatch: $(sed -n 1p <<<"$found")"; }
	done
	echo "no error, no warning, no check but the $(grep -c '^[A-Z_]\+ ' "$here/checkpatch") kinds in $(short "$here/checkpatch")"
}

maintainers() {
	local patch found
	while IFS= read -r patch; do
		found=$(cd "$tree" && scripts/get_maintainer.pl --nogit --nogit-fallback --norolestats "$patch" 2>/dev/null) || true
		grep -q @ < <(grep -v linux-kernel@ <<<"$found") ||
			die "get_maintainer.pl names no person and no list for $(short "$patch")"
	done < <(patches_in "$out")
	echo "a person or a list for each patch"
}

# Whether b4, which maintainers use, finds the cover letter and all patches of each mbox.
takes_b4() {
	local mbox stage work=$build/series-b4 said="" want got
	rm -rf "$work"
	git init --quiet "$work"
	for mbox in "$out"/*.mbox; do
		stage=$(basename "$mbox" .mbox)
		(cd "$work" && "$cache/venv/bin/b4" --no-interactive --offline-mode am -m "$mbox" -o "$work" "$stage-0@smp-rust.invalid") \
			>"$logs/series-b4.log" 2>&1 || die "b4 am: $(tail -n 1 "$logs/series-b4.log") (log: $(short "$logs")/series-b4.log)"
		want=$(patches_in "$out/$stage" | wc -l)
		got=$(sed -n 's/^Total patches: //p' "$logs/series-b4.log")
		[ "$got" = "$want" ] || die "b4 finds ${got:-no} patches in $(short "$mbox"), not $want"
		said+=" $got"
	done
	echo "patches:$said"
}

# The options of the series, as far as the checkout has them: at the end of a stage those of that stage.
series_config() {
	local option
	echo "# SPDX-License-Identifier: GPL-2.0"
	printf 'CONFIG_%s=y\n' DEBUG_FS DEBUG_OBJECTS DEBUG_OBJECTS_WORK FAULT_INJECTION FAULT_INJECTION_DEBUG_FS
	for option in SMP_{KUNIT_TEST,TORTURE_TEST,BENCHMARK,STATS} FAIL_SMP RUST_SMP_KUNIT_TEST SAMPLE_RUST_SMP{,_PERCPU,_LATENCY} {SMP,X2APIC}_RUST{,_KUNIT_TEST}; do
		if ! git -C "$tree" grep -q "^config $option\$" -- '*Kconfig*'; then
			echo "CONFIG_$option=n"
		elif [[ $option == SAMPLE_* || $option == SMP_[TB]* ]]; then
			echo "CONFIG_$option=m"
		else
			echo "CONFIG_$option=y"
		fi
	done
}

# Builds what is asked for of commit COMMIT of the series, without a warning. usage: build_series COMMIT TARGET...
build_series() {
	git -C "$tree" checkout --quiet --force "$1" || die "git cannot check out $1 in $(short "$tree")"
	shift
	series_config >"$build/series.config"
	rm -f "$build/$kernel/all.config"
	linux=$tree build_kernel "$kernel" "$@"
	[ ! -s "$build/$kernel/warnings" ] || die "$(sed -n 1p "$build/$kernel/warnings")"
}

# Builds what the series touches, after each patch.
each_patch() {
	local commits commit subject
	mapfile -t commits < <(git -C "$tree" rev-list --reverse "pristine..$last")
	for commit in "${commits[@]}"; do
		subject=$(git -C "$tree" log -1 --format=%s "$commit")
		(build_series "$commit" prepare kernel/ samples/rust/ arch/x86/kernel/apic/ rust/) >"$logs/series-patch.log" 2>&1 ||
			die "$subject: $(tail -n 1 "$logs/series-patch.log")"
		echo "$subject: builds"
	done
	echo "${#commits[@]} patches"
}

# sparse, on the C files of the last stage: those of kernel/smp.c too.
sparse_check() {
	local log=$logs/series-sparse.log checker=$build/sparse found
	program_of_sid sparse sparse libc6
	printf '#!/bin/sh\nexec %s "$@"\n' "${program[*]}" >"$checker"
	chmod +x "$checker"
	echo 'int not_declared(void) { return 0; }' >"$checker.c"
	"$checker" "$checker.c" 2>&1 | grep -q 'not declared' || die "sparse does not say what is wrong with $(short "$checker").c"
	linux=$tree kmake "$kernel" C=2 CHECK="$checker" kernel/smp/ kernel/smp.o kernel/scftorture.o \
		arch/x86/kernel/apic/ >"$log" 2>&1 || die "$(build_error "$log") (log: $(short "$log"))"
	found=$(grep -E '(kernel/smp[/.]|scftorture|apic/x2apic).*(warning|error):' "$log" || true)
	[ -z "$found" ] || { echo "$found"; die "sparse: $(sed -n 1p <<<"$found")"; }
	grep -q 'CHECK .*kernel/smp\.c' "$log" || die "sparse did not run (log: $(short "$log"))"
	echo "$(grep -c '^  CHECK ' "$log") C files"
}

# The largest frame on the stack, of the functions of the series that are no tests.
checkstack() {
	local most
	most=$(objdump -d "$build/$kernel"/kernel/smp/*.o "$build/$kernel"/arch/x86/kernel/apic/x2apic/*.o |
		(cd "$tree" && scripts/checkstack.pl x86_64 0) | sed -n 's/^0x[0-9a-f]* \(.*\) \[[^]]*\]:[[:space:]]*\([0-9]*\)$/\2 \1/p' |
		grep -v tests | sort -rn | sed -n 1p)
	[ -n "$most" ] || die "checkstack.pl says nothing"
	[ "${most%% *}" -le 1024 ] || die "a frame of ${most%% *} bytes: ${most#* }"
	echo "the largest frame has ${most%% *} bytes: ${most#* }"
}

rusttest() {
	local passed
	linux=$tree kmake "$kernel" rusttest >"$logs/series-rusttest.log" 2>&1 ||
		die "$(build_error "$logs/series-rusttest.log") (log: $(short "$logs")/series-rusttest.log)"
	passed=$(awk '/^test result: ok/ { n += $4 } END { print n + 0 }' "$logs/series-rusttest.log")
	[ "$passed" -gt 0 ] || die "make rusttest ran no test (log: $(short "$logs")/series-rusttest.log)"
	echo "$passed tests pass"
}

# Compiles what the series touches with one of the kernel's own configurations. usage: compiles CONFIGURATION
compiles() {
	local log=$logs/series-$1.log targets=(kernel/ arch/x86/kernel/apic/) main=$tree options
	use "series-$1"
	rm -rf "$tree"
	git -C "$main" worktree prune
	git -C "$main" worktree add --quiet --detach "$tree" "$last"
	linux=$tree kmake "$kernel" "$1" >"$log" 2>&1 || die "$1: $(build_error "$log") (log: $(short "$log"))"
	! grep -q '^CONFIG_RUST=y' "$build/$kernel/.config" || targets+=(rust/ samples/rust/)
	(linux=$tree with_progress "$log" SERIES "$1" kmake "$kernel" prepare "${targets[@]}") ||
		die "$1: $(build_error "$log") (log: $(short "$log"))"
	[ -z "$(warnings_in "$log")" ] || die "$(warnings_in "$log" | sed -n 1p)"
	options=$(git -C "$tree" diff pristine -- '*Kconfig*' | sed -nE 's/^\+config (\w+)$/^CONFIG_\1=[ym]/p')
	echo "${targets[*]}, with $(grep -c -f - "$build/$kernel/.config" <<<"$options") of $(wc -l <<<"$options") options of the series"
}

# Builds the kernel at the end of a stage, and has it run its tests. From the second stage on, a wait for
# many CPUs ends with its own call. usage: stage TAG
stage() {
	local exact=1
	build_series "$1" bzImage modules
	export SMP_BUILT=series-kernel
	"$here/kunit.sh" series-kernel
	DURATION=10 "$here/torture.sh" scf series-kernel
	! grep -q '^CONFIG_SMP_TORTURE_TEST=m' "$build/series-kernel/.config" || CALLS=50000 "$here/torture.sh" smp series-kernel
	[[ $1 > after-2 ]] || exact=0
	linux=$tree module series-kernel smp_guarantees
	# Where the guarantee is missing, a CPU is held for long.
	boot series-exact series-kernel 300 rcupdate.rcu_cpu_stall_timeout=300 \
		"$(printf '%q ' "$here/guest/guarantee.sh" "$build/modules/series-kernel/smp_guarantees.ko" exact "$exact")"
	tail -n 1 "$logs/series-exact.out"
}

# What the first stage mends is there before it, and not after it. usage: fixes TAG WORD
fixes() {
	build_series "$1" bzImage modules
	linux=$tree module series-kernel smp_fixes
	boot "series-fixes-$2" series-kernel 300 "" \
		"$(printf '%q ' "$here/guest/fixes.sh" "$build/series-kernel" "$build/modules/series-kernel/smp_fixes.ko" "$2")"
	tail -n 1 "$logs/series-fixes-$2.out"
}

item "series: source" source_of_ours
item "series: same bytes" same_bytes
item "series: git am" applies
item "series: b4" takes_b4
item "series: kernel-doc" kernel_doc
stages=("$out"/*.mbox)
stages=("${stages[@]##*/}")
stages=("${stages[@]%.mbox}")
item "series: checkpatch" checkpatch_check
if [ "$level" != short ]; then
	item "series: maintainers" maintainers
	item "series: before the fixes" fixes pristine before
	item "series: after the fixes" fixes after-1-fixes after
	for stage in "${stages[@]}"; do
		item "series: $stage" stage "after-$stage"
	done
fi
if [ "$level" = long ]; then
	item "series: sparse" sparse_check
	item "series: checkstack" checkstack
	item "series: rusttest" rusttest
	item "series: each patch" each_patch
	item "series: allnoconfig" compiles allnoconfig
	item "series: allmodconfig" compiles allmodconfig
	item "series: 7.3-rc" other_kernel experimental linux-source-7.3
	item "series: 7.2" other_kernel sid linux-source-7.2
fi
end_items
