// SPDX-License-Identifier: Apache-2.0
// io_setup(2), io_submit(2), io_getevents(2), io_cancel(2), io_destroy(2), io_pgetevents(2).
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#include "check.h"

static aio_context_t context;
static long setup(unsigned events, aio_context_t* id) {
  return syscall(SYS_io_setup, events, id);
}
static long submit(long count, struct iocb** list) {
  return syscall(SYS_io_submit, context, count, list);
}
static long events_of(long least, long most, struct io_event* to, struct timespec* timeout) {
  return syscall(SYS_io_getevents, context, least, most, to, timeout);
}
static struct iocb request(int opcode, int fd, void* buffer, size_t size, long long offset) {
  struct iocb made;
  memset(&made, 0, sizeof made);
  made.aio_lio_opcode = (unsigned short)opcode;
  made.aio_fildes = (unsigned)fd;
  made.aio_buf = (uintptr_t)buffer;
  made.aio_nbytes = size;
  made.aio_offset = offset;
  made.aio_data = 1000 + (unsigned)opcode;
  return made;
}
static void one(const char* what, struct iocb made) {
  struct iocb* list[1] = {&made};
  struct io_event event;
  errno = 0;
  long sent = submit(1, list);
  if (sent != 1) {
    SAY("%s: submit %ld %s", what, sent, error_name(errno));
    return;
  }
  long got = events_of(1, 1, &event, NULL);
  SAY("%s: %ld event, data %llu, own object %d, res %lld", what, got, event.data, event.obj == (uintptr_t)&made,
      event.res);
}

int main(void) {
  scratch();
  put("file", "0123456789");
  char buffer[32] = "";
  struct io_event events[4];
  struct timespec none = {0, 0};
  RET(setup(0, &context));
  RET(setup(8, NULL));
  RET(setup(~0u, &context));
  RET(setup(1000000, &context));
  RET(setup(8, &context));
  IS(context != 0);
  RET(setup(8, &context));

  int fd = open("file", O_RDWR);
  int reader = open("file", O_RDONLY);
  one("read", request(IOCB_CMD_PREAD, fd, buffer, 4, 3));
  SAY("%s", buffer);
  one("read at the end", request(IOCB_CMD_PREAD, fd, buffer, 4, 100));
  one("write", request(IOCB_CMD_PWRITE, fd, "abc", 3, 5));
  struct iovec parts[2] = {{"XY", 2}, {"Z", 1}};
  one("write vector", request(IOCB_CMD_PWRITEV, fd, parts, 2, 0));
  struct iovec places[2] = {{buffer, 2}, {buffer + 10, 3}};
  one("read vector", request(IOCB_CMD_PREADV, fd, places, 2, 0));
  SAY("%.2s %.3s", buffer, buffer + 10);
  one("fsync", request(IOCB_CMD_FSYNC, fd, NULL, 0, 0));
  one("fdatasync", request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0));
  show("file");

  one("not open for writing", request(IOCB_CMD_PWRITE, reader, "abc", 3, 0));
  one("bad descriptor", request(IOCB_CMD_PREAD, 99, buffer, 4, 0));
  one("bad opcode", request(77, fd, buffer, 4, 0));
  one("negative size", request(IOCB_CMD_PREAD, fd, buffer, (size_t)-1, 0));
  one("negative offset", request(IOCB_CMD_PREAD, fd, buffer, 4, -5));
  one("fsync with a buffer", request(IOCB_CMD_FSYNC, fd, buffer, 4, 0));
  struct iocb reserved = request(IOCB_CMD_PREAD, fd, buffer, 4, 0);
  reserved.aio_reserved2 = 1;
  one("reserved", reserved);
  RET(submit(-1, NULL));
  RET(submit(0, NULL));
  RET(submit(1, NULL));
  struct iocb* nothing[1] = {NULL};
  RET(submit(1, nothing));
  RET(syscall(SYS_io_submit, 12345L, 1L, nothing));
  RET(events_of(0, 4, events, &none));
  RET(events_of(3, 2, events, &none));
  RET(events_of(-1, 2, events, &none));
  RET(syscall(SYS_io_getevents, 12345L, 0L, 1L, events, NULL));
  struct timespec soon = {0, 20000000};
  RET(events_of(1, 4, events, &soon));

  // The second of three is wrong: the first counts.
  struct iocb good = request(IOCB_CMD_PREAD, fd, buffer, 1, 0);
  struct iocb bad = request(IOCB_CMD_PREAD, 99, buffer, 1, 0);
  struct iocb* mixed[3] = {&good, &bad, &good};
  RET(submit(3, mixed));
  RET(events_of(0, 4, events, &none));

  // A poll ends when the pipe has something, and tells an eventfd.
  int ends[2];
  pipe(ends);
  int counter = eventfd(0, EFD_NONBLOCK);
  uint64_t count = 0;
  struct iocb poll = request(IOCB_CMD_POLL, ends[0], (void*)(uintptr_t)POLLIN, 0, 0);
  poll.aio_flags = IOCB_FLAG_RESFD;
  poll.aio_resfd = (unsigned)counter;
  struct iocb* polls[1] = {&poll};
  RET(submit(1, polls));
  RET(events_of(0, 4, events, &none));
  RET(read(counter, &count, 8));
  RET(write(ends[1], "x", 1));
  RET(events_of(1, 4, events, NULL));
  SAY("%llu %lld", events[0].data, events[0].res & POLLIN);
  struct pollfd told = {counter, POLLIN, 0};
  RET(poll.aio_key);
  RET(ppoll(&told, 1, NULL, NULL));
  RET(read(counter, &count, 8));
  RET((long)count);
  // One that waits is cancelled; its event comes all the same.
  read(ends[0], buffer, 1);
  poll.aio_flags = 0;
  RET(submit(1, polls));
  RET(syscall(SYS_io_cancel, context, &good, events));
  RET(syscall(SYS_io_cancel, 12345L, &poll, events));
  RET(syscall(SYS_io_cancel, context, NULL, events));
  RET(syscall(SYS_io_cancel, context, &poll, events));
  RET(events_of(1, 4, events, NULL));

  // io_pgetevents with a mask.
  RET(syscall(SYS_io_pgetevents, context, 0L, 4L, events, &none, NULL));
  RET(syscall(SYS_io_destroy, 12345L));
  poll.aio_flags = 0;
  RET(submit(1, polls));
  RET(syscall(SYS_io_destroy, context));
  RET(syscall(SYS_io_destroy, context));
  RET(submit(1, polls));
  return done();
}
