#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A client that uses its own port again while the guest, which closed the connection, still keeps it in TIME_WAIT. And so
# many connections that more would wait than the guest keeps.
. "$(dirname "$0")/../lib.sh"
cat > closes.c << 'C'
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(7000)};
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&at, sizeof at) != 0 || listen(listener, 100) != 0) return 1;
  for (;;) {
    const int client = accept(listener, NULL, NULL);
    char word[16] = "";
    const ssize_t size = read(client, word, sizeof word - 1);
    if (size > 0) send(client, word, (size_t)size, MSG_NOSIGNAL);
    close(client);
    if (strcmp(word, "quit") == 0) return 0;
  }
}
C
cc -O1 -static -o closes closes.c
pack closes.img ./closes
port=$(free_port)
guest closes.img -p "$port:7000"
cat > client.py << 'PY'
import socket, sys
port, own, times = (int(a) for a in sys.argv[1:4])
word = sys.argv[4].encode()
for i in range(times):
    s = socket.socket()
    s.settimeout(15)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if own:
        s.bind(("127.0.0.1", own))
    s.connect(("127.0.0.1", port))
    s.sendall(word)
    got = s.recv(16)
    if got != word or s.recv(16) != b"":
        sys.exit(f"connection {i}: {got}")
    s.close()
print(times)
PY
await 60 python3 client.py "$port" 0 1 hello
same "with one port" "$(python3 client.py "$port" "$(free_port)" 20 again)" 20
same "with many ports" "$(python3 client.py "$port" 0 4200 many)" 4200
same "the end" "$(python3 client.py "$port" 0 1 quit)" 1
ended 0 20
