"""What the fault scripts share: the saver, its outcomes, file systems on loop devices, and counts."""

import argparse
import collections
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = "rows-000000000000-000000000200.vnp"
CONTROLS = ["in-place", "rename-without-fsync", "rename-without-directory-fsync"]


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "target/debug",
                        help="where saver and hurt are")
    parser.add_argument("--sample", action="store_true", help="a bounded sample, for CI")
    parsed = parser.parse_args()
    for name in ["saver", "hurt"]:
        if not (parsed.bin / name).exists():
            skip(f"{parsed.bin / name} is not built: cargo build -p vnp-faults")
    return parsed


def skip(reason):
    print(f"{pathlib.Path(sys.argv[0]).name}: skipped: {reason}")
    sys.exit(0)


def need(*tools, root=False):
    if root and os.geteuid() != 0:
        skip("not root")
    for tool in tools:
        if shutil.which(tool) is None:
            skip(f"{tool} is not here")


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)


def must(*words):
    ended = run(*words)
    if ended.returncode != 0:
        raise RuntimeError(f"{words}: {ended.stderr}")
    return ended.stdout


def workdir():
    """A directory in memory, where there is one: mkfs and loop devices are quick there."""
    shm = pathlib.Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=shm if os.access(shm, os.W_OK) else None)


def state(saver, target):
    """old, new, missing, or torn with the reason."""
    return must(saver, "check", target).strip()


def strangers(directory):
    """What lies there that should not: neither the target nor a documented temporary."""
    known = {TARGET, "lost+found", "filler"}
    return [name for name in os.listdir(directory)
            if name not in known and not name.startswith(".atomicwrite")]


class Tally:
    """Counts trials by what was found; a promise that is broken is kept with its trial."""

    def __init__(self, what):
        self.what = what
        self.counts = collections.Counter()
        self.said = collections.Counter()
        self.acknowledged = self.temporaries = 0
        self.broken = []

    def add(self, trial, found, told, swept=0):
        kind = found.split(":")[0]
        self.counts[kind] += 1
        self.temporaries += swept
        acknowledged = "saved" in told.splitlines()
        self.acknowledged += acknowledged
        if kind not in ("old", "new"):
            self.broken.append(f"{trial}: {found}")
        elif acknowledged and kind != "new":
            self.counts["acknowledged and lost"] += 1
            self.broken.append(f"{trial}: acknowledged and lost")

    def look(self, trial, saver, directory, told, is_save=True):
        """Counts what a trial left in a directory, without its temporaries; what the target is then."""
        found = state(saver, directory / TARGET)
        self.add(trial, found, told, int(must(saver, "sweep", directory)))
        if is_save:
            self.broken += [f"{trial}: {name} is left" for name in strangers(directory)]
        return found

    def line(self):
        torn = sum(count for kind, count in self.counts.items()
                   if kind not in ("old", "new", "acknowledged and lost"))
        return (f"{self.what}: {self.counts['old'] + self.counts['new'] + torn} trials, "
                f"{self.counts['old']} old, {self.counts['new']} new, {torn} torn, "
                f"{self.counts['acknowledged and lost']} of {self.acknowledged} acknowledged ones "
                f"lost, "
                f"{self.temporaries} temporaries swept")


def finish(real, controls):
    """Prints the counts. Fails if a real save broke a promise, or a control was not caught."""
    for tally in real + controls:
        print(("control " if tally in controls else "") + tally.line())
    problems = [problem for tally in real for problem in tally.broken]
    problems += [f"{tally.what} was not caught" for tally in controls if not tally.broken]
    for problem in problems[:20]:
        print("BROKEN", problem)
    sys.exit(1 if problems else 0)
