# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Checks that go on after a failure and are counted. To be sourced after lib.sh.

# usage: item NAME COMMAND...
# The command's last line is shown with the verdict.
item() {
	local name=$1 log start rc
	shift
	log=$logs/item-${name//[^a-zA-Z0-9]/-}.log
	start=$(date +%s)
	[ ! -t 1 ] || printf '  ...     %s' "$name"
	# Not "|| rc=$?": that would let the command's own errors pass.
	set +e
	(set -e; "$@") >"$log" 2>&1 </dev/null
	rc=$?
	set -e
	[ ! -t 1 ] || printf '\r%70s\r' ''
	count "$rc" "$name" "$start" "$log"
}

# The same for a long command that shows its own progress.
item_live() {
	local name=$1 log start rc
	shift
	log=$logs/item-${name//[^a-zA-Z0-9]/-}.log
	start=$(date +%s)
	set +e
	(set -e; "$@") </dev/null 2>&1 9>&- | tee "$log"
	rc=${PIPESTATUS[0]}
	set -e
	count "$rc" "$name" "$start" "$log"
}

count() {
	local rc=$1 name=$2 start=$3 log=$4 note
	item_rc=$rc
	note=$(grep -v '^[[:space:]]*$' "$log" | tail -n 1 | sed -E 's/^(smp: |  READY +)//' || true)
	if [ "$rc" = 0 ]; then
		printf '  ok      %-26s %9s   %s\n' "$name" "$(since "$start")" "$note"
		note_result passed
	else
		case "$note" in *log*:*) ;; *) note+=" (log: $(short "$log"))" ;; esac
		printf '  FAILED  %-26s %9s   %s\n' "$name" "$(since "$start")" "$note"
		[ -t 1 ] || show_ends "$name" "$log" "$note" >>"$results-ends"
		note_result failed
	fi
}

# A line for those that write the results. test.sh says of which check it is, and with which kernels.
note_result() {
	printf '%s\t' "$1" "$name" $(($(date +%s) - start)) "$start" "$rc" "${SMP_CHECK:--}" "${SMP_KERNELS:--}" "$log" >>"$results"
	tr '\t\r' ' ' <<<"$note" >>"$results"
}

# Shows how the log of an item ends, and those that its verdict names. In CI they may be
# gone when this is read. usage: show_ends NAME LOG VERDICT
show_ends() {
	local file
	for file in "$2" $(grep -oE 'build/[^ ,()]+\.(log|txt|out)' <<<"$3" | sort -u | sed "s,^,$top/,"); do
		[ -s "$file" ] || continue
		echo "  $1, the end of $(short "$file"):"
		tail -n 20 "$file" | tr -d '\r' | cut -c1-200 | sed 's/^/  | /'
	done
}

# Opens the count, or goes on with that of the script that called this one.
begin_items() {
	results=${SMP_RESULTS:-$logs/results-$$}
	if [ -n "${SMP_RESULTS:-}" ]; then counted_by_caller=yes; else : >"$results" && rm -f "$results-ends"; fi
	export SMP_RESULTS=$results
}

# Writes what was counted so far as KTAP and for JUnit. usage: write_results NAME
write_results() {
	local out=$build/results/$1
	mkdir -p "$build/results"
	awk -F'\t' '{ line[NR] = ($1 == "passed" ? "ok " : "not ok ") NR " " $2; time[NR] = $3 }
		END {
			printf "KTAP version 1\n1..%d\n", NR
			for (n = 1; n <= NR; n++) printf "# %d s\n%s\n", time[n], line[n]
		}' "$results" >"$out.ktap"
	# It fails if an item has failed.
	"$linux/tools/testing/kunit/kunit.py" parse --junit="$out.xml" "$out.ktap" >/dev/null 2>&1 || [ -s "$out.xml" ]
}

# Looks whether the folder REPORT can be written, before anything runs, and takes an older report out of it. Sets
# origin, for write_report.
begin_report() {
	[ -n "${REPORT:-}" ] || return 0
	origin=${ORIGIN:-smp_rust}
	[[ $origin =~ ^[a-z0-9_]+$ ]] || die "ORIGIN=$origin: KCIDB takes a name of the letters a to z, digits and _ only"
	mkdir -p "$REPORT" 2>/dev/null && touch "$REPORT/test.ktap" 2>/dev/null ||
		die "REPORT=$REPORT cannot be written: name a folder that can"
	rm -f "$REPORT"/{test.ktap,test.xml,kcidb.json}
}

# Puts the results into the folder REPORT, as KCIDB takes them, too. usage: write_report NAME
write_report() {
	local count
	cp "$build/results/$1".{ktap,xml} "$REPORT/" || die "REPORT=$REPORT cannot be written: the results are in $(short "$build")/results"
	count=$("$cache/venv/bin/python3" -B "$here/kcidb.py" "$origin" "$results" "$linux" "$REPORT/kcidb.json") || exit 1
	echo "$count in $REPORT/kcidb.json"
}

# The last line, unless a caller counts on; fails if an item failed.
end_items() {
	local failed
	[ -z "${counted_by_caller:-}" ] || exit 0
	failed=$(grep -c ^failed "$results" || true)
	[ ! -e "$results-ends" ] || cat "$results-ends"
	echo "$(grep -c ^passed "$results" || true) passed, $failed failed"
	rm -f "$results" "$results-ends"
	[ "$failed" = 0 ]
}
