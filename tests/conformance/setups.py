# SPDX-License-Identifier: Apache-2.0
"""What a suite's programs expect of the machine that they run on: a setup is environment, files, memory, and what counts
as a pass. The two machines get the same but for what is named `guest`."""
import dataclasses
import gzip
import os
import pathlib
import shutil

import process
from model import Failed

# Asked for by LTP's programs and there in the guest, for a machine whose kernel does not tell its configuration.
_CONFIG = ("AIO", "CHECKPOINT_RESTORE", "DNOTIFY", "EPOLL", "EVENTFD", "FUTEX", "INOTIFY_USER", "MEMFD_CREATE", "MMU", "NET", "POSIX_MQUEUE",
           "POSIX_TIMERS", "SIGNALFD", "SYSVIPC", "TIMERFD", "TMPFS", "UNIX")


@dataclasses.dataclass
class Setup:
    environment: dict = dataclasses.field(default_factory=dict)
    files: list = dataclasses.field(default_factory=list)  # (path here, path in the guest)
    passes: frozenset = frozenset({0})
    skips: frozenset = frozenset()  # statuses that say "cannot be tested here"
    memory: str = "128M"
    cpus: str = "1"
    processes: str = ""
    output: bool = False  # the output must be the same as well
    sources: str = ""  # each program runs in the directory below this one that its name tells, and that goes along
    programs: tuple = ()  # what the tests execute, where this machine has it

    def directory(self, name):
        """Where the program runs: os_signal in SOURCES/os/signal; "" where any directory does."""
        return os.path.join(self.sources, *name.split("_")) if self.sources else ""

    def trees(self, name):
        """What goes along of the sources: the program's directory, and the testdata of those above it."""
        place = pathlib.Path(self.directory(name))
        above = [p / "testdata" for p in place.parents if p.is_relative_to(self.sources)] if self.sources else []
        return [str(p) for p in (place, *above) if self.sources and p.is_dir()]


def _kernel_configuration(directory: pathlib.Path):
    """KCONFIG_PATH's file: this kernel's own where it tells it, so that both machines are asked for the same."""
    path = directory / "kconfig"
    if path.exists():
        return path
    if os.path.exists("/proc/config.gz"):
        path.write_bytes(gzip.decompress(pathlib.Path("/proc/config.gz").read_bytes()))
    else:
        path.write_text("".join(f"CONFIG_{name}=y\n" for name in _CONFIG), encoding="ascii")
    return path


def _ltp(directory, single):
    """LTP: status 32 is TCONF (not for this machine). With `single` the harness runs the test in its own process, which a
    tree built with docs/CONFORMANCE.md's change does when LTP_SINGLE_PROCESS is set."""
    config = _kernel_configuration(directory)
    environment = {"KCONFIG_PATH": str(config), "LTP_VIRT_OVERRIDE": "", "LTP_COLORIZE_OUTPUT": "0"}
    if single:
        environment["LTP_SINGLE_PROCESS"] = "1"
    files = [(str(config), str(config))] + [(path, path) for path in ("/bin/cat",) if os.path.exists(path)]
    return Setup(environment, files, skips=frozenset({32}), memory="256M", processes="" if single else "exec")


# The files and commands of a plain system that libraries' tests ask for.
_SYSTEM = ("/etc/group", "/etc/hosts", "/etc/localtime", "/etc/mime.types", "/etc/nsswitch.conf", "/etc/passwd", "/etc/protocols",
           "/etc/services", "/usr/share/zoneinfo")
_COMMANDS = ("sh", "cat", "cp", "date", "echo", "env", "false", "hostname", "id", "kill", "ls", "mkdir", "ps", "pwd", "rm", "sleep", "sort",
             "tr", "true", "uname", "whoami")


def _library(sources=""):
    """Tests of a language's standard library."""
    files = [(path, path) for path in _SYSTEM if os.path.exists(path)]
    programs = tuple(found for found in map(shutil.which, _COMMANDS) if found)
    return Setup({"HOME": "/root", "LC_ALL": "C.UTF-8"}, files, memory="2G", cpus="2", processes="exec", sources=sources, programs=programs)


def _go_sources():
    """The package directories of the Go toolchain here. Errors: Failed (there is none)."""
    done = process.run(["go", "env", "GOROOT"], dict(os.environ), None, 60) if shutil.which("go") else None
    if not done or done.status:
        raise Failed("--setup go needs the `go` command", b"")
    return os.path.join(done.stdout.decode().strip(), "src")


def names():
    return ("plain", "go", "ltp", "ltp-single", "posix", "python", "uni")


def suite(name):
    """What the setup's programs are called in tests/known-failures."""
    return {"ltp-single": "ltp", "plain": "", "uni": ""}.get(name, name)


def make(name, directory):
    if name == "ltp":
        return _ltp(directory, single=False)
    if name == "ltp-single":
        return _ltp(directory, single=True)
    if name == "go":
        return _library(_go_sources())
    if name == "python":
        return _library()
    if name == "posix":  # posixtest.h: 0 pass, 1 fail, 2 unresolved, 4 unsupported, 5 untested
        return Setup(skips=frozenset({4, 5}))
    if name == "uni":  # tests/syscall: each program prints what Linux answers
        return Setup(output=True, memory="64M")
    return Setup()
