// SPDX-License-Identifier: Apache-2.0
// The errors of the socket calls and their order.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "check.h"

#define BAD ((void*)8)

static int tcp(void) {
  return socket(AF_INET, SOCK_STREAM, 0);
}
static int udp(void) {
  return socket(AF_INET, SOCK_DGRAM, 0);
}

int main(void) {
  scratch();
  put("plain", "x");
  struct sockaddr_in any = {.sin_family = AF_INET}, loop = any, foreign = any, wrong = {.sin_family = 47}, got;
  loop.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  foreign.sin_addr.s_addr = htonl(0xc0000201);
  struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "name"},
                     deep = {.sun_family = AF_UNIX, .sun_path = "plain/x"};
  struct sockaddr_un none = {.sun_family = AF_UNIX, .sun_path = "missing"},
                     file = {.sun_family = AF_UNIX, .sun_path = "plain"};
  socklen_t size = sizeof got;
  int null = open("/dev/null", O_WRONLY), path = open("plain", O_PATH), value = 1;
  char text[64];

  // socket, socketpair.
  RET(socket(0, SOCK_STREAM, 0));
  RET(socket(-1, SOCK_STREAM, 0));
  RET(socket(AF_INET, 75, 0));
  RET(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
  RET(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
  RET(socket(AF_INET, SOCK_STREAM, IPPROTO_ICMP));
  RET(socket(AF_INET, SOCK_RAW, 0));
  RET(socket(AF_INET, SOCK_STREAM, -1));
  RET(socket(AF_INET, SOCK_SEQPACKET, 0));
  RET(socket(AF_UNIX, SOCK_STREAM, 17));
  RET(socket(AF_UNIX, 4, 0));
  RET(socket(45, SOCK_STREAM, 0));
  RET(socket(AF_INET, SOCK_STREAM | 0x10000, 0));
  int pair[2];
  RET(socketpair(0, SOCK_STREAM, 0, pair));
  RET(socketpair(AF_INET, 75, 0, pair));
  RET(socketpair(AF_UNIX, SOCK_DGRAM, 0, BAD));
  RET(socketpair(AF_INET, SOCK_DGRAM, 0, pair));
  RET(socketpair(AF_INET, SOCK_RAW, 0, pair));
  RET(socketpair(AF_INET, SOCK_DGRAM, 17, pair));
  RET(socketpair(AF_INET, SOCK_DGRAM, 6, pair));
  RET(socketpair(AF_INET, SOCK_STREAM, 6, pair));
  RET(socketpair(AF_INET, SOCK_STREAM, 1, pair));

  // bind.
  RET(bind(tcp(), (void*)&any, 3));
  RET(bind(null, (void*)&any, sizeof any));
  RET(bind(-1, (void*)&any, sizeof any));
  RET(bind(path, (void*)&any, sizeof any));
  RET(bind(tcp(), (void*)&any, sizeof any));
  RET(bind(tcp(), (void*)&un, sizeof un));
  RET(bind(tcp(), (void*)&foreign, sizeof foreign));
  RET(bind(tcp(), (void*)&wrong, sizeof wrong));
  RET(bind(tcp(), BAD, sizeof any));
  RET(bind(tcp(), (void*)&any, 200));
  int local = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);
  RET(bind(local, (void*)&deep, sizeof deep));
  RET(bind(local, (void*)&any, sizeof any));
  RET(bind(local, (void*)&un, 200));
  RET(bind(local, (void*)&un, sizeof un));
  RET(bind(local, (void*)&none, sizeof none));
  RET(bind(other, (void*)&un, sizeof un));
  RET(bind(other, (void*)&file, sizeof file));

  // listen.
  RET(listen(-1, 1));
  RET(listen(null, 1));
  RET(listen(udp(), 1));
  RET(listen(other, 1));
  RET(listen(local, 1));
  RET(listen(socket(AF_UNIX, SOCK_DGRAM, 0), 1));

  // connect.
  RET(connect(-1, (void*)&loop, sizeof loop));
  RET(connect(tcp(), BAD, sizeof loop));
  RET(connect(tcp(), (void*)&loop, 3));
  RET(connect(null, (void*)&loop, sizeof loop));
  RET(connect(tcp(), (void*)&wrong, sizeof wrong));
  RET(connect(other, (void*)&none, sizeof none));
  RET(connect(other, (void*)&file, sizeof file));
  RET(connect(other, (void*)&any, sizeof any));
  RET(connect(socket(AF_UNIX, SOCK_DGRAM, 0), (void*)&un, sizeof un));
  int listener = tcp(), client = tcp();
  bind(listener, (void*)&loop, sizeof loop);
  getsockname(listener, (void*)&loop, &size);
  RET(connect(client, (void*)&loop, sizeof loop));
  RET(listen(listener, 2));
  RET(connect(client, (void*)&loop, sizeof loop));
  RET(connect(client, (void*)&loop, sizeof loop));
  RET(connect(listener, (void*)&loop, sizeof loop));
  RET(listen(client, 1));
  RET(bind(client, (void*)&any, sizeof any));

  // accept.
  struct sockaddr_in* odd = (void*)3;
  size = sizeof got;
  RET(accept(400, (void*)&got, &size));
  RET(accept(null, (void*)&got, &size));
  int bound = tcp();
  bind(bound, (void*)&any, sizeof any);
  RET(accept(bound, (void*)odd, &size));
  size = 1;
  RET(accept(bound, (void*)&got, &size));
  RET(accept(udp(), (void*)&got, &size));
  RET(accept4(listener, NULL, NULL, 0x4000));
  size = (socklen_t)-1;
  RET(accept(listener, (void*)&got, &size));
  size = sizeof got;
  RET(connect(tcp(), (void*)&loop, sizeof loop));
  int server;
  IS((server = accept(listener, (void*)&got, &size)) > 0);
  RET(size);

  // getsockname, getpeername.
  size = sizeof got;
  RET(getsockname(-1, (void*)&got, &size));
  RET(getsockname(null, (void*)&got, &size));
  RET(getsockname(server, BAD, &size));
  RET(getsockname(server, (void*)&got, NULL));
  RET(getsockname(server, (void*)&got, BAD));
  size = (socklen_t)-1;
  RET(getsockname(server, (void*)&got, &size));
  size = 4;
  RET(getsockname(server, (void*)&got, &size));
  RET(size);
  RET(getpeername(-1, (void*)&got, &size));
  RET(getpeername(null, (void*)&got, &size));
  RET(getpeername(tcp(), (void*)&got, &size));
  size = (socklen_t)-1;
  RET(getpeername(server, (void*)&got, &size));
  size = sizeof got;
  RET(getpeername(server, BAD, &size));
  RET(getpeername(server, (void*)&got, NULL));

  // send, sendto, sendmsg.
  RET(send(-1, text, 1, 0));
  RET(send(null, text, 1, 0));
  RET(send(tcp(), text, 1, MSG_NOSIGNAL));
  RET(send(udp(), text, 1, 0));
  RET(send(server, BAD, 8, 0));
  RET(sendto(udp(), text, 1, 0, (void*)&loop, 3));
  RET(sendto(udp(), text, 1, 0, (void*)&wrong, sizeof wrong));
  RET(sendto(udp(), text, 1, 0, BAD, sizeof loop));
  RET(sendto(udp(), text, 1, 0, (void*)&any, sizeof any));
  static char big[128 * 1024];
  RET(sendto(udp(), big, sizeof big, 0, (void*)&loop, sizeof loop));
  RET(sendto(server, text, 1, 0, BAD, sizeof loop));
  RET(send(server, text, 1, MSG_OOB | 0x20000));
  RET(send(other, text, 1, MSG_OOB));
  RET(send(udp(), text, 1, MSG_OOB));
  RET(send(socket(AF_UNIX, SOCK_DGRAM, 0), text, 1, 0));
  RET(send(socket(AF_UNIX, SOCK_DGRAM, 0), text, 1, MSG_OOB));
  RET(sendmsg(server, BAD, 0));
  struct iovec part = {text, 4};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  header.msg_iovlen = 2000;
  RET(sendmsg(server, &header, 0));
  header.msg_iovlen = (size_t)-1;
  RET(sendmsg(server, &header, 0));
  header.msg_iovlen = 1;
  header.msg_iov = BAD;
  RET(sendmsg(server, &header, 0));
  header.msg_iov = &part;
  header.msg_name = BAD;
  header.msg_namelen = sizeof loop;
  RET(sendmsg(udp(), &header, 0));
  header.msg_namelen = (socklen_t)-1;
  RET(sendmsg(udp(), &header, 0));
  header.msg_name = NULL;
  header.msg_namelen = 0;
  header.msg_control = BAD;
  header.msg_controllen = 40;
  RET(sendmsg(server, &header, 0));
  header.msg_controllen = 200000;
  RET(sendmsg(server, &header, 0));
  header.msg_control = NULL;
  header.msg_controllen = 0;

  // recv, recvfrom, recvmsg.
  RET(recv(-1, text, 1, 0));
  RET(recv(null, text, 1, 0));
  RET(recv(tcp(), text, 1, 0));
  RET(recv(udp(), text, 1, MSG_DONTWAIT));
  RET(recv(other, text, 1, 0));
  RET(recv(listener, text, 1, 0));
  RET(recv(server, text, 1, MSG_OOB));
  RET(recv(server, text, 1, MSG_DONTWAIT));
  RET(recv(server, text, 1, MSG_ERRQUEUE | MSG_DONTWAIT));
  RET(recv(udp(), text, 1, MSG_ERRQUEUE));
  RET(recv(udp(), text, 1, MSG_OOB | MSG_DONTWAIT));
  RET(recv(other, text, 1, MSG_OOB));
  RET(recvmsg(server, BAD, MSG_DONTWAIT));
  header.msg_iovlen = 2000;
  RET(recvmsg(server, &header, MSG_DONTWAIT));
  header.msg_iovlen = 1;
  header.msg_iov = BAD;
  RET(recvmsg(server, &header, MSG_DONTWAIT));
  header.msg_iov = &part;
  header.msg_namelen = (socklen_t)-1;
  header.msg_name = text;
  RET(recvmsg(server, &header, MSG_DONTWAIT));
  size = (socklen_t)-1;
  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  send(pair[0], "abcd", 4, 0);
  RET(recvfrom(pair[1], text, 4, 0, (void*)&got, &size));
  send(pair[0], "abcd", 4, 0);
  RET(recvfrom(pair[1], BAD, 4, 0, NULL, NULL));
  RET(recv(pair[1], text, 4, MSG_DONTWAIT));

  // shutdown.
  RET(shutdown(-1, SHUT_RD));
  RET(shutdown(null, SHUT_RD));
  RET(shutdown(tcp(), SHUT_RD));
  RET(shutdown(udp(), SHUT_RD));
  RET(shutdown(server, 7));
  RET(shutdown(other, SHUT_RD));
  RET(shutdown(server, SHUT_WR));
  RET(send(server, text, 1, MSG_NOSIGNAL));
  RET(shutdown(server, SHUT_RD));
  RET(recv(server, text, 1, 0));

  // Options.
  size = sizeof value;
  RET(setsockopt(-1, SOL_SOCKET, SO_OOBINLINE, &value, size));
  RET(setsockopt(null, SOL_SOCKET, SO_OOBINLINE, &value, size));
  RET(setsockopt(client, SOL_SOCKET, SO_OOBINLINE, NULL, size));
  RET(setsockopt(client, SOL_SOCKET, SO_OOBINLINE, &value, 0));
  RET(setsockopt(client, 500, SO_OOBINLINE, &value, size));
  RET(setsockopt(client, IPPROTO_UDP, SO_OOBINLINE, &value, size));
  RET(setsockopt(client, IPPROTO_IP, -1, &value, size));
  RET(setsockopt(client, IPPROTO_TCP, -1, &value, size));
  RET(setsockopt(client, SOL_SOCKET, SO_OOBINLINE, &value, (socklen_t)-1));
  RET(setsockopt(client, SOL_SOCKET, SO_TYPE, &value, size));
  RET(setsockopt(client, SOL_SOCKET, SO_ERROR, &value, size));
  RET(setsockopt(udp(), IPPROTO_TCP, TCP_NODELAY, &value, size));
  RET(setsockopt(other, IPPROTO_IP, 1, &value, size));
  RET(getsockopt(-1, SOL_SOCKET, SO_OOBINLINE, &value, &size));
  RET(getsockopt(null, SOL_SOCKET, SO_OOBINLINE, &value, &size));
  RET(getsockopt(client, SOL_SOCKET, SO_OOBINLINE, BAD, &size));
  RET(getsockopt(client, SOL_SOCKET, SO_OOBINLINE, &value, BAD));
  RET(getsockopt(client, 500, SO_OOBINLINE, &value, &size));
  RET(getsockopt(client, IPPROTO_UDP, SO_OOBINLINE, &value, &size));
  RET(getsockopt(client, IPPROTO_IP, -1, &value, &size));
  RET(getsockopt(client, IPPROTO_TCP, -1, &value, &size));
  size = (socklen_t)-1;
  RET(getsockopt(client, SOL_SOCKET, SO_OOBINLINE, &value, &size));
  size = 2;
  RET(getsockopt(client, SOL_SOCKET, SO_TYPE, &value, &size));
  RET(size);
  RET(getsockopt(other, IPPROTO_IP, 1, &value, &size));
  return done();
}
