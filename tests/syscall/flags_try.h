// SPDX-License-Identifier: Apache-2.0
// A harmless call for each flag, command and option of syscall-shim/abi/flags.def that can be tried without more than a
// few files, pipes and sockets. Each prints the row's name and what the call answers.
#pragma once
#include "flags.h"

enum level { Full, Partial, Ignored, Refused };
struct row {
  const char* call;
  const char* name;
  uint64_t value;
  enum level level;
};
static const struct row rows[] = {
#define FLAG(call, name, value, level, note) {#call, #name, (uint64_t)(value), level},
#include "syscall-shim/abi/flags.def"
#undef FLAG
};

// Attempts at the row so far, and those that were let through.
static int tried, worked;

static void say(const struct row* row, const char* how, long result) {
  const int number = errno;
  tried++;
  worked += result >= 0;
  if (result < 0)
    printf("%s %s%s: %s\n", row->call, row->name, how, error_name(number));
  else
    printf("%s %s%s: ok\n", row->call, row->name, how);
  fflush(stdout);
}
#define SHOW(row, how, expression) (errno = 0, say(row, how, (long)(expression)))

static int starts(const char* text, const char* with) {
  return strncmp(text, with, strlen(with)) == 0;
}

static const size_t kPage = 4096;

static void try_mmap(const struct row* row) {
  static const char* const alone[] = {"MAP_SHARED", "MAP_PRIVATE", "MAP_SHARED_VALIDATE", "MAP_FILE", "MAP_SYNC"};
  int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
  void* at = NULL;
  int fd = -1;
  if (starts(row->name, "PROT_"))
    protection = (int)row->value;
  else
    flags |= (int)row->value;
  for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
    if (strcmp(row->name, alone[i]) != 0) continue;
    flags = row->value != 0 ? (int)row->value : MAP_PRIVATE;
    if (row->value == MAP_SYNC) flags |= MAP_SHARED_VALIDATE;
    fd = open("file", O_RDWR);
  }
  if (starts(row->name, "MAP_HUGE_")) flags |= MAP_HUGETLB;
  void* const held = mmap(NULL, 4 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (row->value == MAP_FIXED) at = held;
  if (row->value == MAP_FIXED_NOREPLACE) munmap(held, 4 * kPage), at = held;
  errno = 0;
  void* const got = mmap(at, kPage, protection, flags, fd, 0);
  say(row, "", got == MAP_FAILED ? -1 : 0);
  if (row->value == MAP_FIXED_NOREPLACE)
    SHOW(row, " again", mmap(at, kPage, protection, flags, fd, 0) == MAP_FAILED ? -1 : 0);
  if (row->value == MAP_FIXED || row->value == MAP_FIXED_NOREPLACE) printf("  at the place: %d\n", got == at);
  if (row->value == MAP_32BIT) printf("  below 2 GiB: %d\n", (uintptr_t)got < 0x80000000);
  if (got != MAP_FAILED) munmap(got, kPage);
  munmap(held, 4 * kPage);
  if (fd >= 0) close(fd);
}

static void try_mprotect(const struct row* row) {
  const int grows = row->value == PROT_GROWSDOWN ? MAP_GROWSDOWN : 0;
  void* const at = mmap(NULL, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | grows, -1, 0);
  SHOW(row, "", mprotect(at, kPage, (int)row->value | (grows ? PROT_READ : 0)));
  munmap(at, kPage);
}

static void try_mremap(const struct row* row) {
  char* const at = mmap(NULL, 2 * kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void* const target = mmap(NULL, kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const int with = (int)row->value | (row->value != MREMAP_MAYMOVE ? MREMAP_MAYMOVE : 0);
  SHOW(row, " alone", mremap(at, kPage, kPage, (int)row->value, target) == MAP_FAILED ? -1 : 0);
  SHOW(row, "", mremap(at + kPage, kPage, kPage, with, target) == MAP_FAILED ? -1 : 0);
}

static void try_madvise(const struct row* row) {
  char* const at = mmap(NULL, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  at[0] = 1;
  SHOW(row, "", madvise(at, kPage, (int)row->value));
  SHOW(row, " unaligned", madvise(at + 1, kPage, (int)row->value));
  munmap(at, 2 * kPage);
  int fd = open("file", O_RDWR);
  char* const shared = mmap(NULL, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  SHOW(row, " of a shared file", madvise(shared, kPage, (int)row->value));
  munmap(shared, kPage);
  close(fd);
}

static void try_lock(const struct row* row) {
  void* const at = mmap(NULL, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (strcmp(row->call, "mlock2") == 0) SHOW(row, "", syscall(SYS_mlock2, at, kPage, row->value));
  if (strcmp(row->call, "msync") == 0) SHOW(row, "", msync(at, kPage, (int)row->value));
  munmap(at, kPage);
}

static void try_memfd(const struct row* row) {
  const int fd = (int)syscall(SYS_memfd_create, "name", (unsigned)row->value);
  SHOW(row, "", fd);
  if (fd >= 0) printf("  closed on exec %d, seals %d\n", fcntl(fd, F_GETFD), fcntl(fd, F_GET_SEALS)), close(fd);
}

static void try_membarrier(const struct row* row) {
  if (row->value == MEMBARRIER_CMD_FLAG_CPU && strstr(row->name, "FLAG")) return;
  SHOW(row, "", syscall(SYS_membarrier, (int)row->value, 0, 0));
}

static void try_futex(const struct row* row) {
  static uint32_t word, other;
  struct timespec soon = {0, 1000};
  word = other = 0;
  if (starts(row->name, "FUTEX_OP_")) {
    const int compares = strstr(row->name, "_CMP_") != NULL;
    const unsigned op = compares ? 0 : (unsigned)row->value, compare = compares ? (unsigned)row->value : 0;
    errno = 0;
    say(row, "", syscall(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1L, &other, op << 28 | compare << 24 | 3 << 12 | 1));
    printf("  the word: %u\n", other);
    return;
  }
  if (row->value >= FUTEX_PRIVATE_FLAG) {
    SHOW(row, " with FUTEX_WAIT_BITSET",
         syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | (int)row->value, 1, NULL, NULL, ~0u));
    SHOW(row, " with FUTEX_WAKE", syscall(SYS_futex, &word, FUTEX_WAKE | (int)row->value, 1, NULL, NULL, 0));
    return;
  }
  const int waits = row->value == FUTEX_WAIT || row->value == FUTEX_WAIT_BITSET || row->value == FUTEX_WAIT_REQUEUE_PI;
  void* const argument = waits ? (void*)&soon : strstr(row->name, "REQUEUE") ? (void*)1L : NULL;
  SHOW(row, "",
       syscall(SYS_futex, &word, (int)row->value, waits ? 5 : 1, argument, &other,
               row->value == FUTEX_CMP_REQUEUE || row->value == FUTEX_CMP_REQUEUE_PI ? 0u : ~0u));
}

static void try_futex2(const struct row* row) {
  static uint32_t word;
  const uint64_t size = starts(row->name, "FUTEX2_SIZE_") ? 0 : 2;  // FUTEX2_SIZE_U32
  SHOW(row, "", syscall(455, &word, 1L, ~0u, row->value | size, NULL, CLOCK_MONOTONIC));
}

static void try_prctl(const struct row* row) {
  uint64_t out[8] = {0};
  if (starts(row->name, "PR_CAP_AMBIENT_")) {
    if (row->value == PR_CAP_AMBIENT_CLEAR_ALL)
      SHOW(row, "", prctl(PR_CAP_AMBIENT, row->value, 0, 0, 0));
    else
      SHOW(row, "", prctl(PR_CAP_AMBIENT, row->value, 99, 0, 0));
    return;
  }
  if (starts(row->name, "PR_SET_MM_") || starts(row->name, "PR_SET_VMA_")) {
    SHOW(row, "", prctl(starts(row->name, "PR_SET_MM_") ? PR_SET_MM : PR_SET_VMA, row->value, 0, 0, 0));
    return;
  }
  if (starts(row->name, "PR_SET_PTRACER")) {
    SHOW(row, "", prctl(PR_SET_PTRACER, row->value == PR_SET_PTRACER ? 0 : row->value, 0, 0, 0));
    return;
  }
  if (starts(row->name, "PR_TIMING_")) {
    SHOW(row, "", prctl(PR_SET_TIMING, row->value, 0, 0, 0));
    return;
  }
  if (row->value == PR_SET_TIMERSLACK) return;  // a slack without end would hold up what follows
  // What reads; a setter is given what it must refuse, or what changes nothing.
  if (strstr(row->name, "_GET_") || strstr(row->name, "_READ"))
    SHOW(row, "",
         prctl((int)row->value,
               strstr(row->name, "NAME") || strstr(row->name, "PDEATHSIG") || strstr(row->name, "SUBREAPER") ||
                       strstr(row->name, "TID")
                   ? (unsigned long)out
                   : 0ul,
               0, 0, 0));
  else if (row->value != PR_CAP_AMBIENT)
    SHOW(row, " of a bad address", prctl((int)row->value, ~0xffful, ~0ul, ~0ul, ~0ul) < 0 ? -1 : 0);
}

static void try_arch_prctl(const struct row* row) {
  uint64_t out = 0;
  if (strstr(row->name, "_GET_"))
    SHOW(row, "", syscall(SYS_arch_prctl, row->value, &out));
  else
    SHOW(row, " beyond user memory", syscall(SYS_arch_prctl, row->value, ~0xffful));
}

static void try_limit(const struct row* row) {
  struct rlimit limit;
  SHOW(row, "", prlimit(0, (int)row->value, NULL, &limit));
}

static void try_clock(const struct row* row) {
  struct timespec now = {0, 0};
  if (strstr(row->name, "ALARM")) return;  // there on machines with a real-time clock
  if (strcmp(row->name, "TIMER_ABSTIME") == 0)
    SHOW(row, "", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL) ? -1 : 0);
  else if (strcmp(row->call, "clock_gettime") == 0)
    SHOW(row, "", clock_gettime((clockid_t)row->value, &now));
  else
    SHOW(row, "", clock_nanosleep((clockid_t)row->value, 0, &now, NULL) ? -1 : 0);
}

static void try_timer(const struct row* row) {
  timer_t timer;
  if (strstr(row->name, "ALARM")) return;
  struct sigevent none = {.sigev_notify = SIGEV_NONE};
  SHOW(row, "", timer_create((clockid_t)row->value, &none, &timer));
}

static void try_timerfd(const struct row* row) {
  if (starts(row->name, "CLOCK_"))
    SHOW(row, "", timerfd_create((int)row->value, 0));
  else if (starts(row->name, "TFD_TIMER"))
    SHOW(row, "",
         timerfd_settime(timerfd_create(CLOCK_MONOTONIC, 0), (int)row->value, &(struct itimerspec){{0, 0}, {1, 0}},
                         NULL));
  else
    SHOW(row, "", timerfd_create(CLOCK_MONOTONIC, (int)row->value));
}

static void try_open(const struct row* row) {
  uint64_t flags = row->value;
  const char* path = strstr(row->name, "DIRECTORY") || (flags & O_TMPFILE) == O_TMPFILE ? "." : "file";
  if ((flags & O_TMPFILE) == O_TMPFILE || flags == O_CREAT || flags == O_TRUNC || flags == O_APPEND) flags |= O_RDWR;
  if (flags == O_EXCL) flags |= O_CREAT;
  errno = 0;
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, (int)flags, 0600);
  say(row, "", fd);
  if (fd >= 0) printf("  shown as %#x, closed on exec %d\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD)), close(fd);
  SHOW(row, " of a link", syscall(SYS_openat, AT_FDCWD, "link", (int)flags, 0600));
}

static void try_openat2(const struct row* row) {
  const struct {
    const char* path;
    const char* how;
  } ways[] = {{"file", ""},
              {"link", " of a link"},
              {"../", " upwards"},
              {"/proc", " of another mount"},
              {"/proc/self/exe", " of a magic link"}};
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    struct open_how how = {.flags = O_RDONLY, .resolve = row->value};
    SHOW(row, ways[i].how, syscall(SYS_openat2, AT_FDCWD, ways[i].path, &how, sizeof how));
  }
}

static void try_fcntl(const struct row* row) {
  static const char* const not_commands[] = {"FD_", "F_RDLCK", "F_WRLCK", "F_UNLCK", "F_OWNER_", "DN_", "F_SEAL_"};
  int fd = open("file", O_RDWR), memory = memfd_create("sealed", MFD_ALLOW_SEALING), directory = open(".", O_RDONLY),
      ends[2];
  for (size_t i = 0; i < sizeof not_commands / sizeof *not_commands; i++) {
    if (!starts(row->name, not_commands[i])) continue;
    if (starts(row->name, "DN_")) SHOW(row, "", fcntl(directory, F_NOTIFY, (unsigned)row->value));
    if (starts(row->name, "F_SEAL_"))
      SHOW(row, "", fcntl(memory, F_ADD_SEALS, (int)row->value)), printf("  seals %d\n", fcntl(memory, F_GET_SEALS));
    if (starts(row->name, "FD_")) SHOW(row, "", fcntl(fd, F_SETFD, (int)row->value));
    if (starts(row->name, "F_OWNER_"))
      SHOW(row, "", fcntl(fd, F_SETOWN_EX, &(struct f_owner_ex){(int)row->value, getpid()}));
    if (strstr(row->name, "LCK"))
      SHOW(row, "", fcntl(fd, F_SETLK, &(struct flock){(short)row->value, SEEK_SET, 0, 0, 0}));
    close(fd), close(memory), close(directory);
    return;
  }
  struct flock lock = {F_RDLCK, SEEK_SET, 0, 1, 0};
  struct f_owner_ex owner = {F_OWNER_PID, getpid()};
  pipe(ends);
  const int on = strstr(row->name, "PIPE")     ? ends[0]
                 : strstr(row->name, "SEALS")  ? memory
                 : strstr(row->name, "NOTIFY") ? directory
                                               : fd;
  unsigned long argument = 0;
  if (strstr(row->name, "LK")) argument = (unsigned long)&lock;
  if (strstr(row->name, "OWN_EX")) argument = (unsigned long)&owner;
  if (strstr(row->name, "PIPE")) argument = 4096;
  if (strstr(row->name, "SETLEASE")) argument = F_UNLCK;
  SHOW(row, "", syscall(SYS_fcntl, on, (int)row->value, argument));
  close(fd), close(memory), close(directory), close(ends[0]), close(ends[1]);
}

static void try_statx(const struct row* row) {
  struct statx out = {0};
  if (starts(row->name, "AT_")) {
    SHOW(row, "",
         syscall(SYS_statx, AT_FDCWD, row->value == AT_EMPTY_PATH ? "" : "link", (int)row->value, STATX_BASIC_STATS,
                 &out));
    return;
  }
  if (starts(row->name, "STATX_ATTR_")) {
    SHOW(row, "", syscall(SYS_statx, AT_FDCWD, "/", 0, STATX_BASIC_STATS, &out));
    printf("  shown %d known %d\n", (out.stx_attributes & row->value) != 0,
           (out.stx_attributes_mask & row->value) != 0);
    return;
  }
  SHOW(row, "", syscall(SYS_statx, AT_FDCWD, "file", 0, (unsigned)row->value, &out));
  printf("  filled in %d\n", (out.stx_mask & row->value) == row->value);
}

static void try_at(const struct row* row) {
  const int flag = (int)row->value;
  const char* const path = flag == AT_EMPTY_PATH ? "" : "link";
  const int at = flag == AT_EMPTY_PATH ? open("file", O_RDONLY) : AT_FDCWD;
  struct stat out;
  if (strcmp(row->call, "newfstatat") == 0)
    SHOW(row, "",
         flag == AT_FDCWD ? syscall(SYS_newfstatat, flag, path, &out, 0)
                          : syscall(SYS_newfstatat, at, path, &out, flag));
  if (strcmp(row->call, "faccessat2") == 0) SHOW(row, "", syscall(SYS_faccessat2, at, path, R_OK, flag));
  if (strcmp(row->call, "linkat") == 0) SHOW(row, "", syscall(SYS_linkat, at, path, AT_FDCWD, row->name, flag));
  if (strcmp(row->call, "unlinkat") == 0)
    SHOW(row, "", (mkdir("gone", 0700), syscall(SYS_unlinkat, AT_FDCWD, "gone", flag)));
  if (strcmp(row->call, "fchownat") == 0) SHOW(row, "", syscall(SYS_fchownat, at, path, -1, -1, flag));
  if (strcmp(row->call, "utimensat") == 0 && starts(row->name, "AT_"))
    SHOW(row, "", syscall(SYS_utimensat, at, path, NULL, flag));
  if (strcmp(row->call, "utimensat") == 0 && starts(row->name, "UTIME_"))
    SHOW(
        row, "",
        syscall(SYS_utimensat, AT_FDCWD, "file", (struct timespec[]){{0, (long)row->value}, {0, (long)row->value}}, 0));
  if (at >= 0) close(at);
}

static void try_file_call(const struct row* row) {
  const int fd = open("file", O_RDWR);
  if (strcmp(row->call, "flock") == 0)
    SHOW(row, "", flock(fd, (int)row->value == LOCK_NB ? LOCK_NB | LOCK_SH : (int)row->value));
  if (strcmp(row->call, "lseek") == 0) SHOW(row, "", lseek(fd, 1, (int)row->value));
  if (strcmp(row->call, "renameat2") == 0)
    put("first", "1"), put("second", "2"),
        SHOW(row, "", syscall(SYS_renameat2, AT_FDCWD, "first", AT_FDCWD, "second", (unsigned)row->value));
  close(fd);
}

static void try_descriptor(const struct row* row) {
  int ends[2], fd = -1;
  errno = 0;
  if (strcmp(row->call, "pipe2") == 0) fd = pipe2(ends, (int)row->value) ? -1 : ends[1];
  if (strcmp(row->call, "epoll_create1") == 0) fd = epoll_create1((int)row->value);
  if (strcmp(row->call, "eventfd2") == 0) fd = eventfd(0, (int)row->value);
  if (strcmp(row->call, "signalfd4") == 0) fd = signalfd(-1, &(sigset_t){0}, (int)row->value);
  say(row, "", fd);
  printf("  shown as %#x, closed on exec %d\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
  close(fd);
}

static void try_epoll(const struct row* row) {
  const int ep = epoll_create1(0), fd = eventfd(0, 0);
  struct epoll_event event = {.events = EPOLLIN}, out;
  if (starts(row->name, "EPOLL_CTL_")) {
    if (row->value != EPOLL_CTL_ADD) epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
    SHOW(row, "", epoll_ctl(ep, (int)row->value, fd, &event));
  } else {
    event.events = (uint32_t)row->value;
    SHOW(row, "", epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
    const int ready = epoll_wait(ep, &out, 1, 0);
    printf("  of a counter at 0: %#x\n", ready == 1 ? out.events : 0);
    SHOW(row, " changed", epoll_ctl(ep, EPOLL_CTL_MOD, fd, &event));
  }
  close(ep), close(fd);
}

static void try_socket(const struct row* row) {
  int fd = -1;
  errno = 0;
  if (starts(row->name, "AF_"))
    fd = socket((int)row->value, row->value == AF_NETLINK ? SOCK_RAW : SOCK_STREAM, 0);
  else if (starts(row->name, "NETLINK_"))
    fd = socket(AF_NETLINK, SOCK_RAW, (int)row->value);
  else if (row->value == SOCK_NONBLOCK || row->value == SOCK_CLOEXEC)
    fd = socket(AF_INET, SOCK_DGRAM | (int)row->value, 0);
  else if (starts(row->name, "SOCK_"))
    fd = socket(AF_UNIX, (int)row->value, 0);
  else if (row->value == IPPROTO_TCP || row->value == IPPROTO_IP)
    fd = socket(AF_INET, SOCK_STREAM, (int)row->value);
  else if (row->value == IPPROTO_UDP || row->value == IPPROTO_UDPLITE)
    fd = socket(AF_INET, SOCK_DGRAM, (int)row->value);
  else
    return;  // raw sockets are for who has the privilege
  say(row, "", fd);
  if (fd >= 0) printf("  shown as %#x, closed on exec %d\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD)), close(fd);
}

static void try_message(const struct row* row) {
  if (!starts(row->name, "MSG_")) return;
  const struct {
    const char* how;
    int type;
  } kinds[] = {{" on a stream", SOCK_STREAM}, {" on datagrams", SOCK_DGRAM}, {" on records", SOCK_SEQPACKET}};
  const int sends = strcmp(row->call, "sendmsg") == 0;
  if (row->value == MSG_FASTOPEN) {
    const struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = 0x0900, .sin_addr.s_addr = 0x0100007f};
    SHOW(row, " to nobody",
         sendto(socket(AF_INET, SOCK_STREAM, 0), "a", 1, MSG_FASTOPEN, (const void*)&nobody, sizeof nobody));
    return;
  }
  for (size_t i = 0; i < 3; i++) {
    int ends[2];
    char byte[4] = "abc";
    socketpair(AF_UNIX, kinds[i].type | SOCK_NONBLOCK, 0, ends);
    struct iovec data = {byte, 3};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (sends) {
      SHOW(row, kinds[i].how, sendmsg(ends[0], &message, (int)row->value));
    } else {
      send(ends[0], "abc", 3, 0);
      errno = 0;
      const long got = recvmsg(ends[1], &message, (int)row->value);
      say(row, kinds[i].how, got);
      printf("  %ld bytes, flags %#x\n", got, got < 0 ? 0 : message.msg_flags);
    }
    close(ends[0]), close(ends[1]);
  }
}

// What a TCP, UDP, raw IPv6-capable or local socket lets be set: one that takes it is enough.
static void try_set_option(const struct row* row) {
  static const struct {
    const char* prefix;
    int level, family, type;
  } kinds[] = {{"SO_", SOL_SOCKET, AF_INET, SOCK_STREAM},   {"SO_", SOL_SOCKET, AF_UNIX, SOCK_STREAM},
               {"IP_", IPPROTO_IP, AF_INET, SOCK_DGRAM},    {"IPV6_", IPPROTO_IPV6, AF_INET6, SOCK_DGRAM},
               {"TCP_", IPPROTO_TCP, AF_INET, SOCK_STREAM}, {"UDP_", IPPROTO_UDP, AF_INET, SOCK_DGRAM}};
  const int sets = strcmp(row->call, "setsockopt") == 0;
  if (row->level != Refused) return;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (!starts(row->name, kinds[i].prefix)) continue;
    char room[64] = {1};
    socklen_t size = sizeof room;
    const int fd = socket(kinds[i].family, kinds[i].type, 0);
    if (sets)
      SHOW(row, "", setsockopt(fd, kinds[i].level, (int)row->value, room, sizeof(int)));
    else
      SHOW(row, "", getsockopt(fd, kinds[i].level, (int)row->value, room, &size));
    close(fd);
  }
}

static void try_option(const struct row* row) {
  char room[256];
  socklen_t size = sizeof room;
  try_set_option(row);
  if (!starts(row->name, "SO_") || row->level == Refused) return;
  int ends[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  if (row->value != SO_PEERGROUPS && row->value != SO_BINDTODEVICE)
    SHOW(row, "", getsockopt(ends[0], SOL_SOCKET, (int)row->value, room, &size));
  close(ends[0]), close(ends[1]);
}

// A refused command is tried on one descriptor of each kind.
static void try_refused_ioctl(const struct row* row) {
  static char argument[4096];
  static int fds[8], count;
  if (count == 0) {
    fds[count++] = open("file", O_RDWR);
    fds[count++] = open(".", O_RDONLY);
    fds[count++] = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    fds[count++] = open("/dev/urandom", O_RDONLY);
    fds[count++] = open("/proc/self/ns/pid", O_RDONLY);
    fds[count++] = socket(AF_INET, SOCK_DGRAM, 0);
    fds[count++] = epoll_create1(0);
    fds[count++] = timerfd_create(CLOCK_MONOTONIC, 0);
  }
  memset(argument, 0, sizeof argument);
  strcpy(argument, "lo");
  for (int i = 0; i < count; i++)
    SHOW(row, "", ioctl(fds[i], row->value, argument));
}

static void try_ioctl(const struct row* row) {
  static char argument[4096];
  if (row->level == Refused) {
    try_refused_ioctl(row);
    return;
  }
  memset(argument, 0, sizeof argument);
  if (starts(row->name, "FIO") && !strstr(row->name, "OWN")) {
    int ends[2];
    pipe(ends);
    SHOW(row, " of a pipe", ioctl(ends[0], row->value, argument));
    close(ends[0]), close(ends[1]);
  } else if (starts(row->name, "SIOC") || strstr(row->name, "OWN")) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    strcpy(argument, "lo");
    if (row->value == SIOCGIFCONF) memset(argument, 0, 16);
    if (row->value == SIOCGIFNAME) argument[16] = 1;
    if (!starts(row->name, "SIOCS")) SHOW(row, " of a socket", ioctl(fd, row->value, argument));
    close(fd);
  } else if (starts(row->name, "TIOCG") || starts(row->name, "TCGET")) {
    const int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    SHOW(row, " of a terminal", ioctl(fd, row->value, row->value == TIOCGPTPEER ? (void*)O_NOCTTY : argument));
    close(fd);
  } else if (starts(row->name, "NS_GET_")) {
    const int fd = open("/proc/self/ns/user", O_RDONLY);
    if (row->value == NS_GET_NSTYPE || row->value == NS_GET_OWNER_UID)
      SHOW(row, "", ioctl(fd, row->value, argument) < 0 ? -1 : 0);
    close(fd);
  }
}

static const struct {
  const char* call;
  void (*attempt)(const struct row*);
} attempts[] = {
    {"mmap", try_mmap},
    {"mprotect", try_mprotect},
    {"mremap", try_mremap},
    {"madvise", try_madvise},
    {"mlock2", try_lock},
    {"msync", try_lock},
    {"memfd_create", try_memfd},
    {"membarrier", try_membarrier},
    {"futex", try_futex},
    {"futex_wait", try_futex2},
    {"prctl", try_prctl},
    {"arch_prctl", try_arch_prctl},
    {"prlimit64", try_limit},
    {"clock_gettime", try_clock},
    {"clock_nanosleep", try_clock},
    {"timer_create", try_timer},
    {"timerfd_create", try_timerfd},
    {"timerfd_settime", try_timerfd},
    {"openat", try_open},
    {"openat2", try_openat2},
    {"fcntl", try_fcntl},
    {"statx", try_statx},
    {"newfstatat", try_at},
    {"faccessat2", try_at},
    {"linkat", try_at},
    {"unlinkat", try_at},
    {"fchownat", try_at},
    {"utimensat", try_at},
    {"flock", try_file_call},
    {"lseek", try_file_call},
    {"renameat2", try_file_call},
    {"pipe2", try_descriptor},
    {"epoll_create1", try_descriptor},
    {"eventfd2", try_descriptor},
    {"signalfd4", try_descriptor},
    {"epoll_ctl", try_epoll},
    {"socket", try_socket},
    {"sendmsg", try_message},
    {"recvmsg", try_message},
    {"getsockopt", try_option},
    {"setsockopt", try_set_option},
    {"ioctl", try_ioctl},
};

static void try_row(const struct row* row) {
  tried = worked = 0;
  for (size_t k = 0; k < sizeof attempts / sizeof *attempts; k++)
    if (strcmp(row->call, attempts[k].call) == 0) attempts[k].attempt(row);
}

static void prepare(void) {
  signal(SIGPIPE, SIG_IGN);
  scratch();
  put("file", "content");
  symlink("file", "link");
}
