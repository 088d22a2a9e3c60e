// SPDX-License-Identifier: Apache-2.0
// name_to_handle_at(2), open_by_handle_at(2). Opening needs a capability, so it is done only in the guest.
// run: guest
#include "check.h"

int main(void) {
  scratch();
  put("file", "found");
  mkdir("d", 0755);
  put("d/deep", "deep");
  symlink("file", "link");
  union {
    struct file_handle head;
    char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  } h = {.head.handle_bytes = MAX_HANDLE_SZ}, deep = h, link = h, directory = h;
  int mount = -1, other = -2;
  RET(name_to_handle_at(AT_FDCWD, "file", &h.head, &mount, 0));
  RET(name_to_handle_at(AT_FDCWD, "d/deep", &deep.head, &other, 0));
  IS(mount == other);
  RET(name_to_handle_at(AT_FDCWD, "link", &link.head, &mount, 0));
  RET(name_to_handle_at(AT_FDCWD, "d", &directory.head, &mount, 0));
  int here = open(".", O_RDONLY);
  char text[16] = "";
  int fd = open_by_handle_at(here, &h.head, O_RDONLY);
  IS(fd >= 0);
  RET(read(fd, text, sizeof text));
  SAY("%s", text);
  close(fd);
  fd = open_by_handle_at(here, &deep.head, O_RDONLY);
  IS(fd >= 0);
  RET(read(fd, text, sizeof text));
  SAY("%s", text);
  fd = open_by_handle_at(here, &directory.head, O_RDONLY | O_DIRECTORY);
  IS(fd >= 0);
  IS(faccessat(fd, "deep", F_OK, 0) == 0);
  RET(open_by_handle_at(here, &link.head, O_RDONLY));
  IS(open_by_handle_at(here, &link.head, O_RDONLY | O_PATH) >= 0);
  RET(open_by_handle_at(here, &h.head, O_RDONLY | O_DIRECTORY));
  unlink("file");
  RET(open_by_handle_at(here, &h.head, O_RDONLY));
  RET(open_by_handle_at(-1, &deep.head, O_RDONLY));
  RET(open_by_handle_at(here, NULL, O_RDONLY));
  deep.head.handle_bytes = 0;
  RET(open_by_handle_at(here, &deep.head, O_RDONLY));
  deep.head.handle_bytes = 129;
  RET(open_by_handle_at(here, &deep.head, O_RDONLY));
  RET(name_to_handle_at(AT_FDCWD, "d", &deep.head, &mount, 0));
  deep.head.handle_bytes = 0;
  RET(name_to_handle_at(AT_FDCWD, "d", &deep.head, &mount, 0));
  IS(deep.head.handle_bytes > 0);
  RET(name_to_handle_at(AT_FDCWD, "d", &deep.head, &mount, 0x8000));
  RET(name_to_handle_at(AT_FDCWD, "", &deep.head, &mount, 0));
  RET(name_to_handle_at(AT_FDCWD, "/proc/self/status", &deep.head, &mount, 0));
  return done();
}
