# SPDX-License-Identifier: Apache-2.0
"""What a test is: a name, a function that raises Failed, a time limit; and the context that it gets."""
import dataclasses
import os
import pathlib
from typing import Callable

import process

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
RELEASE = TOP / "build" / "release"
ASAN = TOP / "build" / "asan"
UNI = RELEASE / "bin" / "uni"


class Failed(Exception):
    """A test's failure: one line that says why, and details that are printed below it."""

    def __init__(self, reason, details=""):
        super().__init__(reason)
        self.reason = reason
        self.details = details if isinstance(details, str) else details.decode("utf-8", "replace")


@dataclasses.dataclass
class Context:
    name: str
    tmp: pathlib.Path  # the test's own directory, removed afterwards
    limit: float  # seconds

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("UNI_", "XDG_"))}
        env.update(TMPDIR=str(self.tmp), XDG_CACHE_HOME=str(self.tmp / "cache"), XDG_RUNTIME_DIR=str(self.tmp),
                   UNI=str(UNI), UNI_TOP=str(TOP), UNI_TEST_ID=f"{os.getpid()}.{self.name}", LC_ALL="C.UTF-8",
                   UNI_PROGRAMS=str(RELEASE / "tests" / "programs"), PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        return env

    def run(self, argv, cwd=None, limit=None, stdin=b"", env=None):
        """Runs a command; running out of time is a failure."""
        limit = limit or self.limit
        done = process.run([str(a) for a in argv], env or self.environment(), str(cwd or self.tmp), limit, stdin)
        if done.timed_out:
            raise Failed(f"ran longer than {limit:g} s: {pathlib.Path(str(argv[0])).name}", tail(done.stdout + done.stderr))
        return done


@dataclasses.dataclass
class Test:
    name: str
    function: Callable[[Context], None]
    limit: float
    guest: bool = False  # starts a virtual machine


def tail(data, lines=30):
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    return "\n".join(text.rstrip().splitlines()[-lines:])


def known_failures(suite=""):
    """What tests/known-failures holds of a suite, or of our own tests: {name: reason}."""
    known = {}
    for line in (TOP / "tests" / "known-failures").read_text(encoding="utf-8").splitlines():
        name, _, reason = line.partition(" ")
        of, _, rest = name.rpartition(":")
        if name and not name.startswith("#") and of == suite:
            known[rest] = reason.strip()
    return known
