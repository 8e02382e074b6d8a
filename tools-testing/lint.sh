#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Checks of the sources and of the objects made from them.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/item.sh"
lock
begin_items
"$here/kernel.sh" rust
cd "$top"

# Our files whose names fit a pattern, new ones too.
files() {
	git ls-files -co --exclude-standard -- "$@" | while IFS= read -r f; do [ ! -e "$f" ] || echo "$f"; done
}

# If anything was found: prints it, then its first line for the report, and fails.
verdict() {
	local found=${1//"$top/"/} what=$2
	[ -z "$found" ] || { echo "$found"; die "$what: $(sed -n 1p <<<"$found")"; }
}

rustfmt_check() {
	local list
	mapfile -t list < <(files '*.rs')
	/usr/bin/rustfmt --check --config-path "$linux/.rustfmt.toml" "${list[@]}" ||
		die "rustfmt would change files"
	echo "${#list[@]} files"
}

# An export cannot follow its function where that is in Rust, NR_CPUS is what kernel/smp.c itself
# starts from, <linux/nmi.h> does not always have what <asm/nmi.h> has, and our hooks begin with a few
# words and no sign-off.
checkpatch() {
	(cd "$linux" && scripts/checkpatch.pl --terse --no-summary --show-types --no-signoff \
		--ignore EXPORT_SYMBOL,NR_CPUS,INCLUDE_LINUX,COMMIT_MESSAGE,FILE_PATH_CHANGES,DIFF_IN_COMMIT_MSG,BAD_COMMIT_SEPARATOR "$@") || true
}

checkpatch_check() {
	local sources patches
	mapfile -t sources < <(files '*.c' '*.h')
	mapfile -t patches < <(files ':(glob)patches/*.patch')
	verdict "$(checkpatch -f "${sources[@]/#/$top/}")" checkpatch
	verdict "$(checkpatch "${patches[@]/#/$top/}")" checkpatch
	echo "${#sources[@]} C files, ${#patches[@]} patches"
}

shellcheck_check() {
	local list
	mapfile -t list < <(files "*.sh" .ci/run | while IFS= read -r f; do [ ! -x "$f" ] || echo "$f"; done)
	shellcheck -a -x "${list[@]}" || die "shellcheck has remarks"
	echo "${#list[@]} files"
}

spdx_check() {
	local f found=""
	while IFS= read -r f; do
		sed -n '1,3p' "$f" | grep 'SPDX-License-Identifier: ' >/dev/null || found+="$f"$'\n'
	done < <(files ':!COPYING' ':!LICENSE*')
	verdict "${found%$'\n'}" "no SPDX line in"
	echo "$(files | wc -l) files"
}

# Web addresses are those of documentation; no package host, and no path of a machine.
places_check() {
	local known hosts
	known='([a-z]+\.)*(kernel\.org|rust-lang\.org|rust-for-linux\.com|w3\.org|lwn\.net|qemu\.org)|github\.com'
	verdict "$(files | xargs -d '\n' grep -nIE 'https?://' | grep -vE "https?://($known)([/)>\" ]|$)" || true)" "unknown web address"
	mapfile -t hosts < <(apt-get indextargets --format '$(SITE)' 2>/dev/null | sed 's,.*://,,; s,/.*,,' | sort -u | grep . || true)
	[ ${#hosts[@]} = 0 ] ||
		verdict "$(files | xargs -d '\n' grep -nIF "${hosts[@]/#/-e}" || true)" "package host"
	verdict "$(files | xargs -d '\n' grep -nIE '(^|[^[:alnum:]_.$}/*])/(home|root|work|Users)/' || true)" "path of a machine"
	echo "$(files | wc -l) files"
}

# The words of the kernel, and plain English: "words" has what is not. That list and the mailing-list threads
# that are quoted have them all the same.
words_check() {
	local pattern instead found=""
	while IFS=$'\t' read -r pattern instead; do
		grep -E "$pattern" </dev/null >/dev/null 2>&1 || [ $? = 1 ] || die "grep refuses the pattern $pattern"
		found+=$(files ':!tools-testing/words' | xargs -d '\n' grep -nIE "$pattern" | head -n 5 |
			sed "s/\$/ (instead: $instead)/" || true)
		found+=${found:+$'\n'}
	done < <(grep -v '^#' "$here/words")
	verdict "$(grep . <<<"$found" || true)" "not our words"
	echo "$(grep -vc '^#' "$here/words") patterns"
}

# Words that are no typing errors here: a plural, a name of module.c, and a pattern of "words".
spelling_check() {
	verdict "$(files | xargs -d '\n' "$cache/venv/bin/codespell" -L statics,parm,hoever)" "codespell knows other spellings"
	echo "codespell"
}

# Where documents show the table of the checks, it is that of the file.
tables_check() {
	python3 -B "$here/checks.py" fill --check README.md tools-testing/README Documentation/dev-tools/smp/testing.rst
	echo "as in tools-testing/checks"
}

# The recipes for other CIs are as the schemas of these CIs want them, and name variables of the Makefile.
recipes_check() {
	local recipe said names
	for recipe in github:github-workflows gitlab:gitlab-ci; do
		said=$("$cache/venv/bin/check-jsonschema" --builtin-schema "vendor.${recipe#*:}" "$here/ci/${recipe%:*}.yml" 2>&1) ||
			verdict "$(grep '::' <<<"$said" | sed 's,^ *,,' | cut -c1-200 || echo "$said")" "the schema ${recipe#*:} does not take it"
	done
	unpack_packages lava-common trixie-backports usr/share/lava-common/lava-schema.py lava-common
	said=$(PYTHONPATH=$cache/lava-common/usr/lib/python3/dist-packages "$cache/venv/bin/python3" -B \
		"$cache/lava-common/usr/share/lava-common/lava-schema.py" job --strict "$here/ci/lava.yaml" 2>&1) ||
		verdict "$(paste -sd' ' <<<"$said")" "LAVA does not take it"
	names=$(sed -nE 's/.*\bmake (.*)/\1/p' "$here"/ci/* | grep -oE '\b[A-Z_]+=' | tr -d = | sort -u)
	verdict "$(grep -vxE "XDG_CACHE_HOME|$(sed -n 's/^export //p' "$top/Makefile" | tr ' \n' '||')" <<<"$names" || true)" \
		"a variable in a recipe that the Makefile does not have"
	echo "GitHub, GitLab, LAVA"
}

# No variable of our own make comes to the make of a kernel.
environment_check() {
	local names all=() left
	mapfile -t names < <(sed -n 's/^export //p' "$top/Makefile" | tr ' ' '\n')
	all=("${names[@]/%/=1}")
	left=$(env "${all[@]}" "${clean_env[@]}" env | cut -d= -f1 | grep -xF "$(printf '%s\n' "${names[@]}")" || true)
	verdict "$left" "a variable of our own make that a kernel's gets"
	echo "${#names[@]} variables"
}

clippy_check() {
	build_kernel clippy CLIPPY=1 prepare kernel/smp/ samples/rust/ arch/x86/kernel/apic/x2apic/
	[ ! -s "$build/clippy/warnings" ] || die "clippy: $(sed -n 1p "$build/clippy/warnings") (log: $(short "$logs")/kernel-clippy.log)"
	echo "clean in $built_in"
}

panic_check() {
	verdict "$(panic_symbols rust)" "can panic"
	echo "$(llvm-nm-22 --defined-only "$build"/rust/kernel/smp/*.o | grep -c ' [TtDdBbRr] ') symbols"
}

# What kernel/smp.c exports, and how, is what we export.
exports_check() {
	local theirs ours
	theirs=$(sed -nE 's/^EXPORT_SYMBOL(_GPL)?\((.*)\);/\2 EXPORT_SYMBOL\1/p' "$linux/kernel/smp.c" | sort)
	[ -n "$theirs" ] || die "no export found in $(short "$linux")/kernel/smp.c"
	ours=$(awk '$3 == "vmlinux" { print $2, $4 }' "$build/rust/Module.symvers" | sort)
	verdict "$(comm -23 <(echo "$theirs") <(echo "$ours"))" "exported by kernel/smp.c and not by us"
	echo "$(wc -l <<<"$theirs") symbols, of the same kind"
}

warnings_check() {
	local n
	for n in rust kunit; do
		[ -e "$build/$n/vmlinux" ] || die "build/$n is not built"
		[ ! -s "$build/$n/warnings" ] || die "$(sed -n 1p "$build/$n/warnings") (log: $(short "$logs/kernel-$n").log)"
	done
	echo "none"
}

# The objects and folders that kernel/Makefile asks for with the configuration of build/NAME.
kernel_objects() {
	make -s -R -f - all <<-END
		include $build/$1/include/config/auto.conf
		obj := kernel
		include $linux/kernel/Makefile
		all: ; @printf '%s\\n' \$(obj-y)
	END
}

# What the kernel's make writes for rust-analyzer has our crates: those that kbuild has compiled of files
# of ours, which are links in the tree, and no other file of ours.
rust_analyzer_check() {
	local log=$logs/lint-rust-analyzer.log project=$build/rust/rust-project.json compiled listed
	rm -f "$project"
	kmake rust rust-analyzer >"$log" 2>&1 ||
		die "make rust-analyzer failed: $(build_error "$log") (log: $(short "$log"))"
	compiled=$(cat "$build"/rust/{kernel/smp,arch/x86/kernel/apic/x2apic,samples/rust}/.*.o.cmd |
		sed -nE 's/^source_[^ ]+ := (.*\.rs)$/\1/p' | linked)
	[ "$(wc -l <<<"$compiled")" -ge 2 ] || die "kbuild says of no crates that it compiled them"
	listed=$(/usr/bin/python3 -c 'import json, sys
for crate in json.load(sys.stdin)["crates"]: print(crate["root_module"])' <"$project" | linked)
	verdict "$(comm -23 <(echo "$compiled") <(echo "$listed"))" "not in $(short "$project"), and a crate"
	verdict "$(comm -13 <(echo "$compiled") <(echo "$listed"))" "in $(short "$project"), and no crate"
	echo "$(wc -l <<<"$listed") crates of ours in $(short "$project")"
}

# Those of the files in stdin that are links, sorted.
linked() {
	local f
	while IFS= read -r f; do
		[ ! -L "$f" ] || echo "$f"
	done | sort
}

# SMP_RUST=n builds the kernel's own kernel/smp.c, and nothing that is there in place of it; =y the other
# way round.
off_check() {
	local ours
	build_kernel c kernel/smp.o kernel/smp/
	kernel_objects c | grep -qx 'smp\.o' || die "kernel/Makefile does not build smp.o with SMP_RUST=n"
	[ "$(kernel_objects rust | grep -xE 'smp(\.o|/)')" = smp/ ] || die "kernel/Makefile does not build smp/ alone with SMP_RUST=y"
	ours=$(smp_objects c || true)
	verdict "$ours" "an object of ours with SMP_RUST=n"
	ours=$(llvm-nm-22 -jU "$build/c/kernel/smp.o" | grep '^_R' || true)
	verdict "$ours" "a symbol of ours with SMP_RUST=n"
	echo "kernel/smp.o; =y: kernel/smp/ in place of it"
}

# ARCH=um has X86_64 too, and all else that SMP_RUST depends on.
uml_check() {
	local o=$build/um symbol
	mkdir -p "$o"
	printf 'CONFIG_%s=y\n' 64BIT EXPERT PREEMPT RUST SMP SMP_RUST >"$o/all.config"
	KCONFIG_ALLCONFIG=$o/all.config "${clean_env[@]}" make -C "$linux" O="$o" "${build_options[@]}" ARCH=um SUBARCH=x86 \
		CC=clang-22 HOSTCC=clang-22 alldefconfig >"$logs/config-um.log" 2>&1 ||
		die "configuring $(short "$o") failed (log: $(short "$logs")/config-um.log)"
	for symbol in EXPERT PREEMPTION RUST SMP X86_64; do
		grep -qx "CONFIG_$symbol=y" "$o/.config" || die "ARCH=um has no $symbol, so this shows nothing"
	done
	! grep -q '^CONFIG_SMP_RUST=' "$o/.config" || die "ARCH=um has SMP_RUST"
	echo "has no SMP_RUST"
}

# No file imports from a file above it in the map of its crate.
layers_check() {
	python3 -B "$here/layers.py" kernel-smp/smp_core.rs:kernel-smp:crate \
		arch-x86/x2apic/x2apic_send.rs:arch-x86/x2apic:crate 'rust/kernel/smp.rs:rust/kernel/smp:super|crate::smp' \
		'rust/kernel/cpuhp.rs:rust/kernel/cpuhp:super|crate::cpuhp'
}

# The functions from an entry point to the IPI, and from the interrupt to the function that is called, in
# our crate as it is compiled for build/rust, without inlining.
chain_check() {
	local o=$build/rust command
	command=$(sed -nE '1 { s/^[^ ]* := //; s/ *;.*//; s/ --emit=(llvm-bc|obj|dep-info)=[^ ]+//g; s/ -Cllvm-args=[^ ]+//; p }' \
		"$o/kernel/smp/.smp_core.o.cmd")
	"${clean_env[@]}" RUSTC_BOOTSTRAP=1 IR="$build/rust/kernel/smp/smp_core.chain.ll" env -C "$o" \
		sh -c "$command -Zinline-mir=no -Cno-prepopulate-passes --emit=llvm-ir=\"\$IR\""
	python3 -B "$here/chain.py" "$o/kernel/smp/smp_core.chain.ll" smp_core \
		smp_call_function_many:smp_call_function_many_cond:arch_send_call_function_ipi_mask:6 \
		smp_call_function_single_async:smp_single_async:arch_send_call_function_single_ipi:6 \
		__sysvec_call_function_single:generic_smp_call_function_single_interrupt::5 \
		smp_call_function_single:smp_single:arch_send_call_function_single_ipi:6
}

# The public items of the Rust API are those in api.txt, so that a change of them is seen in review.
api_check() {
	verdict "$(diff <(grep -v '^#' "$here/api.txt") <(python3 -B "$here/api.py" "$top/rust/kernel") | grep '^[<>]' || true)" \
		"not as in $(short "$here")/api.txt, which api.py rust/kernel prints"
	verdict "$(python3 -B "$here/api.py" --examples "$top/rust/kernel")" "have no example"
	echo "$(grep -vc '^#' "$here/api.txt") public items"
}

item "lint: rustfmt" rustfmt_check
item "lint: checkpatch" checkpatch_check
item "lint: shellcheck" shellcheck_check
item "lint: SPDX lines" spdx_check
item "lint: paths and hosts" places_check
item "lint: words" words_check
item "lint: spelling" spelling_check
item "lint: tables of checks" tables_check
item "lint: recipes" recipes_check
item "lint: environment" environment_check
item "lint: layers" layers_check
item "lint: API" api_check
item "lint: life of a call" chain_check
item "lint: no warnings" warnings_check
item "lint: no panic symbols" panic_check
item "lint: exports" exports_check
item "lint: rust-analyzer" rust_analyzer_check
item "lint: clippy" clippy_check
item "lint: SMP_RUST=n" off_check
item "lint: ARCH=um" uml_check
end_items
