// SPDX-License-Identifier: Apache-2.0
// lsm_list_modules(2), lsm_get_self_attr(2), lsm_set_self_attr(2) where no module has attributes.
#include "check.h"

#ifndef SYS_lsm_list_modules
#define SYS_lsm_get_self_attr 459
#define SYS_lsm_set_self_attr 460
#define SYS_lsm_list_modules 461
#endif

struct context {
  uint64_t id, flags, length, context_length;
  char bytes[8];
};

static long list(uint64_t* ids, uint32_t* size, uint32_t flags) {
  return syscall(SYS_lsm_list_modules, ids, size, flags);
}
static long get(unsigned attribute, struct context* c, uint32_t* size, uint32_t flags) {
  return syscall(SYS_lsm_get_self_attr, attribute, c, size, flags);
}
static long set(unsigned attribute, struct context* c, uint32_t size, uint32_t flags) {
  return syscall(SYS_lsm_set_self_attr, attribute, c, size, flags);
}

int main(void) {
  uint64_t ids[32] = {0};
  uint32_t size = sizeof ids;
  const long count = list(ids, &size, 0);
  int capability = 0, landlock = 0;
  for (long i = 0; i < count; ++i)
    capability |= ids[i] == 100, landlock |= ids[i] == 110;
  IS(count > 0 && size == count * 8);
  IS(capability);
  IS(landlock);
  size = 8;
  RET(list(ids, &size, 0));
  IS(size == count * 8);
  RET(list(ids, &size, 1));
  RET(list(ids, NULL, 0));
  RET(list((void*)8, &size, 0));
  struct context c = {.id = 100, .length = sizeof c, .context_length = 8};
  size = sizeof c;
  RET(get(100, &c, &size, 0));
  SAY("size %u", size);
  RET(get(0, &c, &size, 0));
  RET(get(100, &c, NULL, 0));
  RET(get(100, &c, (void*)8, 0));
  RET(get(100, &c, &size, 1));
  RET(get(100, NULL, &size, 1));
  RET(get(100, &c, &size, 2));
  RET(get(100, NULL, &size, 0));
  c.id = 0;
  RET(get(100, &c, &size, 1));
  c.id = 100;
  RET(set(100, &c, sizeof c, 0));
  RET(set(100, &c, sizeof c, 1));
  RET(set(100, &c, 31, 0));
  RET(set(100, &c, 4097, 0));
  RET(set(100, NULL, sizeof c, 0));
  c.context_length = 9;
  RET(set(100, &c, sizeof c, 0));
  c.context_length = -1;
  RET(set(100, &c, sizeof c, 0));
  c.context_length = 0;
  c.length = 1000;
  RET(set(100, &c, sizeof c, 0));
  return 0;
}
