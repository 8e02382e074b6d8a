# SPDX-License-Identifier: GPL-2.0
"""How long calls take: from the queue to the interrupt, to the function, in it, and to the caller's return.

Events are recorded for a while, and the text of the trace is read. A csd is told from others by its
address, which the kernel prints as a hash that is the same each time.
"""

import collections
import dataclasses
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
# The functions that callers wait in. The fourth argument of each says whether it waits.
WAITING = ("smp_call_function_single", "smp_call_function_many", "on_each_cpu_cond_mask")

LINE = re.compile(r".*-(\d+)\s+\[(\d+)\] ..(.)\S*\s+(\d+)\.(\d+): (\w+): (.*)")
FIELD = re.compile(r"(\w+)=(\S+?)(?:,|\s|$)")


@dataclasses.dataclass
class Call:
    """A function that ran on a target. Times are in microseconds."""

    function: str
    caller: str
    source: int
    target: int
    queued: int
    interrupt: int = None
    begun: int = None
    ended: int = None
    # When the caller went on, if it waited for this function last.
    returned: int = None


def record(instance, seconds):
    """Records calls for a while. Returns the lines of the trace."""
    instance.write("buffer_size_kb", "8192")
    instance.write("trace_clock", "mono")
    # To enable events makes calls, too.
    instance.write("tracing_on", "0")
    for event in EVENTS + tuple(event for event in INTERRUPTS if instance.has(event)):
        instance.enable(event)
    for function in WAITING:
        instance.probe("p", f"enter_{function}", f"{function} wait=$arg4:u8")
        instance.probe("r", f"leave_{function}", function)
    instance.write("tracing_on", "1")
    time.sleep(seconds)
    instance.write("tracing_on", "0")
    return instance.read("trace").splitlines()


def intervals(lines):
    """Returns the calls that were seen from start to end."""
    queued, running, interrupt, calls = {}, {}, {}, []
    # What each caller has sent in the function that it waits in, and when its own CPU ended.
    waits = {}
    for line in lines:
        if not (match := LINE.match(line)):
            continue
        pid, cpu, context, seconds, fraction, event, text = match.groups()
        at = int(seconds) * 1_000_000 + int(fraction)
        fields = dict(FIELD.findall(text))
        key = fields.get("csd")
        # An interrupt of the caller may call, too.
        wait = waits.get((pid, context))
        if event.startswith("enter_"):
            waits[pid, context] = {"sent": [], "own": 0} if fields["wait"] != "0" else None
        elif event.startswith("leave_"):
            waits[pid, context] = None
            if wait:
                note_return(wait, at)
        elif event == "csd_queue_cpu":
            caller = fields["callsite"].split("+0x")[0]
            queued[key] = call = Call(fields["func"], caller, int(cpu), int(fields["cpu"]), at)
            if wait:
                wait["sent"].append(call)
        elif event.startswith("call_function"):
            interrupt[cpu] = at
        elif event == "csd_function_entry" and key in queued:
            # An asynchronous csd may be queued again before its function has ended.
            running[key, cpu] = call = queued.pop(key)
            # Without an interrupt since it was queued, the target polls, or had it already.
            call.interrupt = max(interrupt.get(cpu, 0), call.queued)
            call.begun = at
        elif event == "csd_function_exit" and (key, cpu) in running:
            call = running.pop((key, cpu))
            call.ended = at
            calls.append(call)
        elif event == "csd_function_exit" and wait:
            wait["own"] = at
    return calls


def note_return(wait, at):
    """The caller goes on. It waited for the last function, unless its own CPU was later."""
    if not wait["sent"] or any(call.ended is None for call in wait["sent"]):
        return
    last = max(wait["sent"], key=lambda call: call.ended)
    if wait["own"] <= last.ended <= at:
        last.returned = at


def percentile(sorted_values, share):
    """Returns the value below which a share of the values is."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


PHASES = {
    "queue to interrupt": lambda call: call.interrupt - call.queued,
    "interrupt to function": lambda call: call.begun - call.interrupt,
    "function": lambda call: call.ended - call.begun,
    "function to return": lambda call: call.returned - call.ended if call.returned else None,
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
            values = sorted(value for call in seen if (value := length(call)) is not None)
            if not values:
                continue
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
        wait = call.returned - call.queued if call.returned else 0
        events.append({**sent, "name": f"queue {call.function}", "ph": "X", "dur": wait, "args": what})
        events.append({**sent, "name": "call", "ph": "s", "id": number})
        events.append({**run, "name": "call", "ph": "f", "bp": "e", "id": number})
        events.append({**run, "name": call.function, "ph": "X", "dur": call.ended - call.begun, "args": what})
    cpus = {call.source for call in calls} | {call.target for call in calls}
    for cpu in sorted(cpus):
        events.append({"pid": 0, "tid": cpu, "ph": "M", "name": "thread_name", "args": {"name": f"CPU {cpu}"}})
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ns"})
