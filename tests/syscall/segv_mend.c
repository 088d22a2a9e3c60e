// SPDX-License-Identifier: Apache-2.0
// A SIGSEGV handler that makes the page writable: the instruction is then repeated. And one that changes registers.
#include <ucontext.h>

#include "check.h"

static char* page;
static int faults;
static void mend(int s, siginfo_t* i, void* u) {
  (void)s, (void)u;
  faults++;
  if ((char*)i->si_addr >= page && (char*)i->si_addr < page + 8192)
    mprotect((void*)((uintptr_t)i->si_addr & ~4095ul), 4096, PROT_READ | PROT_WRITE);
  else
    _exit(9);
}

static void skip(int s, siginfo_t* i, void* context) {
  (void)s, (void)i;
  ucontext_t* u = context;
  SAY("trap number %lld error %lld", (long long)u->uc_mcontext.gregs[REG_TRAPNO],
      (long long)u->uc_mcontext.gregs[REG_ERR]);
  u->uc_mcontext.gregs[REG_RIP] += 2;
  u->uc_mcontext.gregs[REG_RBX] = 77;
}

int main(void) {
  page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct sigaction a = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &a, NULL);
  page[0] = 'a';
  page[4096] = 'b';
  page[1] = 'c';
  RET(faults);
  SAY("%c%c%c", page[0], page[1], page[4096]);
  a.sa_sigaction = skip;
  sigaction(SIGILL, &a, NULL);
  long value;
  __asm__ volatile("movq $5, %%rbx; ud2; movq %%rbx, %0" : "=r"(value)::"rbx");
  RET(value);
  return done();
}
