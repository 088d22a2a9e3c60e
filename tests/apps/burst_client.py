#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens COUNT connections at once, sends a request on each, and asks that every answer comes within a second of the rest.

usage: burst_client.py PORT COUNT"""
import resource
import select
import socket
import sys
import time

REQUEST = b"GET / HTTP/1.1\r\nHost: uni\r\n\r\n"
SPREAD = 1.0  # seconds between the first answer and the last


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 200) if hard > 0 else count + 200, hard))
    poll, waiting, sent = select.epoll(), {}, set()
    start = time.monotonic()
    for _ in range(count):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", port))
        waiting[s.fileno()] = s
        poll.register(s.fileno(), select.EPOLLOUT)
    answered, failed = [], []
    while waiting and time.monotonic() - start < 60:
        for fd, _ in poll.poll(1):
            s = waiting[fd]
            try:
                if fd not in sent:
                    s.send(REQUEST)
                    sent.add(fd)
                    poll.modify(fd, select.EPOLLIN)
                    continue
                data = s.recv(4096)
                (answered if data.startswith(b"HTTP/1.1 200") else failed).append(time.monotonic() - start)
            except OSError as why:
                failed.append(str(why))
            poll.unregister(fd)
            waiting.pop(fd).close()
    spread = max(answered) - min(answered) if answered else 0
    print(f"{len(answered)} answered, {len(failed)} failed, {len(waiting)} silent; spread {spread:.2f} s")
    return 0 if len(answered) == count and spread <= SPREAD else 1


sys.exit(main())
