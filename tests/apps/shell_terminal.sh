#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An interactive shell in the guest behind `uni run -t`: ^C, ^Z, fg, background reads, window size, a full-screen editor.
. "$(dirname "$0")/../lib.sh"
pack shell.img "$(command -v busybox)" --processes exec -- sh -i
python3 - "$UNI" << 'PY'
import fcntl, os, pty, re, select, struct, sys, termios, time

LIMIT = 60
pid, master = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    os.execv(sys.argv[1], ["uni", "run", "-t", "shell.img"])
seen = b""

def read_on():
    global seen
    if select.select([master], [], [], 1)[0]:
        try:
            seen += os.read(master, 4096)
        except OSError:
            return False
    return True

def wait(pattern):
    """Reads until the pattern comes; gives what was before it, and forgets all of it."""
    global seen
    end = time.monotonic() + LIMIT
    while not (found := re.search(pattern, seen)):
        if time.monotonic() > end or not read_on():
            sys.exit(f"no {pattern!r} in {seen!r}")
    before, seen = seen[: found.start()], seen[found.end() :]
    return before

def type_in(keys):
    os.write(master, keys)

def run(line, pattern):
    type_in(line + b"\n")
    wait(rb"\n")  # its echo
    wait(pattern)

# The prompt is set so that its text is not in the line that sets it.
type_in(b"PS1='rea''dy> '\n")
wait(rb"ready> ")
run(b"tty", rb"/dev/pts/0\r\n")
wait(rb"ready> ")
run(b"stty size", rb"30 100\r\n")
wait(rb"ready> ")
# ^C when it runs: the echo comes from itself.
type_in(b"(echo go; exec sleep 1000)\n")
wait(rb"\ngo\r\n")
type_in(b"\x03")
wait(rb"ready> ")
run(b"echo status $?", rb"status 130\r\n")
wait(rb"ready> ")
type_in(b"(echo go; exec sleep 1000)\n")
wait(rb"\ngo\r\n")
type_in(b"\x1a")
wait(rb"Stopped")
wait(rb"ready> ")
run(b"jobs", rb"Stopped")
wait(rb"ready> ")
run(b"bg; jobs", rb"Running")
wait(rb"ready> ")
type_in(b"fg\n")
wait(rb"\n.*sleep.*\r\n")
type_in(b"\x03")
wait(rb"ready> ")
run(b"echo status $?", rb"status 130\r\n")
wait(rb"ready> ")
# A background job that reads is stopped until it is in the foreground.
type_in(b"cat &\n")
wait(rb"ready> ")
run(b"while ! jobs | grep -q Stopped; do usleep 10000; done; echo now", rb"now\r\n")
wait(rb"ready> ")
type_in(b"fg\n")
wait(rb"\n.*cat.*\r\n")
type_in(b"a line\n\x04")
wait(rb"a line\r\na line\r\n")
wait(rb"ready> ")
# The window changes, and a program that waits hears of it.
type_in(b"sh -c 'trap \"stty size; exit\" WINCH; echo go; while :; do usleep 10000; done'\n")
wait(rb"\ngo\r\n")
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 90, 0, 0))
wait(rb"40 90\r\n")
wait(rb"ready> ")
# A full-screen editor, key by key as a user sees it; Enter is a carriage return there.
type_in(b"vi /tmp/text\n")
for seen_first, keys in ((rb"- /tmp/text", b"i"), (rb"I /tmp/text", b"hello"), (rb"hello", b"\x1b"), (rb"- /tmp/text", b":wq\r")):
    wait(seen_first)
    type_in(keys)
wait(rb"ready> ")
run(b"cat /tmp/text", rb"hello\r\n")
wait(rb"ready> ")
type_in(b"exit 7\n")
end = time.monotonic() + LIMIT
while time.monotonic() < end and read_on():
    pass
_, code = os.waitpid(pid, 0)
assert os.waitstatus_to_exitcode(code) == 7, (code, seen)
PY
