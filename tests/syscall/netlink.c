// SPDX-License-Identifier: Apache-2.0
// Interfaces, as getifaddrs(3) (netlink), if_nametoindex(3) and the old ioctls see them: loopback is there and up.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "check.h"

int main(void) {
  struct ifaddrs* list = NULL;
  RET(getifaddrs(&list));
  int loopback = 0, up = 0;
  for (struct ifaddrs* i = list; i; i = i->ifa_next) {
    if (strcmp(i->ifa_name, "lo") || !i->ifa_addr || i->ifa_addr->sa_family != AF_INET) continue;
    loopback |= ((struct sockaddr_in*)(void*)i->ifa_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
    up |= (i->ifa_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK);
    SAY("netmask %s", inet_ntoa(((struct sockaddr_in*)(void*)i->ifa_netmask)->sin_addr));
  }
  IS(loopback && up);
  IS(if_nametoindex("lo") > 0);
  RET(if_nametoindex("none0"));
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct ifreq r = {.ifr_name = "lo"};
  RET(ioctl(fd, SIOCGIFADDR, &r));
  SAY("%s", inet_ntoa(((struct sockaddr_in*)(void*)&r.ifr_addr)->sin_addr));
  RET(ioctl(fd, SIOCGIFFLAGS, &r));
  IS((r.ifr_flags & IFF_LOOPBACK) != 0);
  RET(ioctl(fd, SIOCGIFMTU, &r));
  IS(r.ifr_mtu >= 1500);
  RET(ioctl(fd, SIOCGIFINDEX, &r));
  IS(r.ifr_ifindex == (int)if_nametoindex("lo"));
  RET(ioctl(fd, SIOCGIFFLAGS, &r));
  RET(ioctl(fd, SIOCSIFFLAGS, &r));
  RET(ioctl(fd, SIOCSIFFLAGS, NULL));
  strcpy(r.ifr_name, "none0");
  RET(ioctl(fd, SIOCGIFADDR, &r));
  RET(ioctl(fd, SIOCSIFFLAGS, &r));
  return done();
}
