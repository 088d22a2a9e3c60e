// SPDX-License-Identifier: Apache-2.0
// SO_ATTACH_FILTER (socket(7)): a classic BPF program that sees each datagram before it is queued, and says how much of
// it is kept.
#pragma once

#include "kernel/base/classic_bpf.hpp"
#include "kernel/base/own_ptr.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/sync/spinlock.hpp"

namespace uni::net {

class SocketFilter final : public RefCounted {
 public:
  // Takes a program that bpf::check accepted.
  explicit SocketFilter(Vector<bpf::Instruction> program) : program_(uni::move(program)) {}
  Span<const bpf::Instruction> program() const { return {program_.data(), program_.size()}; }

 private:
  Vector<bpf::Instruction> program_;
};

// The filter of one socket. Reading it costs a load where there is none.
class FilterSlot {
 public:
  // A null filter takes the old one away. Errors: NoEntry (there is none to take), NotPermitted (locked).
  Result<void> set(RefPtr<SocketFilter> filter);
  void lock_filter() { locked_.store(true, std::memory_order_relaxed); }
  bool locked() const { return locked_.load(std::memory_order_relaxed); }
  RefPtr<SocketFilter> get();
  // The bytes of the packet to keep, 0 to drop it. May be called with locks of rank below kLeaf held.
  u32 run(bpf::Source& source);
  bool empty() const { return !there_.load(std::memory_order_acquire); }

 private:
  SpinLock lock_{Rank::kLeaf};
  std::atomic<bool> there_{false}, locked_{false};
  RefPtr<SocketFilter> filter_;
};

// A packet in one piece behind a header that is made up (8 bytes of UDP's, or none).
class PacketSource : public bpf::Source {
 public:
  PacketSource(Span<const u8> header, const u8* data, u32 size) : header_(header), data_(data), size_(size) {}
  bool load(u32 offset, u32 size, u32* value) override;
  u32 length() const override { return static_cast<u32>(header_.size()) + size_; }

 protected:
  // One byte behind the header.
  virtual u8 byte_at(u32 offset) { return data_[offset]; }

 private:
  Span<const u8> header_;
  const u8* data_;
  u32 size_;
};

}  // namespace uni::net
