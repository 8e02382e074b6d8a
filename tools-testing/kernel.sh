#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Builds a kernel and its modules. usage: kernel.sh [NAME], see kbuild.sh; else IMPL and CONFIG say it.

. "$(dirname "$0")/lib.sh"
. "$here/kbuild.sh"
lock
name=${1:-$(kernel_name)}
# The caller may know that it is built.
[[ " ${SMP_BUILT:-} " != *" $name "* ]] || exit 0
"$here/setup.sh"
"$here/tree.sh"
build_kernel "$name" "$(basename "$(boot_image "$name")")" modules
say READY "$(short "$(boot_image "$name")") in $built_in"
