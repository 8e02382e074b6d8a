# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# Compiles or documents other sources as the kernel's make has compiled those of a kernel. To be sourced
# after lib.sh.

# How kbuild has compiled OBJECT of build/NAME: the environment, the compiler, its source and its flags,
# less what it was to make of it. usage: how_compiled NAME OBJECT
how_compiled() {
	local file line words word last=""
	folder=$build/$1
	file=$folder/$(dirname "$2")/.$(basename "$2").cmd
	line=$(sed -nE 's/^savedcmd_[^ ]+ := *//p' "$file" 2>/dev/null || true)
	# What follows, if anything, makes an object of what rustc made.
	eval "words=(${line%%;*})"
	# The kernel's Makefile exports this one.
	environment=(RUSTC_BOOTSTRAP=1)
	compiler=
	source=
	flags=()
	for word in "${words[@]}"; do
		case "$last $word" in
		*" --emit="* | *" --out-dir" | "--out-dir "* | *" -Wp,-MMD,"* | *" -c" | *" -o" | "-o "*) ;;
		*.rs | *.c) source=$word ;;
		*) if [ -n "$compiler" ]; then
			flags+=("$word")
		elif [[ $word == *=* ]]; then
			environment+=("$word")
		else
			compiler=$word
		fi ;;
		esac
		last=$word
	done
	[ -n "$source" ] || die "$(short "$file") does not say how $2 was compiled"
}

# Runs a command where kbuild ran the compiler, and with its environment.
compile() {
	(cd "$folder" && env "${environment[@]}" "$@")
}
