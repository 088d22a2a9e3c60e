// SPDX-License-Identifier: Apache-2.0
// getdents64(2): every entry once, types, a small buffer, rewinding, entries removed in between.
#include <dirent.h>

#include "check.h"

struct entry {
  uint64_t ino;
  int64_t off;
  uint16_t size;
  uint8_t type;
  char name[];
};

static int by_name(const void* a, const void* b) {
  return strcmp(*(char* const*)a, *(char* const*)b);
}

static int list(int fd, size_t buffer, int print) {
  char b[8192];
  char* names[600];
  int n = 0;
  for (;;) {
    long got = syscall(SYS_getdents64, fd, b, buffer);
    if (got < 0) {
      SAY("getdents64: %s", error_name(errno));
      break;
    }
    if (got == 0) break;
    for (long at = 0; at < got;) {
      struct entry* e = (struct entry*)(b + at);
      char text[300];
      snprintf(text, sizeof text, "%s %d", e->name, e->type);
      if (e->ino == 0 || e->size % 8) SAY("bad entry %s", e->name);
      names[n++] = strdup(text);
      at += e->size;
    }
  }
  qsort(names, (size_t)n, sizeof *names, by_name);
  for (int i = 0; i < n; i++) {
    if (print) SAY("%s", names[i]);
    free(names[i]);
  }
  return n;
}

int main(void) {
  scratch();
  put("a", "");
  put("b", "");
  mkdir("d", 0755);
  symlink("a", "s");
  mkfifo("p", 0600);
  int fd = open(".", O_RDONLY | O_DIRECTORY);
  RET(list(fd, 8192, 1));
  RET(list(fd, 8192, 1));
  RET(lseek(fd, 0, SEEK_SET));
  RET(list(fd, 32, 0));
  lseek(fd, 0, SEEK_SET);
  RET(syscall(SYS_getdents64, fd, check_directory, 8));
  RET(syscall(SYS_getdents64, 99, check_directory, 64));
  int f = open("a", O_RDONLY);
  RET(syscall(SYS_getdents64, f, check_directory, 64));
  // Many entries, in several calls.
  mkdir("many", 0755);
  for (int i = 0; i < 500; i++) {
    char name[32];
    snprintf(name, sizeof name, "many/file-%03d", i);
    put(name, "");
  }
  int m = open("many", O_RDONLY);
  RET(list(m, 1024, 0));
  for (int i = 0; i < 500; i += 2) {
    char name[32];
    snprintf(name, sizeof name, "many/file-%03d", i);
    unlink(name);
  }
  lseek(m, 0, SEEK_SET);
  RET(list(m, 8192, 0));
  RET(rmdir("many"));
  // A directory that was removed while open is empty.
  int gone = open("d", O_RDONLY);
  RET(rmdir("d"));
  RET(syscall(SYS_getdents64, gone, check_directory, 64));
  DIR* dir = opendir(".");
  int count = 0;
  for (struct dirent* e; (e = readdir(dir));)
    count++;
  RET(count);
  return done();
}
