#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loads the sample while CPU 1 goes off and on.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
lock
kernel=$(kernel_name)
"$here/kernel.sh" "$kernel"
boot sample-hotplug "$kernel" 240 "" \
	"$(printf '%q ' "$here/guest/sample.sh" "$build/$kernel/samples/rust/rust_smp.ko" hotplug)"
tail -n 1 "$logs/sample-hotplug.out"
