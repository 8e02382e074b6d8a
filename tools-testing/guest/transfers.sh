#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: loads the module, and prints what it says; with counters on, if COUNTERS is 1.
# usage: transfers.sh MODULE.ko [COUNTERS]

. "$(dirname "$0")/common.sh"
if [ -n "${2:-}" ]; then
	mount_debugfs
	echo "$2" >"$debugfs/smp/stats"
fi
dmesg -C
load "$1"
dmesg -t | grep -a "^smp_transfers: "
