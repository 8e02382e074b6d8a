# SPDX-License-Identifier: GPL-2.0
"""Dumps the memory of a guest when an int of its kernel is not 0 any more."""

import argparse
import json
import socket
import sys
import time


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
                sys.exit("smp: the guest has reported nothing in 240 s")
            time.sleep(0.5)
        execute("dump-guest-memory", paging=False, protocol=f"file:{path}")
        execute("quit")


def main():
    """Dumps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("monitor", help="QEMU's QMP socket")
    parser.add_argument("address", help="of the int")
    parser.add_argument("path", help="of the dump")
    args = parser.parse_args()
    dump(args.monitor, args.address, args.path)


main()
