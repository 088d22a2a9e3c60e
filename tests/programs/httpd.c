// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server: a thread per connection, keep-alive. "/" greets, "/threads" counts the threads that served
// so far, "/quit" answers and ends the program with status 0. usage: httpd [PORT]
#define _GNU_SOURCE
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_int served;

static void answer(int fd, const char* body) {
  char text[512];
  int size = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
                      strlen(body), body);
  if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size) return;
}

static void* serve(void* argument) {
  int fd = (int)(long)argument;
  char request[4096];
  size_t have = 0;
  served++;
  for (;;) {
    ssize_t got = recv(fd, request + have, sizeof request - 1 - have, 0);
    if (got <= 0) break;
    have += (size_t)got;
    request[have] = 0;
    char* end = strstr(request, "\r\n\r\n");
    if (!end) {
      if (have == sizeof request - 1) break;
      continue;
    }
    char body[64];
    if (!strncmp(request, "GET /quit ", 10)) {
      answer(fd, "bye\n");
      shutdown(fd, SHUT_WR);
      while (recv(fd, request, sizeof request, 0) > 0) {
      }
      exit(0);
    }
    if (!strncmp(request, "GET /threads ", 13)) {
      snprintf(body, sizeof body, "threads %d\n", served);
      answer(fd, body);
    } else {
      answer(fd, "hello world\n");
    }
    size_t used = (size_t)(end + 4 - request);
    memmove(request, request + used, have - used);
    have -= used;
  }
  close(fd);
  return NULL;
}

int main(int argc, char** argv) {
  int on = 1;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 8080))};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (void*)&address, sizeof address) || listen(listener, 512)) {
    perror("listen");
    return 1;
  }
  printf("listening\n");
  fflush(stdout);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, (void*)(long)fd))
      close(fd);
    else
      pthread_detach(thread);
  }
}
