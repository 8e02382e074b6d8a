# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# How a kernel is configured and built. To be sourced after lib.sh.

. "$here/root.sh"

# The kernels: build/NAME is the O= folder of each.
#   rust, c     the project's configuration, with our kernel/smp and with the kernel's own
#   *-small     the same with the smallest configuration, for edit-and-run work
#   *-debug     *-small with debugging information, tracers and BPF
#   *-inject    *-small with injected faults and counters
#   *-gcc       the same, built by GCC and the GNU binutils
#   *-calls     rust and rust-small, in which C inline functions are called from Rust, as with GCC
#   *-debian    Debian's own configuration, for packages
#   rust-options  rust with all options of kernel/smp; never linked
#   kunit       rust-small with the in-kernel tests and run-time checks
#   clippy      rust, compiled by clippy; never linked
#   *-arm64     rust, c, *-small and kunit for arm64
#   matrix-*    rust-small with the in-kernel tests and what configs/matrix/*.config changes
#   series-*    rust-small as far as the stages of the patch series that are applied
#   arch-*      the smallest with Rust, for an architecture of configs/arches/*.config; never linked
kernel_name() {
	local name=${IMPL:-rust}
	case "$name" in
	rust | c) ;;
	*) die "IMPL=$IMPL: it is rust or c" ;;
	esac
	case "${CONFIG:-}" in
	"") ;;
	small | debian) name+=-$CONFIG ;;
	*) die "CONFIG=$CONFIG: it is small or debian, or not given" ;;
	esac
	case "${CC:-clang}" in
	clang) ;;
	gcc) name+=-gcc ;;
	*) die "CC=$CC: it is gcc or clang, or not given" ;;
	esac
	case "${HELPERS:-inline}" in
	inline) ;;
	call) [[ $name == *-gcc ]] || name+=-calls ;;
	*) die "HELPERS=$HELPERS: it is call or inline, or not given" ;;
	esac
	name+=$(of_arch) || exit 1
	[[ $name != *-gcc-* ]] || die "CC=gcc: kernels for other architectures are built by LLVM only"
	[[ $name != *-debian-arm64 ]] || die "CONFIG=debian: it is for x86_64"
	echo "$name"
}

# What ARCH adds to the name of a kernel.
of_arch() {
	case "${ARCH:-x86_64}" in
	x86_64) ;;
	arm64) echo -arm64 ;;
	*) die "ARCH=$ARCH: it is arm64 or x86_64, or not given" ;;
	esac
}

# The architecture of kernel NAME, as the kernel's make calls it.
arch_of() {
	case "$1" in
	*-arm64) echo arm64 ;;
	*) echo x86_64 ;;
	esac
}

# What a guest boots of kernel NAME; make has a target of that name.
boot_image() {
	case "$1" in
	*-arm64) echo "$build/$1/arch/arm64/boot/Image" ;;
	*) echo "$build/$1/arch/x86/boot/bzImage" ;;
	esac
}

fragments() {
	case "$1" in
	arch-*)
		printf '%s\n' "$here"/configs/{arches,"arches/${1#arch-}"}.config
		return
		;;
	esac
	case "$1" in
	*-debian | *-debian-*) echo "$here/configs/debian.config" ;;
	*) printf '%s\n' "$here"/configs/{guest,smp}.config ;;
	esac
	case "$1" in
	kunit | kunit-*) printf '%s\n' "$here"/configs/{small,tests,kunit}.config ;;
	*-options) echo "$here/configs/options.config" ;;
	*-small | *-small-*) echo "$here/configs/small.config" ;;
	*-debug) printf '%s\n' "$here"/configs/{small,debug}.config ;;
	*-inject) printf '%s\n' "$here"/configs/{small,inject}.config ;;
	series-*) printf '%s\n' "$here"/configs/{small,tests}.config "$build/series.config" ;;
	matrix-*) printf '%s\n' "$here"/configs/{small,tests,"matrix/${1#matrix-}"}.config ;;
	esac
	[[ $1 != *-gcc && $1 != *-calls && $1 != *-calls-* ]] || echo "$here/configs/calls.config"
	[[ $1 != *-arm64 ]] || echo "$here/configs/arm64.config"
}

# In front of a command that builds kernels: no variable of our own make gets in, nor one of the user's
# that the kernel's make knows. What ccache has of one checkout serves the next one too, wherever it is.
clean_env=(env "${without_ours[@]}"
	-u SUBARCH -u CROSS_COMPILE -u KBUILD_OUTPUT -u KCFLAGS -u KRUSTFLAGS -u KCPPFLAGS -u W -u V
	PATH="$cache/cargo/bin:$PATH"
	CCACHE_BASEDIR="$top" CCACHE_NOHASHDIR=1)
[ ! -e /usr/lib/llvm-22/lib/libclang.so ] || clean_env+=(LIBCLANG_PATH=/usr/lib/llvm-22/lib)

# The compilers, and what would make two builds of the same differ. clang is named by kmake.
build_options=(LLVM=-22 HOSTRUSTC=/usr/bin/rustc
	RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTFMT=/usr/bin/rustfmt
	CLIPPY_DRIVER=/usr/bin/clippy-driver
	KBUILD_BUILD_TIMESTAMP=1 KBUILD_BUILD_USER=smp KBUILD_BUILD_HOST=rust)

# make in the kernel tree. usage: kmake NAME TARGET...
kmake() {
	local name=$1 llvm=22 compilers=() where=("${clean_env[@]}")
	[[ $1 != *-gcc ]] || llvm=""
	if [ -n "$(said_by "$name" Root)" ]; then
		llvm=$(said_by "$name" LLVM)
		compilers=(BINDGEN=/usr/bin/bindgen)
		where=(in_root "$name" "${clean_env[@]}" env -u LIBCLANG_PATH ${llvm:+LIBCLANG_PATH="/usr/lib/llvm-$llvm/lib"})
	fi
	if [ -n "$llvm" ]; then
		compilers+=(LLVM=-"$llvm" CC="ccache clang-$llvm" HOSTCC=clang-"$llvm")
	else
		compilers+=(LLVM= CC="ccache gcc" HOSTCC=gcc)
	fi
	shift
	"${where[@]}" make -C "$linux" O="$build/$name" ARCH="$(arch_of "$name")" "${build_options[@]}" \
		"${compilers[@]}" -j"$(nproc)" "$@"
}

# The last value that the fragments ask for, a symbol a line.
wanted() {
	awk -F= '/^CONFIG_/ { if (!($1 in v)) order[n++] = $1; v[$1] = substr($0, length($1) + 2) }
		END { for (i = 0; i < n; i++) print order[i] "=" v[order[i]] }' "$1"
}

# The lines of the configuration that choose the implementation. Packages of both can be installed.
implementation() {
	[[ $1 != *-debian* ]] || echo "CONFIG_LOCALVERSION=\"-smp-${1%%-*}\""
	case "$1" in
	c | c-* | matrix-c | matrix-up | arch-*) printf '%s\n' CONFIG_SMP_RUST=n CONFIG_X2APIC_RUST=n ;;
	series-*) ;;
	*) echo CONFIG_SMP_RUST=y ;;
	esac
}

# Finds the configuration that kernel NAME begins with, if it is Debian's. usage: base_of NAME; sets base
base_of() {
	local package=linux-config-7.3 deb
	base=
	[[ $1 == *-debian* ]] || return 0
	[ -n "$is_debian" ] || die "CONFIG=debian: its configuration comes from Debian's archive, with apt"
	(
		lock_cache
		read_kernels "$package"
		download_kernel "$package"
	)
	deb=$(newest "$package")
	[ -n "$deb" ] || die "$kernels has no $package any more"
	base=$build/debian.config
	dpkg-deb --fsys-tarfile "$deb" | tar xO --wildcards '*/config.amd64_none_cloud-amd64.xz' | xz -dc >"$base.new"
	cmp -s "$base.new" "$base" || cp "$base.new" "$base"
	rm "$base.new"
}

# Takes the modules out of build/NAME/.config that are not in the file LSMOD, nor asked for by a fragment.
keep_modules() {
	{
		cat "$LSMOD"
		printf '%s 1 0\n' torture scftorture smp_bench rust_smp rust_smp_latency
	} >"$build/$1/lsmod"
	kmake "$1" LSMOD="$build/$1/lsmod" localmodconfig </dev/null
}

# Makes build/NAME/.config from the fragments, if they or a Kconfig file changed, or if that was cut off.
configure() {
	local name=$1 o=$build/$1 all=$build/$1/all.config log=$logs/config-$1.log base missing="" line sym
	local others=alldefconfig
	[[ $name != arch-* ]] || others=allnoconfig
	if [ -e "$o/source" ] && [ "$(readlink -f "$o/source")" != "$linux" ]; then
		say REMOVE "$(short "$o"): it was built from another tree"
		rm -rf "$o"
	fi
	mkdir -p "$o"
	mapfile -t files < <(fragments "$name")
	[[ $name == *-debian* ]] || local LSMOD=
	{
		cat "${files[@]}" 2>/dev/null &&
			implementation "$name" &&
			sed 's/^/# Module: /' "${LSMOD:-/dev/null}"
	} >"$all.new" || die "a configuration fragment is missing in $(short "$here")/configs"
	base_of "$name"
	if [ -e "$o/.config" ] && cmp -s "$all.new" "$all" && [ ! "$base" -nt "$all" ] &&
		[ -z "$(find "$top" -path "$build" -prune -o \
			\( -name 'Kconfig*' -o -name '*.patch' \) -newer "$all" -print -quit)" ]; then
		rm "$all.new"
		return 0
	fi
	cat ${base:+"$base"} "$all.new" >"$o/with-base.config"
	KCONFIG_ALLCONFIG=$o/with-base.config with_progress "$log" CONFIG "$(short "$o")/.config" kmake "$name" "$others" ||
		die "configuring $(short "$o") failed: $(grep -m1 -iE 'error|\*\*\*' "$log" || tail -1 "$log") (log: $(short "$log"))"
	[ -z "${LSMOD:-}" ] || keep_modules "$name" >>"$log" 2>&1 ||
		die "localmodconfig of $(short "$o") failed: $(tail -1 "$log") (log: $(short "$log"))"
	while IFS= read -r line; do
		sym=${line%%=*}
		case "$line" in
		*=n) grep -q "^$sym=" "$o/.config" && missing+=" $line" ;;
		*) grep -qxF "$line" "$o/.config" || missing+=" $line" ;;
		esac
	done < <(wanted "$all.new")
	[ -z "$missing" ] || die "the kernel's Kconfig does not give:$missing (see $(short "$o")/.config)"
	mv "$all.new" "$all"
}

# The warnings in a log, a line each. The Rust compiler tells the place in the line after.
warnings_in() {
	awk '/ warnings? emitted$/ { next }
		/(^|[^a-z])warning(\[[^]]*\])?: / { if (w) print w; w = $0; next }
		w { if ($1 == "-->") w = $2 ": " w; print w; w = "" }
		END { if (w) print w }' "$1" | sed "s,^$linux/,,"
}

# Compiler and objtool warnings of the last build of each object. A later build, which would not
# show them again, makes those objects anew first.
note_warnings() {
	local o=$build/$1 log=$2
	warnings_in "$log" >"$o/warnings"
	[ ! -s "$o/warnings" ] ||
		say WARNING "$(wc -l <"$o/warnings") in $(short "$log"), the first: $(sed -n 1p "$o/warnings")"
}

forget_warned_objects() {
	local o=$build/$1
	[ -s "$o/warnings" ] || return 0
	rm -f "$o"/kernel/smp/*.o "$o"/arch/x86/kernel/apic/x2apic/*.o "$o"/rust/kernel.o "$o/vmlinux.o"
	sed -nE 's,^(\./|\.\./)*([a-z][^ :]*)\.(c|h|rs|o):.*,\2.o,p' "$o/warnings" | sort -u |
		while IFS= read -r f; do rm -f "$o/$f"; done
}

# Kernels of which most objects are those of kernel NAME, the best one first.
like() {
	case "$1" in
	clippy | rust-options) echo rust ;;
	matrix-gcc) echo rust-small-gcc c-small-gcc ;;
	rust-small-gcc) echo matrix-gcc c-small-gcc ;;
	*-calls) echo "${1%-calls}" ;;
	c | c-*) echo "rust${1#c}" ;;
	rust | rust-*) echo "c${1#rust}" ;;
	esac
}

# A kernel that was not built yet begins with the objects of one like it: the kernel's make knows which
# options each of them depends on. usage: begin_with_objects NAME
begin_with_objects() {
	local other
	[ ! -e "$build/$1" ] || return 0
	for other in $(like "$1"); do
		if [ -e "$build/$other/vmlinux" ] && [ "$(readlink -f "$build/$other/source")" = "$linux" ]; then
			say COPY "$(short "$build/$other") to $(short "$build/$1")"
			# One that was cut off is not begun with.
			rm -rf "$build/$1.new"
			cp -a "$build/$other" "$build/$1.new"
			mv "$build/$1.new" "$build/$1"
			return
		fi
	done
}

# Builds TARGETs of kernel NAME.
build_kernel() {
	local name=$1 o=$build/$1 log=$logs/kernel-$1.log start rc=0 steps=""
	shift
	[ ! -e "$linux/.config" ] || die "$linux was configured in place: 'make mrproper' there first"
	[ -z "$(said_by "$name" Root)" ] || make_root "$name"
	begin_with_objects "$name"
	configure "$name"
	forget_warned_objects "$name"
	start=$(date +%s)
	# A build from nothing has about as many steps each time.
	[[ -e $o/vmlinux || " $* " != *"Image "* ]] || steps=$(steps_of "$name")
	with_progress "$log" KERNEL "$(short "$o")" kmake "$name" "$@" || rc=$?
	[ $rc = 0 ] || die "building $(short "$o") failed: $(build_error "$log") (log: $(short "$log"))"
	[ -z "$steps" ] || note_steps "$name" "$(wc -l <"$log")"
	note_warnings "$name" "$log"
	built_in=$(since "$start")
}

# How many steps it takes to build kernel NAME from nothing, as far as that is known.
steps_of() {
	local guess=2000
	[[ $1 != *-debian* ]] || guess=$([ -n "${LSMOD:-}" ] && echo 3000 || echo 7000)
	cat "$cache/steps/$1${LSMOD:+-modules}" 2>/dev/null || echo "$guess"
}

# Notes how many it took. One that goes on where another ended has fewer. usage: note_steps NAME STEPS
note_steps() {
	[ -e "$cache/steps/$1" ] && [ "$2" -le "$(steps_of "$1")" ] && return
	mkdir -p "$cache/steps"
	echo "$2" >"$cache/steps/$1${LSMOD:+-modules}"
}

build_error() {
	grep -m1 -E '(^|[^a-z])error(\[E[0-9]+\])?:|undefined symbol|No space left|\*\*\*' "$1" || tail -1 "$1"
}

# The functions of ours that can panic in a kernel, and by what symbol. Tests may, and what of core and,
# in a kernel with tests, of the allocator is compiled for them.
panic_symbols() {
	local tests=5tests
	! grep -q '^CONFIG_SMP_RUST_KUNIT_TEST=y' "$build/$1/.config" || tests+='|6kernel5alloc'
	objdump -dr --no-show-raw-insn "$build/$1"/kernel/smp/*.o |
		awk -v tests="$tests" '/^[0-9a-f]+ </ { f = $2 }
			/core9panicking|rust_begin_unwind|(unwrap|expect)_failed|slice_.*_fail/ && f !~ tests {
				print f, $NF
			}' | sort -u
}

# The objects in build/NAME that are there in place of kernel/smp.o: not those that both implementations
# have, nor tests. usage: smp_objects NAME
smp_objects() {
	ar t "$build/$1/kernel/smp/built-in.a" | grep -vE '/(boot_params|fault|stats)\.o$|/tests/'
}

# The functions that write the register which sends an IPI, and have no MFENCE and LFENCE before the
# first time. CPUs that need none have them patched out at boot.
unfenced_sends() {
	llvm-objdump-22 -d --no-show-raw-insn "$build/$1"/arch/x86/kernel/apic/x2apic/x2apic_send.o |
		awk '/^[0-9a-f]+ </ { f = $2; fenced = sent = 0; last = "" }
			$2 == "lfence" && last == "mfence" { fenced = 1 }
			$2 == "wrmsr" && !fenced && !sent++ { print f, "has no fence before WRMSR" }
			NF > 1 { last = $2 }'
}

# The bytes of text of objects.
text_of() {
	size "$@" | awk 'NR > 1 { n += $1 } END { print n }'
}
