# SPDX-License-Identifier: Apache-2.0
"""Child processes with a time limit that leave nothing behind.

Every child is the leader of its own session and carries UNI_TEST_ID in its environment. What is still there when a test
ends is found by that mark, even where it left the session, and is ended by its process id.
"""
import dataclasses
import os
import signal
import subprocess
import threading
import time

_running = {}
_lock = threading.Lock()


@dataclasses.dataclass
class Outcome:
    status: int  # the exit status, or 128 + N where signal N ended it
    stdout: bytes
    stderr: bytes
    timed_out: bool


def run(argv, env, cwd, limit, stdin=b""):
    """Runs argv to its end, for at most `limit` seconds; then its whole session is killed."""
    child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, start_new_session=True)
    with _lock:
        _running[child.pid] = child
    timed_out = False
    try:
        out, err = child.communicate(stdin, timeout=limit)
    except subprocess.TimeoutExpired:
        timed_out = True
        kill_group(child.pid)
        try:
            out, err = child.communicate(timeout=5)
        except subprocess.TimeoutExpired as still:  # a process outside the session holds a pipe open
            out, err = still.stdout or b"", still.stderr or b""
    finally:
        with _lock:
            _running.pop(child.pid, None)
    status = child.returncode if child.returncode is not None else 128 + signal.SIGKILL
    return Outcome(128 - status if status < 0 else status, out, err, timed_out)


def kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def kill_all_running():
    with _lock:
        pids = list(_running)
    for pid in pids:
        kill_group(pid)


def strays(mark):
    """The (pid, name) pairs of the processes that carry this UNI_TEST_ID."""
    found = []
    needle = b"UNI_TEST_ID=" + mark.encode() + b"\0"
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as f:
                if needle not in f.read():
                    continue
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                stat = f.read()
        except OSError:
            continue
        if stat.rpartition(")")[2].split()[0] != "Z":
            found.append((int(entry), stat[stat.index("(") + 1:stat.rindex(")")]))
    return found


def end_strays(mark, grace=3.0):
    """Gives what a test left behind a moment to end, then kills it. Returns the names of what had to be killed."""
    until = time.monotonic() + grace
    while (left := strays(mark)) and time.monotonic() < until:
        time.sleep(0.05)
    for pid, _ in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return [name for _, name in left]
