#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: tests a guarantee. usage: guarantee.sh MODULE.ko GUARANTEE RESULT [CALLS]
# RESULT is what the module must say.

. "$(dirname "$0")/common.sh"
load "$1" "guarantee=$2" ${4:+"calls=$4"}
said=$(dmesg -t | sed -n "s/^smp_guarantees: $2: //p" | tail -n 1)
rmmod smp_guarantees
[ "$said" = "$3" ] || fail "$2: the module says ${said:-nothing}, not $3"
echo "$2: $said"
