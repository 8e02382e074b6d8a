# SPDX-License-Identifier: GPL-2.0
"""The counters of CONFIG_SMP_STATS, which this project's kernels have in debugfs."""

import pathlib

FILE = pathlib.Path("/sys/kernel/debug/smp/stats")
# These are not sums.
LEVELS = ("most_slots", "longest_ns")


class Counters:
    """Counts of each CPU. They are set to zero and switched on, and off again at the end."""

    def __init__(self):
        self.present = FILE.exists()
        self.last = {}
        if self.present:
            FILE.write_text("1")
            self.last = self.read()

    @staticmethod
    def read():
        """Returns the table: a dictionary by name for each CPU."""
        head, *lines = FILE.read_text().splitlines()
        names = head.split()[1:]
        rows = (line.split() for line in lines if line.split()[0].isdigit())
        return {int(row[0]): dict(zip(names, map(int, row[1:]))) for row in rows}

    def new(self):
        """Returns the counts since this was called last; none, if the kernel has no counters."""
        if not self.present:
            return {}
        now = self.read()
        new = {
            cpu: {name: value - (0 if name in LEVELS else self.last[cpu][name]) for name, value in row.items()}
            for cpu, row in now.items()
        }
        self.last = now
        return new

    def close(self):
        """Switches them off."""
        if self.present:
            FILE.write_text("0")
