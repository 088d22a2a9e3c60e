// SPDX-License-Identifier: Apache-2.0
// reboot(2): what it refuses. Nothing here may end the machine: tests/e2e/power_off.sh does.
#include <linux/capability.h>

#include "check.h"

#define GOOD 0xfee1deadu
#define POWER_OFF 0x4321fedcu

int main(void) {
  RET(syscall(SYS_reboot, GOOD, 1, POWER_OFF, NULL));
  RET(syscall(SYS_reboot, GOOD - 1, 0x28121969, POWER_OFF, NULL));
  RET(syscall(SYS_reboot, GOOD, 0x28121969, 0x12121212, NULL));
  RET(syscall(SYS_reboot, GOOD, 0x20112000, 1, NULL));
  RET(syscall(SYS_reboot, GOOD, 0x05121996, 0xa1b2c3d4, (char*)8));
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
  RET(syscall(SYS_capset, &header, none));
  RET(syscall(SYS_reboot, 0, 0, POWER_OFF, NULL));
  RET(syscall(SYS_reboot, GOOD, 0x28121969, POWER_OFF, NULL));
  return 0;
}
