// SPDX-License-Identifier: Apache-2.0
// The blocks of a function and the fixpoint over them. What an instruction does is in flow_step.cpp. Blocks that
// nothing known leads to (landing pads, targets of switches that were not understood) begin with everything unknown.
#include "loader/analyze/flow.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "loader/analyze/flow_step.hpp"

namespace uni {
namespace {

constexpr std::size_t kMostAtoms = 24;
constexpr std::uint64_t kMostCode = 1U << 20;
constexpr int kMostRounds = 64;  // a block that changes more often has its state given up

const AtomSet kUnknown = {Atom{}};

bool join(AtomSet& into, const AtomSet& from) {
  if (std::ranges::includes(into, from)) return false;
  AtomSet merged;
  std::ranges::set_union(into, from, std::back_inserter(merged));
  if (merged.size() > kMostAtoms) merged = kUnknown;
  const bool changed = merged != into;
  into = std::move(merged);
  return changed;
}

MachineState unknown_state() {
  MachineState state;
  state.registers.fill(kUnknown);
  return state;
}

MachineState entry_state() {
  MachineState state;
  for (unsigned i = 0; i < 16; ++i)
    state.registers[i] = {{Atom::Kind::Register, i}};
  state.registers[kRsp] = {{Atom::Kind::StackPlace, 0}};
  return state;
}

struct Block {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::vector<std::size_t> next;
  MachineState in;
  bool reached = false;
  bool padding = true;  // between two pieces of code
  int rounds = 0;
};

bool join(Block& block, const MachineState& from) {
  if (!block.reached) {
    block.in = from;
    block.reached = true;
    return true;
  }
  bool changed = false;
  for (unsigned i = 0; i < 16; ++i)
    changed |= join(block.in.registers[i], from.registers[i]);
  changed |= (block.in.vectors_from_memory & ~from.vectors_from_memory) != 0;
  block.in.vectors_from_memory &= from.vectors_from_memory;
  // A slot that is known on one way only is what it was at entry, or unknown, on the other.
  for (auto it = block.in.stack.begin(); it != block.in.stack.end(); ++it)
    changed |= join(it->second, from.slot(it->first));
  for (const auto& [offset, value] : from.stack) {
    if (block.in.stack.contains(offset)) continue;
    AtomSet merged = block.in.slot(offset);
    join(merged, value);
    block.in.stack.emplace(offset, std::move(merged));
    changed = true;
  }
  return changed;
}

class Flow {
 public:
  explicit Flow(const FlowRequest& request) : request_(request), step_(*request.image, request.never_written) {}

  bool prepare() {
    std::uint64_t size = 0;
    for (const AddressRange& r : request_.ranges)
      size += r.end - r.begin;
    if (size > kMostCode) return false;
    find_leaders();
    make_blocks();
    return true;
  }

  void run() {
    for (const std::uint64_t entry : request_.entries) {
      if (const auto b = block_at(entry)) enter(*b, entry_state());
    }
    settle();
    // What was not reached is entered in a way that was not seen.
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (!blocks_[i].reached && !blocks_[i].padding && !begins_again(blocks_[i])) {
        enter(i, unknown_state());
        settle();
      }
    }
  }

  void visit(const std::vector<std::uint64_t>& places,
             const std::function<void(std::uint64_t at, const MachineState&)>& visit) {
    for (const Block& block : blocks_) {
      auto place = std::ranges::lower_bound(places, block.begin);
      if (place == places.end() || *place >= block.end) continue;
      MachineState state = block.in;
      for (std::uint64_t at = block.begin; at < block.end;) {
        while (place != places.end() && *place < at)
          ++place;
        if (place == places.end()) break;
        if (*place == at) visit(at, state);
        at += std::max<std::uint64_t>(step_.apply(at, state).length, 1);
      }
    }
  }

 private:
  bool inside(std::uint64_t address) const {
    return std::ranges::any_of(request_.ranges, [&](const AddressRange& r) { return r.holds(address); });
  }

  void find_leaders() {
    for (const std::uint64_t entry : request_.entries)
      leaders_.insert(entry);
    for (const AddressRange& r : request_.ranges) {
      leaders_.insert(r.begin);
      for (std::uint64_t at = r.begin; at < r.end;) {
        const FlowStep::Effect e = step_.look(at);
        if (e.length == 0) {
          ++at;
          continue;
        }
        at += e.length;
        if (e.target != 0 && inside(e.target)) leaders_.insert(e.target);
        if (e.branches || e.ends || (e.call && request_.no_return(at - e.length))) leaders_.insert(at);
        if (e.table != 0) tables_.insert(e.table);
        indirect_ |= e.indirect;
      }
    }
    if (indirect_) read_tables();
  }

  // Switches: position-independent code jumps to table + table[i], code at a fixed address to table[i].
  void read_tables() {
    for (const std::uint64_t table : tables_) {
      if (request_.image->is_code(table)) continue;
      std::size_t before = targets_.size();
      for (std::uint64_t i = 0;; ++i) {
        const auto entry = request_.image->read<std::int32_t>(table + i * 4);
        if (!entry || !inside(table + static_cast<std::uint64_t>(std::int64_t{*entry}))) break;
        targets_.insert(table + static_cast<std::uint64_t>(std::int64_t{*entry}));
      }
      for (std::uint64_t i = 0; targets_.size() == before; ++i) {
        const auto entry = request_.image->read<std::uint64_t>(table + i * 8);
        if (!entry || !inside(*entry)) break;
        targets_.insert(*entry);
        before = targets_.size();
      }
    }
    for (const std::uint64_t t : targets_)
      leaders_.insert(t);
  }

  // Go: `call morestack` looks as if it did not come back; behind it the function begins again with the state that it
  // was entered with.
  bool begins_again(const Block& block) const {
    if (!request_.image->go) return false;
    FlowStep::Effect last{};
    for (std::uint64_t at = block.begin; at < block.end; at += last.length) {
      last = step_.look(at);
      if (last.length == 0 || last.call || last.system) return false;
    }
    return last.ends && std::ranges::find(request_.entries, last.target) != request_.entries.end();
  }

  std::optional<std::size_t> block_at(std::uint64_t address) const {
    const auto it = std::ranges::lower_bound(blocks_, address, {}, &Block::begin);
    if (it == blocks_.end() || it->begin != address) return std::nullopt;
    return static_cast<std::size_t>(it - blocks_.begin());
  }

  void make_blocks() {
    for (auto it = leaders_.begin(); it != leaders_.end(); ++it) {
      const auto range = std::ranges::find_if(request_.ranges, [&](const AddressRange& r) { return r.holds(*it); });
      if (range == request_.ranges.end()) continue;
      const std::uint64_t end = std::next(it) == leaders_.end() ? range->end : std::min(range->end, *std::next(it));
      Block block;
      block.begin = *it;
      block.end = end;
      blocks_.push_back(std::move(block));
    }
    for (Block& block : blocks_) {
      FlowStep::Effect last{};
      std::uint64_t at = block.begin;
      while (at < block.end) {
        last = step_.look(at);
        block.padding &= last.padding;
        last.ends |= last.call && request_.no_return(at);
        at += std::max<std::uint64_t>(last.length, 1);
      }
      if (last.target != 0) link(block, last.target);
      if (!last.ends) link(block, at);
      if (last.indirect) {
        for (const std::uint64_t t : targets_)
          link(block, t);
      }
    }
  }

  void link(Block& block, std::uint64_t to) const {
    if (const auto b = block_at(to)) block.next.push_back(*b);
  }

  void enter(std::size_t index, const MachineState& state) {
    Block& block = blocks_[index];
    if (!join(block, state)) return;
    if (++block.rounds > kMostRounds) block.in = unknown_state();
    if (block.rounds <= kMostRounds + 1) todo_.insert(index);
  }

  void settle() {
    while (!todo_.empty()) {
      const std::size_t index = *todo_.begin();
      todo_.erase(todo_.begin());
      MachineState state = blocks_[index].in;
      for (std::uint64_t at = blocks_[index].begin; at < blocks_[index].end;)
        at += std::max<std::uint64_t>(step_.apply(at, state).length, 1);
      for (const std::size_t next : blocks_[index].next)
        enter(next, state);
    }
  }

  const FlowRequest& request_;
  FlowStep step_;
  std::set<std::uint64_t> leaders_;
  std::set<std::uint64_t> tables_;
  std::set<std::uint64_t> targets_;
  bool indirect_ = false;
  std::vector<Block> blocks_;
  std::set<std::size_t> todo_;
};

}  // namespace

AtomSet MachineState::slot(std::int64_t offset) const {
  if (const auto it = stack.find(offset); it != stack.end()) return it->second;
  // Above the return address lie the caller's arguments.
  return offset > 0 ? AtomSet{{Atom::Kind::StackSlot, offset}} : kUnknown;
}

AtomSet MachineState::argument(const Location& location, bool is_call) const {
  if (!location.on_stack) return registers[static_cast<std::size_t>(location.index)];
  const AtomSet& top = registers[kRsp];
  if (top.size() != 1 || top[0].kind != Atom::Kind::StackPlace) return kUnknown;
  return slot(top[0].value + location.index - (is_call ? 8 : 0));
}

void follow(const FlowRequest& request, const std::vector<std::uint64_t>& places,
            const std::function<void(std::uint64_t at, const MachineState&)>& visit) {
  Flow flow(request);
  if (!flow.prepare()) {
    for (const std::uint64_t at : places)
      visit(at, unknown_state());
    return;
  }
  flow.run();
  flow.visit(places, visit);
}

}  // namespace uni
