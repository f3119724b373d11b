#!/usr/bin/env python3
"""Cuts the power at every system call of a save, on real ext4 and xfs on loop devices.

The save is killed before its nth call and the file system is shut down at once, with the ioctl that
drops what is not on disk: flag 1 keeps the journal and loses dirty data, which is the worst case,
flag 2 loses everything. Then it is mounted again, and looked at. ext4 is mounted with
noauto_da_alloc, without which it repairs what careless writers do.
"""

import fcntl
import os
import pathlib
import struct

from common import CONTROLS, TARGET, Tally, arguments, finish, must, need, run, skip, workdir

GOINGDOWN = 0x8004587D
SYSTEMS = {
    "ext4": ("16M", ["mkfs.ext4", "-q", "-F"], "loop,noauto_da_alloc"),
    "xfs": ("320M", ["mkfs.xfs", "-q", "-f"], "loop"),
}


class Image:
    """A file system that holds the older file, to be mounted again and again from that state."""

    def __init__(self, directory, name, saver):
        size, make, self.options = SYSTEMS[name]
        self.name = name
        self.template = directory / f"{name}.template"
        self.image = directory / f"{name}.image"
        self.mounted_at = directory / f"{name}.mount"
        self.mounted_at.mkdir()
        must("truncate", "-s", size, self.template)
        must(*make, self.template)
        must("cp", "--sparse=always", self.template, self.image)
        self.mount()
        must(saver, "old", self.mounted_at / TARGET)
        self.unmount()
        os.replace(self.image, self.template)

    def reset(self):
        must("cp", "--sparse=always", self.template, self.image)

    def mount(self):
        must("mount", "-t", self.name, "-o", self.options, self.image, self.mounted_at)

    def unmount(self):
        must("umount", self.mounted_at)

    def cut(self, flag):
        fd = os.open(self.mounted_at, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, GOINGDOWN, struct.pack("I", flag))
        finally:
            os.close(fd)


def lose(image, how, flag, nth, binaries, tally):
    """One loss of power; whether the save came to its nth call."""
    image.reset()
    image.mount()
    target = image.mounted_at / TARGET
    try:
        words = [binaries / "hurt", nth, image.mounted_at, binaries / "saver", how, target]
        ended = run(*words)
        if ended.returncode not in (0, 3):
            raise RuntimeError(ended.stderr)
        image.cut(flag)
    finally:
        image.unmount()
    image.mount()
    try:
        trial = f"{tally.what}, call {nth}"
        tally.look(trial, binaries / "saver", image.mounted_at, ended.stdout, how == "save")
        if how == "save":
            must(binaries / "saver", "save", target)
    finally:
        image.unmount()
    return ended.returncode == 0


def main():
    options = arguments(__doc__)
    need("mkfs.ext4", "mount", "umount", "truncate", root=True)
    real, controls = [], []
    with workdir() as directory:
        directory = pathlib.Path(directory)
        for name, (_, make, _) in SYSTEMS.items():
            if run("which", make[0]).returncode != 0:
                print(f"power_loss.py: skipped {name}: {make[0]} is not here")
                continue
            try:
                image = Image(directory, name, options.bin / "saver")
            except RuntimeError as error:
                skip(f"no {name} on a loop device: {error}")
            for how in ["save", *CONTROLS]:
                # Controls make fewer calls, and fewer of those matter.
                step = (9 if how == "save" else 3) if options.sample else 1
                for flag in [1, 2]:
                    tally = Tally(f"{how}, power lost on {name} with flag {flag}")
                    nth = 1
                    while lose(image, how, flag, nth, options.bin, tally):
                        nth += step
                    if how == "save":
                        # The save that ended counts as acknowledged: a few more of those.
                        for _ in range(2 if options.sample else 10):
                            lose(image, how, flag, 100_000, options.bin, tally)
                        real.append(tally)
                    else:
                        controls.append(tally)
                if how != "save":
                    # It is enough that one of the two flags shows what is wrong with it.
                    caught = [problem for tally in controls[-2:] for problem in tally.broken]
                    for tally in controls[-2:]:
                        tally.broken = caught
    finish(real, controls)


if __name__ == "__main__":
    main()
