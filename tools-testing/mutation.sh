#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The mutation score of the core of kernel-smp/: cargo-mutants says what to change, and each of these mutants
# is compiled in a copy of the checkout and run by the checks of model.sh, in fewer runs: with real threads,
# the same with the watch over waits, and with loom. Fails if one survives that the list "equivalent" does
# not have. ROOMS='csd queue' takes some files; LEVEL=long also tries those that the list has.

. "$(dirname "$0")/lib.sh"
. "$here/item.sh"
. "$here/host.sh"
. "$here/copy.sh"
lock
begin_items
"$here/setup.sh" cargo mutants
out=$build/mutation
copy=$out/checkout
backends=(threads debug loom)
read -ra rooms <<<"${ROOMS:-csd queue batch pool wait single many flush}"
for room in "${rooms[@]}"; do
	[ -e "$top/kernel-smp/$room.rs" ] || die "ROOMS: there is no $room.rs in kernel-smp"
done

# Builds the checks of a backend, without the lines of functions: two programs of the same code are the same
# file. usage: build_checks BACKEND
build_checks() {
	host_build "$1" "$copy" "$out/$1" CARGO_INCREMENTAL=1 CARGO_PROFILE_RELEASE_DEBUG=0
}

# Runs the checks of a backend until one fails, and says which. Fails if none does. usage: caught_by BACKEND
caught_by() {
	local name said limit=60 times
	[ "$1" != loom ] || limit=300
	for name in $("$out/$1.checks" list); do
		times=50
		case $name in
		ledger) times=1 ;;
		differential) times=300 ;;
		esac
		said=$(CALLS=60000 TIMES=$times host_run "$out/$1" "$name" $limit 2>&1) || {
			said=$(tail -n 1 <<<"$said")
			echo "$1, ${said#smp: }"
			return
		}
	done
	return 1
}

prepare() {
	local backend found
	update_copy "$out"
	rm -rf "$out/list" "$out/source"
	cp -r "$top/kernel-smp" "$out/source"
	python3 -B "$here/mutation.py" crate "$out/source" "$out/list" "${rooms[@]}"
	"$cache/cargo/bin/cargo-mutants" mutants --dir "$out/list" --list --json >"$out/mutants.json"
	python3 -B "$here/mutation.py" list "$out/mutants.json" "$here/equivalent" >"$out/mutants"
	: >"$out/found"
	for backend in "${backends[@]}"; do
		say HOST "$backend"
		build_checks "$backend"
		cp "$(host_checks "$out/$backend")" "$out/$backend.checks"
		say RUN "$backend, without a mutant"
		! found=$(caught_by "$backend") || die "without a mutant, $found"
	done
	echo "$(wc -l <"$out/mutants") mutants"
}

# Prints what becomes of a mutant. usage: fate NUMBER
fate() {
	local backend found differs=""
	python3 -B "$here/mutation.py" apply "$out/mutants.json" "$1" "$out/source" "$copy/kernel-smp"
	for backend in "${backends[@]}"; do
		build_checks "$backend" >>"$out/build.log" 2>&1 || {
			echo "does not compile"
			return
		}
		! cmp -s "$(host_checks "$out/$backend")" "$out/$backend.checks" || continue
		differs=yes
		found=$(caught_by "$backend") || continue
		[[ $found == *" did not end within "* ]] && echo "timed out: $found" || echo "caught: $found"
		return
	done
	[ -n "$differs" ] && echo "survives" || echo "same program"
}

# usage: try_room ROOM
try_room() {
	local number line name reason what survivors=()
	while IFS=$'\t' read -r number line name reason; do
		what="equivalent: $reason"
		[ -n "$reason" ] && [ "$level" != long ] || what=$(fate "$number")
		[ "$what" != survives ] || [ -z "$reason" ] || what="equivalent: $reason"
		[ "$what" != survives ] || survivors+=("$1.rs:$line: ${name#*: }")
		printf '%s\t%s\t%s\t%s\n' "$1" "$name" "$line" "$what" >>"$out/found"
		say "$line" "${name#*: }: $what"
		cp "$out/source/$1.rs" "$copy/kernel-smp/"
	done < <(grep -P "^\d+\t\d+\t$1\.rs: " "$out/mutants")
	[ ${#survivors[@]} = 0 ] || printf '%s\n' "${survivors[@]}"
	score "^$1\$"
	[ ${#survivors[@]} = 0 ] || die "${#survivors[@]} survive: ${survivors[0]}"
}

# Sums up the rooms that fit a pattern.
score() {
	awk -F'\t' -v rooms="$1" '$1 ~ rooms { sub(/:.*/, "", $4); n[$4]++; all++ }
		END {
			found = n["caught"] + n["timed out"]; viable = found + n["survives"]
			printf "%d mutants, %d caught, %d timed out, %d survive: %.1f %%; %d equivalent, %d same program, %d do not compile\n",
				all, n["caught"], n["timed out"], n["survives"], viable ? 100 * found / viable : 100,
				n["equivalent"], n["same program"], n["does not compile"]
		}' "$out/found"
}

item_live "mutants" prepare
if [ "$item_rc" = 0 ]; then
	for room in "${rooms[@]}"; do
		item_live "mutants of $room" try_room "$room"
	done
	item "mutation score" score .
fi
end_items
