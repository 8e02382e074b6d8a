# SPDX-License-Identifier: GPL-2.0
"""Sums up the JSON that kunit.py makes of a log.

The last line is the summary. Lines before it are the cases that failed, as SUITE.CASE.
"""

import collections
import json
import re
import sys

OURS = re.compile(r"(smp|x2apic|rust_smp|rust_cpuhp|rust_irq_work|rust_percpu|rust_helpers)(_|$)")


def cases(group, suite=""):
    """Returns the suite, the name and the status of all cases of a group."""
    for case in group["test_cases"]:
        yield suite, case["name"], case["status"]
    for inner in group["sub_groups"]:
        # A case with parameters is a group in its suite.
        yield from cases(inner, suite or inner["name"])


def main():
    """Prints what failed, and the summary."""
    with open(sys.argv[1], encoding="utf-8") as file:
        found = list(cases(json.load(file)))
    count = collections.Counter(status for _, _, status in found)
    for suite, name, status in found:
        if status not in ("PASS", "SKIP"):
            print(f"{suite}.{name}")
    ours = [suite for suite, _, status in found if OURS.match(suite) and status != "SKIP"]
    print(
        f"{len(found)} tests: {count['PASS']} passed, {count['SKIP']} skipped, "
        f"{len(found) - count['PASS'] - count['SKIP']} failed; "
        f"{len(ours)} of them of our {len(set(ours))} suites"
    )


main()
