#!/usr/bin/env python3
"""Short writes, a disk that fills up at any byte, and failing syncs, by a preloaded library."""

import os
import pathlib

from common import TARGET, Tally, arguments, finish, must, need, run, skip, workdir


def trial(saver, how, directory, tally, shim, name, value, expected):
    """One save with the library; what it must come to, if that is known."""
    target = directory / TARGET
    must(saver, "old", target)
    environment = os.environ | {"LD_PRELOAD": str(shim), name: str(value)}
    ended = run(saver, how, target, env=environment)
    label = f"{tally.what}, {name}={value}"
    found = tally.look(label, saver, directory, ended.stdout, how == "save")
    if how != "save":
        return
    said = {0: "saved", 1: ended.stdout.split("\n")[-2]}.get(ended.returncode, "crashed")
    tally.said[said] += 1
    if expected and (said, found) != expected:
        tally.broken.append(f"{label}: {said} and {found}, expected {expected}: {ended.stderr}")
    must(saver, "save", target)


def main():
    options = arguments(__doc__)
    need("gcc")
    saver = options.bin / "saver"
    step = 9973 if options.sample else 499
    with workdir() as parent:
        directory = pathlib.Path(parent) / "files"
        directory.mkdir()
        shim = pathlib.Path(parent) / "short_writes.so"
        source = pathlib.Path(__file__).with_name("short_writes.c")
        built = run("gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", shim, source)
        if built.returncode != 0:
            skip(f"the library cannot be built: {built.stderr}")
        must(saver, "old", directory / TARGET)
        must(saver, "save", directory / TARGET)
        size = (directory / TARGET).stat().st_size
        real = Tally("save, short writes, full disks and failing syncs")
        control = Tally("in-place, the same")
        for how, tally in [("save", real), ("in-place", control)]:
            hurt = lambda *what: trial(saver, how, directory, tally, shim, *what)
            for at_most in [1, 2, 7, 64, 4095, 4097]:
                hurt("AT_MOST", at_most, ("saved", "new"))
            refused = ("not committed", "old")
            # The header is written twice: once to hold its place. In place, it is not.
            for space in range(0, size, step):
                hurt("SPACE", space, refused)
            hurt("SPACE", 2 * size, ("saved", "new"))
            hurt("BAD_SYNC", 1, refused)
            hurt("BAD_SYNC", 2, ("uncertain", "new"))
            hurt("BAD_SYNC", 3, ("uncertain", "new"))
            hurt("BAD_SYNC", 4, ("saved", "new"))
    print(f"{real.what}: {real.said['saved']} saved, {real.said['not committed']} not "
          f"committed, {real.said['uncertain']} durability uncertain")
    finish([real], [control])


if __name__ == "__main__":
    main()
