# SPDX-License-Identifier: GPL-2.0
"""Dumps the memory of a guest, and lists the calls that are pending in the dump.

What is looked up are the variables of kernel/smp.c, by name and type, as crash scripts do it.
"""

import argparse
import json
import socket
import sys
import time

import drgn
from drgn.helpers.linux.cpumask import for_each_online_cpu
from drgn.helpers.linux.llist import llist_for_each
from drgn.helpers.linux.percpu import per_cpu, per_cpu_ptr

LOCK, TYPE_MASK = 0x01, 0xF0
TYPES = {0x00: "async", 0x10: "sync", 0x20: "irq_work", 0x30: "ttwu"}


def dump(monitor, address, path):
    """Waits until the int at an address is not 0, asks QEMU for a dump, and then to end.

    The console says nothing of use: the guest hangs, and may hold its lock.
    """
    with socket.socket(socket.AF_UNIX) as qmp:
        qmp.connect(monitor)
        lines = qmp.makefile("rw")
        lines.readline()

        def execute(command, **arguments):
            lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
            lines.flush()
            answer = json.loads(lines.readline())
            while "event" in answer:
                answer = json.loads(lines.readline())
            if "error" in answer:
                sys.exit(f"smp: QEMU refuses {command}: {answer['error']['desc']}")
            return answer["return"]

        def value():
            # "ffffffff82000000: 0", or that the kernel has not mapped it yet.
            words = execute("human-monitor-command", **{"command-line": f"x /1wd {address}"}).split()
            return int(words[1]) if len(words) == 2 else 0

        execute("qmp_capabilities")
        limit = time.monotonic() + 240
        while not value():
            if time.monotonic() > limit:
                sys.exit("smp: the guest has reported no wait in 240 s")
            time.sleep(0.5)
        execute("dump-guest-memory", paging=False, protocol=f"file:{path}")
        execute("quit")


def symbol(prog, address):
    """Returns the name of what is at an address."""
    try:
        return prog.symbol(address).name
    except LookupError:
        return hex(address)


def describe(prog, csd):
    """Returns what a csd is, in words."""
    flags = csd.node.u_flags.value_()
    kind = TYPES.get(flags & TYPE_MASK, f"type {flags & TYPE_MASK:#x}")
    locked = "locked" if flags & LOCK else "unlocked"
    return (
        f"csd {csd.value_():#x}, {kind}, {locked}, CPU {csd.node.src.value_()} to "
        f"{csd.node.dst.value_()}: {symbol(prog, csd.func.value_())}({csd.info.value_():#x})"
    )


def report(prog):
    """Prints what is pending. Returns how many csds are in queues, and how many waits were reported."""
    queued = 0
    watched = "cur_csd" in prog
    cpus = list(for_each_online_cpu(prog))
    for cpu in cpus:
        head = per_cpu(prog["call_single_queue"], cpu)
        for node in llist_for_each(head.first):
            # A call_single_data_t begins with its node.
            csd = drgn.cast("call_single_data_t *", node)
            print(f"CPU {cpu}: in call_single_queue: {describe(prog, csd)}")
            queued += 1
        if watched and (current := per_cpu(prog["cur_csd"], cpu)):
            func = per_cpu(prog["cur_csd_func"], cpu).value_()
            info = per_cpu(prog["cur_csd_info"], cpu).value_()
            print(f"CPU {cpu}: runs csd {current.value_():#x}: {symbol(prog, func)}({info:#x})")
        pairs = per_cpu(prog["cfd_data"], cpu).csd
        for target in cpus:
            csd = per_cpu_ptr(pairs, target)
            if csd.node.u_flags & LOCK:
                print(f"CPU {cpu}: per-pair csd in use: {describe(prog, csd)}")
    if not watched:
        print(f"{len(cpus)} CPUs online; this kernel has no CONFIG_CSD_LOCK_WAIT_DEBUG")
        return queued, 0
    stuck = prog["n_csd_lock_stuck"].counter.value_()
    print(f"csd_lock_timeout {prog['csd_lock_timeout'].value_()} ms, {stuck} waits were reported and go on")
    return queued, stuck


def main():
    """Dumps, or reads a dump."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--monitor", help="QEMU's QMP socket: dump to PATH, and end QEMU")
    parser.add_argument("--until", help="with --monitor: when the int at this address is not 0")
    parser.add_argument("path")
    parser.add_argument("objects", nargs="*", help="vmlinux and modules, with debugging information")
    args = parser.parse_args()

    if args.monitor:
        dump(args.monitor, args.until, args.path)
        return
    prog = drgn.Program()
    prog.set_core_dump(args.path)
    prog.load_debug_info(args.objects)
    queued, stuck = report(prog)
    print(f"{queued} csds in queues, {stuck} waits reported")


main()
