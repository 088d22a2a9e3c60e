// SPDX-License-Identifier: Apache-2.0
// Memory corners: mprotect before a hole, mremap without unmapping, remap_file_pages, MADV_REMOVE and the advice that
// only some mappings take, membarrier's registrations, protection keys, RLIMIT_DATA.
#include <sys/resource.h>

#include "check.h"

#define PAGE 4096
#define KEEP_OLD 4  // MREMAP_DONTUNMAP

static char* map(int pages, int flags, int fd) {
  return mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
}

static void protect(void) {
  char* a = map(6, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  int fd = memfd_create("f", 0);
  memset(a, 7, 6 * PAGE);
  munmap(a + 3 * PAGE, PAGE);
  RET(mprotect(a, 6 * PAGE, PROT_READ));
  RET(read(fd, a, 1));
  ftruncate(fd, PAGE);
  RET(read(fd, a, 1));
  RET(read(fd, a + 4 * PAGE, 1));
  RET(mprotect(a + 1, PAGE, PROT_READ));
  RET(mprotect(a + 3 * PAGE, PAGE, PROT_READ));
  RET(mprotect(a, 0, PROT_READ));
  RET(mprotect(a, PAGE, 0x100));
  RET(mprotect(a, PAGE, PROT_READ | PROT_GROWSDOWN));
  RET(mprotect(a, PAGE, PROT_READ | PROT_GROWSUP));
  RET(mprotect(a, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP));
}

static void move(void) {
  char* a = map(4, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  memset(a, 5, 4 * PAGE);
  char* b = mremap(a, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | KEEP_OLD, NULL);
  IS(b != MAP_FAILED && b != a);
  RET(a[0] + a[3 * PAGE]);
  RET(b[0] + b[3 * PAGE]);
  int fd = memfd_create("f", 0);
  ftruncate(fd, 4 * PAGE);
  char* s = map(4, MAP_SHARED, fd);
  s[PAGE] = 9;
  char* t = mremap(s, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | KEEP_OLD, NULL);
  if (t == MAP_FAILED) {
    SAY("this Linux is older than 5.13");
    return;
  }
  RET(s[PAGE] + t[PAGE]);
  RET((long)mremap(a, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | KEEP_OLD, NULL));
  RET((long)mremap(a, 4 * PAGE, 4 * PAGE, KEEP_OLD, NULL));
  RET((long)mremap(a, 4 * PAGE, 0, MREMAP_MAYMOVE, NULL));
  RET((long)mremap(a + 1, PAGE, PAGE, 0, NULL));
  RET((long)mremap(a, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, a + 2 * PAGE));
  RET(syscall(SYS_remap_file_pages, s, PAGE, 0, 1, 0));
  RET(s[0]);
  RET(syscall(SYS_remap_file_pages, s, PAGE, PROT_READ, 1, 0));
  RET(syscall(SYS_remap_file_pages, a, PAGE, 0, 1, 0));
  RET(syscall(SYS_remap_file_pages, s, 0, 0, 1, 0));
}

static void advise(void) {
  int fd = memfd_create("f", 0);
  struct stat st;
  ftruncate(fd, 4 * PAGE);
  char* s = map(4, MAP_SHARED, fd);
  char* a = map(4, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  memset(s, 3, 4 * PAGE);
  RET(madvise(s + PAGE, 2 * PAGE, MADV_REMOVE));
  RET(s[0] + s[PAGE] + s[2 * PAGE] + s[3 * PAGE]);
  fstat(fd, &st);
  RET(st.st_size);
  RET(madvise(a, PAGE, MADV_REMOVE));
  RET(madvise(map(1, MAP_PRIVATE, fd), PAGE, MADV_REMOVE));
  RET(madvise(s, PAGE, MADV_FREE));
  RET(madvise(s, PAGE, MADV_WIPEONFORK));
  RET(madvise(a, PAGE, MADV_WIPEONFORK));
  RET(madvise(a, PAGE, MADV_KEEPONFORK));
  RET(madvise(a, PAGE, 5));
  RET(madvise(a, PAGE, 1000));
  RET(madvise(a + 1, PAGE, MADV_NORMAL));
  RET(madvise(a, 0, MADV_NORMAL));
  munmap(a + PAGE, PAGE);
  memset(a + 2 * PAGE, 1, PAGE);
  RET(madvise(a, 4 * PAGE, MADV_DONTNEED));
  RET(a[2 * PAGE]);
  RET(madvise(a, 4 * PAGE, MADV_RANDOM));
}

static void barriers(void) {
  long all = syscall(SYS_membarrier, 0, 0, 0);
  IS((all & 0x1f) == 0x1f);
  RET(syscall(SYS_membarrier, 8, 0, 0));
  RET(syscall(SYS_membarrier, 16, 0, 0));
  RET(syscall(SYS_membarrier, 8, 0, 0));
  RET(syscall(SYS_membarrier, 32, 0, 0));
  RET(syscall(SYS_membarrier, 64, 0, 0));
  RET(syscall(SYS_membarrier, 32, 0, 0));
  RET(syscall(SYS_membarrier, 4, 0, 0));
  RET(syscall(SYS_membarrier, 2, 0, 0));
  RET(syscall(SYS_membarrier, 1, 0, 0));
  RET(syscall(SYS_membarrier, 3, 0, 0));
  RET(syscall(SYS_membarrier, 1, 1, 0));
  RET(syscall(SYS_membarrier, 1 << 20, 0, 0));
}

int main(void) {
  protect();
  move();
  advise();
  barriers();
  RET(syscall(SYS_pkey_free, 3));
  RET(syscall(SYS_pkey_alloc, 1, 0));
  RET(syscall(SYS_pkey_alloc, 0, 8));
  struct rlimit limit = {64 << 20, RLIM_INFINITY};
  RET(setrlimit(RLIMIT_DATA, &limit));
  void* large = mmap(NULL, 48 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  IS(large != MAP_FAILED);
  RET((long)mmap(NULL, 48 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  IS(mmap(NULL, 48 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
  return done();
}
