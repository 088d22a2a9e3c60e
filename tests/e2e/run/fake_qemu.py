#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for QEMU in tests of `uni run`: takes the same arguments, finds the channels in them, and plays a guest.

$FAKE_GUEST is the guest: Python statements that use the functions below."""
import os
import re
import signal
import socket
import sys
import time

ARGS = sys.argv[1:]


def options(flag):
    return [ARGS[i + 1] for i, a in enumerate(ARGS) if a == flag]


def _channels():
    by_id = {}
    for text in options("-chardev"):
        found = re.match(r"socket,id=(\w+),fd=(\d+)$", text)
        if found:
            by_id[found[1]] = socket.socket(fileno=int(found[2]))
    named = {"log": by_id["log"]}
    for text in options("-device"):
        found = re.match(r"virtserialport,.*chardev=(\w+),name=uni\.(\w+)", text)
        if found:
            named[found[2]] = by_id[found[1]]
    return named


PORT = _channels()


def records():
    (path,) = options("-initrd")
    with open(path, "rb") as file:
        return file.read().split(b"\0\0")[0].decode().split("\0")


def say(line):
    """A control line to the host."""
    PORT["control"].sendall(line.encode() + b"\n")


def heard():
    """The next control line from the host, empty at the end."""
    line = b""
    while not line.endswith(b"\n"):
        byte = PORT["control"].recv(1)
        if not byte:
            return ""
        line += byte
    return line.decode().strip()


def out(data, port="stdout"):
    PORT[port].sendall(data)


def read(size=65536, port="stdin"):
    return PORT[port].recv(size)


def log(text):
    PORT["log"].sendall(text.encode())


def exit_with(status):
    say(f"exit {status}")
    sys.exit(0)


if __name__ == "__main__":
    os.chdir("/")
    for port in PORT.values():
        port.setblocking(True)
    exec(compile(os.environ["FAKE_GUEST"], "guest", "exec"),  # the test's own text
         globals() | {"os": os, "signal": signal, "time": time, "sys": sys})
