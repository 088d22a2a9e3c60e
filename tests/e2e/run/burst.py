#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens N connections at once, sends an HTTP request on each, and awaits the N answers.

usage: burst.py ADDRESS PORT N [SECONDS]

Prints the milliseconds to the first and to the last answer. Fails where an answer is missing or the last one comes more
than SECONDS (1) after the first."""
import selectors
import socket
import sys
import time


def main(address, port, count, seconds):
    waiting = selectors.DefaultSelector()
    begin = time.monotonic()
    for _ in range(count):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex((address, port))
        waiting.register(s, selectors.EVENT_WRITE)
    answers, failures = [], []
    while len(answers) + len(failures) < count and time.monotonic() - begin < 60:
        for key, events in waiting.select(1):
            s = key.fileobj
            try:
                if events & selectors.EVENT_WRITE:
                    error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if error:
                        raise OSError(error, "connect")
                    s.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
                    waiting.modify(s, selectors.EVENT_READ)
                    continue
                if not s.recv(4096).startswith(b"HTTP/1.1 200"):
                    raise OSError(0, "no answer")
                answers.append(time.monotonic() - begin)
            except OSError as error:
                failures.append(str(error))
            waiting.unregister(s)
    if len(answers) < count:
        sys.exit(f"{len(answers)} of {count} connections were answered, {len(failures)} failed: {set(failures)}")
    print(f"{count} answers, first after {min(answers) * 1000:.0f} ms, last after {max(answers) * 1000:.0f} ms")
    if max(answers) - min(answers) > seconds:
        sys.exit(f"the last answer came {max(answers) - min(answers):.2f} s after the first")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]) if len(sys.argv) > 4 else 1.0)
