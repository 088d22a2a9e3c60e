#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `-t`: every key reaches the guest, the window's size is told, and the terminal is as before at the end.
# shellcheck source=run/lib.sh
. "$UNI_TOP/tests/e2e/run/lib.sh"
tiny_image hostname=test
guest '
out(",".join(r for r in records() if r.split("=")[0] in ("stdio", "rows", "cols")).encode() + b"\r\n", "tty")
keys = b""
while len(keys) < 4:
    keys += read(port="tty")
out(repr(keys).encode() + b"\r\n", "tty")
out(heard().encode() + b"\r\n", "tty")
exit_with(6)'

python3 - "$UNI" <<'PY'
import fcntl, os, pty, select, signal, struct, sys, termios, time

def session(send, status, resize=False):
    pid, master = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        os.execv(sys.argv[1], ["uni", "run", "-t", "test.img"])
    before = None
    got = b""
    sent = resized = False
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            try:
                piece = os.read(master, 4096)
            except OSError:
                break
            if not piece:
                break
            got += piece
        if b"rows=30" in got and not sent:
            assert not termios.tcgetattr(master)[3] & termios.ICANON, "the terminal is not raw"
            os.write(master, send)
            sent = True
        if resize and b"\\x03" in got and not resized:
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 90, 0, 0))
            resized = True
    _, code = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(code) == status, (code, got)
    return got

got = session(b"a\x03\x1a\xff", 6, resize=True)
assert b"stdio=tty,rows=30,cols=100" in got, got
assert b"b'a\\x03\\x1a\\xff'" in got, got
assert b"winsize 40 90" in got, got
session(b"\x1d\x1d\x1d", 143)
PY

# The modes are put back: compared around a run inside one terminal.
guest 'out(b"hello", "tty"); exit_with(0)'
python3 - "$UNI" <<'PY'
import os, pty, subprocess, sys, termios
master, slave = pty.openpty()
before = termios.tcgetattr(slave)
for kill in (False, True):
    environment = dict(os.environ)
    if kill:
        environment["FAKE_GUEST"] = "os.kill(os.getpid(), 9)"
    subprocess.run([sys.argv[1], "run", "-t", "test.img"], stdin=slave, stdout=slave, stderr=slave, env=environment)
    assert termios.tcgetattr(slave) == before, "the terminal's modes changed"
PY
