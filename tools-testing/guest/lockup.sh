#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: CPUs 0 and 1 wait for CPU 2, which has interrupts off until reset. usage: lockup.sh MODULE.ko

. "$(dirname "$0")/common.sh"
# This task, too, must not be on a CPU that hangs.
taskset -cp 3 $$ >/dev/null
load "$1"
sleep infinity
