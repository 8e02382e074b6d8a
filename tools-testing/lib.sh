# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Places and small helpers that every script of the harness uses. To be sourced.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(dirname "$here")
build=$top/build
logs=$build/logs
cache=${XDG_CACHE_HOME:-$HOME/.cache}/smp-rust
linux=$build/linux
if [ -n "${KDIR:-}" ]; then
	linux=$(cd "$KDIR" 2>/dev/null && pwd -P) || { echo "smp: KDIR=$KDIR is not a folder" >&2; exit 1; }
fi

# The kernel's make refuses a path with a space or a colon, and ends without a reason in a path with most
# other characters that make or a shell reads as its own. With the rest, these scripts are not right.
# usage: plain_path PATH WHAT-TO-DO
plain_path() {
	local odd
	odd=$(printf '%s' "$1" | LC_ALL=C tr -d 'a-zA-Z0-9/._+@~\200-\377-')
	[ -z "$odd" ] || {
		echo "smp: the kernel's make or these scripts cannot work in $1, because of the '${odd:0:1}': $2 a path of letters, digits and ._+@~-" >&2
		exit 1
	}
}

# What was put into such a place can still be taken out.
case "${0##*/} ${1:-}" in
"clean.sh "* | "tree.sh undo") ;;
*)
	plain_path "$top" "move this checkout to"
	plain_path "$linux" "move the tree to"
	plain_path "$cache" "set XDG_CACHE_HOME to"
	;;
esac
mkdir -p "$logs"

# A closed stdin (as in CI) would give its number to the first file that is opened.
[ -e /proc/self/fd/0 ] || exec </dev/null

# Ctrl-C ends a script. Without this, bash would go on if the command that it waits for ended well
# just then.
trap 'exit 130' INT

# One line for a person: what is done now.
say() {
	printf '  %-8s%s\n' "$1" "$2"
}

# One line that says what went wrong, and the end. A full disk spoils the logs too.
die() {
	local full
	full=$(df -Pk "$build" | awk 'NR == 2 && $4 < 100000 { print "the disk is full: " }')
	printf 'smp: %s\n' "$full$*" >&2
	exit 1
}

# Ends if the disk of build/ has less than so many GiB free. usage: need_space GIB WHAT-NEEDS-IT
need_space() {
	local free
	free=$(df -Pk "$build" | awk 'NR == 2 { print int($4 / 1048576) }')
	[ "$free" -ge "$1" ] || die "$build has $free GiB free: $2 $1"
}

# A path as a person in the checkout would type it.
short() {
	printf '%s' "${1#"$top"/}"
}

# Only one make at a time works in a checkout. Scripts that others call find the lock taken. It is
# held until the last process that was started under it ends, also if the script was killed.
lock() {
	[ -z "${SMP_LOCKED:-}" ] || return 0
	exec 9>"$build/.lock"
	if ! flock -n 9; then
		say WAIT "another make works in this checkout"
		flock 9
	fi
	export SMP_LOCKED=1
}

# Only one make at a time changes the cache, which all checkouts share.
lock_cache() {
	mkdir -p "$cache"
	exec 8>"$cache/.lock"
	if ! flock -n 8; then
		say WAIT "another make works in $cache"
		flock 8
	fi
}

# Options of env(1) that take our own make and its variables away. The variables stand once: in the
# Makefile, after "export".
mapfile -t without_ours < <(printf -- '--unset=%s\n' MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL MAKEFILES &&
	sed -n 's/^export //p' "$top/Makefile" | tr ' ' '\n' | sed 's/^/--unset=/')
[ ${#without_ours[@]} -gt 5 ] || die "the Makefile exports no variables"

# How much of a check is run: less than usual, as usual, or more.
level=${LEVEL:-}
case "$level" in
"" | short | long) ;;
*) die "LEVEL=$level: it is short, or long, or not given" ;;
esac

need_number() {
	[[ $2 =~ ^[0-9]+$ ]] && [ "$2" -gt 0 ] || die "$1=$2 is not a number above 0"
}

# Seconds since the epoch second $1, for a person.
since() {
	local s=$(($(date +%s) - $1))
	if [ "$s" -lt 60 ]; then echo "$s s"; else echo "$((s / 60)) min $((s % 60)) s"; fi
}

# Ends the process group $1, and waits until nothing is left of it.
end_group() {
	local n
	kill -- "-$1" 2>/dev/null || return 0
	for ((n = 0; n < 50; n++)); do
		sleep 0.1
		kill -0 -- "-$1" 2>/dev/null || return 0
	done
	kill -KILL -- "-$1" 2>/dev/null || true
}

# How far a command is, whose log has so many lines. With $steps, that is how many it will have.
# usage: progress SECONDS LINES
progress() {
	local done
	printf '          %d min %02d s, ' $(($1 / 60)) $(($1 % 60))
	if [ -z "${steps:-}" ]; then
		printf '%d lines of log\n' "$2"
	else
		done=$(($2 < steps ? 20 * $2 / steps : 20))
		printf '[%-20s] %d of about %d steps\n' "$(printf '%*s' $done '' | tr ' ' '#')" "$2" "$steps"
	fi
}

# Runs a long command with its output in a log, and shows that it goes on. The command has a process
# group of its own, so that it can be ended with all that it started.
# usage: with_progress LOG WORD TEXT COMMAND...
with_progress() {
	local log=$1 word=$2 text=$3 start pid rc=0 shown=0 now
	shift 3
	start=$(date +%s)
	say "$word" "$text (log: $(short "$log"))"
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	# shellcheck disable=SC2064 # The command that runs now is meant.
	trap "end_group $pid" EXIT
	while kill -0 $pid 2>/dev/null; do
		sleep 1
		now=$(($(date +%s) - start))
		if [ -t 1 ]; then
			printf '\r%s ' "$(progress $now "$(wc -l <"$log")")"
		elif [ $((now / 30)) -gt $shown ]; then
			shown=$((now / 30))
			progress $now "$(wc -l <"$log")"
		fi
	done
	wait $pid || rc=$?
	trap - EXIT
	[ ! -t 1 ] || printf '\r%60s\r' ''
	return $rc
}
