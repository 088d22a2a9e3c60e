// SPDX-License-Identifier: Apache-2.0
// Connects to ADDRESS PORT and tells what it sees of the urgent byte in "abcXdef"; then sends one in "sentUrest".
// With a third argument the byte is read inline.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t signals;
static void on_urgent(int number) {
  (void)number;
  signals++;
}

static void show_read(int fd) {
  char data[20] = "";
  int mark = 0;
  ssize_t n = recv(fd, data, sizeof data - 1, 0);
  ioctl(fd, SIOCATMARK, &mark);
  printf("read %zd `%s`, mark %d\n", n, data, mark);
}

int main(int count, char** words) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(words[2]))};
  inet_pton(AF_INET, words[1], &to.sin_addr);
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, waiting = 0;
  char byte = '-';
  sigaction(SIGURG, &(struct sigaction){.sa_handler = on_urgent, .sa_flags = SA_RESTART}, NULL);
  if (connect(fd, (void*)&to, sizeof to)) return perror("connect"), 1;
  if (count > 3) setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
  fcntl(fd, F_SETOWN, getpid());
  ssize_t n = recv(fd, &byte, 1, MSG_OOB);
  printf("nothing yet: %zd %s\n", n, strerrorname_np(errno));
  send(fd, "go", 2, 0);
  struct pollfd wait = {fd, POLLPRI, 0};
  while (poll(&wait, 1, 10000) < 0 && errno == EINTR) {
  }
  printf("poll %x, signal %d\n", wait.revents, signals > 0);
  // All of it is here once the last byte is.
  for (int i = 0; i < 100 && waiting < 3; i++) {
    ioctl(fd, FIONREAD, &waiting);
    usleep(10000);
  }
  sleep(1);
  if (count <= 3) {
    ioctl(fd, FIONREAD, &waiting);
    printf("waiting %d\n", waiting);
  }
  show_read(fd);
  errno = 0;
  n = recv(fd, &byte, 1, MSG_OOB);
  printf("urgent %zd `%c` %s\n", n, byte, errno ? strerrorname_np(errno) : "");
  errno = 0;
  n = recv(fd, &byte, 1, MSG_OOB);
  printf("again %zd %s\n", n, errno ? strerrorname_np(errno) : "");
  show_read(fd);
  send(fd, "sentU", 5, MSG_OOB);
  send(fd, "rest", 4, 0);
  shutdown(fd, SHUT_WR);
  show_read(fd);
  return 0;
}
