// SPDX-License-Identifier: Apache-2.0
// io_uring_setup(2), io_uring_enter(2), io_uring_register(2): by the calls themselves, without a library.
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "check.h"

static int ring;
static struct io_uring_params params;
static char* rings;
static struct io_uring_sqe* entries;
static unsigned tail;

static unsigned* word(unsigned offset) {
  return (unsigned*)(rings + offset);
}
static void open_ring(unsigned size, unsigned flags, unsigned cq) {
  memset(&params, 0, sizeof params);
  params.flags = flags;
  params.cq_entries = cq;
  ring = (int)syscall(SYS_io_uring_setup, size, &params);
  if (ring < 0) {
    SAY("io_uring_setup: %s", error_name(errno));
    exit(1);
  }
  size_t bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  rings = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
  entries = mmap(NULL, params.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
  tail = 0;
}
static struct io_uring_sqe* next(int opcode, int fd, const void* address, unsigned length, unsigned long long offset) {
  unsigned at = tail++ & (params.sq_entries - 1);
  word(params.sq_off.array)[at] = at;
  struct io_uring_sqe* entry = &entries[at];
  memset(entry, 0, sizeof *entry);
  entry->opcode = (unsigned char)opcode;
  entry->fd = fd;
  entry->addr = (uintptr_t)address;
  entry->len = length;
  entry->off = offset;
  entry->user_data = tail;
  return entry;
}
static long enter(unsigned submit, unsigned least, unsigned flags) {
  __atomic_store_n(word(params.sq_off.tail), tail, __ATOMIC_RELEASE);
  return syscall(SYS_io_uring_enter, ring, submit, least, flags, NULL, 0);
}
static int take(struct io_uring_cqe* to) {
  unsigned head = *word(params.cq_off.head);
  if (head == __atomic_load_n(word(params.cq_off.tail), __ATOMIC_ACQUIRE)) return 0;
  *to = ((struct io_uring_cqe*)(rings + params.cq_off.cqes))[head & (params.cq_entries - 1)];
  __atomic_store_n(word(params.cq_off.head), head + 1, __ATOMIC_RELEASE);
  return 1;
}
// Submits and prints `count` results in the order of the requests.
static int results[64];
static void go(const char* what, unsigned count) {
  unsigned first = tail - count + 1;
  long sent = enter(count, count, IORING_ENTER_GETEVENTS);
  if (sent != (long)count) SAY("%s: submitted %ld %s", what, sent, sent < 0 ? error_name(errno) : "");
  struct io_uring_cqe cqe;
  int got[64];
  unsigned found = 0;
  for (unsigned i = 0; i < count; ++i)
    got[i] = 12345678;
  while (take(&cqe)) {
    if (cqe.user_data >= first && cqe.user_data < first + count) got[cqe.user_data - first] = cqe.res;
    ++found;
  }
  char line[400] = "";
  for (unsigned i = 0; i < count; ++i) {
    results[i] = got[i];
    int negative = got[i] < 0;
    sprintf(line + strlen(line), " %s%d", negative ? "-" : "", negative ? 0 : got[i]);
    if (negative) sprintf(line + strlen(line) - 1, "%s", error_name(-got[i]));
  }
  SAY("%s:%s%s", what, line, found == count ? "" : " (another number of results)");
}

static void files(void) {
  char a[32] = "", b[32] = "";
  put("file", "0123456789");
  int fd = open("file", O_RDWR);
  next(IORING_OP_NOP, 0, NULL, 0, 0);
  go("nop", 1);
  next(IORING_OP_READ, fd, a, 4, 2);
  next(IORING_OP_WRITE, fd, "XYZ", 3, 7);
  go("read, write", 2);
  SAY("%s", a);
  struct iovec in[2] = {{a, 2}, {b, 3}};
  next(IORING_OP_READV, fd, in, 2, 5);
  next(IORING_OP_READ, fd, a, 4, (unsigned long long)-1);
  next(IORING_OP_READ, fd, b, 4, (unsigned long long)-1);
  go("readv, reads at the position", 3);
  SAY("%.4s %.4s", a, b);
  next(IORING_OP_FSYNC, fd, NULL, 0, 0);
  next(IORING_OP_READ, 99, a, 4, 0);
  next(IORING_OP_READ, fd, (void*)8, 4, 0);
  next(IORING_OP_READ, fd, a, 4, 100);
  go("fsync, bad descriptor, bad address, at the end", 4);
  struct statx info;
  next(IORING_OP_STATX, AT_FDCWD, "file", STATX_SIZE, (uintptr_t)&info);
  next(IORING_OP_OPENAT, AT_FDCWD, "file", 0, 0)->open_flags = O_RDONLY;
  next(IORING_OP_OPENAT, AT_FDCWD, "missing", 0, 0)->open_flags = O_RDONLY;
  go("statx, openat, missing", 3);
  SAY("size %llu", (unsigned long long)info.stx_size);
  next(IORING_OP_CLOSE, results[1], NULL, 0, 0);
  next(IORING_OP_FALLOCATE, fd, (void*)100, 0, 0);
  next(IORING_OP_FADVISE, fd, NULL, 100, 0)->fadvise_advice = POSIX_FADV_WILLNEED;
  go("close, fallocate, fadvise", 3);
  SAY("size %ld", (long)lseek(fd, 0, SEEK_END));
  next(IORING_OP_MKDIRAT, AT_FDCWD, "made", 0755, 0);
  go("mkdirat", 1);
  next(IORING_OP_RENAMEAT, AT_FDCWD, "made", (unsigned)AT_FDCWD, (uintptr_t) "other");
  go("renameat", 1);
  next(IORING_OP_UNLINKAT, AT_FDCWD, "other", 0, 0)->unlink_flags = AT_REMOVEDIR;
  go("unlinkat", 1);
  next(200, 0, NULL, 0, 0);
  go("unknown", 1);
  close(fd);
}

static void chains(void) {
  char text[16] = "";
  int fd = open("chain", O_RDWR | O_CREAT, 0600);
  next(IORING_OP_WRITE, fd, "linked", 6, 0)->flags = IOSQE_IO_LINK;
  next(IORING_OP_READ, fd, text, 6, 0);
  go("write then read", 2);
  SAY("%s", text);
  next(IORING_OP_READ, fd, text, 16, 0)->flags = IOSQE_IO_LINK;
  next(IORING_OP_NOP, 0, NULL, 0, 0)->flags = IOSQE_IO_LINK;
  next(IORING_OP_NOP, 0, NULL, 0, 0);
  go("a short read breaks the chain", 3);
  next(IORING_OP_READ, 99, text, 16, 0)->flags = IOSQE_IO_HARDLINK;
  next(IORING_OP_NOP, 0, NULL, 0, 0);
  go("a hard link holds", 2);
  // A drain waits for what came before.
  int ends[2];
  pipe(ends);
  next(IORING_OP_READ, ends[0], text, 4, 0);
  next(IORING_OP_NOP, 0, NULL, 0, 0)->flags = IOSQE_IO_DRAIN;
  RET(enter(2, 0, 0));
  struct io_uring_cqe cqe;
  RET(take(&cqe));
  write(ends[1], "abcd", 4);
  RET(enter(0, 2, IORING_ENTER_GETEVENTS));
  RET(take(&cqe));
  RET(cqe.res);
  RET(take(&cqe));
  RET(cqe.res);
  next(IORING_OP_NOP, 0, NULL, 0, 0)->flags = IOSQE_CQE_SKIP_SUCCESS;
  next(IORING_OP_NOP, 0, NULL, 0, 0);
  RET(enter(2, 1, IORING_ENTER_GETEVENTS));
  RET(take(&cqe));
  IS(cqe.user_data == tail);
  RET(take(&cqe));
  close(fd);
}

static void* later(void* argument) {
  int fd = *(int*)argument;
  pause_ms(20);
  write(fd, "late", 4);
  return NULL;
}

static void waiting(void) {
  int ends[2];
  char text[16] = "";
  pipe(ends);
  struct io_uring_cqe cqe;
  // A read that waits, and ends without a call: the result is simply there.
  next(IORING_OP_READ, ends[0], text, sizeof text, 0);
  RET(enter(1, 0, 0));
  RET(take(&cqe));
  write(ends[1], "now", 3);
  for (int i = 0; i < 5000 && !take(&cqe); ++i)
    pause_ms(1);
  RET(cqe.res);
  next(IORING_OP_READ, ends[0], text, sizeof text, 0);
  pthread_t thread = start(later, &ends[1]);
  RET(enter(1, 1, IORING_ENTER_GETEVENTS));
  RET(take(&cqe));
  RET(cqe.res);
  join(thread);
  // Polls.
  next(IORING_OP_POLL_ADD, ends[0], NULL, 0, 0)->poll32_events = POLLIN;
  next(IORING_OP_POLL_ADD, ends[1], NULL, 0, 0)->poll32_events = POLLOUT;
  RET(enter(2, 1, IORING_ENTER_GETEVENTS));
  RET(take(&cqe));
  IS(cqe.res & POLLOUT);
  write(ends[1], "x", 1);
  RET(enter(0, 1, IORING_ENTER_GETEVENTS));
  RET(take(&cqe));
  IS(cqe.res & POLLIN);
  read(ends[0], text, 1);
  // Cancelled, removed.
  unsigned long long target = next(IORING_OP_POLL_ADD, ends[0], NULL, 0, 0)->user_data;
  entries[(tail - 1) & (params.sq_entries - 1)].poll32_events = POLLIN;
  RET(enter(1, 0, 0));
  next(IORING_OP_POLL_REMOVE, -1, (void*)(uintptr_t)target, 0, 0);
  RET(enter(1, 2, IORING_ENTER_GETEVENTS));
  int sum = 0;
  for (int i = 0; i < 2 && take(&cqe); ++i)
    sum += cqe.res;
  IS(sum == -ECANCELED);
  target = next(IORING_OP_READ, ends[0], text, 4, 0)->user_data;
  RET(enter(1, 0, 0));
  next(IORING_OP_ASYNC_CANCEL, -1, (void*)(uintptr_t)target, 0, 0);
  RET(enter(1, 2, IORING_ENTER_GETEVENTS));
  sum = 0;
  for (int i = 0; i < 2 && take(&cqe); ++i)
    sum += cqe.res;
  IS(sum == -ECANCELED || sum == -EINTR - EALREADY);
  next(IORING_OP_ASYNC_CANCEL, -1, (void*)999999, 0, 0);
  go("cancel of nothing", 1);
  // Many times on a poll that stays.
  struct io_uring_sqe* stays = next(IORING_OP_POLL_ADD, ends[0], NULL, IORING_POLL_ADD_MULTI, 0);
  stays->poll32_events = POLLIN;
  target = stays->user_data;
  RET(enter(1, 0, 0));
  for (int i = 0; i < 3; ++i) {
    write(ends[1], "x", 1);
    enter(0, 1, IORING_ENTER_GETEVENTS);
    while (take(&cqe))
      IS(cqe.res == POLLIN && (cqe.flags & IORING_CQE_F_MORE));
    read(ends[0], text, 1);
  }
  next(IORING_OP_POLL_REMOVE, -1, (void*)(uintptr_t)target, 0, 0);
  RET(enter(1, 2, IORING_ENTER_GETEVENTS));
  while (take(&cqe)) {
  }
}

static void timeouts(void) {
  struct __kernel_timespec soon = {0, 20000000}, far = {100, 0};
  struct io_uring_cqe cqe;
  char text[4];
  double from = seconds_now();
  next(IORING_OP_TIMEOUT, -1, &soon, 1, 0);
  go("timeout", 1);
  IS(seconds_now() - from >= 0.019);
  // Ended by a number of results.
  next(IORING_OP_TIMEOUT, -1, &far, 1, 2);
  next(IORING_OP_NOP, 0, NULL, 0, 0);
  next(IORING_OP_NOP, 0, NULL, 0, 0);
  go("timeout with a count", 3);
  unsigned long long target = next(IORING_OP_TIMEOUT, -1, &far, 1, 0)->user_data;
  RET(enter(1, 0, 0));
  next(IORING_OP_TIMEOUT_REMOVE, -1, (void*)(uintptr_t)target, 0, 0);
  RET(enter(1, 2, IORING_ENTER_GETEVENTS));
  int sum = 0;
  for (int i = 0; i < 2 && take(&cqe); ++i)
    sum += cqe.res;
  IS(sum == -ECANCELED);
  next(IORING_OP_TIMEOUT_REMOVE, -1, (void*)(uintptr_t)target, 0, 0);
  go("remove of nothing", 1);
  next(IORING_OP_TIMEOUT, -1, &far, 2, 0);
  go("bad length", 1);
  next(IORING_OP_LINK_TIMEOUT, -1, &far, 1, 0);
  go("link timeout alone", 1);
  int ends[2];
  pipe(ends);
  next(IORING_OP_READ, ends[0], text, 4, 0)->flags = IOSQE_IO_LINK;
  next(IORING_OP_LINK_TIMEOUT, -1, &soon, 1, 0);
  go("a read that is too late", 2);
  write(ends[1], "x", 1);
  next(IORING_OP_READ, ends[0], text, 1, 0)->flags = IOSQE_IO_LINK;
  next(IORING_OP_LINK_TIMEOUT, -1, &far, 1, 0);
  go("a read in time", 2);
  struct io_uring_getevents_arg wait = {0};
  wait.ts = (uintptr_t)&soon;
  RET(syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &wait, sizeof wait));
}

static void network(void) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (void*)&name, sizeof name);
  listen(listener, 5);
  getsockname(listener, (void*)&name, &size);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in from;
  socklen_t from_size = sizeof from;
  next(IORING_OP_ACCEPT, listener, &from, 0, (uintptr_t)&from_size);
  next(IORING_OP_CONNECT, client, &name, 0, sizeof name);
  RET(enter(2, 2, IORING_ENTER_GETEVENTS));
  struct io_uring_cqe cqe;
  int server = -1;
  for (int i = 0; i < 2 && take(&cqe); ++i) {
    if (cqe.user_data == tail - 1)
      server = cqe.res;
    else
      RET(cqe.res);
  }
  IS(server > 0);
  IS(from.sin_family == AF_INET && from_size == sizeof from);
  char text[16] = "", more[16] = "";
  next(IORING_OP_RECV, server, text, sizeof text, 0);
  next(IORING_OP_SEND, client, "hello", 5, 0);
  go("recv, send", 2);
  SAY("%s", text);
  struct iovec out = {"message", 7}, in = {more, sizeof more};
  struct msghdr send_header = {.msg_iov = &out, .msg_iovlen = 1}, receive_header = {.msg_iov = &in, .msg_iovlen = 1};
  next(IORING_OP_RECVMSG, client, &receive_header, 1, 0);
  next(IORING_OP_SENDMSG, server, &send_header, 1, 0);
  go("recvmsg, sendmsg", 2);
  SAY("%s", more);
  memset(text, 0, sizeof text);
  next(IORING_OP_RECV, server, text, 6, 0)->msg_flags = MSG_WAITALL;
  RET(enter(1, 0, 0));
  send(client, "abc", 3, 0);
  enter(0, 0, IORING_ENTER_GETEVENTS);
  RET(take(&cqe));
  send(client, "def", 3, 0);
  RET(enter(0, 1, IORING_ENTER_GETEVENTS));
  RET(take(&cqe));
  RET(cqe.res);
  SAY("%s", text);
  next(IORING_OP_SHUTDOWN, client, NULL, SHUT_WR, 0);
  next(IORING_OP_RECV, server, text, 6, 0);
  go("shutdown, recv", 2);
  next(IORING_OP_RECV, listener, text, 6, 0);
  next(IORING_OP_RECV, 0, text, 6, 0)->flags = 0;
  next(IORING_OP_SOCKET, AF_INET, NULL, 0, SOCK_DGRAM);
  enter(3, 3, IORING_ENTER_GETEVENTS);
  while (take(&cqe)) {
    if (cqe.user_data == tail) IS(cqe.res > 0);
  }
  close(client);
  close(server);
  close(listener);
  // Nobody listens.
  client = socket(AF_INET, SOCK_STREAM, 0);
  next(IORING_OP_CONNECT, client, &name, 0, sizeof name);
  go("connect to nobody", 1);
  close(client);
}

static void registered(void) {
  char buffer[64] = "";
  int fd = open("file", O_RDWR);
  struct iovec buffers[2] = {{buffer, 32}, {buffer + 32, 32}};
  RET(syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, buffers, 2));
  RET(syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, buffers, 2));
  next(IORING_OP_READ_FIXED, fd, buffer + 33, 4, 0)->buf_index = 1;
  next(IORING_OP_READ_FIXED, fd, buffer, 4, 0)->buf_index = 1;
  next(IORING_OP_READ_FIXED, fd, buffer, 4, 0)->buf_index = 7;
  go("fixed buffers", 3);
  SAY("%.4s", buffer + 33);
  next(IORING_OP_WRITE_FIXED, fd, buffer + 33, 4, 2)->buf_index = 1;
  go("write fixed", 1);
  RET(syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0));
  RET(syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0));
  int fds[3] = {fd, -1, -1};
  RET(syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, fds, 3));
  next(IORING_OP_READ, 0, buffer, 4, 0)->flags = IOSQE_FIXED_FILE;
  next(IORING_OP_READ, 1, buffer, 4, 0)->flags = IOSQE_FIXED_FILE;
  next(IORING_OP_READ, 9, buffer, 4, 0)->flags = IOSQE_FIXED_FILE;
  go("fixed files", 3);
  struct io_uring_files_update update = {.offset = 1, .fds = (uintptr_t)fds};
  RET(syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES_UPDATE, &update, 1));
  next(IORING_OP_READ, 1, buffer, 4, 0)->flags = IOSQE_FIXED_FILE;
  go("updated", 1);
  RET(syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_FILES, NULL, 0));
  int counter = eventfd(0, EFD_NONBLOCK);
  uint64_t count = 0;
  RET(syscall(SYS_io_uring_register, ring, IORING_REGISTER_EVENTFD, &counter, 1));
  next(IORING_OP_NOP, 0, NULL, 0, 0);
  go("with an eventfd", 1);
  RET(read(counter, &count, 8));
  RET((long)count);
  RET(syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_EVENTFD, NULL, 0));
  struct {
    struct io_uring_probe head;
    struct io_uring_probe_op ops[64];
  } probe;
  memset(&probe, 0, sizeof probe);
  RET(syscall(SYS_io_uring_register, ring, IORING_REGISTER_PROBE, &probe, 64));
  IS(probe.ops[IORING_OP_READ].flags & IO_URING_OP_SUPPORTED);
  IS(probe.ops[IORING_OP_ACCEPT].flags & IO_URING_OP_SUPPORTED);
  RET(syscall(SYS_io_uring_register, ring, 9999, NULL, 0));
  struct pollfd poll_ring = {ring, POLLIN, 0};
  RET(poll(&poll_ring, 1, 0));
  next(IORING_OP_NOP, 0, NULL, 0, 0);
  RET(enter(1, 0, 0));
  RET(poll(&poll_ring, 1, 0));
  struct io_uring_cqe cqe;
  RET(take(&cqe));
  close(fd);
}

int main(void) {
  scratch();
  memset(&params, 0, sizeof params);
  RET(syscall(SYS_io_uring_setup, 0, &params));
  RET(syscall(SYS_io_uring_setup, 8, NULL));
  RET(syscall(SYS_io_uring_setup, 100000, &params));
  params.resv[1] = 1;
  RET(syscall(SYS_io_uring_setup, 8, &params));
  memset(&params, 0, sizeof params);
  params.flags = IORING_SETUP_CQSIZE;
  params.cq_entries = 4;
  RET(syscall(SYS_io_uring_setup, 8, &params));
  open_ring(5, 0, 0);
  RET(params.sq_entries);
  RET(params.cq_entries);
  IS(params.features & IORING_FEAT_SINGLE_MMAP);
  IS(params.features & IORING_FEAT_NODROP);
  IS(params.features & IORING_FEAT_EXT_ARG);
  RET(*word(params.sq_off.ring_mask));
  RET((fcntl(ring, F_GETFD) & FD_CLOEXEC) != 0);
  RET(syscall(SYS_io_uring_enter, ring, 0, 0, 0x10000000, NULL, 0));
  RET(syscall(SYS_io_uring_enter, 0, 0, 0, 0, NULL, 0));
  RET(syscall(SYS_io_uring_enter, 99, 0, 0, 0, NULL, 0));
  RET(enter(5, 0, 0));
  files();
  chains();
  waiting();
  timeouts();
  network();
  registered();
  // More results than the ring has room for are kept.
  for (int i = 0; i < 24; ++i) {
    next(IORING_OP_NOP, 0, NULL, 0, 0);
    if (i % 8 == 7) RET(enter(8, 0, 0));
  }
  int all = 0;
  struct io_uring_cqe cqe;
  while (take(&cqe))
    ++all;
  RET(all);
  RET(enter(0, 0, IORING_ENTER_GETEVENTS));
  while (take(&cqe))
    ++all;
  RET(all);
  // A ring that starts disabled.
  close(ring);
  open_ring(4, IORING_SETUP_R_DISABLED, 0);
  next(IORING_OP_NOP, 0, NULL, 0, 0);
  RET(enter(1, 0, 0));
  RET(syscall(SYS_io_uring_register, ring, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
  RET(enter(1, 0, 0));
  RET(take(&cqe));
  // Closed with a request that waits.
  int ends[2];
  pipe(ends);
  char text[4];
  next(IORING_OP_READ, ends[0], text, 4, 0);
  RET(enter(1, 0, 0));
  RET(close(ring));
  return done();
}
