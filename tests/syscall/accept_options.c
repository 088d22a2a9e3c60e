// SPDX-License-Identifier: Apache-2.0
// What an accepted socket has of its listener's options.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include "check.h"

static const struct {
  const char* name;
  int level, option, value;
} kOptions[] = {
    {"SO_ZEROCOPY", SOL_SOCKET, SO_ZEROCOPY, 1},
    {"SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1},
    {"SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, 1},
    {"SO_DONTROUTE", SOL_SOCKET, SO_DONTROUTE, 1},
    {"SO_PRIORITY", SOL_SOCKET, SO_PRIORITY, 3},
    {"SO_MARK", SOL_SOCKET, SO_MARK, 7},
    {"SO_RCVLOWAT", SOL_SOCKET, SO_RCVLOWAT, 5},
    {"SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1},
    {"SO_TIMESTAMP", SOL_SOCKET, SO_TIMESTAMP, 1},
    {"SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 20000},
    {"SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 20000},
    {"TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1},
    {"TCP_CORK", IPPROTO_TCP, TCP_CORK, 1},
    {"TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 30},
    {"TCP_KEEPINTVL", IPPROTO_TCP, TCP_KEEPINTVL, 4},
    {"TCP_KEEPCNT", IPPROTO_TCP, TCP_KEEPCNT, 3},
    {"TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT, 3},
    {"TCP_LINGER2", IPPROTO_TCP, TCP_LINGER2, 20},
    {"TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 5000},
    {"TCP_NOTSENT_LOWAT", IPPROTO_TCP, TCP_NOTSENT_LOWAT, 16384},
    {"IP_TOS", IPPROTO_IP, IP_TOS, 16},
    {"IP_TTL", IPPROTO_IP, IP_TTL, 9},
};

int main(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  for (size_t i = 0; i < sizeof kOptions / sizeof *kOptions; ++i) {
    if (setsockopt(listener, kOptions[i].level, kOptions[i].option, &kOptions[i].value, sizeof(int)) != 0)
      SAY("%s: %s", kOptions[i].name, error_name(errno));
  }
  RET(bind(listener, (struct sockaddr*)&at, sizeof at));
  RET(listen(listener, 1));
  getsockname(listener, (struct sockaddr*)&at, &size);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  RET(connect(client, (struct sockaddr*)&at, sizeof at));
  const int accepted = accept(listener, NULL, NULL);
  for (size_t i = 0; i < sizeof kOptions / sizeof *kOptions; ++i) {
    int value = -1;
    socklen_t length = sizeof value;
    const int done = getsockopt(accepted, kOptions[i].level, kOptions[i].option, &value, &length);
    SAY("%s: %d %d", kOptions[i].name, done, value);
  }
  return 0;
}
