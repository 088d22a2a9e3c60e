// SPDX-License-Identifier: Apache-2.0
// The first program of the Linux guests that uni is measured against: mounts what every program expects, loads the
// modules named in /modules (in order), brings the network up (10.0.2.15/24, QEMU's user network), and becomes the
// program whose arguments, one a line, are in /arguments. So the program is the machine's only process. Where there is
// a file /user it runs with the user and group number in there.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void load_modules(void) {
  char path[256];
  FILE* list = fopen("/modules", "r");
  while (list && fgets(path, sizeof path, list)) {
    path[strcspn(path, "\n")] = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0)) perror(path);
    if (fd >= 0) close(fd);
  }
  if (list) fclose(list);
}

static void become_user(void) {
  unsigned id = 0;
  FILE* user = fopen("/user", "re");
  if (!user) return;
  if (fscanf(user, "%u", &id) != 1 || setgid(id) || setuid(id)) perror("/user");
  fclose(user);
}

static void set_address(struct sockaddr* where, const char* text) {
  struct sockaddr_in a = {.sin_family = AF_INET};
  inet_pton(AF_INET, text, &a.sin_addr);
  memcpy(where, &a, sizeof a);
}

static void interface_up(int fd, const char* name, const char* address, const char* mask) {
  struct ifreq r = {0};
  strcpy(r.ifr_name, name);
  if (address) {
    set_address(&r.ifr_addr, address);
    if (ioctl(fd, SIOCSIFADDR, &r)) return;
    set_address(&r.ifr_netmask, mask);
    ioctl(fd, SIOCSIFNETMASK, &r);
  }
  ioctl(fd, SIOCGIFFLAGS, &r);
  r.ifr_flags |= IFF_UP | IFF_RUNNING;
  ioctl(fd, SIOCSIFFLAGS, &r);
}

int main(void) {
  static char text[4096];
  char* arguments[64];
  int count = 0;
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  mount("dev", "/dev", "devtmpfs", 0, NULL);
  mkdir("/dev/shm", 01777);
  mount("shm", "/dev/shm", "tmpfs", 0, NULL);
  load_modules();
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  interface_up(fd, "lo", NULL, NULL);
  interface_up(fd, "eth0", "10.0.2.15", "255.255.255.0");
  struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
  set_address(&route.rt_gateway, "10.0.2.2");
  set_address(&route.rt_dst, "0.0.0.0");
  set_address(&route.rt_genmask, "0.0.0.0");
  ioctl(fd, SIOCADDRT, &route);
  int in = open("/arguments", O_RDONLY | O_CLOEXEC);
  long size = read(in, text, sizeof text - 1);
  for (char* word = strtok(text, "\n"); size > 0 && word && count < 63; word = strtok(NULL, "\n"))
    arguments[count++] = word;
  arguments[count] = NULL;
  become_user();
  char* environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", NULL};
  execve(arguments[0], arguments, environment);
  perror(arguments[0]);
  return 1;
}
