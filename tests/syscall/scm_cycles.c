// SPDX-License-Identifier: Apache-2.0
// SCM_RIGHTS in rings: sockets that travel through each other and have no descriptor left end, and with them what waits
// in their queues; those that can still be received stay. And how many descriptors a user may have on their way.
// run: guest processes=fork
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "check.h"

static long send_fds(int to, const int* fds, int count) {
  char byte = 'x', control[CMSG_SPACE(16 * sizeof(int))] = {0};
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control};
  message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
  struct cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
  memcpy(CMSG_DATA(head), fds, (size_t)count * sizeof(int));
  return sendmsg(to, &message, MSG_DONTWAIT);
}

// How many descriptors came.
static int receive_fds(int from, int* fds) {
  char byte, control[CMSG_SPACE(16 * sizeof(int))];
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(from, &message, MSG_DONTWAIT) != 1) return -1;
  struct cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (head == NULL) return 0;
  int count = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  memcpy(fds, CMSG_DATA(head), (size_t)count * sizeof(int));
  return count;
}

static void look(void) {
  int pair[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  close(pair[0]);
  close(pair[1]);
}

// Does the pipe hang up, which it does when its last writer has gone?
static int ended(int reader) {
  struct pollfd end = {reader, POLLIN, 0};
  look();  // Linux looks for rings when a socket is closed
  return poll(&end, 1, 10000) == 1 && (end.revents & POLLHUP) != 0;
}

static int alive(int reader) {
  struct pollfd end = {reader, POLLIN, 0};
  look();
  return poll(&end, 1, 200) == 0;
}

static void self_ring(int type) {
  int pair[2], pipes[2];
  socketpair(AF_UNIX, type, 0, pair);
  pipe(pipes);
  int fds[] = {pair[0], pipes[1]};
  RET(send_fds(pair[1], fds, 2));
  close(pipes[1]);
  IS(alive(pipes[0]));
  close(pair[0]);
  IS(ended(pipes[0]));
  RET(send(pair[1], "x", 1, MSG_NOSIGNAL));
  close(pair[1]);
  close(pipes[0]);
}

// Both ends in each other's queue.
static void crossed_ring(int type) {
  int pair[2], pipes[2];
  socketpair(AF_UNIX, type, 0, pair);
  pipe(pipes);
  int first[] = {pair[0], pipes[1]}, second[] = {pair[1], pair[0], pair[0]};
  RET(send_fds(pair[1], first, 2));
  RET(send_fds(pair[0], second, 3));
  close(pipes[1]);
  close(pair[0]);
  close(pair[1]);
  IS(ended(pipes[0]));
  close(pipes[0]);
}

// A connection that waits to be accepted holds the listener itself.
static void waiting_ring(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  int pipes[2];
  pipe(pipes);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
  bind(listener, (struct sockaddr*)&name, sizeof(sa_family_t));
  socklen_t length = sizeof name;
  getsockname(listener, (struct sockaddr*)&name, &length);
  listen(listener, 5);
  RET(connect(client, (struct sockaddr*)&name, length));
  int fds[] = {listener, pipes[1]};
  RET(send_fds(client, fds, 2));
  close(pipes[1]);
  close(listener);
  close(client);
  IS(ended(pipes[0]));
  close(pipes[0]);
}

// One ring behind another: the second hangs on the first.
static void chained_rings(void) {
  int a[2], b[2], pipes[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, a);
  socketpair(AF_UNIX, SOCK_STREAM, 0, b);
  pipe(pipes);
  int first[] = {a[0], b[0]}, second[] = {b[0], pipes[1]};
  RET(send_fds(a[1], first, 2));
  RET(send_fds(b[1], second, 2));
  close(pipes[1]);
  close(a[1]);
  close(b[0]);
  close(b[1]);
  IS(alive(pipes[0]));
  close(a[0]);
  IS(ended(pipes[0]));
  close(pipes[0]);
}

// What can be received is received, however deep it lies.
static void reachable(void) {
  int a[2], b[2], c[2], pipes[2], got[4];
  socketpair(AF_UNIX, SOCK_STREAM, 0, a);
  socketpair(AF_UNIX, SOCK_DGRAM, 0, b);
  socketpair(AF_UNIX, SOCK_SEQPACKET, 0, c);
  pipe(pipes);
  int first[] = {b[0], b[0]}, second[] = {c[0], c[1], b[0]}, third[] = {c[0], c[1], pipes[1]};
  RET(send_fds(a[1], first, 2));
  RET(send_fds(b[1], second, 3));
  RET(send_fds(c[1], third, 3));
  close(pipes[1]);
  for (int i = 0; i < 2; ++i) {
    close(b[i]);
    close(c[i]);
  }
  IS(alive(pipes[0]));
  RET(receive_fds(a[0], got));
  int from_a = got[0];
  close(got[1]);
  IS(alive(pipes[0]));
  RET(receive_fds(from_a, got));
  int from_b = got[0];
  close(got[1]);
  close(got[2]);
  IS(alive(pipes[0]));
  RET(receive_fds(from_b, got));
  RET(write(got[2], "deep", 4));
  char text[5] = "";
  RET(read(pipes[0], text, 4));
  SAY("%s", text);
  close(got[2]);
  IS(ended(pipes[0]));
  close(got[0]);
  close(got[1]);
  close(from_a);
  close(from_b);
  close(a[0]);
  close(a[1]);
  close(pipes[0]);
}

// Without the search this would be too many on their way.
static void many_rings(void) {
  int rings = 0;
  for (int i = 0; i < 40; ++i) {
    int pair[2], pipes[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || pipe(pipes) != 0) break;
    int fds[] = {pair[0], pair[1], pipes[1]};
    if (send_fds(pair[1], fds, 3) != 1) break;
    close(pipes[1]);
    close(pair[0]);
    close(pair[1]);
    rings += ended(pipes[0]);
    close(pipes[0]);
  }
  RET(rings);
}

static void limit(void) {
  enum { kMost = 30 };
  int pair[2], pipes[2], got[4];
  struct rlimit files = {kMost, kMost};
  RET(setrlimit(RLIMIT_NOFILE, &files));
  RET(setresuid(45678, 45678, 45678));
  many_rings();
  socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
  pipe(pipes);
  int sent = 0;
  while (sent < 100 && send_fds(pair[1], pipes, 1) == 1)
    sent++;
  RET(sent);
  RET(send_fds(pair[1], pipes, 1));
  RET(send(pair[1], "x", 1, 0));
  RET(receive_fds(pair[0], got));
  RET(send_fds(pair[1], pipes, 2));
  RET(send_fds(pair[1], pipes, 1));
  pid_t child = fork();  // the user's, not the process's
  if (child == 0) {
    RET(send_fds(pair[1], pipes, 1));
    _exit(0);
  }
  waitpid(child, NULL, 0);
  close(pair[0]);
  close(pair[1]);
  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  RET(send_fds(pair[1], pipes, 1));
}

int main(void) {
  self_ring(SOCK_STREAM);
  self_ring(SOCK_DGRAM);
  self_ring(SOCK_SEQPACKET);
  crossed_ring(SOCK_STREAM);
  crossed_ring(SOCK_DGRAM);
  waiting_ring();
  chained_rings();
  reachable();
  pid_t child = fork();
  if (child == 0) {
    limit();
    _exit(check_failures != 0);
  }
  int status;
  waitpid(child, &status, 0);
  RET(status);
  return done();
}
