# SPDX-License-Identifier: GPL-2.0
"""The command line."""

import argparse
import json
import os
import pathlib
import signal
import sys
import time

from smptop import intervals, screen
from smptop.calls import Calls
from smptop.counters import Counters
from smptop.tracefs import Instance, Unavailable


def arguments():
    """Reads them."""
    parser = argparse.ArgumentParser(
        prog="smptop",
        description="Cross-CPU calls: source, target, function and caller, and how long they take.",
        epilog="Needs root, and the trace point csd:csd_queue_cpu.",
    )
    parser.add_argument("--target", type=int, metavar="CPU", help="only calls to this CPU: what disturbs it")
    parser.add_argument("--interval", type=float, default=1, metavar="SECONDS", help="how often to show it (1)")
    parser.add_argument("--once", action="store_true", help="show it once, and end")
    parser.add_argument("--json", action="store_true", help="as JSON, an object a line")
    parser.add_argument("--plain", action="store_true", help="as text, without colours")
    parser.add_argument("--latency", action="store_true", help="record calls for an interval: how long they take")
    parser.add_argument("--timeline", metavar="FILE", help="the same, as a trace for Perfetto or chrome://tracing")
    return parser.parse_args()


def in_terminal():
    """Returns whether a terminal shows the output: TTY_COMPATIBLE=1 says so of a pipe."""
    return sys.stdout.isatty() or os.environ.get("TTY_COMPATIBLE") == "1"


def show(options, tables, data):
    """Prints one state."""
    if options.json:
        print(json.dumps(data), flush=True)
    elif options.plain or not in_terminal():
        print(screen.plain(tables), flush=True)
    else:
        from rich.console import Console

        Console().print(screen.rich(tables))


def latency(options, instance):
    """Records calls, and shows how long they took."""
    lines = intervals.record(instance, options.interval)
    calls = [call for call in intervals.intervals(lines) if options.target in (None, call.target)]
    if not calls:
        raise Unavailable(f"no call was seen from start to end in {options.interval:g} s: try a longer --interval")
    if options.timeline:
        pathlib.Path(options.timeline).write_text(intervals.chrome_trace(calls))
        print(options.timeline)
    if options.latency:
        summary = intervals.summary(calls)
        show(options, [screen.latencies(summary)], summary)


def state(options, calls, counters, seconds):
    """Returns what happened since the last time, as tables and as data."""
    rows = calls.new()
    data = {
        "dropped": max(calls.instance.dropped.values(), default=0),
        "seconds": round(seconds, 3),
        "calls": rows[0],
        "callers": rows[-1],
        "counters": counters.new(),
    }
    return screen.state(data, options.target), data


def live(options, instance):
    """Shows calls, again and again."""
    counters = Counters()
    try:
        calls = Calls(instance, options.target)
        start = time.monotonic()

        def next_state():
            nonlocal start
            time.sleep(options.interval)
            end = time.monotonic()
            seconds, start = end - start, end
            return state(options, calls, counters, seconds)

        if options.once or options.json or options.plain or not in_terminal():
            while True:
                show(options, *next_state())
                if options.once:
                    return
        from rich.live import Live

        with Live(screen.rich([]), screen=True) as display:
            while True:
                display.update(screen.rich(next_state()[0]))
    finally:
        counters.close()


def main():
    """Runs the program."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with Instance() as instance:
            if options.latency or options.timeline:
                latency(options, instance)
            else:
                live(options, instance)
    except Unavailable as reason:
        sys.exit(f"smptop: {reason}")
    except (KeyboardInterrupt, BrokenPipeError):
        pass
