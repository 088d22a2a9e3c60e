// SPDX-License-Identifier: Apache-2.0
// mkfifo(3), fifo(7): opening waits for the other side; non-blocking opens do not.
#include "check.h"

static void* writer(void* unused) {
  int fd = open("p", O_WRONLY);
  write(fd, "through", 7);
  close(fd);
  return unused;
}

int main(void) {
  scratch();
  char b[16] = {0};
  RET(mkfifo("p", 0600));
  RET(mkfifo("p", 0600));
  RET(open("p", O_WRONLY | O_NONBLOCK));
  int r = open("p", O_RDONLY | O_NONBLOCK);
  IS(r >= 0);
  RET(read(r, b, 1));
  int w = open("p", O_WRONLY | O_NONBLOCK);
  IS(w >= 0);
  RET(read(r, b, 1));
  RET(write(w, "one", 3));
  RET(read(r, b, 16));
  close(w);
  RET(read(r, b, 1));
  close(r);
  pthread_t t = start(writer, NULL);
  r = open("p", O_RDONLY);
  RET(read(r, b, 16));
  SAY("%s", b);
  RET(read(r, b, 16));
  join(t);
  close(r);
  int both = open("p", O_RDWR);
  IS(both >= 0);
  RET(write(both, "self", 4));
  RET(read(both, b, 16));
  RET(mknod("n", S_IFREG | 0600, 0));
  RET(mknod("q", S_IFIFO | 0600, 0));
  struct stat st;
  stat("q", &st);
  SAY("%o", st.st_mode);
  return done();
}
