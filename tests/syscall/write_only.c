// SPDX-License-Identifier: Apache-2.0
// Memory with PROT_WRITE alone: x86 lets it be read, and /proc/PID/maps shows what was asked for (mmap(2)).
// run: guest
#include "check.h"

enum { kPage = 4096 };

static void shown(const char* what, void* address) {
  FILE* maps = fopen("/proc/self/maps", "r");
  char line[512], rights[5];
  unsigned long from, to;
  while (fgets(line, sizeof line, maps))
    if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 && from <= (unsigned long)address &&
        (unsigned long)address < to)
      SAY("%s: %s", what, rights);
  fclose(maps);
}

int main(void) {
  volatile char* m = mmap(NULL, kPage, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  shown("private", (void*)m);
  m[0] = 5;
  IS(m[0] == 5 && m[1] == 0);
  RET(mprotect((void*)m, kPage, PROT_READ | PROT_EXEC));
  shown("changed", (void*)m);
  RET(mprotect((void*)m, kPage, PROT_WRITE));
  shown("again", (void*)m);
  IS(m[0] == 5);
  m[1] = 6;
  RET(mprotect((void*)m, kPage, PROT_EXEC));
  shown("executable", (void*)m);
  IS(m[1] == 6);
  RET(mprotect((void*)m, kPage, PROT_WRITE | PROT_EXEC));
  shown("both", (void*)m);
  m[1] = 7;
  IS(m[1] == 7);
  int pipes[2];
  pipe(pipes);
  RET(write(pipes[1], (void*)m, 2));
  RET(read(pipes[0], (void*)(m + 8), 2));
  IS(m[9] == 7);
  char* shared = mmap(NULL, kPage, PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shown("shared", shared);
  int fd = memfd_create("file", 0);
  ftruncate(fd, kPage);
  char* file = mmap(NULL, kPage, PROT_WRITE, MAP_SHARED, fd, 0);
  shown("file", file);
  file[0] = 'x';
  char byte = 0;
  RET(pread(fd, &byte, 1, 0));
  IS(byte == 'x' && ((volatile char*)file)[0] == 'x');
  RET(mlock(file, kPage));
  RET(madvise((void*)m, kPage, MADV_POPULATE_READ));
  RET(madvise((void*)m, kPage, MADV_POPULATE_WRITE));
  return done();
}
