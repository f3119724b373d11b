#!/usr/bin/env python3
"""kill -9 at every system call of a save, with strace: an independent check of the tracer.

Here also the calls before the save are counted, those of starting a program. The calls that the two
tracers see of the save are compared by name.
"""

import collections
import pathlib

from common import TARGET, Tally, arguments, finish, must, need, run, skip, workdir


def calls(saver, how, target, log):
    """The names of the calls of a saver, all and those of the save."""
    must("strace", "-f", "-qq", "-o", log, saver, how, target)
    names, save, saving = [], [], False
    for line in log.read_text().splitlines():
        call = line.split(maxsplit=1)[1]
        name = call.split("(")[0]
        if not name.isidentifier():
            continue
        names.append(name)
        if saving:
            save.append(name)
        saving = saving or (name == "write" and '"saving\\n"' in call)
    return names, save


def kills(saver, how, directory, tally, step):
    target = directory / TARGET
    must(saver, "old", target)
    names, _ = calls(saver, how, target, directory.parent / "log")
    for name, count in collections.Counter(names).items():
        for when in range(1, count + 1, step):
            must(saver, "old", target)
            ended = run("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e",
                        f"inject={name}:signal=KILL:when={when}", saver, how, target)
            trial = f"{tally.what}, {name} {when}"
            tally.look(trial, saver, directory, ended.stdout, how == "save")
            if how == "save":
                must(saver, "save", target)


def compare(options, directory):
    """The differences between what strace and the tracer see of a save."""
    target = directory / TARGET
    must(options.bin / "saver", "old", target)
    ours = must(options.bin / "hurt", 0, directory, options.bin / "saver", "save", target)
    must(options.bin / "saver", "old", target)
    _, theirs = calls(options.bin / "saver", "save", target, directory.parent / "log")
    ours = collections.Counter(ours.split())
    theirs = collections.Counter(theirs)
    # What the tracer has no name for touches no files.
    names = sorted(name for name in ours if name != "other")
    print("of a save strace sees " + ", ".join(f"{theirs[name]} {name}" for name in names)
          + "; the tracer sees the same" * all(ours[name] == theirs[name] for name in names))
    return [f"strace sees {theirs[name]} {name}, the tracer {ours[name]}"
            for name in names if ours[name] != theirs[name]]


def main():
    options = arguments(__doc__)
    need("strace")
    saver = options.bin / "saver"
    step = 6 if options.sample else 1
    with workdir() as parent:
        directory = pathlib.Path(parent) / "files"
        directory.mkdir()
        if run("strace", "-o", "/dev/null", "true").returncode != 0:
            skip("strace may not trace")
        real = Tally("save, killed by strace")
        real.broken += compare(options, directory)
        kills(saver, "save", directory, real, step)
        control = Tally("in-place, killed by strace")
        kills(saver, "in-place", directory, control, step)
    finish([real], [control])


if __name__ == "__main__":
    main()
