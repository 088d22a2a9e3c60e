// SPDX-License-Identifier: Apache-2.0
// set_mempolicy(2), get_mempolicy(2), mbind(2), move_pages(2), migrate_pages(2) on a machine of one node.
// run: processes=fork
#include <linux/mempolicy.h>
#include <sys/wait.h>

#include "check.h"

#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
#define RELATIVE (1 << 14)
#define STATIC (1 << 15)
#define BALANCING (1 << 13)

static long set(int mode, const unsigned long* mask, unsigned long bits) {
  return syscall(SYS_set_mempolicy, mode, mask, bits);
}
static long get(int* mode, unsigned long* mask, unsigned long bits, void* address, unsigned long flags) {
  return syscall(SYS_get_mempolicy, mode, mask, bits, address, flags);
}

static void told(const char* what) {
  int mode = -1;
  unsigned long mask[16] = {~0ul, ~0ul, ~0ul};
  const long r = get(&mode, mask, 1024, NULL, 0);
  SAY("%s: %ld, mode %x, nodes %lx %lx", what, r, (unsigned)mode, mask[0], mask[1]);
}

static void policies(void) {
  const unsigned long here = 1, both = 3, other = 2, none = 0;
  unsigned long large[17] = {1};
  told("at first");
  static const int modes[] = {MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE, MPOL_LOCAL, 5, 6};
  for (unsigned i = 0; i < sizeof modes / sizeof modes[0]; ++i) {
    SAY("mode %d", modes[i]);
    RET(set(modes[i], &here, 64));
    told("here");
    RET(set(modes[i], &both, 64));
    told("both");
    RET(set(modes[i], &other, 64));
    RET(set(modes[i], &none, 64));
    told("none");
    RET(set(modes[i], NULL, 0));
    RET(set(modes[i] | STATIC, &both, 64));
    told("static");
    RET(set(modes[i] | RELATIVE, &other, 64));
    told("relative");
    RET(set(modes[i] | STATIC | RELATIVE, &here, 64));
    RET(set(modes[i] | BALANCING, &here, 64));
    told("balancing");
    RET(set(MPOL_DEFAULT, NULL, 0));
  }
  RET(set(7, &here, 64));
  RET(set(-1, &here, 64));
  RET(set(MPOL_BIND, (void*)8, 64));
  RET(set(MPOL_BIND, &here, 0));
  RET(set(MPOL_BIND, &here, 1));
  RET(set(MPOL_BIND, &here, 2));
  RET(set(MPOL_BIND, large, 1025));
  large[16] = 1;
  RET(set(MPOL_BIND, large, 1024 + 64));
  RET(set(MPOL_BIND, large, 4096 * 8 + 2));
  RET(set(MPOL_INTERLEAVE, &here, 64));
  told("kept");
  if (fork() == 0) {
    told("in a child");
    _exit(0);
  }
  wait(NULL);
}

static void asked(void) {
  int mode = -1;
  unsigned long mask = 0;
  RET(get(NULL, NULL, 0, NULL, 0));
  RET(get(&mode, &mask, 64, NULL, 8));
  RET(get(&mode, &mask, 0, NULL, 0));
  RET(get(&mode, &mask, 64, &mode, 0));
  RET(get(&mode, &mask, 64, NULL, MPOL_F_NODE));
  SAY("next node %d", mode);
  RET(get(&mode, &mask, 64, &mode, MPOL_F_NODE | MPOL_F_ADDR));
  SAY("the page's node %d", mode);
  RET(get(&mode, &mask, 64, (void*)8, MPOL_F_ADDR));
  RET(get(&mode, &mask, 64, NULL, MPOL_F_MEMS_ALLOWED));
  SAY("allowed %d %lx", mode, mask);
  RET(get(&mode, &mask, 64, NULL, MPOL_F_MEMS_ALLOWED | MPOL_F_NODE));
  RET(get((void*)8, &mask, 64, NULL, 0));
  RET(get(&mode, (void*)8, 64, NULL, 0));
  RET(set(MPOL_DEFAULT, NULL, 0));
  RET(get(&mode, &mask, 64, NULL, MPOL_F_NODE));
}

static void ranges(char* area) {
  const unsigned long here = 1, other = 2;
  RET(syscall(SYS_mbind, area, 8192, MPOL_BIND, &here, 64, 0));
  RET(syscall(SYS_mbind, area, 8192, MPOL_BIND, &other, 64, 0));
  RET(syscall(SYS_mbind, area + 1, 8192, MPOL_BIND, &here, 64, 0));
  RET(syscall(SYS_mbind, area, 8192, MPOL_BIND, &here, 64, 8));
  RET(syscall(SYS_mbind, area, 8192, 77, &here, 64, 0));
  RET(syscall(SYS_mbind, area, 0, MPOL_BIND, &here, 64, 0));
  RET(syscall(SYS_mbind, area, -4096ul, MPOL_BIND, &here, 64, 0));
  RET(syscall(SYS_mbind, area, 8192, MPOL_DEFAULT, NULL, 0, MPOL_MF_MOVE));
  munmap(area + 3 * 4096, 4096);
  RET(syscall(SYS_mbind, area, 4 * 4096, MPOL_BIND, &here, 64, 0));
  RET(syscall(SYS_mbind, area, 8192, MPOL_BIND, &here, 64, 0));
  RET(syscall(SYS_set_mempolicy_home_node, area, 8192, 0, 0));
  RET(syscall(SYS_set_mempolicy_home_node, area, 8192, 0, 1));
  RET(syscall(SYS_set_mempolicy_home_node, area, 8192, 5000, 0));
  RET(syscall(SYS_set_mempolicy_home_node, area + 1, 8192, 0, 0));
}

static void moves(char* area) {
  void* pages[4] = {area, area + 4096, area + 2 * 4096 + 5, area + 3 * 4096};
  int nodes[4] = {0, 0, 0, 0}, status[4];
  area[0] = 1;
  area[2 * 4096] = 1;
  for (int with = 0; with < 2; ++with) {
    for (int i = 0; i < 4; ++i)
      status[i] = 77;
    RET(syscall(SYS_move_pages, 0, 4, pages, with ? nodes : NULL, status, MPOL_MF_MOVE));
    SAY("status %d %d %d %d", status[0], status[1], status[2], status[3]);
  }
  RET(syscall(SYS_move_pages, getpid(), 1, pages, NULL, status, 0));
  nodes[1] = 4000;
  RET(syscall(SYS_move_pages, 0, 4, pages, nodes, status, MPOL_MF_MOVE));
  nodes[1] = 1;
  RET(syscall(SYS_move_pages, 0, 4, pages, nodes, status, MPOL_MF_MOVE));
  RET(syscall(SYS_move_pages, 0, 4, pages, NULL, status, 1));
  RET(syscall(SYS_move_pages, 0, 4, (void*)8, NULL, status, 0));
  RET(syscall(SYS_move_pages, 0, 4, pages, NULL, (void*)8, 0));
  RET(syscall(SYS_move_pages, 1 << 22, 1, pages, NULL, status, 0));
  RET(syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 0));
  const unsigned long here = 1, other = 2;
  RET(syscall(SYS_migrate_pages, 0, 64, &here, &here));
  RET(syscall(SYS_migrate_pages, 0, 64, &here, &other));
  RET(syscall(SYS_migrate_pages, getpid(), 64, &other, &here));
  RET(syscall(SYS_migrate_pages, 1 << 22, 64, &here, &here));
  RET(syscall(SYS_migrate_pages, 0, 64, (void*)8, &here));
  RET(syscall(SYS_migrate_pages, 0, 64, &here, (void*)8));
  RET(syscall(SYS_migrate_pages, 0, 4096 * 8 + 2, &here, &here));
}

int main(void) {
  policies();
  asked();
  char* area = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char* second = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(second + 3 * 4096, 4096);
  ranges(area);
  moves(second);
  return 0;
}
