// SPDX-License-Identifier: Apache-2.0
// AF_UNIX streams: paths, abstract names, pairs, credentials, end-of-file, errors.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "check.h"

static struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "sock"};

static char client_got[16];

static void* client(void* unused) {
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  char b[16] = {0};
  if (connect(fd, (void*)&name, sizeof name)) SAY("connect: %s", error_name(errno));
  write(fd, "ping", 4);
  read(fd, b, 16);
  strcpy(client_got, b);
  close(fd);
  return unused;
}

int main(void) {
  scratch();
  char b[70000] = {0};
  int l = socket(AF_UNIX, SOCK_STREAM, 0);
  RET(connect(l, (void*)&name, sizeof name));
  RET(bind(l, (void*)&name, sizeof name));
  struct stat st;
  stat("sock", &st);
  IS(S_ISSOCK(st.st_mode));
  int second = socket(AF_UNIX, SOCK_STREAM, 0);
  RET(bind(second, (void*)&name, sizeof name));
  RET(connect(second, (void*)&name, sizeof name));
  RET(open("sock", O_RDONLY));
  RET(listen(l, 5));
  struct sockaddr_un got;
  socklen_t size = sizeof got;
  RET(getsockname(l, (void*)&got, &size));
  SAY("%s", got.sun_path);
  pthread_t t = start(client, NULL);
  int fd = accept(l, (void*)&got, &size);
  IS(fd >= 0);
  RET(size);
  RET(read(fd, b, 16));
  struct ucred cred;
  size = sizeof cred;
  RET(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size));
  IS(cred.pid == getpid() && cred.uid == getuid());
  RET(write(fd, "pong", 4));
  join(t);
  SAY("client got %s", client_got);
  RET(read(fd, b, 16));
  RET(send(fd, "x", 1, MSG_NOSIGNAL));
  close(fd);
  close(l);
  RET(connect(second, (void*)&name, sizeof name));
  RET(unlink("sock"));
  RET(connect(second, (void*)&name, sizeof name));
  // A name that begins with a zero byte lives outside the file system.
  struct sockaddr_un abstract = {.sun_family = AF_UNIX};
  memcpy(abstract.sun_path, "\0uni-abstract", 13);
  l = socket(AF_UNIX, SOCK_STREAM, 0);
  RET(bind(l, (void*)&abstract, 2 + 13));
  RET(listen(l, 5));
  RET(connect(second, (void*)&abstract, 2 + 13));
  fd = accept(l, NULL, NULL);
  IS(fd >= 0);
  close(fd);
  close(second);
  int p[2];
  RET(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, p));
  RET(read(p[0], b, 1));
  RET(send(p[0], "abcdef", 6, 0));
  RET(recv(p[1], b, 3, MSG_PEEK));
  RET(recv(p[1], b, 4, 0));
  RET(recv(p[1], b, 16, 0));
  long total = 0, n;
  while ((n = write(p[0], b, sizeof b)) > 0)
    total += n;
  IS(total > 16384 && errno == EAGAIN);
  long back = 0;
  while ((n = read(p[1], b, sizeof b)) > 0)
    back += n;
  IS(back == total);
  RET(shutdown(p[0], SHUT_WR));
  RET(read(p[1], b, 1));
  RET(write(p[1], "still", 5));
  RET(read(p[0], b, 5));
  struct pollfd f = {p[1], POLLIN | POLLRDHUP, 0};
  RET(poll(&f, 1, 0));
  RET(f.revents);
  close(p[0]);
  RET(poll(&f, 1, 0));
  RET(f.revents);
  RET(socketpair(AF_UNIX, SOCK_STREAM, 0, NULL));
  RET(socketpair(AF_INET, SOCK_STREAM, 0, p));
  return done();
}
