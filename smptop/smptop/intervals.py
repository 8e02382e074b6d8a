# SPDX-License-Identifier: GPL-2.0
"""How long calls take: from the queue to the interrupt, to the function, and in it.

Events are recorded for a while, and the text of the trace is read. A csd is told from others by its
address, which the kernel prints as a hash that is the same each time.
"""

import collections
import json
import re
import time

EVENTS = (
    "csd/csd_queue_cpu",
    "csd/csd_function_entry",
    "csd/csd_function_exit",
)
# On x86: the entry of the interrupt. Other architectures have no such event.
INTERRUPTS = ("irq_vectors/call_function_single_entry", "irq_vectors/call_function_entry")

LINE = re.compile(r".*\[(\d+)\] \S+\s+(\d+)\.(\d+): (\w+): (.*)")
FIELD = re.compile(r"(\w+)=(\S+?)(?:,|\s|$)")

Interval = collections.namedtuple("Interval", "function source target queued interrupt begun ended caller")


def record(instance, seconds):
    """Records calls for a while. Returns the lines of the trace."""
    instance.write("buffer_size_kb", "8192")
    instance.write("trace_clock", "mono")
    for event in EVENTS + tuple(event for event in INTERRUPTS if instance.has(event)):
        instance.enable(event)
    time.sleep(seconds)
    instance.write("tracing_on", "0")
    return instance.read("trace").splitlines()


def intervals(lines):
    """Yields the calls that were seen from start to end. Times are in microseconds."""
    queued, begun, interrupt = {}, {}, {}
    for line in lines:
        if not (match := LINE.match(line)):
            continue
        cpu, seconds, fraction, event, text = match.groups()
        at = int(seconds) * 1_000_000 + int(fraction)
        fields = dict(FIELD.findall(text))
        key = fields.get("csd")
        if event == "csd_queue_cpu":
            queued[key] = (at, int(cpu), int(fields["cpu"]), fields["callsite"].split("+0x")[0])
        elif event.startswith("call_function"):
            interrupt[cpu] = at
        elif event == "csd_function_entry" and key in queued:
            # An asynchronous csd may be queued again before its function has ended.
            begun[key, cpu] = (at, fields["func"], *queued.pop(key))
        elif event == "csd_function_exit" and (key, cpu) in begun:
            start, function, sent, source, target, caller = begun.pop((key, cpu))
            entered = interrupt.get(cpu, sent)
            # Without an interrupt since it was queued, the target polls, or had it already.
            entered = min(max(entered, sent), start)
            yield Interval(function, source, target, sent, entered, start, at, caller)


def percentile(sorted_values, share):
    """Returns the value below which a share of the values is."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


PHASES = {
    "queue to interrupt": lambda call: call.interrupt - call.queued,
    "interrupt to function": lambda call: call.begun - call.interrupt,
    "function": lambda call: call.ended - call.begun,
}


def summary(calls):
    """Returns for each function its phases: median, p99, most, and a histogram by powers of two."""
    functions = collections.defaultdict(list)
    for call in calls:
        functions[call.function].append(call)
    result = {}
    for function, seen in sorted(functions.items(), key=lambda item: -len(item[1])):
        phases = {}
        for name, length in PHASES.items():
            values = sorted(length(call) for call in seen)
            phases[name] = {
                "p50": percentile(values, 0.5),
                "p99": percentile(values, 0.99),
                "max": values[-1],
                "log2": dict(sorted(collections.Counter(value.bit_length() for value in values).items())),
            }
        result[function] = {"calls": len(seen), "us": phases}
    return result


def chrome_trace(calls):
    """Returns the calls as a trace that Perfetto and chrome://tracing show, a track for each CPU."""
    events = []
    for number, call in enumerate(calls):
        common = {"pid": 0, "cat": "csd"}
        what = {"caller": call.caller, "source": call.source}
        sent = {**common, "tid": call.source, "ts": call.queued}
        run = {**common, "tid": call.target, "ts": call.begun}
        events.append({**sent, "name": f"queue {call.function}", "ph": "X", "dur": 0, "args": what})
        events.append({**sent, "name": "call", "ph": "s", "id": number})
        events.append({**run, "name": "call", "ph": "f", "bp": "e", "id": number})
        events.append({**run, "name": call.function, "ph": "X", "dur": call.ended - call.begun, "args": what})
    cpus = {call.source for call in calls} | {call.target for call in calls}
    for cpu in sorted(cpus):
        events.append({"pid": 0, "tid": cpu, "ph": "M", "name": "thread_name", "args": {"name": f"CPU {cpu}"}})
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ns"})
