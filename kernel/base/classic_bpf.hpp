// SPDX-License-Identifier: Apache-2.0
// Classic BPF (bpf(4), linux/filter.h): programs that seccomp(2) and SO_ATTACH_FILTER install. A program that was
// checked ends, touches nothing but its own memory and what the loader gives it. Compiled for guest and host.
#pragma once

#include "kernel/base/result.hpp"
#include "kernel/base/span.hpp"
#include "kernel/base/types.hpp"

namespace uni::bpf {

struct Instruction {
  u16 code;
  u8 jump_true, jump_false;
  u32 k;
};
static_assert(sizeof(Instruction) == 8);

inline constexpr usize kMostInstructions = 4096;

// What a program reads from.
class Source {
 public:
  // Bytes [offset, offset + size) as a number, size 1, 2 or 4; false where they are not there.
  virtual bool load(u32 offset, u32 size, u32* value) = 0;
  virtual u32 length() const = 0;

 protected:
  ~Source() = default;
};

// Refuses what Linux refuses (bpf_check_classic). Errors: Invalid.
Result<void> check(Span<const Instruction> program);
// The further rules of seccomp(2): only whole words of `data_size` bytes are read. Errors: Invalid.
Result<void> check_words_only(Span<const Instruction> program, u32 data_size);

// Runs a checked program; gives what it returns, 0 where it reads what is not there.
u32 run(Span<const Instruction> program, Source& source);

}  // namespace uni::bpf
