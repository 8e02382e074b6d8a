# SPDX-License-Identifier: GPL-2.0
"""Counts of calls by source, target, function and caller, which the kernel keeps of a trace point.

It counts by three keys at most. So without a target there are two tables: of sources and targets, and of
callers.
"""

import collections

EVENT = "csd/csd_queue_cpu"
# What the kernel counts by, and what that is called here.
KEYS = {"common_cpu": "source", "cpu": "target", "func.sym": "function", "callsite.sym": "caller"}
PAIRS = ("common_cpu", "cpu", "func.sym")
CALLERS = ("func.sym", "callsite.sym")
TO_ONE = ("common_cpu", "func.sym", "callsite.sym")


class Calls:
    """Counts the entries that CPUs queue on each other, an IPI or not."""

    def __init__(self, instance, target=None):
        self.instance = instance
        self.target = target
        self.tables = (PAIRS, CALLERS) if target is None else (TO_ONE,)
        self.last = {keys: {} for keys in self.tables}
        for keys in self.tables:
            instance.count(EVENT, keys, "" if target is None else f"cpu == {target}")

    def new(self):
        """Returns the calls since this was called last: for each table a list of dictionaries."""
        tables, counted = [], self.instance.counted(EVENT)
        for keys in self.tables:
            now = counted[keys]
            rows = []
            for values, count in now.items():
                new = count - self.last[keys].get(values, 0)
                if new:
                    row = dict(zip((KEYS[key] for key in keys), values))
                    row.update((end, int(row[end])) for end in ("source", "target") if end in row)
                    rows.append({**row, "count": new})
            self.last[keys] = now
            tables.append(sorted(rows, key=lambda row: -row["count"]))
        if self.target is not None:
            tables[0] = [{"target": self.target, **row} for row in tables[0]]
        return tables


def by(rows, *fields):
    """Sums counts by some of the fields, the highest first."""
    sums = collections.Counter()
    for row in rows:
        sums[tuple(row[field] for field in fields)] += row["count"]
    return sums.most_common()


def total(rows):
    """Sums all counts."""
    return sum(row["count"] for row in rows)
