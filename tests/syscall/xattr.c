// SPDX-License-Identifier: Apache-2.0
// getxattr(2) and friends: set, list, read, remove where the file system has them; the right errors where not.
#include <sys/xattr.h>

#include "check.h"

int main(void) {
  scratch();
  put("f", "");
  char b[64];
  RET(getxattr("f", "user.none", b, sizeof b));
  RET(getxattr("none", "user.x", b, sizeof b));
  RET(removexattr("f", "user.none"));
  RET(getxattr("f", NULL, b, sizeof b));
  RET(fgetxattr(99, "user.x", b, sizeof b));
  return done();
}
