// SPDX-License-Identifier: Apache-2.0
// Options that are remembered and shown again, with the ranges that Linux checks. What each would do is in the note of
// its row in syscall-shim/abi/sockopts.def.
#include "kernel/net/socket.hpp"

namespace uni::net {

namespace {

constexpr i64 kLowest = -0x80000000ll, kHighest = 0x7fffffff;

constexpr KeptOption flag(Option option, i64 initial = 0) {
  return {option, initial, 0, 1, true};
}

constexpr KeptOption kTable[] = {
    flag(Option::kNoChecksum),
    flag(Option::kReceiveOverflow),
    {Option::kPeekOffset, -1, kLowest, kHighest, false},
    {Option::kBusyPoll, 0, 0, kHighest, false},
    {Option::kIncomingCpu, 0, kLowest, kHighest, false},
    {Option::kTimestamping, 0, 0, 0x1ffff, false},
    flag(Option::kSelectErrorQueue),
    flag(Option::kPassSecurity),
    {Option::kSendLowWater, 1, 1, 0, false},  // cannot be set
    flag(Option::kThinLinearTimeouts),
    {Option::kMinTtl, 0, 0, 255, false},
    flag(Option::kReceiveIpOptions),
    flag(Option::kReturnOptions),
    flag(Option::kReceiveOriginalAddress),
    {Option::kUnicastInterface, 0, 0, kHighest, false},
    {Option::kUdpSegment, 0, 0, 65535, false},
    flag(Option::kUdpReceiveOffload),
    flag(Option::kV6DontFragment),
    flag(Option::kV6AutoFlowLabel, 1),
    flag(Option::kV6ReceiveFragmentSize),
    {Option::kMtuDiscover, 1, 0, 5, false},
    flag(Option::kReceiveError),
    flag(Option::kBindAddressNoPort),
    // On TCP; UDP sockets heed these.
    flag(Option::kReceiveTtl),
    flag(Option::kReceiveTos),
    flag(Option::kPacketInfo),
    flag(Option::kV6PacketInfo),
    flag(Option::kV6ReceiveHops),
    flag(Option::kV6ReceiveTrafficClass),
    flag(Option::kMulticastLoop, 1),
    flag(Option::kMulticastAll, 1),
    flag(Option::kV6MulticastLoop, 1),
    flag(Option::kV6MulticastAll, 1),
};

}  // namespace

const KeptOption* kept_option(Option option) {
  for (const KeptOption& kept : kTable) {
    if (kept.option == option) return &kept;
  }
  return nullptr;
}

}  // namespace uni::net
