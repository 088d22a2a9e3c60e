// SPDX-License-Identifier: Apache-2.0
// netdevice(7): the ioctls by which programs list and read interfaces. Changing them is refused: the boot configuration
// decides; but to ask for the flags that an interface has is no change.
#include "kernel/net/core.hpp"
#include "kernel/net/interfaces.hpp"
#include "kernel/sched/process.hpp"

namespace uni::net {

namespace {

// struct ifreq: a name and a union of 24 bytes.
struct InterfaceRequest {
  char name[16];
  union {
    struct {
      u16 family;
      u16 port;
      u32 address;
      u8 zero[8];
    } inet;
    struct {
      u16 family;
      u8 bytes[14];
    } hardware;
    i16 flags;
    i32 number;
    u8 raw[24];
  };
};
static_assert(sizeof(InterfaceRequest) == 40);

struct InterfaceConfig {
  i32 length;
  u32 padding;
  u64 buffer;
};
static_assert(sizeof(InterfaceConfig) == 16);

enum Command : u32 {
  kGetName = 0x8910,
  kGetConfig = 0x8912,
  kGetFlags = 0x8913,
  kSetFlags = 0x8914,
  kGetAddress = 0x8915,
  kSetAddress = 0x8916,
  kGetBroadcast = 0x8919,
  kGetNetmask = 0x891B,
  kSetNetmask = 0x891C,
  kGetMetric = 0x891D,
  kGetMtu = 0x8921,
  kSetMtu = 0x8922,
  kGetHardware = 0x8927,
  kGetIndex = 0x8933,
  kGetQueueLength = 0x8942,
};

constexpr u16 kInet4 = 2;
constexpr i16 kUp = 1, kBroadcast = 2, kLoopback = 8, kRunning = 0x40, kMulticast = 0x1000;

const InterfaceAddress* v4_of(const Interface& i) {
  for (usize n = 0; n < i.address_count; ++n) {
    if (i.addresses[n].ip.is_v4()) return &i.addresses[n];
  }
  return nullptr;
}

u32 mask_of(u8 prefix) {
  return prefix == 0 ? 0 : __builtin_bswap32(~u32{0} << (32 - prefix));
}

Result<i64> get_config(UserAddr argument) {
  const UserPtr<InterfaceConfig> at(argument);
  InterfaceConfig config = TRY(at.read());
  usize used = 0;
  Interface i;
  for (usize n = 0; interface_at(n, &i); ++n) {
    const InterfaceAddress* a = v4_of(i);
    if (a == nullptr) continue;
    if (config.buffer != 0) {
      if (used + sizeof(InterfaceRequest) > static_cast<usize>(max(config.length, 0))) break;
      InterfaceRequest entry{};
      __builtin_memcpy(entry.name, i.name, sizeof entry.name);
      entry.inet.family = kInet4;
      entry.inet.address = a->ip.v4_raw();
      TRY(copy_to_user(UserAddr{config.buffer} + used, &entry, sizeof entry));
    }
    used += sizeof(InterfaceRequest);
  }
  config.length = static_cast<i32>(used);
  TRY(at.write(config));
  return i64{0};
}

i16 flags_of(const Interface& i) {
  return static_cast<i16>(kUp | kRunning | (i.loopback ? kLoopback : kBroadcast | kMulticast));
}

bool changes(u32 command) {
  return command == kSetFlags || command == kSetAddress || command == kSetNetmask || command == kSetMtu;
}

// In Linux's order: who may, which interface, and then what cannot be done here.
Result<void> refuse(u32 command, const Interface& i, const InterfaceRequest& request) {
  if (command == kSetFlags && ((request.flags ^ flags_of(i)) & kUp) == 0) return {};
  if (command == kSetMtu && request.number == static_cast<i32>(i.mtu)) return {};
  return Errno::NotPermitted;
}

Result<void> answer(u32 command, const Interface& i, InterfaceRequest& request) {
  const InterfaceAddress* a = v4_of(i);
  const auto inet = [&](u32 address) -> Result<void> {
    if (a == nullptr) return Errno::AddressNotAvailable;
    request.inet = {kInet4, 0, address, {}};
    return {};
  };
  switch (command) {
    case kGetFlags:
      request.flags = flags_of(i);
      return {};
    case kGetAddress:
      return inet(a == nullptr ? 0 : a->ip.v4_raw());
    case kGetNetmask:
      return inet(a == nullptr ? 0 : mask_of(a->prefix));
    case kGetBroadcast:
      return inet(a == nullptr || i.loopback ? 0 : a->ip.v4_raw() | ~mask_of(a->prefix));
    case kGetMetric:
      request.number = 0;
      return {};
    case kGetMtu:
      request.number = static_cast<i32>(i.mtu);
      return {};
    case kGetHardware:
      request.hardware = {};
      request.hardware.family = i.loopback ? u16{772} : u16{1};  // ARPHRD_LOOPBACK, ARPHRD_ETHER
      __builtin_memcpy(request.hardware.bytes, i.mac, sizeof i.mac);
      return {};
    case kGetIndex:
      request.number = static_cast<i32>(i.index);
      return {};
    default:
      request.number = 1000;  // kGetQueueLength
      return {};
  }
}

}  // namespace

Result<i64> interface_ioctl(u32 command, UserAddr argument) {
  switch (command) {
    case kGetConfig:
      TRY(init());
      return get_config(argument);
    case kSetFlags:
    case kSetAddress:
    case kSetNetmask:
    case kSetMtu:
    case kGetName:
    case kGetFlags:
    case kGetAddress:
    case kGetBroadcast:
    case kGetNetmask:
    case kGetMetric:
    case kGetMtu:
    case kGetHardware:
    case kGetIndex:
    case kGetQueueLength:
      break;
    default:
      return Errno::NotTty;
  }
  const UserPtr<InterfaceRequest> at(argument);
  InterfaceRequest request = TRY(at.read());
  constexpr unsigned kNetAdmin = 12;  // CAP_NET_ADMIN
  if (changes(command) && !Process::current().credentials.capable(kNetAdmin)) return Errno::NotPermitted;
  TRY(init());
  request.name[sizeof request.name - 1] = '\0';
  Interface i;
  for (usize n = 0; interface_at(n, &i); ++n) {
    if (command == kGetName) {
      if (static_cast<u32>(request.number) != i.index) continue;
      __builtin_memcpy(request.name, i.name, sizeof request.name);
    } else {
      if (!(StringView(request.name) == StringView(i.name))) continue;
      if (changes(command)) {
        TRY(refuse(command, i, request));
        return i64{0};
      }
      TRY(answer(command, i, request));
    }
    TRY(at.write(request));
    return i64{0};
  }
  return Errno::NoDevice;
}

}  // namespace uni::net
