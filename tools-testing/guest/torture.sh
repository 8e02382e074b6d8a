#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In the guest: scftorture for a while. usage: torture.sh BUILD-FOLDER SECONDS
# onoff_interval is in jiffies, whatever its description says; weight_resched is for a built-in
# scftorture only.

. "$(dirname "$0")/common.sh"
load "$1/kernel/torture.ko"
load "$1/kernel/scftorture.ko" weight_resched=0 onoff_holdoff=1 onoff_interval=200 stat_interval=15 verbose=1
sleep "$2"
rmmod scftorture || fail "rmmod scftorture failed"
rmmod torture
