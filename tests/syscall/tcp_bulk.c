// SPDX-License-Identifier: Apache-2.0
// TCP over loopback carries megabytes unchanged, both ways at once, with many connections.
#include <netinet/in.h>
#include <sys/socket.h>

#include "check.h"

static struct sockaddr_in address = {.sin_family = AF_INET};
static int listener;
enum { kBytes = 2 << 20, kClients = 12 };

static unsigned char byte_at(long i, int seed) {
  return (unsigned char)(i * 31 + i / 251 + seed);
}

static void* sender(void* argument) {
  int fd = (int)(long)argument & 0xffff, seed = (int)((long)argument >> 16);
  unsigned char b[7000];
  for (long at = 0; at < kBytes;) {
    long n = kBytes - at < (long)sizeof b ? kBytes - at : (long)sizeof b;
    for (long i = 0; i < n; i++)
      b[i] = byte_at(at + i, seed);
    for (long put = 0; put < n;) {
      long r = send(fd, b + put, (size_t)(n - put), MSG_NOSIGNAL);
      if (r <= 0) return (void*)1;
      put += r;
    }
    at += n;
  }
  shutdown(fd, SHUT_WR);
  return NULL;
}

static long receive(int fd, int seed) {
  unsigned char b[9000];
  long at = 0, wrong = 0;
  for (long n; (n = recv(fd, b, sizeof b, 0)) > 0; at += n)
    for (long i = 0; i < n; i++)
      wrong += b[i] != byte_at(at + i, seed);
  return wrong ? -wrong : at;
}

static void* short_client(void* number) {
  char b[16], want[16];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (void*)&address, sizeof address)) return (void*)1;
  int n = snprintf(want, sizeof want, "number %ld", (long)number);
  send(fd, want, (size_t)n, 0);
  long bad = recv(fd, b, sizeof b, MSG_WAITALL) != n || memcmp(b, want, (size_t)n);
  close(fd);
  return (void*)bad;
}

int main(void) {
  listener = socket(AF_INET, SOCK_STREAM, 0);
  socklen_t size = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind(listener, (void*)&address, sizeof address);
  listen(listener, 64);
  getsockname(listener, (void*)&address, &size);
  int c = socket(AF_INET, SOCK_STREAM, 0);
  RET(connect(c, (void*)&address, sizeof address));
  int s = accept(listener, NULL, NULL);
  pthread_t a = start(sender, (void*)(long)(c | 1 << 16)), b = start(sender, (void*)(long)(s | 2 << 16));
  // Two senders at once: the receivers take turns in one thread each.
  RET(receive(s, 1));
  RET(receive(c, 2));
  join(a);
  join(b);
  close(c);
  close(s);
  // Many short connections, echoed.
  pthread_t t[kClients];
  long bad = 0;
  for (int round = 0; round < 5; round++) {
    for (long i = 0; i < kClients; i++)
      t[i] = start(short_client, (void*)i);
    for (int i = 0; i < kClients; i++) {
      char buffer[32];
      s = accept(listener, NULL, NULL);
      long n = recv(s, buffer, sizeof buffer, 0);
      send(s, buffer, (size_t)n, 0);
      shutdown(s, SHUT_WR);
      recv(s, buffer, 1, 0);
      close(s);
    }
    for (int i = 0; i < kClients; i++) {
      void* value;
      pthread_join(t[i], &value);
      bad += (long)value;
    }
  }
  RET(bad);
  return done();
}
