// SPDX-License-Identifier: Apache-2.0
// sigaltstack(2): handlers on a stack of their own, its state, errors.
#include "check.h"

static char* base;
static int on_it, state;
static void handler(int s) {
  char here;
  (void)s;
  on_it = &here >= base && &here < base + 65536;
  stack_t now;
  sigaltstack(NULL, &now);
  state = now.ss_flags;
  stack_t other = {.ss_sp = base, .ss_size = 65536};
  RET(sigaltstack(&other, NULL));
}

int main(void) {
  stack_t st, old;
  RET(sigaltstack(NULL, &old));
  RET(old.ss_flags);
  base = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  st = (stack_t){.ss_sp = base, .ss_size = 65536};
  RET(sigaltstack(&st, NULL));
  RET(sigaltstack(NULL, &old));
  IS(old.ss_sp == base && old.ss_size == 65536 && old.ss_flags == 0);
  struct sigaction a = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &a, NULL);
  raise(SIGUSR1);
  SAY("on it %d state %d", on_it, state);
  a.sa_flags = 0;
  sigaction(SIGUSR1, &a, NULL);
  st.ss_flags = 0;
  on_it = 5;
  raise(SIGUSR1);
  SAY("on it %d state %d", on_it, state);
  st.ss_size = 100;
  RET(sigaltstack(&st, NULL));
  st = (stack_t){.ss_sp = base, .ss_size = 65536, .ss_flags = 0x100};
  RET(sigaltstack(&st, NULL));
  st.ss_flags = SS_DISABLE;
  RET(sigaltstack(&st, NULL));
  RET(sigaltstack(NULL, &old));
  RET(old.ss_flags);
  RET(sigaltstack((void*)1, NULL));
  return done();
}
