# SPDX-License-Identifier: GPL-2.0
"""Writes what "make test" has counted as JSON for KCIDB, and has kcidb_io look whether KCIDB would take it.

usage: kcidb.py ORIGIN RESULTS LINUX FILE   writes FILE
       kcidb.py --check FILE                only looks

RESULTS has a line for each item, as item.sh writes it. A test is one item, a build is the first kernel that
its check needs. ORIGIN is the name by which KCIDB knows the CI.
"""

import collections
import datetime
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import uuid

import jsonschema
from kcidb_io import schema

TOP = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ("Kconfig", "arch-x86", "kernel-smp", "patches", "rust", "samples")
EXCERPT = 16000

Item = collections.namedtuple("Item", "verdict name seconds start rc check kernels log note")


def git(folder, *arguments):
    """Returns what git prints about a checkout, or nothing if the folder is none."""
    if not (folder / ".git").exists():
        return ""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.strip()


def patchset_hash():
    """Returns what KCIDB tells patches apart by: the hash of the hashes of what the kernel's tree gets from here."""
    files = [path for room in ROOMS for path in (TOP / room, *(TOP / room).rglob("*")) if path.is_file()]
    hashes = (hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files))
    return hashlib.sha256("".join(f"{digest}\n" for digest in hashes).encode()).hexdigest()


def version_of(linux):
    """Returns the version of a kernel's tree as a tag of it."""
    text = (linux / "Makefile").read_text(encoding="utf-8")
    fields = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) =[ ]*(.*)$", text, re.M))
    point = "" if fields["SUBLEVEL"] == "0" else f".{fields['SUBLEVEL']}"
    return f"v{fields['VERSION']}.{fields['PATCHLEVEL']}{point}{fields['EXTRAVERSION']}"


def outcome(item):
    """Returns the time, the status and, if it failed, the end of the log of an item."""
    fields = {
        "start_time": datetime.datetime.fromtimestamp(int(item.start), datetime.timezone.utc).isoformat(),
        "duration": int(item.seconds),
        "status": "PASS" if item.verdict == "passed" else "FAIL",
        "comment": item.note,
    }
    if item.verdict != "passed":
        # A signal ended it: that says nothing about the kernel.
        if int(item.rc) > 128:
            fields["status"] = "ERROR"
        log = pathlib.Path(item.log)
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        fields["log_excerpt"] = text.replace("\0", "")[-EXCERPT:]
    return fields


def build_of(kernel):
    """Returns what is known of build/KERNEL."""
    if kernel == "none":
        return {"config_name": kernel, "comment": "the code itself, on this machine"}
    fields = {"config_name": kernel, "architecture": "arm64" if kernel.endswith("-arm64") else "x86_64"}
    config = TOP / "build" / kernel / ".config"
    if config.exists() and (
        match := re.search(r'^CONFIG_CC_VERSION_TEXT="(.*)"', config.read_text(encoding="utf-8"), re.M)
    ):
        fields["compiler"] = match[1]
    return fields


def path_of(item):
    """Returns the place of an item in the tree of tests."""
    rest = re.sub(r"[^a-zA-Z0-9_-]+", "_", item.name.removeprefix(item.check)).strip("_")
    return ".".join(filter(None, ("smp", item.check, rest)))


def report(origin, items, linux):
    """Returns the report about some items."""
    run = uuid.uuid4()
    patches, commit = patchset_hash(), git(linux, "rev-parse", "HEAD")
    checkout = {
        "id": f"{origin}:{commit or version_of(linux)}-{patches}",
        "origin": origin,
        "git_commit_name": version_of(linux),
        "patchset_hash": patches,
        "comment": f"kernel/smp.c in Rust, {git(TOP, 'describe', '--always', '--dirty', '--abbrev=40') or 'no commit'}",
        "valid": True,
    }
    if commit:
        checkout["git_commit_hash"] = commit
    builds, tests = {}, []
    for item in items:
        compiled = item.name.removeprefix("kernel build/") if item.check == "-" else ""
        kernel = compiled or ("none" if item.kernels == "-" else item.kernels.split()[0])
        build = {"id": f"{origin}:{run}-{kernel}", "origin": origin, "checkout_id": checkout["id"]}
        builds.setdefault(kernel, {**build, **build_of(kernel)})
        if compiled:
            builds[kernel].update(outcome(item))
        else:
            test = {"id": f"{origin}:{run}-{len(tests) + 1}", "origin": origin, "build_id": build["id"]}
            tests.append({**test, "path": path_of(item), **outcome(item)})
    version = {"major": schema.LATEST.major, "minor": schema.LATEST.minor}
    return {"version": version, "checkouts": [checkout], "builds": list(builds.values()), "tests": tests}


def check(data):
    """Ends if KCIDB would not take a report."""
    try:
        schema.LATEST.validate(data)
    except jsonschema.exceptions.ValidationError as error:
        sys.exit(f"smp: kcidb_io does not take {'/'.join(map(str, error.absolute_path))}: {error.message}")


def main():
    """Does what the arguments say."""
    if sys.argv[1] == "--check":
        check(json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")))
        return
    origin, results, linux, file = sys.argv[1:]
    lines = pathlib.Path(results).read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
    data = report(origin, [Item(*line.split("\t")) for line in lines], pathlib.Path(linux))
    check(data)
    try:
        pathlib.Path(file).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"smp: {file} cannot be written: {error.strerror}")
    print(f"{len(data['tests'])} tests, {len(data['builds'])} builds")


main()
