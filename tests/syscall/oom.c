// SPDX-License-Identifier: Apache-2.0
// Memory runs out: mmap or a touch fails as an error or ends the program; the machine says so and stops in order.
// run: guest memory=32M status=137
#include "check.h"

int main(void) {
  SAY("filling");
  for (;;) {
    char* p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
      SAY("%s", error_name(errno));
      raise(SIGKILL);
    }
    memset(p, 1, 1 << 20);
  }
}
