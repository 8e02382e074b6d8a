#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Compiles the cases of misuse/cases as modules are compiled, against the kernel crate of
# build/kunit. Each must give the errors that it names, and must compile without the misuse. Those
# of misuse/cases/rt are compiled as if the kernel had PREEMPT_RT. Those of misuse/controls are wrong
# in one way each, and must be found to be.

. "$(dirname "$0")/lib.sh"
. "$here/compile.sh"
lock
"$here/setup.sh" cargo
"$here/kernel.sh" kunit
o=$build/kunit
cases=$here/misuse/cases
out=$build/misuse
runner=$cache/misuse
log=$logs/misuse.log
controls_log=$logs/misuse-controls.log

# ui_test, and what it needs, is built once. It compiles the cases and compares what rustc says.
runner_sources() {
	cat "$here"/misuse/{main.rs,Cargo.toml,Cargo.lock}
}

have_runner() {
	[ -x "$runner/debug/misuse" ] && runner_sources | cmp -s - "$runner/sources"
}

build_runner() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u RUSTFLAGS RUSTC=/usr/bin/rustc \
		cargo build --locked --manifest-path "$here/misuse/Cargo.toml" --target-dir "$runner" &&
		runner_sources >"$runner/sources"
}

# The interface of the kernel crate as it is with PREEMPT_RT. The C half is that of build/kunit:
# nothing of this is run.
rt_crate() {
	[ ! "$out/rt/libkernel.rmeta" -nt "$o/rust/libkernel.rmeta" ] || return 0
	how_compiled kunit rust/kernel.o
	compile "$compiler" "${flags[@]}" --cfg CONFIG_PREEMPT_RT --emit=metadata="$out/rt/libkernel.rmeta" \
		"$source" --cap-lints=allow
}

# usage: check FOLDER FLAG...
check() {
	compile "$runner/debug/misuse" "$1" "$out" "$compiler" "${flags[@]}" "${@:2}"
}

# What failed, a line each: the case, which of its two builds, and what is wrong with it.
failures() {
	awk '/^FAILED TEST: / { sub(".*/", ""); gsub(/\.rs|revision |`/, ""); name = $0 }
		/^error: / && name { print name substr($0, 6); name = "" }' "$1" |
		sed 's/test got exit status: 0, but expected 1/it compiles/; s/test got exit status: 1, but expected 0/it does not compile/'
}

sources() {
	find "$1" -name '*.rs' | wc -l
}

have_runner || with_progress "$logs/misuse-runner.log" SETUP "building ui_test, in $runner" build_runner ||
	die "cargo could not build ui_test: $(grep -m1 '^error' "$logs/misuse-runner.log" || tail -1 "$logs/misuse-runner.log") (log: $(short "$logs")/misuse-runner.log)"
mkdir -p "$out/rt"
rt_crate >"$log" 2>&1 ||
	die "the kernel crate cannot be compiled for PREEMPT_RT: $(grep -m1 '^error' "$log") (log: $(short "$log"))"
how_compiled kunit samples/rust/rust_smp.o
{
	# Some errors are found when code is made.
	check "$cases" --emit=obj || true
	check "$cases/rt" --emit=metadata --cfg CONFIG_PREEMPT_RT --extern kernel="$out/rt/libkernel.rmeta" || true
} >"$log" 2>&1
check "$here/misuse/controls" --emit=metadata >"$controls_log" 2>&1 || true

failed=$(failures "$log")
[ -z "$failed" ] || {
	sed -n '2,$p' <<<"$failed"
	die "$(sed -n 1p <<<"$failed") (log: $(short "$log"))"
}
number=$(sources "$cases")
for twin in good misuse; do
	[ "$(grep -cF "(revision \`$twin\`) ... ok" "$log")" = "$number" ] ||
		die "not all of $number cases were compiled: $(tail -n 1 "$log") (log: $(short "$log"))"
done
controls=$(sources "$here/misuse/controls")
[ "$(failures "$controls_log" | grep -c .)" = "$controls" ] ||
	die "not all of $controls controls, which must fail, did (log: $(short "$controls_log"))"
echo "$number cases, each refused for its reason and compiled without the misuse; $controls controls fail"
