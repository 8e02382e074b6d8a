# SPDX-License-Identifier: GPL-2.0
"""Writes the patch series of patches/series into a folder: for each stage numbered patches with a cover
letter, and one mbox.

The series names stages, their patches, and which files and lines each patch takes. What the files hold
comes from the repository: the last patch of a file leaves it as it is here. The same input gives the
same bytes.
"""

import argparse
import difflib
import email.utils
import json
import os
import pathlib
import re
import subprocess
import sys

# Author and date of all patches, if no other author is asked for.
AUTHOR = "Submitter <submitter@example.org>"
DATE = "2026-11-01T00:00:00Z"

# Patches of a stage at most.
LONGEST = 15

# Where measured figures are stored.
BENCH = pathlib.Path(__file__).resolve().parent / "bench"


def fail(text):
    """Ends with one line."""
    sys.exit(f"smp: {text}")


class Claim:
    """What a patch takes: a file, a folder, or lines of a file."""

    def __init__(self, text, where):
        match = re.fullmatch(r"(\S+)(?: /(.+?)/(?: \.\. /(.+)/)?)?", text)
        if not match:
            fail(f"{where}: cannot read ': {text}'")
        self.path, self.first, self.last = match.groups()
        self.where = where
        self.used = False

    def lines(self, added):
        """Returns the numbers of the lines that this takes, of ADDED ones that no other has, by number."""
        start = next((at for at, line in added.items() if re.search(self.first, line)), None)
        if start is None:
            fail(f"{self.where}: no line of {self.path} that is free matches /{self.first}/")
        if self.last is None:
            return [start]
        end = next((at for at, line in added.items() if at > start and re.search(self.last, line)), None)
        if end is None:
            fail(f"{self.where}: no line of {self.path} that is free, after line {start + 1}, matches /{self.last}/")
        # Of the empty lines around it, one goes with it.
        if start and not added.get(start - 1, "x").strip():
            start -= 1
        elif not added.get(end + 1, "x").strip():
            end += 1
        return [at for at in added if start <= at <= end]


class Letter:
    """A subject with a text: a patch, or the cover letter of a stage."""

    def __init__(self, subject):
        self.subject = subject
        self.lines = []
        self.claims = []
        self.diffs = []

    @property
    def text(self):
        """The body, without empty lines around it."""
        return "\n".join(self.lines).strip("\n")


class Stage:
    """A cover letter and its patches."""

    def __init__(self, number, name, subject):
        self.number = int(number)
        self.name = name
        self.cover = Letter(subject)
        self.patches = []

    @property
    def folder(self):
        """The name of the folder that this is written to."""
        return f"{self.number}-{self.name}"


def read_series(path):
    """Returns the stages that the file declares."""
    stages = []
    letter = None
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        where = f"{path.name}:{number}"
        if line.startswith("#"):
            continue
        if match := re.fullmatch(r"=== (\d+) ([a-z0-9-]+): (.+)", line):
            stages.append(Stage(*match.groups()))
            letter = stages[-1].cover
        elif line.startswith("--- "):
            if not stages:
                fail(f"{where}: a patch without a stage")
            letter = Letter(line.removeprefix("--- "))
            stages[-1].patches.append(letter)
        elif line.startswith(": "):
            if letter is None or letter is stages[-1].cover:
                fail(f"{where}: a cover letter takes no files")
            if line.startswith(": diff "):
                letter.diffs.append(path.parent / line.removeprefix(": diff "))
            else:
                letter.claims.append(Claim(line.removeprefix(": "), where))
        elif letter is not None:
            letter.lines.append(line)
        elif line:
            fail(f"{where}: text without a patch")
    for stage in stages:
        if not 0 < len(stage.patches) <= LONGEST:
            fail(f"stage {stage.name} has {len(stage.patches)} patches, 1 to {LONGEST} are allowed")
    return stages


class File:
    """A file of the tree: before the series, and behind it, in pieces."""

    def __init__(self, path, old, source):
        self.path = path
        self.exists = old is not None
        self.mode = "100755" if os.access(source, os.X_OK) else "100644"
        old, new = old or [], read_lines(source)
        # Pieces: lines that go, lines that come, with their numbers, and the patch. Without one: both stay.
        self.pieces = []
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        for tag, a, b, c, d in matcher.get_opcodes():
            if tag == "equal":
                self.pieces += [[[line], {c + at: line}, None] for at, line in enumerate(old[a:b])]
            elif tag == "insert":
                self.pieces += [[[], {at: new[at]}, None] for at in range(c, d)]
            else:
                self.pieces.append([old[a:b], {at: new[at] for at in range(c, d)}, None])

    def changes(self):
        """The pieces that the series changes."""
        return [piece for piece in self.pieces if list(piece[1].values()) != piece[0]]

    def take(self, claims):
        """Gives each piece to a patch. CLAIMS are pairs of a claim and the number of its patch."""
        changes = self.changes()
        rest = [pair for pair in claims if pair[0].first is None]
        for claim, patch in (pair for pair in claims if pair[0].first is not None):
            claim.used = True
            free = {at: line for piece in changes if piece[2] is None for at, line in piece[1].items()}
            taken = set(claim.lines(free))
            for piece in changes:
                if taken.intersection(piece[1]):
                    piece[2] = patch
        # The longest name is the nearest folder, or the file itself.
        longest = max((len(claim.path) for claim, _ in rest), default=0)
        nearest = [pair for pair in rest if len(pair[0].path) == longest]
        if len(nearest) > 1:
            fail(f"{nearest[1][0].where}: {self.path} is taken twice, first by {nearest[0][0].where}")
        for claim, patch in nearest:
            claim.used = True
            for piece in changes:
                if piece[2] is None:
                    piece[2] = patch
        left = next((piece for piece in changes if piece[2] is None), None)
        if left:
            line = next(iter(left[1].values()), left[0][0] if left[0] else "").strip()
            fail(f"no patch takes '{line}' of {self.path}")

    def after(self, patch):
        """Returns the text after that patch, or None if there is no such file yet."""
        lines = []
        known = self.exists
        for gone, come, owner in self.pieces:
            done = owner is not None and owner <= patch
            known |= done
            lines += come.values() if done else gone
        return "".join(lines) if known else None

    def touched_by(self, patch):
        """Whether that patch changes this file."""
        return any(piece[2] == patch for piece in self.pieces)


def read_files(wanted, linux, unhooked, hooks):
    """Returns the files that the series changes: linked ones, and hooked ones as they are in the tree."""
    links = [line.split("\t") for line in wanted.read_text().splitlines()]
    files = [File(path, None, pathlib.Path(source)) for path, source in links]
    return files + [File(path, read_lines(unhooked / path), linux / path) for path in named_in(hooks)]


def read_lines(path):
    """Returns the lines of a file, with their ends."""
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def named_in(hooks):
    """The files that hooks or other diffs change."""
    names = re.findall(r"^\+\+\+ b/(\S+)", "\n".join(hook.read_text() for hook in hooks), re.M)
    return list(dict.fromkeys(names))


def assign(stages, files):
    """Gives each change to a patch. A change that none takes, or two take, is an error."""
    numbered = list(enumerate(patch for stage in stages for patch in stage.patches))
    claims = [(claim, number) for number, patch in numbered for claim in patch.claims]
    for file in files:
        file.take([
            pair
            for pair in claims
            if pair[0].path == file.path
            or (pair[0].first is None and pair[0].path.endswith("/") and file.path.startswith(pair[0].path))
        ])
    for claim, _ in claims:
        if not claim.used:
            fail(f"{claim.where}: {claim.path} is taken, and is no file that the series changes")
    for number, patch in numbered:
        if not patch.diffs and not any(file.touched_by(number) for file in files):
            fail(f"'{patch.subject}' changes nothing")


class Repository:
    """A git repository with the files that the series changes, and nothing else."""

    def __init__(self, folder, author):
        self.folder = folder
        name, address = email.utils.parseaddr(author)
        if not name or "@" not in address:
            fail(f"FROM={author}: it is 'Name <mail>'")
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | {
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        for role in "AUTHOR", "COMMITTER":
            self.env |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": address, f"GIT_{role}_DATE": DATE}
        folder.mkdir(parents=True)
        self.git("init", "--quiet")

    def git(self, *words, text=None):
        """Runs git, and returns what it prints."""
        done = subprocess.run(
            ["git", "-C", str(self.folder), *words], input=text, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            fail(f"git {words[0]}: {done.stderr.strip().splitlines()[-1:]}")
        return done.stdout

    def write(self, path, mode, text):
        """Puts a file into the index."""
        blob = self.git("hash-object", "-w", "--stdin", text=text).strip()
        self.git("update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}")

    def apply(self, diff):
        """Applies a diff to the index."""
        self.git("apply", "--cached", text=diff.read_text(encoding="utf-8"))

    def commit(self, message):
        """Commits the index."""
        self.git("commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "--file=-", text=message)


def ratios():
    """The table of measured ratios, for a cover letter."""
    columns = [json.loads((BENCH / f"ratios-4{kind}.json").read_text()) for kind in ("", "-gcc")]
    tools = [re.search(r"(clang|gcc).*?(\d[\d.]+)", column["conditions"]["C"]).expand(r"\1 \2") for column in columns]
    lines = [f"   {'case':<34}{tools[0]:>14}{tools[1]:>14}"]
    for caller, cases in columns[0]["ratios"]["default"].items():
        for case in cases:
            if not case.startswith("dry run") and caller == "C":
                pair = [column["ratios"]["default"][caller].get(case, [0])[0] for column in columns]
                lines.append(f"   {case:<34}{pair[0]:>14.2f}{pair[1]:>14.2f}")
    return "\n".join(lines)


def faults():
    """What injected faults do to kernel/smp.c, for a cover letter."""
    rows = [line.split("\t") for line in (BENCH / "faults.tsv").read_text().splitlines() if line[0] != "#"]
    lines = []
    for kernel, fault, parameters, said in rows:
        if kernel == "c":
            lines.append(f"   {fault:<11}{said}" + (f",\n{'':14}with {parameters}" if parameters else ""))
    return "\n".join(lines)


def exact_wait():
    """What the exact wait costs kernel/smp.c, for a cover letter."""
    figures = json.loads((BENCH / "exact-wait.json").read_text())
    lines = [f"   {'case':<40}{'before':>8}{'after':>8}"]
    for case, before in figures["before"].items():
        lines.append(f"   {case:<40}{before:>8.0f}{figures['after'][case]:>8.0f}")
    before, after = figures["text"]
    lines.append(f"   {'text of smp.o, bytes':<40}{before:>8}{after:>8}")
    return "\n".join(lines)


# What stands in cover letters for a table of measured figures.
TABLES = {"@ratios": ratios, "@faults": faults, "@exact-wait": exact_wait}


def fill_in(text):
    """Puts the tables into a cover letter."""
    return re.sub(r"^@[a-z-]+$", lambda name: TABLES[name.group()](), text, flags=re.M)


def write_stage(repository, stage, folder):
    """Writes the patches of the last commits, with a cover letter, and an mbox of all."""
    folder.mkdir(parents=True)
    repository.git(
        "format-patch", "--quiet", "--cover-letter", "--no-signature", "--zero-commit", "--abbrev=12", "--no-renames",
        "--diff-algorithm=histogram", "--stat=80", f"--output-directory={folder.resolve()}", f"-{len(stage.patches)}",
    )
    messages = sorted(folder.glob("*.patch"))
    for at, path in enumerate(messages):
        text = path.read_text(encoding="utf-8")
        thread = f"Message-ID: <{stage.folder}-{at}@smp-rust.invalid>\n"
        if at:
            thread += f"In-Reply-To: <{stage.folder}-0@smp-rust.invalid>\n"
        else:
            text = text.replace("*** SUBJECT HERE ***", stage.cover.subject)
            text = text.replace("*** BLURB HERE ***", fill_in(stage.cover.text))
        path.write_text(text.replace("\nDate: ", f"\n{thread}Date: ", 1), encoding="utf-8")
    mbox = folder.parent / f"{stage.folder}.mbox"
    mbox.write_text("".join(path.read_text(encoding="utf-8") + "\n" for path in messages), encoding="utf-8")


def main():
    """Reads, gives each change to a patch, and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("series", type=pathlib.Path)
    parser.add_argument("linux", type=pathlib.Path, help="the tree with links and hooks")
    parser.add_argument("unhooked", type=pathlib.Path, help="the hooked files as they are without hooks")
    parser.add_argument("wanted", type=pathlib.Path, help="the links: path in the tree, tab, file")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--author", default=AUTHOR)
    args = parser.parse_args()

    stages = read_series(args.series)
    diffs = [diff for stage in stages for patch in stage.patches for diff in patch.diffs]
    hooks = [hook for hook in sorted(args.series.parent.glob("*.patch")) if hook not in diffs]
    files = read_files(args.wanted, args.linux, args.unhooked, hooks)
    assign(stages, files)

    repository = Repository(args.out / "git", args.author)
    if odd := set((args.series.parent / "c").glob("*.patch")) - set(diffs):
        fail(f"no patch takes c/{min(odd).name}")
    for path in named_in(diffs):
        if any(file.path == path for file in files):
            fail(f"{path} is linked or hooked, and is in a diff of the series")
        before = next(folder / path for folder in (args.unhooked, args.linux) if (folder / path).exists())
        repository.write(path, "100644", before.read_text(encoding="utf-8"))
    for file in files:
        if file.exists:
            repository.write(file.path, file.mode, file.after(-1))
    repository.commit("base\n")
    number = 0
    for stage in stages:
        for at, patch in enumerate(stage.patches, number):
            for file in files:
                if file.touched_by(at):
                    repository.write(file.path, file.mode, file.after(at))
            for diff in patch.diffs:
                repository.apply(diff)
            repository.commit(f"{patch.subject}\n\n{patch.text}\n")
        number += len(stage.patches)
        write_stage(repository, stage, args.out / stage.folder)
    for file in files:
        if file.after(number) != "".join(line for piece in file.pieces for line in piece[1].values()):
            fail(f"{file.path} is not complete behind the last patch")


if __name__ == "__main__":
    main()
