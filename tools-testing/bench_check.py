# SPDX-License-Identifier: GPL-2.0
"""Compares the ratios that bench.py has written with stored ones. Fails if one has become worse."""

import argparse
import json
import pathlib
import sys

# A ratio may be so much worse, or twice the spread that it had when it was stored.
TOLERANCE = 0.03


def fail(text):
    """Ends with one line."""
    sys.exit(f"smp: {text}")


def flat(path, boot):
    """Returns ratio and spread by caller and case."""
    callers = json.loads(path.read_text())["ratios"].get(boot, {})
    return {(caller, case): pair for caller, cases in callers.items() for case, pair in cases.items()}


def main():
    """Compares. A boot that was left out now is not looked at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("now", type=pathlib.Path)
    parser.add_argument("stored", type=pathlib.Path)
    args = parser.parse_args()

    worse, compared = [], 0
    for boot in json.loads(args.now.read_text())["ratios"]:
        now, stored = flat(args.now, boot), flat(args.stored, boot)
        if odd := sorted(set(now) ^ set(stored)):
            fail(f"{boot}, {', '.join(odd[0])}: either not measured, or not in {args.stored.name}")
        for key, (ratio, _) in now.items():
            was, spread = stored[key]
            limit = was * (1 + max(TOLERANCE, 2 * spread))
            compared += 1
            if ratio > limit:
                worse.append(f"{boot}, {', '.join(key)}: {ratio:.3f}, stored {was:.3f}, limit {limit:.3f}")
    for line in worse:
        print(f"worse: {line}")
    if worse:
        fail(f"{len(worse)} of {compared} ratios have become worse, the first: {worse[0]}")
    print(f"{compared} ratios are not worse than those in {args.stored.name}")


main()
