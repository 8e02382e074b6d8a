# SPDX-License-Identifier: GPL-2.0
"""An instance of tracefs that belongs to this program."""

import contextlib
import os
import pathlib

ROOT = pathlib.Path("/sys/kernel/tracing")


class Unavailable(Exception):
    """Why something cannot be traced, in one line that says what to do."""


class Instance:
    """A buffer of its own, which is removed at the end."""

    def __init__(self):
        if os.geteuid() != 0:
            raise Unavailable("the trace points belong to root: run this as root")
        if not (ROOT / "instances").is_dir():
            raise Unavailable(f"{ROOT} is not mounted, or the kernel has no CONFIG_FTRACE: mount -t tracefs none {ROOT}")
        remove_left_behind()
        self.path = ROOT / "instances" / f"smptop-{os.getpid()}"
        self.path.mkdir()
        self.group = f"smptop_{os.getpid()}"
        self.triggers = []
        self.dropped = {}

    def write(self, name, text, mode="w"):
        """Writes a file of the instance."""
        try:
            with (self.path / name).open(mode) as file:
                file.write(text)
        except OSError as error:
            raise Unavailable(f"{self.path.name}/{name} does not take {text!r}: {error.strerror}") from error

    def read(self, name):
        """Reads a file of the instance."""
        return (self.path / name).read_text(errors="replace")

    def has(self, event):
        """Returns whether the kernel has this event, for example csd/csd_queue_cpu."""
        return (self.path / "events" / event).is_dir()

    def enable(self, event):
        """Records an event in the buffer."""
        self.write(f"events/{event}/enable", "1")

    def probe(self, kind, name, what):
        """Records each entry ("p") or return ("r") of a function, if the kernel has probes."""
        if not (ROOT / "kprobe_events").exists():
            return
        change_probes(f"{kind}:{self.group}/{name} {what}")
        self.enable(f"{self.group}/{name}")

    def count(self, event, keys, condition=""):
        """Counts an event by keys in the kernel, from now on."""
        trigger = f"events/{event}/trigger"
        if not self.has(event):
            raise Unavailable(f"the kernel has no trace point {event.replace('/', ':')}: it is too old")
        if not (self.path / f"events/{event}/hist").exists():
            raise Unavailable(f"the kernel cannot count {event}: it has no CONFIG_HIST_TRIGGERS")
        text = f"hist:keys={','.join(keys)}:size=8192{' if ' + condition if condition else ''}"
        # The trigger is added to others: to truncate the file removes those.
        self.write(trigger, text, "a")
        self.triggers.append((trigger, text))

    def counted(self, event):
        """Returns what was counted: for each tuple of keys, tuples of their values with a count each."""
        tables, keys = {}, None
        for line in self.read(f"events/{event}/hist").splitlines():
            if line.startswith("# trigger info:"):
                # Some kernels print this name twice.
                info = line.split()[3].replace("common_cpucommon_cpu", "common_cpu")
                keys = tuple(info.split(":")[1].removeprefix("keys=").split(","))
                tables[keys] = {}
            elif "Dropped:" in line:
                self.dropped[event, keys] = int(line.split()[-1])
            elif line.startswith("{"):
                key, _, values = line.partition("}")
                parts = [part.partition(":")[2].strip() for part in key[1:].split(", ")]
                tables[keys][tuple(symbol(part) for part in parts)] = int(values.partition("hitcount:")[2].split()[0])
        return tables

    def close(self):
        """Removes the instance."""
        for trigger, text in self.triggers:
            with contextlib.suppress(Unavailable):
                self.write(trigger, f"!{text}", "a")
        with contextlib.suppress(OSError):
            self.path.rmdir()
        remove_probes(self.group)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def change_probes(text):
    """Adds or removes a probe. All instances have it."""
    try:
        # The file has no end that a file object could look for, and is cleared by those that truncate it.
        with open(os.open(ROOT / "kprobe_events", os.O_WRONLY | os.O_APPEND), "wb", buffering=0) as file:
            file.write(f"{text}\n".encode())
    except OSError as error:
        raise Unavailable(f"kprobe_events does not take {text!r}: {error.strerror}") from error


def remove_probes(group):
    """Removes the probes of a group, which no instance records any more."""
    for path in (ROOT / "events" / group).glob("*/enable"):
        with contextlib.suppress(Unavailable):
            change_probes(f"-:{group}/{path.parent.name}")


def remove_left_behind():
    """Removes the instances and probes of those that were killed."""
    for path in (ROOT / "instances").glob("smptop-[0-9]*"):
        if not pathlib.Path("/proc", path.name.partition("-")[2]).exists():
            with contextlib.suppress(OSError):
                path.rmdir()
    for path in (ROOT / "events").glob("smptop_[0-9]*"):
        if not pathlib.Path("/proc", path.name.partition("_")[2]).exists():
            remove_probes(path.name)


def symbol(text):
    """Leaves of a printed address its name: "[ffffffff81000000] name+0x10" is "name"."""
    name = text.rpartition("] ")[2].strip()
    return name.split("+0x")[0] if not name.isdigit() else name
