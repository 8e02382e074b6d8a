#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: prints what calls cost, from C and from Rust. usage: cost.sh FOLDER-OF-MODULES

. "$(dirname "$0")/common.sh"
dmesg -C
for module in smp_cost smp_cost_api; do
	load "$1/$module.ko"
	rmmod $module
	dmesg -t | sed -n "s/^$module: \(.*: [0-9]*\)\$/$module: \1/p"
done
