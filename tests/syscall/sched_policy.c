// SPDX-License-Identifier: Apache-2.0
// sched(7): policies, priorities and their errors. What needs a privilege is not asked for: who has it may set a
// real-time policy, who has not gets EPERM, and both are told apart first.
#include <sched.h>
#include <sys/resource.h>

#include "check.h"

struct attributes {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
  uint32_t clamp_min, clamp_max;
};

static long set_attributes(int tid, void* a, unsigned flags) {
  return syscall(SYS_sched_setattr, tid, a, flags);
}
static long get_attributes(int tid, void* a, unsigned size, unsigned flags) {
  return syscall(SYS_sched_getattr, tid, a, size, flags);
}

static void real_time(void) {
  struct sched_param p = {.sched_priority = 10};
  int allowed = syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p) == 0;
  if (!allowed) {
    IS(errno == EPERM);
    return;
  }
  struct attributes a;
  struct timespec slice = {1, 1};
  if (syscall(SYS_sched_getscheduler, 0) != SCHED_FIFO) SAY("not FIFO");
  if (syscall(SYS_sched_getparam, 0, &p) || p.sched_priority != 10) SAY("not 10");
  if (syscall(SYS_sched_rr_get_interval, 0, &slice) || slice.tv_sec || slice.tv_nsec) SAY("FIFO has a slice");
  if (get_attributes(0, &a, sizeof a, 0) || a.policy != SCHED_FIFO || a.priority != 10 || a.nice) SAY("attributes");
  p.sched_priority = 99;
  if (syscall(SYS_sched_setparam, 0, &p)) SAY("setparam");
  p.sched_priority = 100;
  if (syscall(SYS_sched_setparam, 0, &p) != -1 || errno != EINVAL) SAY("100 is taken");
  p.sched_priority = 1;
  if (syscall(SYS_sched_setscheduler, 0, SCHED_RR | SCHED_RESET_ON_FORK, &p)) SAY("RR");
  if (syscall(SYS_sched_getscheduler, 0) != (SCHED_RR | SCHED_RESET_ON_FORK)) SAY("not RR");
  if (syscall(SYS_sched_rr_get_interval, 0, &slice) || slice.tv_sec || !slice.tv_nsec) SAY("RR has no slice");
  p.sched_priority = 0;
  if (syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p)) SAY("back");
  IS(errno == EPERM || allowed);
}

int main(void) {
  struct sched_param zero = {0}, p = {0};
  RET(syscall(SYS_sched_getscheduler, 0));
  RET(syscall(SYS_sched_getscheduler, -1));
  RET(syscall(SYS_sched_getscheduler, 0x3fffffff));
  RET(syscall(SYS_sched_getparam, 0, &p));
  RET(syscall(SYS_sched_getparam, 0, NULL));
  RET(syscall(SYS_sched_getparam, 0, (void*)8));
  RET(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &zero));
  RET(syscall(SYS_sched_getscheduler, 0));
  RET(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &zero));
  RET(syscall(SYS_sched_setscheduler, 0, 77, &zero));
  RET(syscall(SYS_sched_setscheduler, 0, -1, &zero));
  RET(syscall(SYS_sched_setscheduler, -1, SCHED_OTHER, &zero));
  RET(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL));
  RET(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, (void*)8));
  RET(syscall(SYS_sched_setscheduler, 0x3fffffff, SCHED_OTHER, &zero));
  RET(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &zero));
  p.sched_priority = 1;
  RET(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &p));
  RET(syscall(SYS_sched_setparam, 0, &p));
  RET(syscall(SYS_sched_setparam, 0, NULL));
  RET(syscall(SYS_sched_setparam, -1, &zero));
  RET(syscall(SYS_sched_setparam, 0, &zero));
  for (int policy = 0; policy < 7; policy++) {
    SAY("policy %d", policy);
    RET(syscall(SYS_sched_get_priority_max, policy));
    RET(syscall(SYS_sched_get_priority_min, policy));
  }
  struct timespec slice;
  RET(syscall(SYS_sched_rr_get_interval, 0, &slice));
  RET(syscall(SYS_sched_rr_get_interval, -1, &slice));
  RET(syscall(SYS_sched_rr_get_interval, 0x3fffffff, &slice));
  RET(syscall(SYS_sched_rr_get_interval, 0, (void*)8));

  struct attributes a = {.size = sizeof a, .nice = 3}, b;
  memset(&b, 0xff, sizeof b);
  RET(get_attributes(0, &b, 48, 0));
  SAY("size %u policy %u flags %llx nice %d priority %u", b.size, b.policy, (long long)b.flags, b.nice, b.priority);
  RET(set_attributes(0, &a, 0));
  RET(get_attributes(0, &b, sizeof b, 0));
  SAY("size %u policy %u flags %llx nice %d priority %u", b.size, b.policy, (long long)b.flags, b.nice, b.priority);
  RET(getpriority(PRIO_PROCESS, 0));
  RET(set_attributes(0, &a, 1));
  RET(set_attributes(0, NULL, 0));
  RET(set_attributes(-1, &a, 0));
  RET(set_attributes(0x3fffffff, &a, 0));
  a.size = 40;
  RET(set_attributes(0, &a, 0));
  RET(a.size >= 48);
  a.size = 5000;
  RET(set_attributes(0, &a, 0));
  a.size = 48;
  a.policy = 40;
  RET(set_attributes(0, &a, 0));
  a.policy = 0;
  a.flags = 1 << 20;
  RET(set_attributes(0, &a, 0));
  a.flags = 0;
  a.priority = 4;
  RET(set_attributes(0, &a, 0));
  a.priority = 0;
  a.policy = 6;
  RET(set_attributes(0, &a, 0));
  RET(get_attributes(0, NULL, 48, 0));
  RET(get_attributes(0, &b, 47, 0));
  RET(get_attributes(0, &b, 5000, 0));
  RET(get_attributes(0, &b, 48, 1));
  RET(get_attributes(-1, &b, 48, 0));
  RET(get_attributes(0x3fffffff, &b, 48, 0));
  RET(setpriority(PRIO_PROCESS, 0, 100));
  RET(getpriority(PRIO_PROCESS, 0));
  RET(getpriority(7, 0));
  RET(setpriority(7, 0, 0));
  RET(getpriority(PRIO_PROCESS, 0x3fffffff));
  RET(setpriority(PRIO_PGRP, 0x3fffffff, 0));
  RET(setpriority(PRIO_USER, 0x3fffffff, 0));
  RET(syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &zero));
  RET(syscall(SYS_sched_getscheduler, 0));
  real_time();
  return done();
}
