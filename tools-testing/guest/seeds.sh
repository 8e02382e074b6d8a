#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: puts a promise to the test. usage: seeds.sh MODULE.ko PROMISE RESULT [CALLS]
# RESULT is what the module must say.

. "$(dirname "$0")/common.sh"
dmesg -C
load "$1" "promise=$2" ${4:+"calls=$4"}
said=$(dmesg -t | sed -n "s/^smp_seeds: $2: //p")
rmmod smp_seeds
[ "$said" = "$3" ] || fail "$2: the module says ${said:-nothing}, not $3"
echo "$2: $said"
