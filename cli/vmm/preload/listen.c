/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into the network helper (QEMU, passt): libslirp listens on published ports with a backlog of 1 and passt
 * with 128, so a burst of connections overflows the queue, and those that were dropped come again only a second or more
 * later (TCP's first retransmission). Here every listen(2) asks for a queue that holds a burst of thousands; the kernel
 * cuts it to net.core.somaxconn. Needs no library, so it loads into any program of this architecture. */
#define BACKLOG 4096

extern int* __errno_location(void);

int listen(int fd, int backlog);

int listen(int fd, int backlog) {
  long result = 50; /* listen's number on x86-64; the result comes back in the same register */
  const long queue = backlog > BACKLOG ? backlog : BACKLOG;
  __asm__ volatile("syscall" : "+a"(result) : "D"((long)fd), "S"(queue) : "rcx", "r11", "memory");
  if (result >= 0) return 0;
  *__errno_location() = (int)-result;
  return -1;
}
