# SPDX-License-Identifier: Apache-2.0
"""Running a guest and taking numbers from it. Every process started here is ended here."""
import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import pathlib

from guests import PROGRAMS, QEMU, RELEASE


def end(process):
    """Ends a process and what it started: first politely, as `uni` takes QEMU with it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def start(command, env=None, **more):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, env=env, **more)


def first_output(command, mark, limit=60, env=None):
    """Milliseconds from the start of a command to the first output that holds `mark`; None where it never came."""
    begin = time.monotonic()
    process = start(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    seen, took = b"", None
    try:
        os.set_blocking(process.stdout.fileno(), False)
        while time.monotonic() - begin < limit:
            part = process.stdout.read(65536)
            if part is None:
                time.sleep(0.0003)
                continue
            if not part:
                break
            seen += part
            if mark in seen:
                took = (time.monotonic() - begin) * 1000
                break
    finally:
        end(process)
        process.stdout.close()
    return took


def times_of(command):
    """Seconds of a command that succeeds: by the clock, of all processors, and of these in the kernel. Ends the measuring where it fails."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} {command[1]} failed")
    return took, usage.ru_utime + usage.ru_stime, usage.ru_stime


def in_turns(runs, measures):
    """{name: [value...]} of measures called in turn, `runs` times, after one that is not counted."""
    got = {name: [] for name in measures}
    for turn in range(runs + 1):
        for name, measure in measures.items():
            value = measure()
            if turn and value is not None:
                got[name].append(value)
    return got


def median(values):
    return statistics.median(values) if values else None


def wrapped_environment(folder, words=""):
    """An environment whose QEMU is the wrapper, and the file that it writes its time to."""
    folder = pathlib.Path(folder)
    link = folder / "qemu-system-x86_64"
    if not link.exists():
        link.symlink_to(PROGRAMS / "qemu-wrapper")
    stamp = folder / "stamp"
    return dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}", BENCH_STAMP=str(stamp), BENCH_QEMU=QEMU,
                BENCH_QEMU_ARGUMENTS=words), stamp


def instructions(command, limit=120):
    """Millions of instructions from reset to exit, or None."""
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/icnt"
        plugin = ["-plugin", f"{PROGRAMS}/icnt.so,out={out}"]
        env = None
        if command[0] == QEMU:
            command = [*command, *plugin]
        else:
            env, _ = wrapped_environment(folder, " ".join(plugin))
        process = start(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            pass
        end(process)
        with contextlib.suppress(OSError):
            found = re.search(r"icnt total (\d+)", pathlib.Path(out).read_text())
            return int(found[1]) / 1e6 if found else None
    return None


def before_qemu(command, mark):
    """(milliseconds before QEMU starts, from there to the mark)."""
    with tempfile.TemporaryDirectory() as folder:
        env, stamp = wrapped_environment(folder)
        begin = time.monotonic()
        total = first_output(command, mark, env=env)
        if total is None or not stamp.exists():
            return None
        before = int(stamp.read_text()) / 1e6 - begin * 1000
        return before, total - before


def smallest_memory(works, low, high):
    """The least number of MiB in low..high for which works(MiB) is true, or None."""
    if not works(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if works(middle):
            high = middle
        else:
            low = middle + 1
    return low


def output_of(command, limit):
    """A guest's whole output, or what came within the limit."""
    with tempfile.TemporaryFile() as out:
        process = start(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            pass
        end(process)
        out.seek(0)
        return out.read().decode("utf-8", "replace")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def long_backlog():
    """An environment in which QEMU's user network listens as under `uni run`: with a queue that holds a burst."""
    return dict(os.environ, LD_PRELOAD=str(RELEASE / "cli" / "libuni_preload.so"))


@contextlib.contextmanager
def serving(command, ready, limit=90):
    """A guest that serves: inside the block once ready() is true. Gives False where it never was. Both sides publish their
    port through the same forwarder."""
    process = start(command, env=long_backlog() if command[0] == QEMU else None, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + limit
    try:
        while not (up := ready()) and time.monotonic() < until and process.poll() is None:
            time.sleep(0.1)
        yield up
    finally:
        end(process)
