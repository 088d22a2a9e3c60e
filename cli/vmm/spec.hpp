// SPDX-License-Identifier: Apache-2.0
// What a virtual machine is made of, as values: the command line and the image are turned into a MachineSpec, and that
// into QEMU's argument vector (qemu_args.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace uni::vmm {

enum class Machine { kMicrovm, kQ35 };
enum class Accel { kKvm, kTcg };

// One `-p [IP:]HOST:GUEST[/udp]`.
struct Publish {
  enum class Protocol { kTcp, kUdp };
  std::string address = "127.0.0.1";  // numeric
  std::uint16_t host = 0;
  std::uint16_t guest = 0;
  Protocol protocol = Protocol::kTcp;
  bool operator==(const Publish&) const = default;
};

// One `-v SRC:DST[:ro]`.
struct Share {
  enum class Access { kReadOnly, kReadWrite };
  std::string source;  // absolute, a directory that exists
  std::string target;  // absolute, in the guest
  Access access = Access::kReadWrite;
  bool operator==(const Share&) const = default;
};

// A character channel of the machine; `fd` is QEMU's end of a socket pair.
struct Channel {
  std::string name;  // the virtio-serial port's name
  int fd = -1;
};

// Whether the guest reaches what listens on the host's loopback only, at the gateway's address.
enum class HostLoopback { kClosed, kOpen };

struct Network {
  enum class Kind { kNone, kUser, kSocket };
  Kind kind = Kind::kNone;
  int fd = -1;                     // kSocket: QEMU's end of the stream that passt speaks on
  std::vector<Publish> published;  // kUser: QEMU listens here (libslirp's hostfwd)
  HostLoopback loopback = HostLoopback::kClosed;
};

struct MachineSpec {
  Machine machine = Machine::kMicrovm;
  Accel accel = Accel::kTcg;
  std::uint64_t memory = std::uint64_t{128} << 20;  // bytes
  unsigned processors = 1;
  int kernel_fd = -1;   // the ELF file
  int config_fd = -1;   // the boot configuration
  int image_fd = -1;    // the disk, read only
  int overlay_fd = -1;  // where writes go (overlay.hpp)
  int log_fd = -1;      // COM1
  std::vector<Channel> channels;
  std::vector<Share> shares;
  Network network;
  bool entropy = false;  // a virtio-rng device
  int gdb_fd = -1;       // a listening socket on which QEMU awaits a debugger before the first instruction
};

}  // namespace uni::vmm
