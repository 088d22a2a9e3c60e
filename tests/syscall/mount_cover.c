// SPDX-License-Identifier: Apache-2.0
// Copies of mounts come beneath what their receivers have at the place (mount_namespaces(7)), and leave from there; a
// mount that is bound onto itself again and again.
#include "mounts.h"

static void beneath(void) {
  RET(mount("m", "a", "tmpfs", 0, NULL));
  mkdir("a/x", 0755);
  RET(mount(NULL, "a", NULL, MS_SHARED, NULL));
  RET(mount("a", "b", NULL, MS_BIND, NULL));
  RET(mount(NULL, "b", NULL, MS_SLAVE, NULL));
  RET(mount("old", "b/x", "tmpfs", 0, NULL));
  put("b/x/who", "old");
  RET(mount("new", "a/x", "tmpfs", 0, NULL));
  put("a/x/who", "new");
  show_tree("the copy is beneath");
  show("b/x/who");
  RET(umount("a/x"));
  show_tree("and is gone from there");
  show("b/x/who");
  RET(mount("new", "a/x", "tmpfs", 0, NULL));
  RET(umount2("a/x", MNT_DETACH));
  show_tree("lazily too");
  show("b/x/who");
  RET(mount("new", "a/x", "tmpfs", 0, NULL));
  RET(umount("b/x"));
  show_tree("what was beneath stays");
  RET(umount("b/x"));
  RET(umount2("a", MNT_DETACH));
  RET(umount("b"));
}

static void onto_itself(int times) {
  for (int i = 0; i < times; i++)
    RET(mount("c", "c", NULL, MS_BIND | MS_REC, NULL));
}

int main(void) {
  own_tree();
  beneath();
  RET(mount("m", "c", "tmpfs", 0, NULL));
  RET(mount(NULL, "c", NULL, MS_SHARED, NULL));
  onto_itself(3);
  show_tree("doubled each time");
  RET(umount("c"));
  show_tree("all copies of one go");
  onto_itself(4);
  RET(umount2("c", MNT_DETACH));
  show_tree("lazily too");
  RET(umount("c"));
  show_tree("nothing left");
  leave_tree();
  return done();
}
