// SPDX-License-Identifier: Apache-2.0
// Who the process is: user, group, process, session; and changing them as root.
#include <grp.h>
#include <sys/fsuid.h>

#include "check.h"

int main(void) {
  uid_t r, e, s;
  gid_t gr, ge, gs;
  RET(getresuid(&r, &e, &s));
  IS(r == getuid() && e == geteuid() && s == e);
  RET(getresgid(&gr, &ge, &gs));
  IS(gr == getgid() && ge == getegid());
  IS(getpid() > 0 && gettid() == getpid());
  IS(getpgrp() == getpgid(0));
  IS(getsid(0) > 0 || getsid(0) == 0);
  RET(getpgid(999999));
  RET(getsid(999999));
  RET(getpgid(-1));
  RET(setpgid(0, -1));
  IS(getgroups(0, NULL) >= 0);
  RET(getgroups(-1, NULL));
  if (getuid() == 0) {
    gid_t groups[2] = {5, 6};
    gid_t back[4];
    RET(setgroups(2, groups));
    RET(getgroups(4, back));
    RET(setresgid(7, 8, 9));
    RET(getegid());
    RET(setresuid(0, 1000, 0));
    RET(geteuid());
    RET(setuid(0));
    RET(seteuid(0));
    RET(geteuid());
    RET(setgid(7));
    RET(getegid());
  }
  RET(setfsuid((uid_t)-1) >= 0);
  return done();
}
