# SPDX-License-Identifier: Apache-2.0
"""The two machines that a test program runs on. Each gives an Outcome (tests/harness/process.py)."""
import dataclasses
import os
import pathlib
import shutil
import tempfile

import process
from model import UNI, Failed

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclasses.dataclass
class Job:
    name: str  # the line of the list
    program: pathlib.Path
    arguments: list


def _fresh(base):
    return pathlib.Path(tempfile.mkdtemp(prefix="t.", dir=base))


class Linux:
    """This machine, in an empty directory of its own. What the program leaves running is ended."""

    def __init__(self, base, setup, limit):
        self.base, self.setup, self.limit = base, setup, limit

    def run(self, job):
        directory = _fresh(self.base)
        mark = f"{os.getpid()}.{directory.name}"
        environment = {"PATH": PATH, "HOME": "/root", "TMPDIR": str(directory), "UNI_TEST_ID": mark} | self.setup.environment
        try:
            where = self.setup.directory(job.name) or str(directory)
            return process.run([str(job.program), *job.arguments], environment, where, self.limit)
        except OSError as why:  # no such program
            raise Failed(f"cannot run {job.program}: {why.strerror}") from why
        finally:
            process.end_strays(mark, grace=0.2)
            shutil.rmtree(directory, ignore_errors=True)


class Guest:
    """`uni pack`, then `uni run`. The program and the setup's files go into an image of the root and a /tmp of its own."""

    def __init__(self, base, setup, limit, uni=UNI, packed_once=None):
        self.base, self.setup, self.limit, self.uni = base, setup, limit, uni
        self.image = None
        if packed_once:
            self.image = base / "program.img"
            self._pack(packed_once, self.image, base)

    def _environment(self, directory):
        kept = {k: v for k, v in os.environ.items() if k in ("UNI_KERNEL", "LD_LIBRARY_PATH")}
        return kept | {"PATH": PATH, "HOME": str(directory), "TMPDIR": str(directory), "XDG_RUNTIME_DIR": str(directory),
                       "LC_ALL": "C.UTF-8"}

    def _pack(self, program, image, directory, name=""):
        runs_in = self.setup.directory(name) or "/tmp"
        argv = [str(self.uni), "pack", str(program), "-o", str(image), "-w", runs_in, "-e", "TMPDIR=/tmp"]
        for tree in self.setup.trees(name):
            argv += ["-a", f"{tree}:{tree}"]
        for command in self.setup.programs:
            argv += ["--add-program", command]
        for here, there in self.setup.files:
            argv += ["-a", f"{here}:{there}"]
        for name, value in self.setup.environment.items():
            argv += ["-e", f"{name}={value}"]
        if self.setup.processes:
            argv += ["--processes", self.setup.processes]
        done = process.run(argv, self._environment(directory), str(directory), 120)
        if done.status:
            raise Failed("cannot be packed", done.stderr)

    def run(self, job):
        directory = _fresh(self.base)
        try:
            image = self.image
            if not image:
                image = directory / "program.img"
                self._pack(job.program, image, directory, job.name)
            argv = [str(self.uni), "run", "-m", self.setup.memory, "-c", self.setup.cpus, str(image)]
            if job.arguments:
                argv += ["--", *job.arguments]
            return process.run(argv, self._environment(directory), str(directory), self.limit)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
