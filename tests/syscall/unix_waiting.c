// SPDX-License-Identifier: Apache-2.0
// Who waits for room in an AF_UNIX socket's queue, to send a datagram or to connect, learns that the socket is closed.
#include <sys/socket.h>
#include <sys/un.h>

#include "check.h"

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "s"};
static int first, second;

static void* sender(void* socket) {
  int fd = *(int*)socket;
  long got;
  do
    got = send(fd, "x", 1, 0);
  while (got == 1);
  SAY("send: %ld %s", got, error_name(errno));
  return NULL;
}

static void* sender_to_name(void* unused) {
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  long got;
  do
    got = sendto(fd, "x", 1, 0, (void*)&address, sizeof address);
  while (got == 1);
  SAY("sendto: %ld %s", got, error_name(errno));
  return unused;
}

static void* connector(void* unused) {
  for (;;) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (void*)&address, sizeof address) == 0) continue;
    SAY("connect: %s", error_name(errno));
    return unused;
  }
}

// Does the other thread sleep, so that it waits for room?
static int other_sleeps(void) {
  char path[64], text[256];
  for (int tid = getpid() + 1; tid < getpid() + 100; ++tid) {
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    FILE* file = fopen(path, "r");
    if (file == NULL) continue;
    const char* state = fgets(text, sizeof text, file) != NULL ? strrchr(text, ')') : NULL;
    fclose(file);
    return state != NULL && state[2] == 'S';
  }
  return 0;
}

static void close_while(void* (*function)(void*), void* argument, int fd) {
  pthread_t t;
  pthread_create(&t, NULL, function, argument);
  for (int i = 0; i < 5000 && !other_sleeps(); ++i)
    usleep(1000);
  const int closed = close(fd);
  pthread_join(t, NULL);  // it prints first
  RET(closed);
}

int main(void) {
  scratch();
  signal(SIGPIPE, SIG_IGN);
  first = socket(AF_UNIX, SOCK_DGRAM, 0);
  RET(bind(first, (void*)&address, sizeof address));
  second = socket(AF_UNIX, SOCK_DGRAM, 0);
  RET(connect(second, (void*)&address, sizeof address));
  close_while(sender, &second, first);
  unlink("s");
  first = socket(AF_UNIX, SOCK_DGRAM, 0);
  RET(bind(first, (void*)&address, sizeof address));
  close_while(sender_to_name, NULL, first);
  unlink("s");
  first = socket(AF_UNIX, SOCK_STREAM, 0);
  RET(bind(first, (void*)&address, sizeof address));
  RET(listen(first, 1));
  close_while(connector, NULL, first);
  return done();
}
