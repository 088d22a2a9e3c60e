#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A memcached client: usage: memcached_client.py PORT version|work"""
import socket
import sys
import threading


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.file = self.socket.makefile("rb")

    def line(self, text, data=None):
        self.socket.sendall(text.encode() + b"\r\n" + (data + b"\r\n" if data is not None else b""))
        return self.file.readline().strip()

    def get(self, key):
        header = self.line(f"get {key}").split()
        if header[0] == b"END":
            return None
        value = self.file.read(int(header[3]) + 2)[:-2]
        assert self.file.readline().strip() == b"END"
        return value


def work(port, number, wrong):
    try:
        client = Client(port)
        for size in (0, 1, 100, 1400, 5000, 70000, 500000):
            value = bytes((i * 7 + number) % 256 for i in range(min(size, 4096))) * (size // 4096 + 1)
            value = value[:size]
            if client.line(f"set key-{number}-{size} 0 0 {size}", value) != b"STORED" or client.get(f"key-{number}-{size}") != value:
                wrong.append(f"client {number}, {size} bytes")
        client.line(f"set count-{number} 0 0 1", b"0")
        for i in range(200):
            if client.line(f"incr count-{number} 1") != str(i + 1).encode():
                wrong.append(f"client {number}, increment {i}")
        if client.get("none") is not None:
            wrong.append("a key that is not there")
    except (OSError, AssertionError, IndexError, ValueError) as why:
        wrong.append(f"client {number}: {why!r}")


def main():
    port = int(sys.argv[1])
    if sys.argv[2] == "version":
        return 0 if Client(port).line("version").startswith(b"VERSION") else 1
    wrong = []
    threads = [threading.Thread(target=work, args=(port, n, wrong)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("\n".join(wrong) if wrong else "all values came back")
    return 1 if wrong else 0


sys.exit(main())
