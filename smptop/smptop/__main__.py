# SPDX-License-Identifier: GPL-2.0
"""python3 -m smptop."""

from smptop.main import main

main()
