// SPDX-License-Identifier: Apache-2.0
// /proc/PID/pagemap, PROCMAP_QUERY on /proc/PID/maps, timerslack_ns, ns_last_pid, a directory /proc/PID that outlives
// its process, and overcommit_memory.
// run: processes=fork
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "check.h"

struct query {
  uint64_t size, flags, address, start, end, vma_flags, page_size, offset, inode;
  uint32_t major, minor, name_size, build_id_size;
  uint64_t name, build_id;
};
#define QUERY _IOWR('f', 17, struct query)
enum { READABLE = 1, WRITABLE = 2, EXECUTABLE = 4, SHARED = 8, OR_NEXT = 16, FILE_BACKED = 32 };

static const char* number_of(const char* path) {
  static char text[64];
  int fd = open(path, O_RDONLY);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (n < 0) return error_name(errno);
  text[n] = 0;
  text[strcspn(text, "\n")] = 0;
  return text;
}

static int store(const char* path, const char* text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0) return -1;
  int n = (int)write(fd, text, strlen(text)), why = errno;
  close(fd);
  errno = why;
  return n;
}

static void page_map(void) {
  char* at = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  at[4096] = 1;
  at[3 * 4096] = 1;
  int fd = open("/proc/self/pagemap", O_RDONLY);
  IS(fd >= 0);
  uint64_t entries[4] = {0};
  off_t where = (off_t)((uintptr_t)at / 4096 * 8);
  RET(pread(fd, entries, sizeof entries, where));
  for (int i = 0; i < 4; i++)
    SAY("page %d: present %d, of a file %d", i, (int)(entries[i] >> 63), (int)(entries[i] >> 61 & 1));
  RET(pread(fd, entries, 7, where));
  RET(pread(fd, entries, 8, where + 4));
  IS(lseek(fd, where, SEEK_SET) == where);
  RET(read(fd, entries, 8));
  RET(write(fd, entries, 8));
  IS((entries[0] = 0, pread(fd, entries, 8, (off_t)((uintptr_t)page_map / 4096 * 8)) == 8 && entries[0] >> 61 == 5));
  close(fd);
  munmap(at, 4 * 4096);
}

static void query(void) {
  scratch();
  put("file", "text");
  int file = open("file", O_RDWR);
  char* area = mmap(NULL, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* at = mmap(area + 4096, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, file, 4096);
  munmap(area, 4096);
  munmap(area + 2 * 4096, 4096);
  int fd = open("/proc/self/maps", O_RDONLY);
  char name[256] = "";
  struct query q = {.size = sizeof q, .address = (uintptr_t)at + 5, .name = (uintptr_t)name, .name_size = sizeof name};
  RET(ioctl(fd, QUERY, &q));
  IS(q.start == (uintptr_t)at && q.end == (uintptr_t)at + 4096);
  SAY("flags %d, page %d, offset %d, name %s of %d", (int)q.vma_flags, (int)q.page_size, (int)q.offset,
      strrchr(name, '/') ? strrchr(name, '/') : "-", q.name_size == strlen(name) + 1);
  struct stat st;
  fstat(file, &st);
  IS(q.inode == st.st_ino);
  q = (struct query){.size = sizeof q, .address = (uintptr_t)at - 1};
  RET(ioctl(fd, QUERY, &q));
  q.flags = OR_NEXT;
  RET(ioctl(fd, QUERY, &q));
  IS(q.start == (uintptr_t)at && q.name_size == 0);
  q = (struct query){.size = sizeof q, .address = (uintptr_t)at, .flags = WRITABLE};
  RET(ioctl(fd, QUERY, &q));
  q.flags = READABLE | SHARED | FILE_BACKED;
  RET(ioctl(fd, QUERY, &q));
  q.flags = 64;
  RET(ioctl(fd, QUERY, &q));
  q = (struct query){.size = sizeof q, .address = (uintptr_t)at, .name_size = 4};
  RET(ioctl(fd, QUERY, &q));
  q.name = (uintptr_t)name;
  RET(ioctl(fd, QUERY, &q));
  q.size = 8;
  RET(ioctl(fd, QUERY, &q));
  q.size = 5000;
  RET(ioctl(fd, QUERY, &q));
  RET(ioctl(fd, QUERY, NULL));
  RET(ioctl(fd, QUERY + 1, &q));
  close(fd);
  close(file);
}

static void slack(void) {
  const char* path = "/proc/self/timerslack_ns";
  RET(prctl(PR_SET_TIMERSLACK, 70000));
  SAY("%s", number_of(path));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    RET(prctl(PR_SET_TIMERSLACK, 1));
    RET(prctl(PR_SET_TIMERSLACK, 0));
    RET(prctl(PR_GET_TIMERSLACK));
    RET(store(path, "1234"));
    RET(prctl(PR_GET_TIMERSLACK));
    RET(store(path, "0"));
    SAY("%s", number_of(path));
    RET(store(path, "x"));
    exit(0);
  }
  waitpid(child, NULL, 0);
}

static pid_t brief_child(void) {
  pid_t pid = fork();
  if (pid == 0) pause();
  return pid;
}

static void end_child(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
}

static void last_pid(void) {
  for (int tries = 0; tries < 20; tries++) {
    pid_t pid = brief_child();
    char path[40], text[40];
    snprintf(path, sizeof path, "/proc/%d", pid);
    int directory = open(path, O_RDONLY | O_DIRECTORY);
    struct stat before, after;
    fstat(directory, &before);
    end_child(pid);
    snprintf(text, sizeof text, "%d", pid - 1);
    if (store("/proc/sys/kernel/ns_last_pid", text) < 0) SAY("refused: %s", error_name(errno));
    pid_t again = brief_child();
    int same = again == pid;
    if (same) {
      RET(stat(path, &after));
      IS(before.st_ino != after.st_ino);
      RET(syscall(SYS_pidfd_send_signal, directory, SIGKILL, NULL, 0));
      int stat_file = openat(directory, "stat", O_RDONLY);
      IS(stat_file < 0);
      IS(kill(again, 0) == 0);
    }
    end_child(again);
    close(directory);
    if (same) return;
  }
  SAY("the number was taken each time");
}

static void overcommit(void) {
  const char* path = "/proc/sys/vm/overcommit_memory";
  IS(strlen(number_of(path)) == 1);
  char was[2] = {number_of(path)[0], 0};
  RET(store(path, "1"));
  void* at = mmap(NULL, (size_t)1 << 44, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  IS(at != MAP_FAILED);
  munmap(at, (size_t)1 << 44);
  RET(store(path, "0"));
  RET(mmap(NULL, (size_t)1 << 44, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  RET(store(path, "7"));
  store(path, was);
}

int main(void) {
  page_map();
  query();
  slack();
  last_pid();
  overcommit();
  return done();
}
