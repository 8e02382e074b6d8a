#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: whether the stage "fixes" of the patch series is in the kernel. usage: fixes.sh BUILD-FOLDER
# MODULE.ko WORD; the word is "before" or "after".

. "$(dirname "$0")/common.sh"
build=$1 module=$2 word=$3
mount_debugfs

# usage: expect WHAT BEFORE AFTER FOUND
expect() {
	local wanted=$2
	[ "$word" = before ] || wanted=$3
	[ "$4" = "$wanted" ] || fail "$1: $4, not $wanted"
	said+="${said:+, }$1: $4"
}

used() {
	sed -n 's/^pool_used *: *//p' $debugfs/debug_objects/stats
}

# A thread more or less of the rest of the kernel may end meanwhile.
before=$(used)
load "$module"
left=$((($(used) - before + 16) / 64))
rmmod smp_fixes
expect "work items left on each stack" 1 0 "$left"

load "$build/kernel/torture.ko"
load "$build/kernel/scftorture.ko" shutdown_secs=86400 weight_resched=0
rmmod scftorture
rmmod torture
expect "shutdown_secs" 0 86400 "$(dmesg | sed -n 's/.*Start of test.* shutdown_secs=\([0-9]*\) .*/\1/p')"
expect "its unit" ms s "$(modinfo -F parm "$build/kernel/scftorture.ko" | sed -n 's/^shutdown_secs:.*(\(m*s\)).*/\1/p')"
echo "$word: $said"
