#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the API for Rust code consists of: for each file lines, lines of code, unsafe blocks, public
# items, examples that run as doctests and KUnit cases.

. "$(dirname "$0")/lib.sh"
cd "$top"

count() {
	awk -v name="$1" '
		/^[ \t]*\/\/[\/!] ```/ { fence = !fence; examples += fence }
		/^[ \t]*\/\// || /^[ \t]*$/ { lines++; next }
		{ lines++; code++ }
		{ blocks += gsub(/unsafe \{/, "&") }
		/^[ \t]*pub (unsafe |const |trait |struct |enum |fn |type |static )/ { items++ }
		/#\[test\]/ { cases++ }
		END { printf "%-36s %6d %6d %7d %7d %9d %6d\n", name, lines, code, blocks, items, examples, cases }' "$1"
}

printf '%-36s %6s %6s %7s %7s %9s %6s\n' file lines code unsafe public doctests KUnit
find rust/kernel samples -name '*.rs' | sort | while IFS= read -r f; do
	count "$f"
done | awk '{ print; for (i = 2; i <= NF; i++) sum[i] += $i }
	END { printf "%-36s %6d %6d %7d %7d %9d %6d\n", "all", sum[2], sum[3], sum[4], sum[5], sum[6], sum[7] }'
printf '%-36s %6d\n' "cases that must not compile" "$(find tools-testing/misuse -path '*/cases/*.rs' | wc -l)"
