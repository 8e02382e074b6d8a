#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: prints what calls cost. usage: cost.sh MODULE.ko

. "$(dirname "$0")/common.sh"
dmesg -C
load "$1"
rmmod smp_cost
dmesg -t | sed -n 's/^smp_cost: \(.*: [0-9]*\)$/\1/p'
