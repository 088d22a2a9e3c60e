// SPDX-License-Identifier: Apache-2.0
// What the tests of mounts share: a tree of their own, and what /proc/self/mountinfo says of it. On Linux they need
// root or user namespaces, and work in a mount namespace of their own.
#pragma once
#include <sched.h>
#include <sys/mount.h>
#include "check.h"

static int mount_groups[64], mount_group_count;

// A fresh private tmpfs as the current directory, with empty directories a, b, c and d.
static inline void own_tree(void) {
  uid_t uid = getuid();
  if (unshare(uid ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) == 0) {
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  }
  scratch();
  if (mount("tree", check_directory, "tmpfs", 0, "mode=755")) {
    SAY("no tmpfs: %s", error_name(errno));
    exit(1);
  }
  chdir(check_directory);
  mkdir("a", 0755);
  mkdir("b", 0755);
  mkdir("c", 0755);
  mkdir("d", 0755);
}

static inline void leave_tree(void) {
  chdir("/");
  umount2(check_directory, MNT_DETACH);
  rmdir(check_directory);
}

// A number that stands for a peer group: in the order in which they are first seen.
static inline int group_name(int number) {
  for (int i = 0; i < mount_group_count; i++)
    if (mount_groups[i] == number) return i;
  mount_groups[mount_group_count] = number;
  return mount_group_count++;
}

// Prints one line of mountinfo: place, root, flags, propagation, type, source, options.
static inline void show_mount(char* line) {
  char root[256], place[256], flags[256], type[64], source[64], options[256];
  int used = 0;
  if (sscanf(line, "%*d %*d %*d:%*d %255s %255s %255s%n", root, place, flags, &used) != 3) return;
  char* rest = strstr(line + used, " - ");
  if (!rest || sscanf(rest, " - %63s %63s %255s", type, source, options) != 3) return;
  printf(".%s %s %s", place + strlen(check_directory), root, flags);
  *rest = 0;
  for (char* word = strtok(line + used, " "); word; word = strtok(NULL, " ")) {
    int number;
    if (sscanf(word, "shared:%d", &number) == 1)
      printf(" shared:%c", 'A' + group_name(number));
    else if (sscanf(word, "master:%d", &number) == 1)
      printf(" master:%c", 'A' + group_name(number));
    else
      printf(" %s", word);
  }
  printf(" - %s %s", type, source);
  for (char* word = strtok(options, ","); word; word = strtok(NULL, ","))
    if (strcmp(word, "inode64") && strcmp(word, "seclabel")) printf(" %s", word);
  putchar('\n');
}

// Prints the mounts below the current directory, by place: the order of copies that a call makes is not told.
static inline void show_tree(const char* title) {
  static char lines[64][1024], places[64][256];
  int count = 0;
  SAY("-- %s", title);
  FILE* file = fopen("/proc/self/mountinfo", "r");
  char line[1024], place[256];
  while (file && count < 64 && fgets(line, sizeof line, file)) {
    if (sscanf(line, "%*d %*d %*d:%*d %*s %255s", place) != 1) continue;
    if (strncmp(place, check_directory, strlen(check_directory))) continue;
    int at = count++;
    for (; at > 0 && strcmp(places[at - 1], place) > 0; at--) {
      memcpy(lines[at], lines[at - 1], sizeof *lines);
      memcpy(places[at], places[at - 1], sizeof *places);
    }
    memcpy(lines[at], line, sizeof line);
    memcpy(places[at], place, sizeof place);
  }
  if (file) fclose(file);
  for (int i = 0; i < count; i++)
    show_mount(lines[i]);
  fflush(stdout);
}
