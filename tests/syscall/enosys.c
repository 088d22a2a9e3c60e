// SPDX-License-Identifier: Apache-2.0
// Numbers that are no system call answer ENOSYS, as do negative and huge ones.
#include "check.h"

int main(void) {
  RET(syscall(340));
  RET(syscall(400));
  RET(syscall(423));
  RET(syscall(1000));
  RET(syscall(-5));
  RET(syscall(0x7fffffff));
  RET(syscall(0x40000000 + 9999));
  RET(syscall(SYS_create_module, 0, 0));
  RET(syscall(SYS_get_kernel_syms, 0));
  RET(syscall(SYS_vserver));
  RET(syscall(SYS_security));
  RET(syscall(SYS_tuxcall));
  return done();
}
