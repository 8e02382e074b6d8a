#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds the documentation with the tools of the kernel tree: our pages of core-api and dev-tools with its
# Sphinx, the kernel crate and our own crates with rustdoc. Fails if there is a warning about a file of
# ours; those about the tree's are its own. Compiles the examples of all pages, and compares the tables of
# benchmarks with the stored figures.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/item.sh"
. "$here/compile.sh"
lock
begin_items
"$here/setup.sh"
"$here/tree.sh"
cd "$top"

# All our options are on in this one, so rustdoc sees all our files.
kernel=kunit
out=$build/$kernel/Documentation/output
crates='kernel/smp/smp_core arch/x86/kernel/apic/x2apic/x2apic_send'

# Fails if any line was found, with the first.
# usage: verdict FOUND LOG
verdict() {
	[ -z "$1" ] || { echo "$1"; die "$(sed -n 1p <<<"$1") (log: $(short "$2"))"; }
}

# The rustdoc warnings in a log that are about files of ours: those are links in the tree.
about_ours() {
	warnings_in "$1" | while IFS= read -r line; do
		[ ! -L "$linux/${line%%:*}" ] || echo "$line"
	done
}

# Our pages with those that lead to them or that they name. Of the others, which the indices name, Sphinx
# says that they are missing. netlink/ is specifications, which the tree would read in any case.
page_check() {
	local log=$logs/doc-page.log pages
	pages='index.rst,core-api/index.rst,core-api/SMP.rst,core-api/smp-rust*.rst,dev-tools/index.rst,dev-tools/smp/*.rst'
	pages+=',fault-injection/fault-injection.rst'
	# Nothing is said again about what was read before.
	rm -rf "$out/core-api" "$out/dev-tools" "$out/.doctrees"
	# RUSTDOC has another meaning in Documentation/Makefile.
	with_progress "$log" SPHINX "Documentation/core-api/smp-rust*.rst, dev-tools/smp/*.rst" kmake $kernel htmldocs RUSTDOC= \
		SPHINXOPTS="-D include_patterns=$pages -D exclude_patterns=netlink" \
		SPHINXBUILD="$cache/venv/bin/sphinx-build" PYTHON3="$cache/venv/bin/python3" ||
		die "Sphinx failed: $(build_error "$log") (log: $(short "$log"))"
	verdict "$(grep -E '(WARNING|ERROR|CRITICAL): ' "$log" | grep -E 'smp-rust|dev-tools/smp/' | sed "s,^$linux/,," || true)" "$log"
	grep -q 'href="smp-rust\.html"><span class="doc">' "$out/core-api/SMP.html" ||
		die "core-api/SMP.rst has no link to our page: a hook in patches/ must set it"
	grep -q 'href="smp/index\.html"' "$out/dev-tools/index.html" ||
		die "dev-tools/index.rst has no link to our pages: a hook in patches/ must set it"
	echo "$(short "$out")/core-api/smp-rust.html"
}

# Each parameter that a C file of ours reads is in the tree's list, but those of the tests.
parameters_check() {
	local list=$linux/Documentation/admin-guide/kernel-parameters.txt name n=0
	while IFS= read -r name; do
		grep -qE "^	$name(=|[[:space:]]|$)" "$list" ||
			die "$name is not in $(short "$list"): a hook in patches/ must describe it"
		n=$((n + 1))
	done < <(sed -nE 's/^(__setup|early_param)\("([^"=]+)=?",.*/\2/p
		s/^SMP_FAULT_PARAM\(([^,]+),.*/\1/p
		s/^module_param_named\(([^,]+),.*/smp.\1/p' kernel-smp/*.c | grep -v '^smp\.test_')
	[ $n -gt 0 ] || die "no parameter found in kernel-smp/*.c"
	echo "$n parameters"
}

# The files of the tree that our own name in documentation are there.
paths_check() {
	local path n=0
	while IFS= read -r path; do
		[ -e "$linux/$path" ] ||
			die "$path is not in $(short "$linux"), and is named in $(git grep -lF "$path" | paste -sd' ')"
		n=$((n + 1))
	done < <(git ls-files -co --exclude-standard -- ':!tools-testing' |
		xargs -d '\n' grep -ohE '\b(Documentation|srctree)/[[:alnum:]_./-]*[[:alnum:]/]' |
		sed 's,^srctree/,,' | sort -u)
	echo "$n paths"
}

kernel_crate_check() {
	local log=$logs/doc-kernel-crate.log
	build_kernel $kernel prepare kernel/smp/ samples/rust/ arch/x86/kernel/apic/x2apic/
	with_progress "$log" RUSTDOC "the kernel crate" kmake $kernel rustdoc ||
		die "rustdoc failed: $(build_error "$log") (log: $(short "$log"))"
	verdict "$(about_ours "$log")" "$log"
	echo "$(short "$out")/rust/rustdoc/kernel/index.html"
}

# All of these crates is private, but for the functions that C calls.
document_crates() {
	local crate
	for crate in $crates; do
		how_compiled $kernel "$crate.o"
		# The only one that rustdoc does not know.
		mapfile -t flags < <(printf '%s\n' "${flags[@]}" | grep -v '^--remap-path-scope=')
		compile /usr/bin/rustdoc "${flags[@]}" "$source" \
			--document-private-items -Arustdoc::private_intra_doc_links --output "$out/rust/rustdoc" || return
	done
}

crates_check() {
	local log=$logs/doc-crates.log
	with_progress "$log" RUSTDOC "our crates" document_crates ||
		die "rustdoc failed: $(build_error "$log") (log: $(short "$log"))"
	verdict "$(about_ours "$log")" "$log"
	echo "$(short "$out")/rust/rustdoc/smp_core/index.html"
}

# Compiles the examples in $examples as they stand, in files that end so, as OBJECT was compiled. CONTROL
# is a line that must be refused. usage: compile_examples ENDING OBJECT CONTROL FLAG...; sets n
compile_examples() {
	local example control=$examples/control$1 log=$logs/doc-examples.log
	how_compiled $kernel "$2"
	n=0
	for example in "$examples"/*"$1"; do
		[ -e "$example" ] || die "no page has an example in a file that ends in $1"
		compile "$compiler" "${flags[@]}" "${@:4}" "$example" >"$log" 2>&1 ||
			die "$(build_error "$log" | sed "s,^$top/,,") (log: $(short "$log"))"
		n=$((n + 1))
	done
	echo "$3" | cat "$example" - >"$control"
	! compile "$compiler" "${flags[@]}" "${@:4}" "$control" >"$log" 2>&1 || die "$(short "$control") compiles"
	grep -q 'error.*not_declared' "$log" || die "$(short "$control") is refused for another reason: $(build_error "$log")"
}

# All examples of all pages, to no more than metadata, each as a file of its own: the "use" and "#include"
# lines are its own too. A warning is an error, but for what an example may do without.
examples_check() {
	local pages n rust
	examples=$out/examples
	rm -rf "$examples"
	mkdir -p "$examples"
	mapfile -t pages < <(git ls-files -co --exclude-standard -- '*.md' '*.rst')
	/usr/bin/python3 "$here/examples.py" "$examples" "${pages[@]}"
	compile_examples .rs samples/rust/rust_smp.o 'const _: () = not_declared();' \
		-Dwarnings -Adead_code -Amissing_docs -Aunreachable_pub \
		--error-format=short --crate-name=example --emit=metadata="$examples/example.rmeta"
	rust=$n
	compile_examples .c kernel/smp/entry.o 'int control = not_declared;' -Werror -Wno-unused-function -fsyntax-only
	echo "$rust in Rust and $n in C, of ${#pages[@]} pages; a broken one of each is refused"
}

item "doc: page" page_check
item "doc: figures" python3 -B "$here/bench_page.py" --check
item "doc: parameters" parameters_check
item "doc: paths" paths_check
item "doc: kernel crate" kernel_crate_check
item "doc: our crates" crates_check
item "doc: examples" examples_check
end_items
