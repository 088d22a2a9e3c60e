// SPDX-License-Identifier: Apache-2.0
// One instruction's effect on the abstract state of flow.hpp.
#pragma once

#include <Zydis/Zydis.h>

#include "loader/analyze/flow.hpp"

namespace uni {

class FlowStep {
 public:
  struct Effect {
    std::uint64_t length = 0;  // 0: no instruction here
    std::uint64_t target = 0;  // of a direct jump
    std::uint64_t table = 0;   // an address that may be a switch's table
    bool branches = false;     // a conditional jump
    bool ends = false;         // nothing behind it is reached from here
    bool indirect = false;     // a jump to a computed address
    bool padding = false;      // does nothing
    bool call = false;
    bool system = false;   // `syscall`
    bool returns = false;  // `ret`
  };

  explicit FlowStep(const ElfImage& image, std::function<bool(std::uint64_t)> never_written = {});
  // Whether the instruction writes the memory that it names.
  bool stores(std::uint64_t at) const;

  // Where control goes.
  Effect look(std::uint64_t at) const;
  // Does the instruction to the state.
  Effect apply(std::uint64_t at, MachineState& state) const;

 private:
  using Operand = ZydisDecodedOperand;
  bool decode(std::uint64_t at, ZydisDecodedInstruction& in, Operand* operands) const;
  AtomSet load(std::uint64_t next, const Operand& op, const MachineState& state) const;
  AtomSet read(std::uint64_t next, const Operand& op, const MachineState& state) const;
  void write(std::uint64_t next, const Operand& op, AtomSet value, MachineState& state) const;
  AtomSet address(std::uint64_t next, const Operand& op, const MachineState& state) const;
  bool move_vector(std::uint64_t next, const ZydisDecodedInstruction& in, const Operand* operands,
                   MachineState& state) const;
  void do_call(MachineState& state) const;

  const ElfImage& image_;
  std::function<bool(std::uint64_t)> never_written_;
  ZydisDecoder decoder_{};
};

}  // namespace uni
