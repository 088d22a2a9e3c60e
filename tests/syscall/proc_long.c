// SPDX-License-Identifier: Apache-2.0
// A file of /proc whose text is some megabytes: the mappings of a program that has nearly as many as it may have.
// run: memory=128M
#include <sys/mman.h>
#include "check.h"

enum { kPage = 4096, kMappings = 65000 };

// Lines of the file that are within the area, read `size` bytes at a time; all are counted if they are in order.
static long lines_within(const char* path, char* area, size_t size) {
  static char buffer[1 << 20];
  static char line[512];
  size_t used = 0;
  unsigned long last = 0;
  long count = 0, got;
  int fd = open(path, O_RDONLY);
  while ((got = read(fd, buffer, size)) > 0) {
    for (long i = 0; i < got; i++) {
      if (used < sizeof line - 1) line[used++] = buffer[i];
      if (buffer[i] != '\n') continue;
      line[used] = 0;
      used = 0;
      unsigned long start = strtoul(line, NULL, 16);
      if (start <= last && last != 0) SAY("out of order: %s", line);
      last = start;
      if ((char*)start >= area && (char*)start < area + (size_t)kMappings * kPage) count++;
    }
  }
  if (got < 0) SAY("read: %s", error_name(errno));
  close(fd);
  return count;
}

int main(void) {
  char* area = mmap(NULL, (size_t)kMappings * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  long made = 0;
  for (long at = 1; at < kMappings; at += 2)
    made += mprotect(area + at * kPage, kPage, PROT_READ) == 0;
  SAY("%ld made", made);
  SAY("%ld by 4 KiB", lines_within("/proc/self/maps", area, 4096));
  SAY("%ld by 1 MiB", lines_within("/proc/self/maps", area, 1 << 20));
  SAY("%ld by 1000 bytes", lines_within("/proc/self/maps", area, 1000));
  int fd = open("/proc/self/maps", O_RDONLY);
  char text[64];
  IS(pread(fd, text, sizeof text, 5000000) != -1);
  IS(lseek(fd, 0, SEEK_SET) == 0);
  IS(read(fd, text, sizeof text) > 0);
  return done();
}
