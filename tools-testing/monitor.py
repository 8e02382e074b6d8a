# SPDX-License-Identifier: GPL-2.0
"""Gives a command to QEMU's monitor. usage: monitor.py SOCKET COMMAND"""

import socket
import sys


def main(path, command):
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.settimeout(10)
        monitor.connect(path)
        monitor.recv(4096)
        monitor.sendall(command.encode() + b"\n")
        print(monitor.recv(4096).decode(errors="replace"))


main(*sys.argv[1:])
