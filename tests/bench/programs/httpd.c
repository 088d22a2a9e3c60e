// SPDX-License-Identifier: Apache-2.0
// A minimal HTTP/1.1 keep-alive server on epoll, port 8080: gcc -O2 -static httpd.c -o httpd
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello world\n";
int main(void) {
  int on = 1, l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), e = epoll_create1(0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8080)};
  setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(l, (void*)&a, sizeof a) || listen(l, 512)) {
    perror("listen");
    return 1;
  }
  struct epoll_event ev = {.events = EPOLLIN, .data.fd = l}, evs[64];
  epoll_ctl(e, EPOLL_CTL_ADD, l, &ev);
  printf("httpd: listening\n");
  fflush(stdout);
  for (;;) {
    int n = epoll_wait(e, evs, 64, -1);
    for (int i = 0; i < n; i++) {
      int f = evs[i].data.fd;
      if (f == l) {
        int c;
        while ((c = accept4(l, 0, 0, SOCK_NONBLOCK)) >= 0) {
          setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          ev.events = EPOLLIN;
          ev.data.fd = c;
          epoll_ctl(e, EPOLL_CTL_ADD, c, &ev);
        }
        continue;
      }
      char b[8192];
      long r = read(f, b, sizeof b - 1);
      if (r <= 0) {
        close(f);
        continue;
      }
      b[r] = 0;
      for (char* p = b; (p = strstr(p, "\r\n\r\n")); p += 4)
        if (write(f, ok, sizeof ok - 1) < 0) break;
    }
  }
}
