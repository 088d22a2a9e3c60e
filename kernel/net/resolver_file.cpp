// SPDX-License-Identifier: Apache-2.0
// Writes resolv.conf(5). A symbolic link in its place (systemd's) is replaced: its target belongs to the packing
// machine.
#include "kernel/net/resolver_file.hpp"

#include "kernel/boot/boot_info.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/net/interfaces.hpp"
#include "kernel/net/lwip_address.hpp"
#include "kernel/sched/process.hpp"

namespace uni::net {

namespace {

constexpr StringView kPath = "/etc/resolv.conf";

// The servers of `dns=`, else the one of `net=static:ADDR/LEN,GATEWAY,DNS`, else DHCP's.
void write_servers(Writer& out) {
  const BootConfig& config = boot::config();
  bool any = false;
  const auto server = [&](StringView address) {
    any = true;
    format(out, "nameserver {}\n", address);
  };
  config.each(BootKey::dns, server);
  if (any) return;
  const StringView net = config.get(BootKey::net);
  if (net.starts_with("static:")) {
    const usize first = net.find(',');
    const usize second = first == StringView::kNotFound ? first : net.find(',', first + 1);
    if (second != StringView::kNotFound) server(net.slice(second + 1));
  }
  IpAddress ip{};
  for (usize n = 0; !any && name_server(n, &ip); ++n) {
    char text[IPADDR_STRLEN_MAX];
    const ip_addr_t address = to_lwip(ip);
    // Of the link: it means something with the interface only (resolv.conf(5)).
    format(out, "nameserver {}{}\n", StringView(ipaddr_ntoa_r(&address, text, sizeof text)),
           ip.is_link_local() ? "%eth0"_sv : ""_sv);
  }
}

Result<void> replace_file(StringView content) {
  RefPtr<fs::FsContext> context = TRY(fs::FsContext::create_root());
  const Credentials root;
  (void)fs::unlink({*context, root}, kPath).ok();
  const u32 flags = fs::kOpenWriteOnly | fs::kOpenCreate | fs::kOpenTruncate;
  RefPtr<fs::File> file = TRY(fs::open_path(*context, root, kPath, flags, 0644));
  IoCursor data = IoCursor::kernel(content.data(), content.size());
  TRY(file->write(data, 0));
  return {};
}

}  // namespace

void write_resolver_file() {
  if (boot::config().get(BootKey::net, "none") == "none") return;
  char text[256];
  BufferWriter out(text);
  write_servers(out);
  if (out.view().empty()) return;
  const Result<void> done = replace_file(out.view());
  if (!done.ok()) log::info("net: {} stays as it is: {}", kPath, done.error());
}

}  // namespace uni::net
