// SPDX-License-Identifier: Apache-2.0
// A thousand files in one directory, a thousand descriptors, a deep tree, a file of megabytes read back.
#include <sys/resource.h>

#include "check.h"

int main(void) {
  scratch();
  char name[64], b[4096];
  struct rlimit l;
  getrlimit(RLIMIT_NOFILE, &l);
  l.rlim_cur = l.rlim_max < 4096 ? l.rlim_max : 4096;
  setrlimit(RLIMIT_NOFILE, &l);
  int made = 0, opened = 0, removed = 0;
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof name, "a-file-with-a-longer-name-%04d", i);
    int fd = open(name, O_CREAT | O_RDWR, 0644);
    made += fd >= 0 && write(fd, name, strlen(name)) == (long)strlen(name);
    opened += fd >= 0;
  }
  SAY("%d %d", made, opened);
  for (int fd = 3; fd < 1003; fd++)
    close(fd);
  int wrong = 0;
  for (int i = 999; i >= 0; i -= 7) {
    snprintf(name, sizeof name, "a-file-with-a-longer-name-%04d", i);
    int fd = open(name, O_RDONLY);
    long n = read(fd, b, sizeof b);
    wrong += n != (long)strlen(name) || memcmp(b, name, (size_t)n);
    close(fd);
  }
  RET(wrong);
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof name, "a-file-with-a-longer-name-%04d", i);
    removed += unlink(name) == 0;
  }
  RET(removed);
  int depth = 0;
  for (; depth < 60; depth++) {
    if (mkdir("deeper", 0755) || chdir("deeper")) break;
  }
  RET(depth);
  put("bottom", "reached");
  show("bottom");
  RET(chdir(check_directory));
  // Eight megabytes, written in odd pieces, read back in others.
  int fd = open("big", O_CREAT | O_RDWR, 0644);
  uint32_t x = 1;
  long total = 0;
  while (total < 8 << 20) {
    for (size_t i = 0; i < 1000; i++)
      b[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
    if (write(fd, b, 1000) != 1000) break;
    total += 1000;
  }
  IS(total >= 8 << 20);
  RET(lseek(fd, 0, SEEK_SET));
  x = 1;
  long bad = 0, back = 0;
  for (long n; (n = read(fd, b, 3333)) > 0; back += n)
    for (long i = 0; i < n; i++)
      bad += b[i] != (char)((x = x * 1664525 + 1013904223) >> 24);
  IS(back == total && bad == 0);
  RET(unlink("big"));
  return done();
}
