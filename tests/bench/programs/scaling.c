// SPDX-License-Identifier: Apache-2.0
// What a second processor gives, as `NAME NS OPS` lines: work that two threads share, and a server with a thread for
// each of four connections, whose clients are in the same machine. Each answer takes about a third of a millisecond to
// find.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kPieces = 400, kThreads = 2, kClients = 4, kRequests = 300, kRounds = 100000 };

static uint64_t find(uint64_t seed) {
  for (int i = 0; i < kRounds; ++i) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
  }
  return seed;
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char* name, double begin, int count) {
  printf("%s %.1f %d\n", name, (seconds() - begin) * 1e9 / count, count);
  fflush(stdout);
}

static void* compute(void* sum) {
  for (int i = 0; i < kPieces / kThreads; ++i)
    *(uint64_t*)sum += find((uint64_t)i + 1);
  return NULL;
}

static void* serve(void* descriptor) {
  const int fd = (int)(intptr_t)descriptor;
  uint64_t seed;
  while (read(fd, &seed, sizeof seed) == sizeof seed) {
    seed = find(seed);
    if (write(fd, &seed, sizeof seed) != sizeof seed) break;
  }
  close(fd);
  return NULL;
}

static void* accept_all(void* listener) {
  const int on = 1;
  for (int i = 0; i < kClients; ++i) {
    pthread_t t;
    const int fd = accept((int)(intptr_t)listener, NULL, NULL);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pthread_create(&t, NULL, serve, (void*)(intptr_t)fd);
    pthread_detach(t);
  }
  return NULL;
}

static struct sockaddr_in here = {.sin_family = AF_INET};

static void* ask(void* wrong) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  uint64_t answer;
  if (connect(fd, (struct sockaddr*)&here, sizeof here) != 0) *(int*)wrong = 1;
  for (int i = 0; i < kRequests; ++i) {
    const uint64_t seed = (uint64_t)i + 1;
    if (write(fd, &seed, sizeof seed) != sizeof seed || read(fd, &answer, sizeof answer) != sizeof answer)
      *(int*)wrong = 1;
  }
  close(fd);
  return NULL;
}

static void run(int count, void* (*body)(void*), void* argument, size_t stride) {
  pthread_t t[kClients];
  for (int i = 0; i < count; ++i)
    pthread_create(&t[i], NULL, body, (char*)argument + (size_t)i * stride);
  for (int i = 0; i < count; ++i)
    pthread_join(t[i], NULL);
}

int main(void) {
  uint64_t sums[kThreads * 8] = {0};
  int wrong[kClients] = {0};
  run(kThreads, compute, sums, 64);  // once for the clocks and caches
  double begin = seconds();
  run(kThreads, compute, sums, 64);
  report("compute", begin, kPieces);
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  here.sin_port = htons(8099);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&here, sizeof here) != 0 || listen(listener, kClients) != 0) return 1;
  pthread_t acceptor;
  pthread_create(&acceptor, NULL, accept_all, (void*)(intptr_t)listener);
  begin = seconds();
  run(kClients, ask, wrong, sizeof wrong[0]);
  if (wrong[0] | wrong[1] | wrong[2] | wrong[3]) return 1;
  report("threaded_server", begin, kClients * kRequests);
  return 0;
}
