# SPDX-License-Identifier: Apache-2.0
"""Runs a command that strace slows down: `terminal COMMAND` on a terminal of its own, printing what it writes there;
`signal NAME COMMAND` sends the signal once it writes a file in the directory that has no final name yet, and prints how the command ended."""
import glob
import os
import pty
import signal
import subprocess
import sys
import time

SLOW = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:delay_enter=40000"]


def on_a_terminal(command):
    process, terminal = pty.fork()
    if process == 0:
        os.execvp(command[0], command)
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # EIO: the other side is closed
            break
        if not part:
            break
        sys.stdout.buffer.write(part)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def writes(pid):
    here = os.getcwd() + "/"
    for link in glob.glob(f"/proc/{pid}/fd/*"):
        try:
            name = os.readlink(link)
            if name.startswith(here) and (".img." in name or name.endswith(" (deleted)")):
                return True
        except OSError:  # closed meanwhile
            pass
    return False


def interrupted(number, command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not writes(process.pid) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(number)
    print(process.wait())
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "terminal":
        sys.exit(on_a_terminal(SLOW + sys.argv[2:]))
    sys.exit(interrupted(getattr(signal, sys.argv[2]), SLOW + sys.argv[3:]))
