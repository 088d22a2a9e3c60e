/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into QEMU: libslirp turns the gateway's address, as the guest sees it, into the host's loopback address,
 * and has no option against that. Here connect(2), sendto(2) and sendmsg(2) refuse destinations on the loopback (also
 * as 0.0.0.0, and as IPv6), so that services which listen there only stay the host's. What is left:
 *   - port 53 of a name server that /etc/resolv.conf names, which libslirp's DNS proxy asks;
 *   - datagrams back to who wrote first, which is how published UDP ports answer;
 *   - everything, where UNI_HOST_LOOPBACK is 1 (`uni run --host-loopback`; passt, which keeps the guest away itself).
 * Libraries' own calls inside libc are not replaced. The functions of libc that are used come with the program. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

long syscall(long number, ...);

struct peer {
  int fd;
  in_addr_t address;
  in_port_t port;
};

/* Those that wrote first, the oldest forgotten first. */
#define MOST_PEERS 1024
static struct peer heard[MOST_PEERS];
static unsigned heard_next;
static char heard_lock;

static void lock(void) {
  while (__atomic_test_and_set(&heard_lock, __ATOMIC_ACQUIRE)) {
  }
}

static void unlock(void) {
  __atomic_clear(&heard_lock, __ATOMIC_RELEASE);
}

/* Whether `address` is this host's loopback; then `to` gets its IPv4 form (0 for IPv6's own). */
static int is_loopback(const struct sockaddr* address, socklen_t length, struct peer* to) {
  if (address == NULL) return 0;
  if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
    struct sockaddr_in v4;
    memcpy(&v4, address, sizeof v4);
    to->address = v4.sin_addr.s_addr;
    to->port = v4.sin_port;
    return to->address == 0 || ntohl(to->address) >> 24 == 127;
  }
  if (address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
    struct sockaddr_in6 v6;
    memcpy(&v6, address, sizeof v6);
    to->address = 0;
    to->port = v6.sin6_port;
    if (IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr)) return 1;
    if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return 0;
    memcpy(&to->address, &v6.sin6_addr.s6_addr[12], sizeof to->address);
    return to->address == 0 || ntohl(to->address) >> 24 == 127;
  }
  return 0;
}

/* Read each time: libslirp follows the file's changes too. */
static int is_resolver(in_addr_t address) {
  FILE* file = fopen("/etc/resolv.conf", "re");
  if (file == NULL) return 0;
  char line[512];
  char name[64];
  int found = 0;
  while (!found && fgets(line, sizeof line, file) != NULL) {
    struct in_addr server;
    found = sscanf(line, "nameserver%*[ \t]%63s", name) == 1 && inet_pton(AF_INET, name, &server) == 1 &&
            server.s_addr == address;
  }
  fclose(file);
  return found;
}

static int has_written(int fd, const struct peer* peer) {
  int found = 0;
  lock();
  for (unsigned i = 0; i < MOST_PEERS && !found; i++)
    found = heard[i].port == peer->port && heard[i].address == peer->address && heard[i].fd == fd;
  unlock();
  return found;
}

/* 0, or -1 with errno where `address` must not be reached from `fd`. */
static int check(int fd, const struct sockaddr* address, socklen_t length) {
  struct peer peer = {0, 0, 0};
  if (!is_loopback(address, length, &peer)) return 0;
  const char* open = getenv("UNI_HOST_LOOPBACK");
  if (open != NULL && open[0] == '1') return 0;
  if (peer.port == htons(53) && peer.address != 0 && is_resolver(peer.address)) return 0;
  if (peer.port != 0 && has_written(fd, &peer)) return 0;
  errno = ECONNREFUSED; /* libslirp answers a TCP connection with a reset then, at once */
  return -1;
}

int connect(int fd, const struct sockaddr* address, socklen_t length) {
  if (check(-1, address, length) != 0) return -1;
  return (int)syscall(SYS_connect, fd, address, length);
}

ssize_t sendto(int fd, const void* data, size_t size, int flags, const struct sockaddr* address, socklen_t length) {
  if (check(fd, address, length) != 0) return -1;
  return syscall(SYS_sendto, fd, data, size, flags, address, length);
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  if (message != NULL && check(fd, message->msg_name, message->msg_namelen) != 0) return -1;
  return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t recvfrom(int fd, void* data, size_t size, int flags, struct sockaddr* address, socklen_t* length) {
  const ssize_t got = syscall(SYS_recvfrom, fd, data, size, flags, address, length);
  struct peer peer = {0, 0, 0};
  if (got < 0 || length == NULL || !is_loopback(address, *length, &peer)) return got;
  peer.fd = fd;
  if (has_written(fd, &peer)) return got;
  lock();
  heard[heard_next++ % MOST_PEERS] = peer;
  unlock();
  return got;
}
