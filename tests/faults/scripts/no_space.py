#!/usr/bin/env python3
"""Saves on file systems that are really full: with 0, 1, 2... free pages until a save succeeds."""

import errno
import os
import pathlib

from common import TARGET, Tally, arguments, finish, must, need, run, skip, workdir

PAGE = 4096


def mount(kind, directory):
    at = directory / kind
    at.mkdir()
    if kind == "tmpfs":
        must("mount", "-t", "tmpfs", "-o", "size=1m", "none", at)
    else:
        image = directory / "image"
        must("truncate", "-s", "8M", image)
        must("mkfs.ext4", "-q", "-F", "-m", "0", image)
        must("mount", "-t", "ext4", "-o", "loop", image, at)
    return at


def fill(path, leave):
    """Takes all space, and gives `leave` bytes back."""
    with open(path, "wb", buffering=0) as filler:
        size = 0
        try:
            while True:
                size += filler.write(b"x" * PAGE)
                # Delayed allocation takes space when it is synced.
                if size % (1 << 20) == 0:
                    os.fsync(filler.fileno())
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        os.truncate(path, max(0, size - leave))
        os.fsync(filler.fileno())


def trials(at, how, binaries, tally, step):
    target = at / TARGET
    for pages in range(0, 60, step):
        (at / "filler").unlink(missing_ok=True)
        must(binaries / "saver", "old", target)
        fill(at / "filler", pages * PAGE)
        ended = run(binaries / "saver", how, target)
        trial = f"{tally.what}, {pages} pages free"
        tally.look(trial, binaries / "saver", at, ended.stdout)
        if ended.returncode == 0:
            break
        tally.said["refused"] += 1
        if ended.returncode != 1 or "No space left on device" not in ended.stderr:
            tally.broken.append(f"{trial}: exit {ended.returncode}: {ended.stderr}")
    else:
        tally.broken.append(f"{tally.what}: no save succeeded")
    (at / "filler").unlink()
    must(binaries / "saver", "save", target)


def main():
    options = arguments(__doc__)
    need("mount", "umount", "mkfs.ext4", root=True)
    step = 6 if options.sample else 1
    real, controls = [], []
    with workdir() as directory:
        directory = pathlib.Path(directory)
        for kind in ["tmpfs", "ext4"]:
            try:
                at = mount(kind, directory)
            except RuntimeError as error:
                skip(f"cannot mount {kind}: {error}")
            try:
                for how, tallies in [("save", real), ("in-place", controls)]:
                    tally = Tally(f"{how}, full {kind}")
                    trials(at, how, options.bin, tally, step)
                    tallies.append(tally)
            finally:
                must("umount", at)
    for tally in real:
        print(f"{tally.what}: {tally.said['refused']} refused with exit 1 and the reason")
    finish(real, controls)


if __name__ == "__main__":
    main()
