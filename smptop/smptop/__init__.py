# SPDX-License-Identifier: GPL-2.0
"""Shows cross-CPU calls of a running kernel, by its trace points."""
