# SPDX-License-Identifier: Apache-2.0
"""What a suite's programs expect of the machine that they run on: a setup is environment, files, memory, and what counts
as a pass. The two machines get the same but for what is named `guest`."""
import dataclasses
import gzip
import os
import pathlib

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


def names():
    return ("plain", "ltp", "ltp-single", "posix", "uni")


def make(name, directory):
    if name == "ltp":
        return _ltp(directory, single=False)
    if name == "ltp-single":
        return _ltp(directory, single=True)
    if name == "posix":  # posixtest.h: 0 pass, 1 fail, 2 unresolved, 4 unsupported, 5 untested
        return Setup(skips=frozenset({4, 5}))
    if name == "uni":  # tests/syscall: each program prints what Linux answers
        return Setup(output=True, memory="64M")
    return Setup()
