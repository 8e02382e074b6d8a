#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: loads the module, and prints what it says. usage: transfers.sh MODULE.ko

. "$(dirname "$0")/common.sh"
dmesg -C
load "$1"
dmesg -t | grep -a "^smp_transfers: "
