// SPDX-License-Identifier: Apache-2.0
// QEMU TCG plugin: guest instructions executed from reset to QEMU's exit, split by where they lie.
//   gcc -O2 -shared -fPIC icnt.c -o icnt.so
//   qemu-system-x86_64 -accel tcg,thread=single -plugin ./icnt.so ...      prints at exit: icnt total N firmware N user
//   N kernel N
// Repeatable to a few percent whatever the machine does; unlike the TSC under -icount it does not count idle time.
// The declarations are those of QEMU's plugin interface, version 1 (docs/devel/tcg-plugins).
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
enum { kInlineAddU64 = 0 };
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb*));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb*, int op, void* counter, uint64_t add);
extern void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void*), void*);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb*);
int qemu_plugin_version = 1;

static uint64_t firmware, user, kernel;
static const char* out_path;

static void on_translate(plugin_id id, struct qemu_plugin_tb* tb) {
  (void)id;
  uint64_t at = qemu_plugin_tb_vaddr(tb);
  uint64_t* where = at >> 63 ? &kernel : at < 0x100000 || (at >= 0xe0000000u && at <= 0xffffffffu) ? &firmware : &user;
  qemu_plugin_register_vcpu_tb_exec_inline(tb, kInlineAddU64, where, qemu_plugin_tb_n_insns(tb));
}

static void at_exit(plugin_id id, void* unused) {
  (void)id;
  (void)unused;
  FILE* out = out_path ? fopen(out_path, "w") : stderr;
  if (!out) return;
  fprintf(out, "\nicnt total %lu firmware %lu user %lu kernel %lu\n", firmware + user + kernel, firmware, user, kernel);
  fflush(out);
}

int qemu_plugin_install(plugin_id id, const void* info, int argc, char** argv) {
  (void)info;
  if (argc > 0 && !strncmp(argv[0], "out=", 4)) out_path = strdup(argv[0] + 4);
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
  qemu_plugin_register_atexit_cb(id, at_exit, NULL);
  return 0;
}
