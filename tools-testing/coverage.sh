#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Which lines and branches of kernel-smp/ the checks on this machine run: those of model.sh, in fewer runs,
# with loom and with real threads, without and with the watch over waits. Fails if fewer lines of a file of
# the core run than the page about tests says.

. "$(dirname "$0")/lib.sh"
. "$here/host.sh"
lock
out=$build/coverage
backends=(threads debug loom loom-debug)
programs=()
"$here/setup.sh" cargo
rm -rf "$out/profiles"
mkdir -p "$out/profiles"

# Programs that are built to build others count, too.
export LLVM_PROFILE_FILE=$out/besides

for backend in "${backends[@]}"; do
	say HOST "$backend, with counters"
	host_build "$backend" "$top" "$out/$backend" RUSTC_BOOTSTRAP=1 \
		"RUSTFLAGS=-Cinstrument-coverage -Zcoverage-options=branch"
	programs+=(--object "$(host_checks "$out/$backend")")
	for name in $("$(host_checks "$out/$backend")" list); do
		[[ $backend != *-debug || $name == stall_* ]] || continue
		times=200
		[ "$name" != ledger ] || times=1
		found=$(CALLS=100000 TIMES=$times PREEMPTIONS=0 LLVM_PROFILE_FILE=$out/profiles/$backend-$name \
			host_run "$out/$backend" "$name" 600)
		say RUN "$backend, ${name//_/ }: $found"
	done
done
llvm-profdata-22 merge --sparse "$out"/profiles/* -o "$out/profile"
llvm-cov-22 export --format=lcov --instr-profile "$out/profile" "${programs[@]}" >"$out/lcov"
python3 -B "$here/coverage.py" "$out/lcov"
