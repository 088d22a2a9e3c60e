// SPDX-License-Identifier: Apache-2.0
// NUMA calls (numa(7)) on a machine of one node: policies are checked and kept as Linux keeps them, and all pages lie
// in node 0 already.
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/abi/process.hpp"
#include "syscall-shim/linux/mm.hpp"
#include "syscall-shim/linux/process_access.hpp"

namespace uni::shim {
namespace {

// linux/mempolicy.h.
enum Mode : u16 { kDefault, kPreferred, kBind, kInterleave, kLocal, kPreferredMany, kWeightedInterleave, kModes };
constexpr u16 kStaticNodes = 1 << 15, kRelativeNodes = 1 << 14, kBalancing = 1 << 13;
constexpr u16 kModeFlags = kStaticNodes | kRelativeNodes | kBalancing;
constexpr u32 kMoveStrict = 1, kMove = 2, kMoveAll = 4;
constexpr u64 kTellNode = 1, kTellAddress = 2, kTellAllowed = 4;
constexpr u64 kMostNodes = 1024;  // numbers that a mask may have, as distributions configure Linux
constexpr u64 kHere = 1;          // the mask of node 0

// Bits [0, max_node - 1) of a mask in words; those of the machine's nodes are told, others need only be valid.
struct NodeMask {
  bool any = false;   // a bit is set
  bool here = false;  // node 0's
  u64 low = 0;        // as given, of the first 64: told again where a policy keeps its own mask
};

Result<NodeMask> read_mask(UserPtr<u64> user, u64 max_node) {
  NodeMask mask;
  if (max_node <= 1 || !user) {
    if (max_node == 0 && user) return Errno::Invalid;  // one less than nothing is too many
    return mask;
  }
  const u64 bits = max_node - 1;
  if (bits > kPageSize * 8) return Errno::Invalid;
  for (u64 i = 0; i * 64 < bits; ++i) {
    u64 word = TRY((user + i).read());
    if (bits - i * 64 < 64) word &= (u64{1} << (bits - i * 64)) - 1;
    if (word == 0) continue;
    if (i * 64 >= kMostNodes) return Errno::Invalid;
    mask.any = true;
    if (i == 0) mask.low = word;
    if (i == 0) mask.here = (word & kHere) != 0;
  }
  return mask;
}

// A policy of set_mempolicy(2) or mbind(2); kDefault is none.
Result<MemoryPolicy> checked(u32 wanted, const NodeMask& nodes) {
  const u16 flags = static_cast<u16>(wanted) & kModeFlags;
  const u32 mode = wanted & ~u32{kModeFlags};
  if (mode >= kModes || (flags & (kStaticNodes | kRelativeNodes)) == (kStaticNodes | kRelativeNodes))
    return Errno::Invalid;
  if ((flags & kBalancing) != 0 && mode != kBind && mode != kPreferredMany) return Errno::Invalid;
  const auto policy = [&](Mode m, u64 mask) {
    return MemoryPolicy{.mode = static_cast<u16>(m | flags), .nodes = mask};
  };
  if (mode == kDefault) {
    if (nodes.any) return Errno::Invalid;
    return MemoryPolicy{};
  }
  if (!nodes.any) {
    const bool local = mode == kLocal || mode == kPreferred;
    if (!local || (flags & (kStaticNodes | kRelativeNodes)) != 0) return Errno::Invalid;
    return policy(kLocal, 0);
  }
  if (mode == kLocal) return Errno::Invalid;
  // Relative numbers are folded onto the nodes that there are.
  if (!nodes.here && (flags & kRelativeNodes) == 0) return Errno::Invalid;
  return policy(static_cast<Mode>(mode), (flags & (kStaticNodes | kRelativeNodes)) != 0 ? nodes.low : kHere);
}

Result<void> write_mask(UserPtr<u64> user, u64 max_node, u64 nodes) {
  const u64 bytes = ((max_node - 1 + 63) & ~u64{63}) / 8;
  if (bytes > sizeof(u64)) {
    if (bytes > kPageSize) return Errno::Invalid;
    TRY(clear_user((user + 1).address(), bytes - sizeof(u64)));
    return user.write(nodes);
  }
  if (bytes == 0) return {};
  return user.write(nodes);
}

bool is_mapped(mm::AddressSpace& space, u64 address) {
  u8 present = 0;
  return space.residency(address & ~(kPageSize - 1), kPageSize, &present).ok();
}

// Where a page is: node 0, or a negative error number (move_pages(2), "Page states").
i32 place_of(mm::AddressSpace& space, u64 address) {
  const u64 page = address & ~(kPageSize - 1);
  if (page >= kUserEnd || !is_mapped(space, page)) return -static_cast<i32>(Errno::Fault);
  if (space.next_present(page, page + kPageSize, mm::AddressSpace::Present::kAny) != page)
    return -static_cast<i32>(Errno::NoEntry);
  return 0;
}

// The memory of the process that a call names, 0 being the caller's own.
Result<RefPtr<mm::AddressSpace>> memory_of(i32 pid) {
  if (pid == 0) return RefPtr<mm::AddressSpace>(Process::current().space.get());
  const RefPtr<Thread> thread = Process::find_thread(Tid{static_cast<u32>(pid)});
  if (!thread) return Errno::NoProcess;
  if (thread->is_kernel()) return Errno::Invalid;
  if (!may_inspect(thread->process())) return Errno::NotPermitted;
  RefPtr<mm::AddressSpace> space = space_of(thread->process());
  if (!space) return Errno::Invalid;
  return space;
}

}  // namespace

Result<i64> sys_set_mempolicy(i32 mode, UserPtr<u64> mask, u64 max_node) {
  // A mode is looked at before its nodes.
  const u32 plain = static_cast<u32>(mode) & ~u32{kModeFlags};
  if (plain >= kModes) return Errno::Invalid;
  const NodeMask nodes = TRY(read_mask(mask, max_node));
  Thread::current().memory_policy = TRY(checked(static_cast<u32>(mode), nodes));
  return 0;
}

Result<i64> sys_get_mempolicy(UserPtr<i32> mode, UserPtr<u64> mask, u64 max_node, u64 address, u64 flags) {
  if (mask && max_node < 1) return Errno::Invalid;
  if ((flags & ~(kTellNode | kTellAddress | kTellAllowed)) != 0) return Errno::Invalid;
  MemoryPolicy policy = Thread::current().memory_policy;
  i32 told = policy.mode;
  if ((flags & kTellAllowed) != 0) {
    if ((flags & (kTellNode | kTellAddress)) != 0) return Errno::Invalid;
    told = 0;
    policy.nodes = kHere;
  } else {
    if ((flags & kTellAddress) != 0) {
      if (!is_mapped(*Process::current().space, address)) return Errno::Fault;
    } else if (address != 0) {
      return Errno::Invalid;
    }
    const u16 kind = policy.mode & static_cast<u16>(~kModeFlags);
    if ((flags & kTellNode) != 0) {
      const bool interleaved = kind == kInterleave || kind == kWeightedInterleave;
      if ((flags & kTellAddress) == 0 && !interleaved) return Errno::Invalid;
      told = 0;
    }
  }
  if (mode) TRY(mode.write(told));
  if (mask) TRY(write_mask(mask, max_node, policy.nodes));
  return 0;
}

Result<i64> sys_mbind(u64 address, u64 length, u64 mode, UserPtr<u64> mask, u64 max_node, u32 flags) {
  const u64 plain = mode & ~u64{kModeFlags};
  if (plain >= kModes) return Errno::Invalid;
  const NodeMask nodes = TRY(read_mask(mask, max_node));
  const Credentials& who = Process::current().credentials;
  if ((flags & ~(kMoveStrict | kMove | kMoveAll)) != 0) return Errno::Invalid;
  if ((flags & kMoveAll) != 0 && !who.capable(abi::kCapSysNice)) return Errno::NotPermitted;
  if ((address & (kPageSize - 1)) != 0) return Errno::Invalid;
  const u64 end = address + page_up(length);
  if (end < address) return Errno::Invalid;
  if (end == address) return 0;
  (void)TRY(checked(static_cast<u32>(mode), nodes));
  for (u64 page = address; page < end; page += kPageSize) {
    if (page >= kUserEnd || !is_mapped(*Process::current().space, page)) return Errno::Fault;
  }
  return 0;
}

Result<i64> sys_set_mempolicy_home_node(u64 address, u64 length, u64 node, u64 flags) {
  if ((address & (kPageSize - 1)) != 0 || flags != 0) return Errno::Invalid;
  if (node != 0) return Errno::Invalid;
  if (address + page_up(length) < address) return Errno::Invalid;
  return 0;
}

Result<i64> sys_move_pages(i32 pid, u64 count, UserPtr<u64> pages, UserPtr<i32> nodes, UserPtr<i32> status, u32 flags) {
  if ((flags & ~(kMove | kMoveAll)) != 0) return Errno::Invalid;
  if ((flags & kMoveAll) != 0 && !Process::current().credentials.capable(abi::kCapSysNice)) return Errno::NotPermitted;
  const RefPtr<mm::AddressSpace> space = TRY(memory_of(pid));
  for (u64 i = 0; i < count; ++i) {
    const u64 address = TRY((pages + i).read());
    if (nodes && TRY((nodes + i).read()) != 0) return Errno::NoDevice;
    TRY((status + i).write(place_of(*space, address)));
    if (i % 64 == 63) sched::preempt_point();
  }
  return 0;
}

Result<i64> sys_migrate_pages(i32 pid, u64 max_node, UserPtr<u64> old_nodes, UserPtr<u64> new_nodes) {
  (void)TRY(read_mask(old_nodes, max_node));
  const NodeMask wanted = TRY(read_mask(new_nodes, max_node));
  (void)TRY(memory_of(pid));
  if (!wanted.here) return Errno::Invalid;
  return 0;
}

}  // namespace uni::shim
