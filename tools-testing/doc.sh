#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds the documentation with the tools of the kernel tree: our pages of core-api with its Sphinx, the
# kernel crate and our own crates with rustdoc. Fails if there is a warning about a file of ours; those
# about the tree's are its own.

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
	pages='index.rst,core-api/index.rst,core-api/SMP.rst,core-api/smp-rust*.rst,fault-injection/fault-injection.rst'
	# Nothing is said again about what was read before.
	rm -rf "$out/core-api" "$out/.doctrees"
	# RUSTDOC has another meaning in Documentation/Makefile.
	with_progress "$log" SPHINX "Documentation/core-api/smp-rust*.rst" kmake $kernel htmldocs RUSTDOC= \
		SPHINXOPTS="-D include_patterns=$pages -D exclude_patterns=netlink" \
		SPHINXBUILD="$cache/venv/bin/sphinx-build" PYTHON3="$cache/venv/bin/python3" ||
		die "Sphinx failed: $(build_error "$log") (log: $(short "$log"))"
	verdict "$(grep -E '(WARNING|ERROR|CRITICAL): ' "$log" | grep -F smp-rust | sed "s,^$linux/,," || true)" "$log"
	grep -q 'href="smp-rust\.html"><span class="doc">' "$out/core-api/SMP.html" ||
		die "core-api/SMP.rst has no link to our page: a hook in patches/ must set it"
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
	build_kernel $kernel prepare kernel/smp/ arch/x86/kernel/apic/x2apic/
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

item "doc: page" page_check
item "doc: parameters" parameters_check
item "doc: paths" paths_check
item "doc: kernel crate" kernel_crate_check
item "doc: our crates" crates_check
end_items
