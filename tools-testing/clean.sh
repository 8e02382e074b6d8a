#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Removes what was built, and our own tree. What was put into other trees stays known.

. "$(dirname "$0")/lib.sh"
lock
for path in "$build"/trees/*/path; do
	[ -e "$path" ] && [ "$(cat "$path")" != "$build/linux" ] || continue
	say KEEP "our links and hooks in $(cat "$path") (make untree KDIR=$(cat "$path") takes them out)"
done
# If this is cut off, no part of the tree may pass for a tree.
rm -f "$build/linux/Makefile"
find "$build" -mindepth 1 -maxdepth 1 ! -name trees ! -name .lock -exec rm -rf {} +
rm -rf "$build/trees/linux"
