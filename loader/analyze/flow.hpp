// SPDX-License-Identifier: Apache-2.0
// Which constants a register can hold at a place in a function: abstract interpretation over its basic blocks. Values
// are small sets; registers and stack slots are followed through copies, spills and arithmetic with constants.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "loader/analyze/elf_image.hpp"

namespace uni {

// One possible content of a register or stack slot.
struct Atom {
  enum class Kind : std::uint8_t {
    Constant,    // `value`
    Register,    // what register number `value` held when the function was entered
    StackSlot,   // what lay `value` bytes above the return address then
    StackPlace,  // the address `value` bytes above the return address
    Slot,        // what the loader puts into the pointer at address `value`
    Memory,      // read from memory at an unknown address, `value` bytes from a register
    Unknown,
  };
  Kind kind = Kind::Unknown;
  std::int64_t value = 0;
  auto operator<=>(const Atom&) const = default;
};

using AtomSet = std::vector<Atom>;  // sorted; empty: never reached

// The registers' numbers, as in the instruction encoding.
enum GeneralRegister : unsigned { kRax, kRcx, kRdx, kRbx, kRsp, kRbp, kRsi, kRdi };

// A place in which a function gets an argument.
struct Location {
  bool on_stack = false;
  std::int64_t index = 0;  // register number, or bytes above the return address
  auto operator<=>(const Location&) const = default;
};

class MachineState {
 public:
  std::array<AtomSet, 16> registers;
  unsigned vectors_from_memory = 0;       // vector registers that hold what a load from memory gave, as bits
  std::map<std::int64_t, AtomSet> stack;  // by offset from the return address's place at entry

  // What `location` of a function that is called (or jumped to) here holds.
  AtomSet argument(const Location& location, bool is_call) const;
  AtomSet slot(std::int64_t offset) const;
};

struct FlowRequest {
  const ElfImage* image = nullptr;
  std::vector<AddressRange> ranges;    // the function's code, the main part first
  std::vector<std::uint64_t> entries;  // where it is entered
  // Whether the call at this address does not come back.
  std::function<bool(std::uint64_t at)> no_return;
  // Whether no instruction writes the variable at this address: then it holds what the file says.
  std::function<bool(std::uint64_t variable)> never_written;
};

// Calls `visit` once for each instruction of `places` (sorted addresses) that is reached, with the state before it.
// Functions over a size of 1 MiB are not followed: then the states are all unknown.
void follow(const FlowRequest& request, const std::vector<std::uint64_t>& places,
            const std::function<void(std::uint64_t at, const MachineState&)>& visit);

}  // namespace uni
