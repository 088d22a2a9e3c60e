// SPDX-License-Identifier: Apache-2.0
// fork(2) of much memory, in small and in large pages: each side has its own copy, whatever is done to it before and
// after. run: processes=fork memory=200M cpus=2
#include <sys/wait.h>

#include "check.h"

enum { kPage = 4096, kBlock = 2 << 20, kBlocks = 8, kSize = kBlocks * kBlock };

static char* area(int advice) {
  char* raw = mmap(0, kSize + kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* p = (char*)(((uintptr_t)raw + kBlock - 1) & ~(uintptr_t)(kBlock - 1));
  madvise(p, kSize, advice);
  return p;
}

static unsigned char pattern(size_t at, int salt) {
  return (unsigned char)(at / kPage * 7 + (size_t)salt);
}
static void fill(char* p, size_t from, size_t to, int salt) {
  for (size_t i = from; i < to; i += kPage)
    p[i] = (char)pattern(i, salt);
}
static int holds(const char* p, size_t from, size_t to, int salt) {
  for (size_t i = from; i < to; i += kPage)
    if ((unsigned char)p[i] != pattern(i, salt)) return 0;
  return 1;
}

static int exit_of(pid_t pid) {
  int status = -1;
  if (waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// The child's answer is its status: 0 where all it looked at was right.
#define CHILD(...)         \
  ({                       \
    fflush(stdout);        \
    pid_t child_ = fork(); \
    if (child_ == 0) {     \
      int wrong = 0;       \
      __VA_ARGS__;         \
      _exit(wrong);        \
    }                      \
    child_;                \
  })

static void both_write(const char* name, int advice) {
  SAY("%s", name);
  char* p = area(advice);
  fill(p, 0, kSize, 1);
  int go[2];
  pipe(go);
  pid_t pid = CHILD({
    char c;
    read(go[0], &c, 1);
    wrong += !holds(p, 0, kSize, 1);  // the parent has written by now
    fill(p, 0, kSize / 2, 3);
    wrong += !holds(p, 0, kSize / 2, 3) || !holds(p, kSize / 2, kSize, 1);
  });
  fill(p, kBlock / 2, kSize, 2);
  write(go[1], "x", 1);
  RET(exit_of(pid));
  IS(holds(p, 0, kBlock / 2, 1));
  IS(holds(p, kBlock / 2, kSize, 2));
  // The last one left writes again, and to what was never written.
  fill(p, 0, kSize, 4);
  IS(holds(p, 0, kSize, 4));

  // Only the child writes; the parent finds nothing changed, then writes where the child had.
  pid = CHILD(fill(p, 0, kSize, 5));
  RET(exit_of(pid));
  IS(holds(p, 0, kSize, 4));
  fill(p, 0, kSize, 6);
  IS(holds(p, 0, kSize, 6));

  // A grandchild made of shared memory, which outlives the child.
  int told[2];
  pipe(told);
  pid = CHILD({
    fill(p, 0, kBlock + kPage, 7);
    pid_t parent = getpid();
    pid_t grandchild = fork();
    if (grandchild == 0) {
      while (getppid() == parent) {
      }
      char c;
      read(go[0], &c, 1);
      int good = holds(p, 0, kBlock + kPage, 7) && holds(p, kBlock + kPage, kSize, 6);
      fill(p, 0, kSize, 8);
      good = good && holds(p, 0, kSize, 8);
      write(told[1], good ? "y" : "n", 1);
      _exit(0);
    }
  });
  RET(exit_of(pid));
  fill(p, 0, kSize, 9);
  write(go[1], "x", 1);
  char c = 0;
  read(told[0], &c, 1);
  SAY("the grandchild's memory: %c", c);
  IS(holds(p, 0, kSize, 9));
  munmap(p, kSize);
  close(go[0]), close(go[1]), close(told[0]), close(told[1]);
}

// What changes mappings while the pages are shared.
static void changes(const char* name, int advice) {
  SAY("%s, changed by the child", name);
  char* p = area(advice);
  fill(p, 0, kSize, 1);
  SAY("munmap: %d", exit_of(CHILD({
        wrong += munmap(p + kBlock / 2, kBlock) != 0;  // parts of two blocks
        wrong += !holds(p, 0, kBlock / 2, 1) || !holds(p, kBlock * 3 / 2, kSize, 1);
        fill(p, kBlock * 3 / 2, kSize, 2);
        wrong += munmap(p + 2 * kBlock, 2 * kBlock) != 0;  // whole blocks
        wrong += !holds(p, 4 * kBlock, kSize, 2);
      })));
  SAY("mprotect: %d", exit_of(CHILD({
        wrong += mprotect(p + kPage, kBlock, PROT_READ) != 0;
        wrong += !holds(p, 0, kSize, 1);
        wrong += mprotect(p, kSize, PROT_READ | PROT_WRITE) != 0;
        fill(p, 0, kSize, 2);
        wrong += !holds(p, 0, kSize, 2);
      })));
  SAY("MADV_DONTNEED: %d", exit_of(CHILD({
        wrong += madvise(p + kPage, 2 * kBlock, MADV_DONTNEED) != 0;
        wrong += p[kPage] != 0 || p[2 * kBlock] != 0 || !holds(p, 2 * kBlock + kPage, kSize, 1);
      })));
  SAY("mremap: %d", exit_of(CHILD({
        char* moved = mremap(p + kBlock / 2, 3 * kBlock, 4 * kBlock, MREMAP_MAYMOVE | MREMAP_FIXED,
                             p + kSize + 64 * (size_t)kBlock);
        wrong += moved == MAP_FAILED;
        for (size_t i = 0; i < 3 * (size_t)kBlock; i += kPage)
          wrong |= (unsigned char)moved[i] != pattern(kBlock / 2 + i, 1);
        memset(moved, 9, 4 * kBlock);
        wrong += !holds(p, 0, kBlock / 2, 1);
      })));
  SAY("MAP_FIXED: %d", exit_of(CHILD({
        char* grown = mmap(p + kBlock, kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        wrong += grown != p + kBlock || grown[0] != 0;
        memset(grown, 3, kBlock);
        wrong += !holds(p, 0, kBlock, 1) || !holds(p, 2 * kBlock, kSize, 1);
      })));
  SAY("the same by the parent");
  int go[2];
  pipe(go);
  pid_t pid = CHILD({
    char c;
    read(go[0], &c, 1);
    wrong += !holds(p, 0, kSize, 1);
    fill(p, 0, kSize, 2);
    wrong += !holds(p, 0, kSize, 2);
  });
  madvise(p, kPage, MADV_DONTNEED);
  mprotect(p + 2 * kBlock, kPage, PROT_NONE);
  munmap(p + 3 * kBlock + kPage, 2 * kBlock);
  write(go[1], "x", 1);
  RET(exit_of(pid));
  IS(p[0] == 0 && holds(p, kPage, 2 * kBlock, 1) && holds(p, 2 * kBlock + kPage, 3 * kBlock, 1));
  close(go[0]), close(go[1]);
  munmap(p, kSize);
}

// Parts that a child does not get, inside of a block.
static void parts(int advice) {
  SAY("MADV_DONTFORK and MADV_WIPEONFORK on parts");
  char* p = area(advice);
  fill(p, 0, kSize, 1);
  RET(exit_of(CHILD(fill(p, 0, kPage, 2))));
  RET(madvise(p + kPage, kPage, MADV_DONTFORK));
  RET(madvise(p + kBlock + kPage, kPage, MADV_WIPEONFORK));
  SAY("the child: %d", exit_of(CHILD({
        unsigned char there;
        wrong += mincore(p + kPage, kPage, &there) != -1 || errno != ENOMEM;
        wrong += p[kBlock + kPage] != 0;
        wrong += !holds(p, 0, kPage, 1) || !holds(p, 2 * kPage, kBlock + kPage, 1) ||
                 !holds(p, kBlock + 2 * kPage, kSize, 1);
      })));
  IS(holds(p, 0, kSize, 1));
  munmap(p, kSize);
}

// Threads write while others of their process fork.
static char* contended;
static volatile int stop;
static void* writes(void* arg) {
  size_t mine = (size_t)(uintptr_t)arg * kPage;
  unsigned char n = 0;
  long bad = 0;
  while (!stop) {
    n++;
    for (size_t i = mine; i < kSize; i += 2 * kPage)
      contended[i] = (char)n;
    for (size_t i = mine; i < kSize; i += 2 * kPage)
      bad += contended[i] != (char)n;
  }
  return (void*)bad;
}
static void beside_threads(int advice) {
  contended = area(advice);
  stop = 0;
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i)
    pthread_create(&threads[i], 0, writes, (void*)(uintptr_t)i);
  int wrong_children = 0;
  for (int i = 0; i < 6; ++i)
    wrong_children += exit_of(CHILD({
                        // What the child sees does not change under it.
                        static char before[kSize / kPage];
                        for (size_t j = 0; j < kSize; j += kPage)
                          before[j / kPage] = contended[j];
                        for (int round = 0; round < 3; ++round)
                          for (size_t j = 0; j < kSize; j += kPage)
                            wrong |= before[j / kPage] != contended[j];
                        fill(contended, 0, kSize, i);
                        wrong |= !holds(contended, 0, kSize, i);
                      })) != 0;
  stop = 1;
  long bad = 0;
  for (int i = 0; i < 2; ++i) {
    void* result;
    pthread_join(threads[i], &result);
    bad += (long)result;
  }
  SAY("beside threads: %d wrong children, %ld wrong reads", wrong_children, bad);
  munmap(contended, kSize);
}

int main(void) {
  both_write("small pages", MADV_NOHUGEPAGE);
  both_write("large pages", MADV_HUGEPAGE);
  changes("small pages", MADV_NOHUGEPAGE);
  changes("large pages", MADV_HUGEPAGE);
  parts(MADV_NOHUGEPAGE);
  parts(MADV_HUGEPAGE);
  beside_threads(MADV_NOHUGEPAGE);
  beside_threads(MADV_HUGEPAGE);
  return check_failures != 0;
}
