#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two ways to press the network device: datagrams in one direction, more than its rings hold, with no frame coming back;
# and many small writes behind a closed window, which become one segment of many pieces.
. "$(dirname "$0")/../lib.sh"
cat > sends.c << 'C'
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char data[65536];

static int datagrams(const struct sockaddr_in* to) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (connect(fd, (const struct sockaddr*)to, sizeof *to) != 0) return 1;
  int sent = 0;
  for (int i = 0; i < 4000; ++i) sent += send(fd, data, 1000, 0) == 1000;
  printf("sent %d\n", sent);
  return 0;
}

static int small_writes(const struct sockaddr_in* to) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (connect(fd, (const struct sockaddr*)to, sizeof *to) != 0) return 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  struct pollfd p = {fd, POLLOUT, 0};
  long written = 0;
  while (poll(&p, 1, 1000) == 1) {
    const ssize_t part = write(fd, data, sizeof data);
    if (part > 0) written += part;
  }
  printf("full\n");
  fflush(stdout);
  if (poll(&p, 1, 30000) != 1) return 2;  // the peer reads a little
  int small = 0;
  for (int i = 0; i < 100; ++i) small += write(fd, "small", 5) == 5;
  printf("%d small writes\n", small);
  fflush(stdout);
  fcntl(fd, F_SETFL, 0);
  if (write(fd, "end.", 4) != 4) return 3;
  shutdown(fd, SHUT_WR);
  char answer[32] = "";
  if (read(fd, answer, sizeof answer - 1) <= 0) return 4;
  printf("the peer has %ld bytes more\n", atol(answer) - written);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 4) return 9;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[3]))};
  inet_pton(AF_INET, argv[2], &to.sin_addr);
  return strcmp(argv[1], "datagrams") == 0 ? datagrams(&to) : small_writes(&to);
}
C
cc -O1 -static -o sends sends.c
pack sends.img ./sends
cat > peer.py << 'PY'
import os, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if sys.argv[1] == "datagrams" else socket.SOCK_STREAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.bind(("127.0.0.1", 0))
if sys.argv[1] == "datagrams":
    print(s.getsockname()[1], flush=True)
    time.sleep(100)  # it listens, and reads nothing: the script ends it
    sys.exit("the guest did not end")
s.listen()
print(s.getsockname()[1], flush=True)
def wait(name):
    for _ in range(600):
        if os.path.exists(name):
            return
        time.sleep(0.1)
    sys.exit(f"no {name}")
c = s.accept()[0]
c.settimeout(60)
total, tail = 0, b""
def take(limit):
    global total, tail
    while total < limit:
        part = c.recv(65536)
        if not part:
            return
        total += len(part)
        tail = (tail + part)[-504:]
wait("full")
# Slowly, until there is room for the small writes at the end of what waits.
for _ in range(1000):
    if os.path.exists("rest"):
        break
    take(total + 65536)
    time.sleep(0.03)
take(1 << 40)
print(tail == b"small" * 100 + b"end.", flush=True)
c.sendall(b"%d\n" % total)
PY

# peer KIND: starts the other end; its port in $port.
peer() {
  rm -f peer.out
  python3 peer.py "$1" > peer.out 2> peer.err &
  peer_pid=$!
  for _ in $(seq 100); do [ ! -s peer.out ] || break; sleep 0.1; done
  port=$(head -n 1 peer.out)
}

peer datagrams
guest --net user --host-loopback sends.img -- datagrams 10.0.2.2 "$port"
ended 0 60
kill "$peer_pid"
same "datagrams" "$(cat guest.out)" "sent 4000"

peer stream
guest --net user --host-loopback sends.img -- stream 10.0.2.2 "$port"
await 60 grep -q full guest.out
touch full
await 60 grep -q small guest.out
touch rest
ended 0 60
wait "$peer_pid"
same "the end of the stream" "$(tail -n 1 peer.out)" True
same "small writes" "$(tail -n 2 guest.out)" $'100 small writes\nthe peer has 504 bytes more'
