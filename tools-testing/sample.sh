#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loads a sample while a CPU, 1 if not given, goes off and on. usage: sample.sh [NAME [CPU]]

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
lock
kernel=$(kernel_name)
sample=${1:-rust_smp}
"$here/kernel.sh" "$kernel"
module=$build/$kernel/samples/rust/$sample.ko
if [ "$sample" = rust_smp_latency ]; then
	guest=("$here/guest/latency.sh" "$module" "${2:-1}" samples=100)
else
	guest=("$here/guest/sample.sh" "$module" "${2:-1}")
fi
boot "$sample-hotplug" "$kernel" 240 "" "$(printf '%q ' "${guest[@]}")"
tail -n 1 "$logs/$sample-hotplug.out"
