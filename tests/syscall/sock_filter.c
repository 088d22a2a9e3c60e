// SPDX-License-Identifier: Apache-2.0
// setsockopt(2): SO_ATTACH_FILTER, SO_DETACH_FILTER, SO_LOCK_FILTER.
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "check.h"

static int attach(int fd, struct sock_filter* program, unsigned short length) {
  struct sock_fprog given = {length, program};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &given, sizeof given);
}

int main(void) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof name;
  int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0), value = 0;
  char text[64];
  bind(receiver, (void*)&name, sizeof name);
  getsockname(receiver, (void*)&name, &size);
  connect(sender, (void*)&name, sizeof name);
  // The first byte behind UDP's header says what happens: 'd' is dropped, 'c' is cut to two bytes.
  struct sock_filter program[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'd', 0, 1),
                                  BPF_STMT(BPF_RET | BPF_K, 0),          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'c', 0, 1),
                                  BPF_STMT(BPF_RET | BPF_K, 10),         BPF_STMT(BPF_RET | BPF_K, 0xffffffff)};
  RET(setsockopt(receiver, SOL_SOCKET, SO_DETACH_FILTER, &value, sizeof value));
  RET(attach(receiver, program, 0));
  RET(attach(receiver, NULL, 3));
  RET(attach(receiver, program, 1));
  RET(setsockopt(receiver, SOL_SOCKET, SO_ATTACH_FILTER, program, 3));
  RET(attach(receiver, program, 6));
  RET(send(sender, "drop", 4, 0));
  RET(send(sender, "cut off", 7, 0));
  RET(send(sender, "keep", 4, 0));
  RET(send(sender, "", 0, 0));
  RET(recv(receiver, text, sizeof text, 0));
  RET(recv(receiver, text, sizeof text, 0));
  RET(recv(receiver, text, sizeof text, MSG_DONTWAIT));
  size = 0;
  RET(getsockopt(receiver, SOL_SOCKET, SO_GET_FILTER, NULL, &size));
  RET(size);
  // UDP's length and the port, and the size of the packet.
  struct sock_filter length[] = {
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 12, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 12, 0, 2),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohs(name.sin_port), 1, 0),
      BPF_STMT(BPF_RET | BPF_K, 0),          BPF_STMT(BPF_RET | BPF_K, 1000)};
  RET(attach(receiver, length, 8));
  send(sender, "four", 4, 0);
  send(sender, "five.", 5, 0);
  RET(recv(receiver, text, sizeof text, 0));
  RET(recv(receiver, text, sizeof text, MSG_DONTWAIT));
  RET(setsockopt(receiver, SOL_SOCKET, SO_DETACH_FILTER, &value, sizeof value));
  send(sender, "five.", 5, 0);
  RET(recv(receiver, text, sizeof text, 0));
  // On AF_UNIX there is no header.
  int pair[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  struct sock_filter first[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'd', 0, 1),
                                BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 3)};
  RET(attach(pair[1], first, 4));
  RET(send(pair[0], "drop", 4, 0));
  RET(send(pair[0], "other", 5, 0));
  RET(recv(pair[1], text, sizeof text, MSG_DONTWAIT));
  value = 1;
  RET(setsockopt(pair[1], SOL_SOCKET, SO_LOCK_FILTER, &value, sizeof value));
  value = 0;
  RET(setsockopt(pair[1], SOL_SOCKET, SO_LOCK_FILTER, &value, sizeof value));
  RET(setsockopt(pair[1], SOL_SOCKET, SO_DETACH_FILTER, &value, sizeof value));
  RET(attach(pair[1], first, 4));
  return done();
}
