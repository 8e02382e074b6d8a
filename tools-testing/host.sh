# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Compiles kernel-smp/ for this machine, with the crates of host/, and runs checks of it. To be
# sourced after lib.sh.
#
# Backends: threads (of the system), tsan (the same, under ThreadSanitizer), loom, shuttle; debug,
# loom-debug and shuttle-debug (threads, loom and shuttle, as with CONFIG_CSD_LOCK_WAIT_DEBUG); bench is no
# check.

# Builds the checks of BACKEND in a checkout. usage: host_build BACKEND CHECKOUT TARGET [VARIABLE=VALUE...]
host_build() {
	local backend=$1 checkout=$2 target=$3 options=(--release) sanitizer=()
	case $backend in
	threads) ;;
	bench) options=(--profile bench -p bench) ;;
	# All code has to be instrumented, the standard library too. The sanitizer's own half is clang's.
	tsan)
		options+=("-Zbuild-std=std,panic_unwind" --target x86_64-unknown-linux-gnu)
		sanitizer=(RUSTC_BOOTSTRAP=1 "RUSTFLAGS=-Zsanitizer=thread -Zexternal-clangrt -Clinker=clang-22 -Clink-arg=-fsanitize=thread")
		;;
	*) options+=(--features "${backend/-/,}") ;;
	esac
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u RUSTFLAGS RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$target" "${sanitizer[@]}" "${@:4}" \
		cargo build --quiet --locked --manifest-path "$checkout/tools-testing/host/Cargo.toml" "${options[@]}"
}

# The program that host_build made. usage: host_checks TARGET
host_checks() {
	local program
	for program in "$1"/release/checks "$1"/*/release/checks; do
		[ ! -x "$program" ] || echo "$program"
	done
}

# Runs a check. What it found is its last line. usage: host_run TARGET CHECK LIMIT
host_run() {
	local rc=0 out
	# An endless loop in a model takes all memory before its time is over. ThreadSanitizer has more
	# addresses than memory, and knows its own layout only.
	out=$([[ $1 == */tsan ]] || ulimit -v 4000000
		SHUTTLE_SILENCE_WARNINGS=1 RUST_BACKTRACE=0 TSAN_OPTIONS="suppressions=$here/host/tsan" \
		timeout "$3" setarch -R "$(host_checks "$1")" run "$2" 2>&1) || rc=$?
	case $rc in
	0)
		out=$(tail -n 1 <<<"$out")
		echo "${out#"$2: "}"
		;;
	124) echo "$out" && die "$2 did not end within $3 s" ;;
	*) echo "$out" && die "$2: $(grep -m1 -A1 "panicked at" <<<"$out" | tail -n 1 | grep . || grep -m1 SUMMARY <<<"$out" || echo "ended with status $rc")" ;;
	esac
}
