// SPDX-License-Identifier: Apache-2.0
// Neither kind needs privileges. QEMU's user network is in QEMU's own process and the faster of the two here; passt
// keeps the guest away from the host's loopback by itself (--no-map-gw), where libslirp needs preload/loopback.c.
#include "cli/vmm/network.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/vmm/preload.hpp"
#include "loader/analyze/file.hpp"

namespace uni::vmm {
namespace {

const char* protocol_name(const Publish& p) {
  return p.protocol == Publish::Protocol::kUdp ? "udp" : "tcp";
}

std::unexpected<Diagnostic> cannot_publish(const Publish& p, int error) {
  std::string hint = "choose another port of the host: `-p PORT:" + std::to_string(p.guest) + "`";
  if (error == EADDRINUSE) hint = "end the program that listens there, or " + hint;
  if (error == EACCES) hint = "ports below 1024 need privileges; " + hint;
  if (error == EADDRNOTAVAIL) hint = "the address must be one of this host's";
  return fail({.what = fmt::format("cannot publish {} port {}", protocol_name(p), p.host),
               .where = p.address,
               .why = error == EADDRINUSE ? "it is in use" : errno_text(error),
               .hint = std::move(hint),
               .code = ExitCode::kRunFailed});
}

// Binds as QEMU and passt will, and lets go again.
Expected<void> check_free(const Publish& p) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  // SAFETY: sockaddr_storage is made to be seen as each family's address (socket(7)).
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (::inet_pton(AF_INET, p.address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(p.host);
    length = sizeof *v4;
  } else {
    ::inet_pton(AF_INET6, p.address.c_str(), &v6->sin6_addr);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(p.host);
    length = sizeof *v6;
  }
  const bool tcp = p.protocol == Publish::Protocol::kTcp;
  const Fd probe(::socket(storage.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
  if (!probe) return cannot_publish(p, errno);
  const int on = 1;
  if (tcp) ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Two sockets with SO_REUSEADDR may both be bound; only listening tells (socket(7)).
  if (::bind(probe.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0 ||
      (tcp && ::listen(probe.get(), 1) != 0)) {
    return cannot_publish(p, errno);
  }
  return {};
}

// passt's `-t` and `-u`: ADDRESS/HOST:GUEST, comma-separated.
std::string passt_ports(const std::vector<Publish>& published, Publish::Protocol protocol) {
  std::string text;
  for (const Publish& p : published) {
    if (p.protocol != protocol) continue;
    text += fmt::format("{}{}/{}:{}", text.empty() ? "" : ",", p.address, p.host, p.guest);
  }
  return text.empty() ? "none" : text;
}

Expected<Process> start_passt(int fd, const std::vector<Publish>& published, HostLoopback loopback) {
  const std::string program = find_program("passt");
  if (program.empty()) {
    return fail({.what = "passt is missing",
                 .where = {},
                 .why = "it is not in $PATH",
                 .hint = "install the package passt, or use `--net user`",
                 .code = ExitCode::kRunFailed});
  }
  auto library = preload_library();
  if (!library) return std::unexpected(library.error());
  Process::Options options;
  options.keep = {fd, library->get()};
  options.environment = preload_environment(library->get(), HostLoopback::kOpen);  // --no-map-gw is finer
  std::vector<std::string> arguments{program,
                                     "--foreground",
                                     "--quiet",
                                     "--fd",
                                     std::to_string(fd),
                                     "--ipv4-only",
                                     "--address",
                                     "10.0.2.15",
                                     "--netmask",
                                     "24",
                                     "--gateway",
                                     "10.0.2.2",
                                     "--dns-forward",
                                     "10.0.2.3",
                                     "--tcp-ports",
                                     passt_ports(published, Publish::Protocol::kTcp),
                                     "--udp-ports",
                                     passt_ports(published, Publish::Protocol::kUdp)};
  if (loopback == HostLoopback::kClosed) arguments.emplace_back("--no-map-gw");
  return Process::start(arguments, options);
}

// passt does not tell when it is ready; it is once its ports listen. It ends where it cannot start.
Expected<void> await_passt(Process& passt, const std::vector<Publish>& published) {
  for (int tries = 0; tries < 500; ++tries) {
    if (!passt.running()) {
      return fail({.what = "passt did not start",
                   .where = {},
                   .why = "it ended at once",
                   .hint = "use `--net user`",
                   .code = ExitCode::kRunFailed});
    }
    bool listening = true;
    for (const Publish& p : published)
      listening = listening && !check_free(p);
    if (listening) return {};
    ::poll(nullptr, 0, 2);
  }
  return fail({.what = "passt did not start",
               .where = {},
               .why = "its ports did not open within a second",
               .hint = "use `--net user`",
               .code = ExitCode::kRunFailed});
}

}  // namespace

Expected<HostNetwork> make_network(NetworkChoice choice, const std::vector<Publish>& published, HostLoopback loopback) {
  HostNetwork network;
  for (const Publish& p : published) {
    if (auto ok = check_free(p); !ok) return std::unexpected(ok.error());
    if (choice == NetworkChoice::kUser && p.address.find(':') != std::string::npos) {
      return fail({.what = "cannot publish on an IPv6 address",
                   .where = p.address,
                   .why = "QEMU's user network has none",
                   .hint = "use `--net passt`, or an IPv4 address",
                   .code = ExitCode::kRunFailed});
    }
  }
  if (choice == NetworkChoice::kUser) network.spec = {Network::Kind::kUser, -1, published, loopback};
  if (choice == NetworkChoice::kPasst) {
    auto pair = socket_pair();
    if (!pair) return std::unexpected(pair.error());
    auto passt = start_passt(pair->theirs.get(), published, loopback);
    if (!passt) return std::unexpected(passt.error());
    network.passt.emplace(std::move(*passt));
    if (auto ok = await_passt(*network.passt, published); !ok) return std::unexpected(ok.error());
    network.qemu_end = std::move(pair->ours);
    network.spec = {Network::Kind::kSocket, network.qemu_end.get(), {}, loopback};
  }
  return network;
}

}  // namespace uni::vmm
