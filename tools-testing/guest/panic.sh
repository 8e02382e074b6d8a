#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: makes CPU 0 panic in an NMI. usage: panic.sh MODULE.ko

. "$(dirname "$0")/common.sh"
# A panic that finds the console in the middle of a line may not be seen: it speaks alone.
dmesg -n 1
load "$1" guarantee=panic
fail "CPU 0 did not panic"
