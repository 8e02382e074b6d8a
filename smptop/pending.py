# SPDX-License-Identifier: GPL-2.0
"""Lists the cross-CPU calls that are pending in a crash dump, for drgn:

    drgn -c vmcore -s vmlinux smptop/pending.py

For each CPU: its task, where it waits, what it has sent and what is queued on it, and its stack if it waits
or others wait for it. At the end: which CPUs do not answer. What is looked up are the variables of
kernel/smp.c, by name and type. kernel/smp/ has them too, so both can be read.
"""

import collections
import re

import drgn
from drgn.helpers.linux.cpumask import for_each_online_cpu
from drgn.helpers.linux.llist import llist_for_each
from drgn.helpers.linux.percpu import per_cpu, per_cpu_ptr
from drgn.helpers.linux.printk import get_printk_records
from drgn.helpers.linux.sched import cpu_curr
from drgn.helpers.linux.timekeeping import ktime_get_coarse_ns

LOCK, TYPE_MASK = 0x01, 0xF0
TYPES = {0x00: "async", 0x10: "sync", 0x20: "irq_work", 0x30: "ttwu"}
ON, OFF = "interrupts on", "interrupts off"
# The bit of rflags that is set while interrupts are on, and that of pstate while they are off.
RFLAGS_IF, PSTATE_I = 0x200, 0x80
FRAMES = 12
# What csdlock_debug=1 prints.
REPORT = re.compile(r"CSD lock \(#(\d+)\) on CPU#(\d+), waiting (\d+) ns")
OVER = re.compile(r"CSD lock \(#(\d+)\) got unstuck")


class Call:
    """An entry that is in a queue or locked, and its target."""

    def __init__(self, csd, target):
        self.csd, self.target = csd, target
        self.address = csd.value_()
        self.flags = csd.node.u_flags.value_()
        self.kind = TYPES.get(self.flags & TYPE_MASK, f"type {self.flags & TYPE_MASK:#x}")
        self.is_sync = self.kind == "sync" and bool(self.flags & LOCK)

    def __str__(self):
        locked = "locked" if self.flags & LOCK else "unlocked"
        text = f"csd {self.address:#x}, {self.kind}, {locked}, to CPU {self.target}"
        # A task to wake up and an IRQ work have other fields.
        if self.kind in ("async", "sync"):
            text += f": {symbol(self.csd.func.value_())}({self.csd.info.value_():#x})"
        return text


class Cpu:
    """An online CPU of the dump."""

    def __init__(self, number):
        self.number = number
        self.task = cpu_curr(prog, number)
        frames = stack_of(self.task)
        self.registers = frames[0].registers() if frames else {}
        self.stack = [frame.name or hex(frame.pc) for frame in frames]
        head = per_cpu(prog["call_single_queue"], number)
        # A call_single_data_t begins with its node.
        csds = [drgn.cast("call_single_data_t *", node) for node in llist_for_each(head.first)]
        self.queued = [Call(csd, number) for csd in csds]
        self.running = None
        if "cur_csd" in prog and (csd := per_cpu(prog["cur_csd"], number)):
            self.running = csd.value_()
            self.function = symbol(per_cpu(prog["cur_csd_func"], number).value_())
            self.info = per_cpu(prog["cur_csd_info"], number).value_()

    def interrupts(self):
        """Returns whether interrupts are on, in words."""
        if "rflags" in self.registers:
            return ON if self.registers["rflags"] & RFLAGS_IF else OFF
        if "pstate" in self.registers:
            return OFF if self.registers["pstate"] & PSTATE_I else ON
        return "no registers in the dump"

    def owns(self, address):
        """Returns whether an address is in the stack of the task."""
        size = prog.symbol("__end_init_stack").address - prog.symbol("__start_init_stack").address
        bottom = self.task.stack.value_()
        return bottom <= address < bottom + size

    def waiter(self):
        """Returns the function that waits and its caller, from the stack."""
        at = max((at for at, name in enumerate(self.stack) if is_of_smp(name)), default=-1)
        return self.stack[at : at + 2] if at >= 0 else []


def is_of_smp(name):
    """Returns whether a function is an entry point or a wait of kernel/smp."""
    return name.startswith(("smp_call_function", "__smp_call_function", "smp_single", "on_each_cpu", "__csd_lock_wait"))


def reported():
    """Returns for each CPU with a wait that the log reports how long it waits, in ns."""
    # The clock stands still if the CPU that it belongs to has interrupts off.
    starts, now = {}, ktime_get_coarse_ns(prog).value_()
    for record in get_printk_records(prog):
        line = record.text.decode(errors="replace")
        now = max(now, record.timestamp)
        if match := REPORT.search(line):
            starts.setdefault(match[1], (int(match[2]), record.timestamp - int(match[3])))
        elif match := OVER.search(line):
            starts.pop(match[1], None)
    return {cpu: now - start for cpu, start in starts.values()}


def symbol(address):
    """Returns the name of what is at an address."""
    try:
        return prog.symbol(address).name
    except LookupError:
        return hex(address)


def stack_of(task):
    """Returns the frames of a task that runs, none if the dump does not have its registers."""
    try:
        return list(prog.stack_trace(task))
    except (LookupError, ValueError):
        return []


def waits(cpus):
    """Returns the sources and calls that tasks wait for: the current ones, or some that were preempted."""
    calls = {}
    for cpu in cpus.values():
        for call in cpu.queued:
            calls[call.address] = call
        # An asynchronous csd that runs may be freed by now, and has no waiter.
        if cpu.running and cpu.running not in calls and any(source.owns(cpu.running) for source in cpus.values()):
            calls[cpu.running] = Call(drgn.Object(prog, "call_single_data_t *", cpu.running), cpu.number)
    found = []
    for source in cpus.values():
        pairs = per_cpu(prog["cfd_data"], source.number).csd
        for target in cpus:
            call = Call(per_cpu_ptr(pairs, target), target)
            calls.pop(call.address, None)
            if call.is_sync:
                found.append((source, call))
        # The csd of a call to one CPU is on the stack of its waiter.
        found += [(source, call) for call in calls.values() if call.is_sync and source.owns(call.address)]
    return found


def show(cpu, sent, is_waited_for, waits_for):
    """Prints what is known of a CPU."""
    print(f"CPU {cpu.number}: {cpu.task.comm.string_().decode()} (pid {cpu.task.pid.value_()}), {cpu.interrupts()}")
    if waiter := cpu.waiter():
        seconds = f", for {waits_for / 1e9:.1f} s" if waits_for else ""
        print(f"  waits in {', called by '.join(waiter)}{seconds}")
    for call in sent:
        print(f"  sent {call}")
    if cpu.running:
        print(f"  runs {cpu.function}({cpu.info:#x}) of csd {cpu.running:#x}")
    for call in cpu.queued:
        print(f"  in call_single_queue: {call}")
    if waiter or is_waited_for:
        for name in cpu.stack[:FRAMES]:
            print(f"    {name}")


def numbers(cpus):
    """Returns CPUs in words."""
    return f"CPU{'s' if len(cpus) > 1 else ''} {', '.join(map(str, sorted(cpus)))}"


def report():
    """Prints all."""
    cpus = {number: Cpu(number) for number in for_each_online_cpu(prog)}
    found = waits(cpus)
    sources, targets = collections.defaultdict(set), collections.defaultdict(set)
    lengths = reported()
    for source, call in found:
        sources[call.target].add(source.number)
        targets[source.number].add(call.target)
    for cpu in cpus.values():
        show(cpu, [call for source, call in found if source is cpu], cpu.number in sources, lengths.get(cpu.number))
    for number, waiting in sorted(sources.items()):
        cpu = cpus[number]
        # One that waits with interrupts on takes calls meanwhile.
        if number in targets and cpu.interrupts() == ON:
            continue
        place = cpu.stack[0] if cpu.stack else "an unknown place"
        does = f"waits for {numbers(targets[number])} itself" if number in targets else f"is in {place}"
        print(f"{numbers([number])} does not answer {numbers(waiting)}: {cpu.interrupts()}, {does}")
    if "n_csd_lock_stuck" in prog:
        print(f"{prog['n_csd_lock_stuck'].counter.value_()} waits were reported and go on")
    print(f"{sum(len(cpu.queued) for cpu in cpus.values())} entries in queues, {len(found)} locked by CPUs that wait")


report()
