// SPDX-License-Identifier: Apache-2.0
// /proc/net: headings as Linux prints them; the lines come from the network.
#include "kernel/fs/procfs/rows.hpp"

namespace uni::fs::procfs {
namespace {

std::atomic<NetProvider> net_provider{nullptr};

constexpr StringView heading(NetFile file) {
  switch (file) {
    case NetFile::kDevices:
      return "Inter-|   Receive                                                |  Transmit\n"
             " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls "
             "carrier compressed\n";
    case NetFile::kRoutes:
      return "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
             "                                                       \n";
    case NetFile::kTcp:
      return "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
             "                                                     \n";
    case NetFile::kUdp:
      return "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref "
             "pointer drops             \n";
    case NetFile::kTcp6:
      return "  sl  local_address                         remote_address                        st tx_queue rx_queue "
             "tr "
             "tm->when retrnsmt   uid  timeout inode\n";
    case NetFile::kUdp6:
      return "  sl  local_address                         remote_address                        st tx_queue rx_queue "
             "tr "
             "tm->when retrnsmt   uid  timeout inode ref pointer drops\n";
    case NetFile::kUnix:
      return "Num       RefCount Protocol Flags    Type St Inode Path\n";
    case NetFile::kArp:
      return "IP address       HW type     Flags       HW address            Mask     Device\n";
    case NetFile::kIgmp:
      return "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n";
    case NetFile::kInet6Addresses:
    case NetFile::kIgmp6:
      return {};
  }
  return {};
}

}  // namespace

void set_net_provider(NetProvider provider) {
  net_provider.store(provider, std::memory_order_release);
}

template <NetFile kFile>
Result<void> show_net(Writer& out, const Numbers&) {
  out.write(heading(kFile));
  if (NetProvider provider = net_provider.load(std::memory_order_acquire)) provider(kFile, out);
  return {};
}

template Result<void> show_net<NetFile::kDevices>(Writer&, const Numbers&);
template Result<void> show_net<NetFile::kRoutes>(Writer&, const Numbers&);
template Result<void> show_net<NetFile::kTcp>(Writer&, const Numbers&);
template Result<void> show_net<NetFile::kTcp6>(Writer&, const Numbers&);
template Result<void> show_net<NetFile::kUdp>(Writer&, const Numbers&);
template Result<void> show_net<NetFile::kUdp6>(Writer&, const Numbers&);
template Result<void> show_net<NetFile::kUnix>(Writer&, const Numbers&);
template Result<void> show_net<NetFile::kInet6Addresses>(Writer&, const Numbers&);
template Result<void> show_net<NetFile::kArp>(Writer&, const Numbers&);
template Result<void> show_net<NetFile::kIgmp>(Writer&, const Numbers&);
template Result<void> show_net<NetFile::kIgmp6>(Writer&, const Numbers&);

}  // namespace uni::fs::procfs
