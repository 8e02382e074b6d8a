#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Unloads a module while what it has sent is under way. usage: unload.sh [NAME], see kbuild.sh

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
. "$here/guest.sh"
. "$here/modules.sh"
lock
kernel=${1:-$(kernel_name)}
"$here/kernel.sh" "$kernel"
module "$kernel"
boot unload "$kernel" 180 "" "$(printf '%q ' "$here/guest/unload.sh" "$build/modules/$kernel/smp_unload.ko")"
tail -n 1 "$logs/unload.out"
