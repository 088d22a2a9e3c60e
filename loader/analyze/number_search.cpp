// SPDX-License-Identifier: Apache-2.0
// A worklist of wrappers. A value that comes from the caller makes the function a wrapper; its calls are asked in turn.
// A wrapper whose address goes anywhere but into a call is undecided, with the place.
#include "loader/analyze/number_search.hpp"

#include <elf.h>

#include <algorithm>
#include <optional>

#include "loader/analyze/flow_step.hpp"

namespace uni {
namespace {

using Kind = CodeEvent::Kind;

constexpr std::int64_t kMostNumbers = 1024;
constexpr int kClone = 56;
constexpr std::int64_t kCloneVm = 0x100;
constexpr std::int64_t kCloneVfork = 0x4000;
// musl's setxid() runs `struct ctx { int id, eid, sid; int nr, ret; }` in every thread, for these calls.
constexpr std::int64_t kMuslNumber = 12;
constexpr unsigned kSetId[] = {105, 106, 113, 114, 117, 119};

// The register that an indirect call or jump goes through.
std::optional<unsigned> register_of_call(const ElfImage& image, std::uint64_t at) {
  const std::string_view code = image.at(at).substr(0, 4);
  std::size_t i = 0;
  unsigned high = 0;
  if (i < code.size() && (code[i] == '\x3e' || code[i] == '\xf2')) ++i;  // notrack, bnd
  if (i < code.size() && (static_cast<unsigned char>(code[i]) & 0xf0) == 0x40)
    high = (static_cast<unsigned char>(code[i++]) & 1) * 8;
  if (i + 1 >= code.size() || code[i] != '\xff') return std::nullopt;
  const auto modrm = static_cast<unsigned char>(code[i + 1]);
  if (modrm >> 6 != 3) return std::nullopt;
  return (modrm & 7U) + high;
}

// `mov eax, [p]` beside `mov rdi, [p + 8]`: the number and the arguments lie in one structure.
bool arguments_from_memory(const MachineState& state) {
  const auto from_memory = [&](unsigned r) {
    return std::ranges::any_of(state.registers[r], [](const Atom& a) { return a.kind == Atom::Kind::Memory; });
  };
  // Linux's arguments, and those of Go's calls.
  return (from_memory(kRdi) && from_memory(kRsi) && from_memory(kRdx)) ||
         (from_memory(kRbx) && from_memory(kRcx) && from_memory(kRdi));
}

}  // namespace

const std::vector<NodeIndex>& NumberSearch::members(std::uint32_t object, NodeIndex group) {
  auto& all = members_[object];
  if (all.empty()) {
    const auto& groups = graph_.objects()[object].group;
    for (NodeIndex i = 0; i < groups.size(); ++i)
      all[groups[i]].push_back(i);
  }
  return all[group];
}

const std::multimap<std::uint64_t, std::size_t>& NumberSearch::by_target(std::uint32_t object) {
  const auto found = targets_.find(object);
  if (found != targets_.end()) return found->second;
  auto& all = targets_[object];
  const auto& events = graph_.objects()[object].scan.events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i].target != 0) all.emplace(events[i].target, i);
  }
  return all;
}

bool NumberSearch::never_written(std::uint32_t object, std::uint64_t variable) {
  const GraphObject& o = graph_.objects()[object];
  const FlowStep step(o.image);
  const auto [first, last] = by_target(object).equal_range(variable);
  return std::all_of(first, last, [&](const auto& t) {
    const CodeEvent& e = o.scan.events[t.second];
    return e.kind == Kind::Access && !step.stores(e.at);
  });
}

void NumberSearch::open(std::uint32_t object, std::uint64_t at, std::string why) {
  const NodeIndex node = graph_.objects()[object].node_at(at);
  undecided_.insert({{object, node}, at, std::move(why)});
}

void NumberSearch::sites(Questions& out) const {
  for (std::uint32_t i = 0; i < graph_.objects().size(); ++i) {
    const GraphObject& o = graph_.objects()[i];
    for (const CodeEvent& e : o.scan.events) {
      if (e.kind != Kind::Syscall) continue;
      const NodeIndex node = o.node_at(e.at);
      if (node == kNoNode || !o.reached[node]) continue;
      out[{i, o.group[node]}].push_back({.at = e.at, .location = {.on_stack = false, .index = kRax}, .callee = {}});
    }
  }
}

// What other objects than the C library give to dlsym: a name that is computed can be that of any function.
void NumberSearch::names(Questions& out) {
  for (std::uint32_t i = 0; i < graph_.objects().size(); ++i) {
    const GraphObject& o = graph_.objects()[i];
    if (o.c_library) continue;
    for (const ImageRelocation& r : o.image.relocations) {
      const ImageSymbol* symbol = o.symbol_of(r);
      if (symbol == nullptr || (symbol->name != "dlsym" && symbol->name != "dlvsym")) continue;
      const Wrapper lookup{i, kNoNode, {.on_stack = false, .index = kRsi}, Wanted::Name};
      callers_by_slot(i, r.where, lookup, out);
    }
  }
}

void NumberSearch::run() {
  Questions first;
  sites(first);
  names(first);
  ask(first);
  while (!todo_.empty()) {
    const Wrapper wrapper = todo_.front();
    todo_.pop_front();
    Questions questions;
    callers_of(wrapper, questions);
    ask(questions);
  }
}

void NumberSearch::ask(const Questions& questions) {
  for (const auto& [function, list] : questions)
    ask(function.first, function.second, list);
}

void NumberSearch::ask(std::uint32_t object, NodeIndex group, const std::vector<Question>& questions) {
  const GraphObject& o = graph_.objects()[object];
  FlowRequest request;
  request.image = &o.image;
  request.never_written = [&](std::uint64_t variable) { return never_written(object, variable); };
  request.no_return = [&](std::uint64_t at) { return never_returns_.call(object, at); };
  for (const NodeIndex n : members(object, group)) {
    request.ranges.push_back({o.begin_of(n), o.end_of(n)});
    // A part that is only jumped to from within is no entry.
    const auto [first, last] = by_target(object).equal_range(o.begin_of(n));
    const bool inner =
        n != group && first != last && !o.address_taken[n] && std::all_of(first, last, [&](const auto& t) {
          const CodeEvent& e = o.scan.events[t.second];
          return e.kind == Kind::Jump && o.group[o.node_at(e.at)] == group;
        });
    if (!inner) request.entries.push_back(o.begin_of(n));
  }
  std::vector<std::uint64_t> places;
  for (const Question& q : questions)
    places.push_back(q.at);
  std::ranges::sort(places);
  places.erase(std::unique(places.begin(), places.end()), places.end());
  follow(request, places, [&](std::uint64_t at, const MachineState& state) {
    for (const Question& q : questions) {
      if (q.at != at) continue;
      if (q.through_register) {
        const auto r = register_of_call(o.image, at);
        if (!r || !std::ranges::includes(state.registers[*r], q.callee)) continue;
      }
      take(object, group, q, state.argument(q.location, q.is_call), state);
    }
  });
}

void NumberSearch::take(std::uint32_t object, NodeIndex group, const Question& question, const AtomSet& value,
                        const MachineState& state) {
  const GraphObject& o = graph_.objects()[object];
  const NodeRef here{object, o.node_at(question.at)};
  if (question.wanted == Wanted::Name) return take_name(object, group, question, value);
  for (const Atom& a : value) {
    switch (a.kind) {
      case Atom::Kind::Constant: {
        const std::int64_t low = static_cast<std::int64_t>(static_cast<std::uint32_t>(a.value));
        if (question.wanted == Wanted::CloneFlags) {
          if ((low & kCloneVm) == 0 || (low & kCloneVfork) != 0) forks_.insert(here);
        } else if (low < kMostNumbers) {
          if (!question.is_call && graph_.never_asked_for(here, static_cast<unsigned>(low))) break;
          numbers_[static_cast<unsigned>(low)].insert(here);
          // The flags of clone(2) are looked for where the number is stated, if the instruction is there too.
          if (low == kClone && !question.location.on_stack && question.location.index == kRax && !question.is_call) {
            Question flags = question;
            flags.wanted = Wanted::CloneFlags;
            take(object, group, flags, state.argument({.on_stack = false, .index = kRdi}, false), state);
          }
        }
        break;
      }
      case Atom::Kind::Register:
      case Atom::Kind::StackSlot: {
        const Location location{.on_stack = a.kind == Atom::Kind::StackSlot, .index = a.value};
        const Wrapper wrapper{object, group, location, question.wanted};
        if (wrappers_.insert(wrapper).second) todo_.push_back(wrapper);
        break;
      }
      case Atom::Kind::Memory:
        if (question.wanted != Wanted::Number) break;
        // A run-time library has every thread do what one of them does; elsewhere such code could do anything.
        if ((o.image.go || (!question.is_call && (o.c_library || o.image.dynamic.empty()))) &&
            arguments_from_memory(state)) {
          // glibc's and Go's number is the structure's first member, musl's lies behind the three arguments.
          replays_ = true;
          if (a.value == kMuslNumber) {
            for (const unsigned n : kSetId)
              numbers_[n].insert(here);
          }
        } else {
          open(object, question.at, "the number is read from memory");
        }
        break;
      default:
        if (question.wanted == Wanted::Number) open(object, question.at, "the number is computed at run time");
        break;
    }
  }
}

// The names themselves are seen by the call graph, as strings that the object refers to.
void NumberSearch::take_name(std::uint32_t object, NodeIndex group, const Question& question, const AtomSet& value) {
  const GraphObject& o = graph_.objects()[object];
  for (const Atom& a : value) {
    if (a.kind == Atom::Kind::Register || a.kind == Atom::Kind::StackSlot) {
      const Location location{.on_stack = a.kind == Atom::Kind::StackSlot, .index = a.value};
      const Wrapper wrapper{object, group, location, question.wanted};
      if (wrappers_.insert(wrapper).second) todo_.push_back(wrapper);
    } else if (a.kind != Atom::Kind::Constant || !o.image.text_at(static_cast<std::uint64_t>(a.value))) {
      open(object, question.at, "a function is looked up by a name that is computed at run time");
    }
  }
}

void NumberSearch::callers_of(const Wrapper& wrapper, Questions& out) {
  const auto& [object, group, location, wanted] = wrapper;
  const GraphObject& o = graph_.objects()[object];
  for (const NodeIndex n : members(object, group)) {
    const std::uint64_t entry = o.begin_of(n);
    callers_by_address(object, entry, wrapper, out);
    if (wanted != Wanted::CloneFlags && o.reached[n] && o.pointed_to[n]) {
      open(object, entry,
           wanted == Wanted::Name ? "looks up functions by name and is called through a pointer"
                                  : "makes any system call and is called through a pointer");
    }
    std::set<std::string_view> names;
    for (const ImageSymbol& s : o.image.dynamic) {
      if (s.defined && s.function && s.address == entry) names.insert(s.name);
    }
    if (names.empty()) continue;
    for (std::uint32_t i = 0; i < graph_.objects().size(); ++i) {
      const GraphObject& user = graph_.objects()[i];
      for (const ImageRelocation& r : user.image.relocations) {
        const ImageSymbol* symbol = user.symbol_of(r);
        if (symbol != nullptr && names.contains(symbol->name)) callers_by_slot(i, r.where, wrapper, out);
      }
    }
  }
}

void NumberSearch::callers_by_address(std::uint32_t object, std::uint64_t entry, const Wrapper& wrapper,
                                      Questions& out) {
  const GraphObject& o = graph_.objects()[object];
  const auto& [wrapper_object, group, location, wanted] = wrapper;
  const auto [first, last] = by_target(object).equal_range(entry);
  for (auto it = first; it != last; ++it) {
    const CodeEvent& e = o.scan.events[it->second];
    const NodeIndex from = o.node_at(e.at);
    if (from == kNoNode || !o.reached[from]) continue;
    if (e.kind == Kind::Call || e.kind == Kind::Jump) {
      if (e.kind == Kind::Jump && o.group[from] == group && wrapper_object == object) continue;  // within the function
      out[{object, o.group[from]}].push_back(
          {.at = e.at, .location = location, .is_call = e.kind == Kind::Call, .wanted = wanted, .callee = {}});
    } else if (e.kind == Kind::Address) {
      through_registers(object, from, {Atom::Kind::Constant, static_cast<std::int64_t>(entry)}, wrapper, out);
    }
  }
  for (const ImageRelocation& r : o.image.relocations) {
    if (r.type == R_X86_64_RELATIVE && static_cast<std::uint64_t>(r.addend) == entry)
      callers_by_slot(object, r.where, wrapper, out);
  }
}

// The loader puts the wrapper's address into `slot`.
void NumberSearch::callers_by_slot(std::uint32_t object, std::uint64_t slot, const Wrapper& wrapper, Questions& out) {
  const GraphObject& o = graph_.objects()[object];
  const auto& [wrapper_object, group, location, wanted] = wrapper;
  const auto [first, last] = by_target(object).equal_range(slot);
  for (auto it = first; it != last; ++it) {
    const CodeEvent& e = o.scan.events[it->second];
    const NodeIndex from = o.node_at(e.at);
    if (from == kNoNode || !o.reached[from]) continue;
    if (e.kind == Kind::CallSlot || e.kind == Kind::JumpSlot) {
      out[{object, o.group[from]}].push_back(
          {.at = e.at, .location = location, .is_call = e.kind == Kind::CallSlot, .wanted = wanted, .callee = {}});
    } else if (e.kind == Kind::Access) {
      through_registers(object, from, {Atom::Kind::Slot, static_cast<std::int64_t>(slot)}, wrapper, out);
    }
  }
}

void NumberSearch::through_registers(std::uint32_t object, NodeIndex node, const Atom& callee, const Wrapper& wrapper,
                                     Questions& out) const {
  const GraphObject& o = graph_.objects()[object];
  const auto& [wrapper_object, group, location, wanted] = wrapper;
  const auto [first, last] = o.events_of(node);
  for (std::size_t i = first; i < last; ++i) {
    const CodeEvent& e = o.scan.events[i];
    if (e.kind != Kind::CallRegister && e.kind != Kind::JumpRegister) continue;
    out[{object, o.group[node]}].push_back({.at = e.at,
                                            .location = location,
                                            .is_call = e.kind == Kind::CallRegister,
                                            .wanted = wanted,
                                            .through_register = true,
                                            .callee = {callee}});
  }
}

}  // namespace uni
