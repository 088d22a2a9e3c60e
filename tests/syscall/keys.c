// SPDX-License-Identifier: Apache-2.0
// add_key(2), request_key(2), keyctl(2): keys, keyrings, their errors.
#include <linux/keyctl.h>

#include "check.h"

#define THREAD KEY_SPEC_THREAD_KEYRING
#define ADD(type, name, data, size, ring) syscall(SYS_add_key, type, name, data, (size_t)(size), ring)
#define REQUEST(type, name, ring) syscall(SYS_request_key, type, name, NULL, ring)
#define CTL(operation, a, b, c) syscall(SYS_keyctl, operation, (long)(a), (long)(b), (long)(c), 0L)

int main(void) {
  char buffer[256] = "";
  RET(CTL(KEYCTL_GET_KEYRING_ID, THREAD, 0, 0));
  long key = OK(ADD("user", "uni:name", "hello", 5, THREAD));
  RET(CTL(KEYCTL_READ, key, buffer, 5));
  SAY("%s", buffer);
  RET(CTL(KEYCTL_READ, key, NULL, 0));
  RET(CTL(KEYCTL_UPDATE, key, "other", 5));
  RET(CTL(KEYCTL_READ, key, buffer, sizeof buffer));
  SAY("%s", buffer);
  IS(ADD("user", "uni:name", "new", 3, THREAD) == key);
  IS(REQUEST("user", "uni:name", 0) == key);
  RET(REQUEST("user", "uni:absent", 0));
  RET(REQUEST("no-such-type", "uni:name", 0));

  long ring = OK(ADD("keyring", "ring", NULL, 0, THREAD));
  RET(CTL(KEYCTL_LINK, key, ring, 0));
  int serial = 0;
  RET(CTL(KEYCTL_READ, ring, &serial, 4));
  IS(serial == key);
  IS(syscall(SYS_keyctl, KEYCTL_SEARCH, ring, "user", "uni:name", 0L) == key);
  RET(CTL(KEYCTL_UNLINK, key, ring, 0));
  RET(CTL(KEYCTL_UNLINK, key, ring, 0));
  RET(CTL(KEYCTL_LINK, ring, ring, 0));
  RET(CTL(KEYCTL_LINK, ring, key, 0));
  RET(CTL(KEYCTL_CLEAR, ring, 0, 0));

  RET(CTL(KEYCTL_SETPERM, key, 0x3f010000, 0));
  long length = CTL(KEYCTL_DESCRIBE, key, buffer, sizeof buffer);
  IS(length == (long)strlen(buffer) + 1);
  SAY("%.5s %s", buffer, strrchr(buffer, ';') - 8);
  RET(CTL(KEYCTL_SETPERM, key, 0x40000000, 0));

  RET(ADD("keyring", "with content", "x", 1, THREAD));
  RET(ADD("user", "empty", "", 0, THREAD));
  RET(ADD("user", "", "x", 1, THREAD));
  RET(ADD("user", NULL, "x", 1, THREAD));
  RET(ADD("logon", "without service", "x", 1, THREAD));
  long logon = OK(ADD("logon", "service:name", "x", 1, THREAD));
  RET(CTL(KEYCTL_READ, logon, buffer, sizeof buffer));
  RET(ADD("no-such-type", "name", "x", 1, THREAD));
  RET(ADD("", "name", "x", 1, THREAD));
  RET(ADD(".hidden", "name", "x", 1, THREAD));
  RET(ADD("keyring", ".hidden", NULL, 0, THREAD));
  RET(ADD("user", "name", "x", 1, key));
  RET(ADD("user", "name", "x", 1, 0));
  RET(ADD("user", "name", NULL, 1, THREAD));
  RET(ADD(NULL, "name", "x", 1, THREAD));
  RET(ADD("user", "name", "x", 1 << 20, THREAD));

  RET(CTL(KEYCTL_REVOKE, key, 0, 0));
  RET(CTL(KEYCTL_READ, key, buffer, sizeof buffer));
  IS(ADD("user", "uni:name", "again", 5, THREAD) != key);  // the old one is gone, at once or soon
  RET(CTL(KEYCTL_INVALIDATE, logon, 0, 0));
  RET(CTL(KEYCTL_REVOKE, logon, 0, 0));
  RET(CTL(KEYCTL_REVOKE, -100, 0, 0));
  RET(CTL(999, 0, 0, 0));
  return done();
}
