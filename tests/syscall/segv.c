// SPDX-License-Identifier: Apache-2.0
// SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP with siginfo, from the faults that cause them (sigaction(2), si_code).
#include <setjmp.h>

#include "check.h"

static sigjmp_buf back;
static siginfo_t info;
static void on_fault(int s, siginfo_t* i, void* u) {
  (void)s, (void)u;
  info = *i;
  siglongjmp(back, 1);
}

#define FAULT(what, base)                                                       \
  do {                                                                          \
    memset(&info, 0, sizeof info);                                              \
    if (!sigsetjmp(back, 1)) {                                                  \
      what;                                                                     \
    }                                                                           \
    SAY("%s: signal %d code %d offset %ld", #what, info.si_signo, info.si_code, \
        (long)((uintptr_t)info.si_addr - (uintptr_t)(base)));                   \
  } while (0)

static int recurse(volatile int depth) {
  volatile char block[4096];
  block[0] = (char)depth;
  return depth > 1000000 ? block[0] : recurse(depth + 1) + block[0];
}

int main(void) {
  static char alternate[65536];
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  sigaltstack(&stack, NULL);
  struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  int all[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
  for (int i = 0; i < 5; i++)
    sigaction(all[i], &a, NULL);
  volatile char* none = NULL;
  volatile char* ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  volatile char* gone = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  volatile char* no = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap((void*)gone, 4096);
  FAULT(*none = 1, 0);
  FAULT((void)*(none + 100), 0);
  FAULT(ro[5] = 1, ro);
  FAULT((void)gone[7], gone);
  FAULT((void)no[9], no);
  data[3] = (char)0xc3;
  FAULT(((void (*)(void))(uintptr_t)(data + 3))(), data);
  FAULT((void)*(volatile char*)0x1234567890123456, 0);
  FAULT((void)*(volatile char*)0xffff800000000000, 0);
  FAULT((void)recurse(0), info.si_addr);
  FAULT(__asm__ volatile("xorl %%edx, %%edx; movl $1, %%eax; xorl %%ecx, %%ecx; divl %%ecx" ::
                             : "eax", "ecx", "edx"),
        info.si_addr);
  FAULT(__asm__ volatile("ud2"), info.si_addr);
  FAULT(__asm__ volatile("hlt"), 0);
  FAULT(__asm__ volatile("cli"), 0);
  FAULT(__asm__ volatile("int3"), info.si_addr);
  FAULT(__asm__ volatile("int $0x42"), 0);
  // A handler can mend the fault and go on.
  return done();
}
