// SPDX-License-Identifier: Apache-2.0
// A breadth-first walk through the C library from each of its functions that others use: the fewer steps to a call, the
// nearer.
#include "loader/analyze/syscall_origins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <tuple>

namespace uni {
namespace {

constexpr std::size_t kMostOrigins = 4;

// Steps from one function of the C library to each number.
class Distances {
 public:
  Distances(const CallGraph& graph, const NumberSearch& search) : graph_(graph) {
    for (const auto& [number, places] : search.numbers()) {
      for (const NodeRef& p : places)
        numbers_[p].push_back(number);
    }
  }

  const std::map<unsigned, unsigned>& from(const std::string& name) {
    const auto known = known_.find(name);
    if (known != known_.end()) return known->second;
    std::map<unsigned, unsigned>& out = known_[name];
    std::map<NodeRef, unsigned> seen;
    std::deque<NodeRef> todo;
    const auto enter = [&](const NodeRef& ref, unsigned steps) {
      const GraphObject& o = graph_.objects()[ref.object];
      if (o.c_library && ref.node != kNoNode && o.reached[ref.node] && seen.emplace(ref, steps).second)
        todo.push_back(ref);
    };
    for (const NodeRef& ref : graph_.exported(name))
      enter(ref, 0);
    while (!todo.empty()) {
      const NodeRef at = todo.front();
      todo.pop_front();
      const unsigned steps = seen[at];
      if (const auto n = numbers_.find(at); n != numbers_.end()) {
        for (const unsigned number : n->second)
          out.emplace(number, steps);
      }
      for (const NodeRef& next : next_of(at))
        enter(next, steps + 1);
    }
    return out;
  }

 private:
  const std::vector<NodeRef>& next_of(NodeRef at) {
    const auto known = next_.find(at);
    if (known != next_.end()) return known->second;
    auto all = graph_.successors(at);
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return next_[at] = std::move(all);
  }

  const CallGraph& graph_;
  std::map<NodeRef, std::vector<unsigned>> numbers_;
  std::map<std::string, std::map<unsigned, unsigned>> known_;
  std::map<NodeRef, std::vector<NodeRef>> next_;
};

}  // namespace

std::vector<LibraryUse> library_uses(const CallGraph& graph) {
  std::vector<LibraryUse> out;
  for (std::uint32_t i = 0; i < graph.objects().size(); ++i) {
    const GraphObject& o = graph.objects()[i];
    if (o.c_library) continue;
    std::set<std::string_view> seen;
    for (const CodeEvent& e : o.scan.events) {
      if (e.kind != CodeEvent::Kind::CallSlot && e.kind != CodeEvent::Kind::JumpSlot &&
          e.kind != CodeEvent::Kind::Access && e.kind != CodeEvent::Kind::Call && e.kind != CodeEvent::Kind::Jump) {
        continue;
      }
      // A call of a stub is a use where it is made, not in the stub.
      std::uint64_t slot_at = e.at;
      const CodeEvent* slot = &e;
      const bool in_stub =
          std::ranges::any_of(o.image.stubs, [&](const StubRange& s) { return s.range.holds(slot_at); });
      if (in_stub) continue;
      if (e.kind == CodeEvent::Kind::Call || e.kind == CodeEvent::Kind::Jump) {
        const bool to_stub =
            std::ranges::any_of(o.image.stubs, [&](const StubRange& s) { return s.range.holds(e.target); });
        if (!to_stub) continue;
        const auto [first, last] = o.events_of(o.node_at(e.target));
        slot = nullptr;
        for (std::size_t k = first; k < last && slot == nullptr; ++k) {
          if (o.scan.events[k].kind == CodeEvent::Kind::JumpSlot) slot = &o.scan.events[k];
        }
        if (slot == nullptr) continue;
      }
      const ImageRelocation* r = o.relocation_at(slot->target);
      const ImageSymbol* symbol = r == nullptr ? nullptr : o.symbol_of(*r);
      if (symbol == nullptr || seen.contains(symbol->name)) continue;
      const NodeIndex node = o.node_at(e.at);
      if (node == kNoNode || !o.reached[node]) continue;
      const auto& where = graph.exported(symbol->name);
      if (std::ranges::none_of(where, [&](const NodeRef& n) { return graph.objects()[n.object].c_library; })) continue;
      seen.insert(symbol->name);
      out.push_back({{i, node}, std::string(symbol->name)});
    }
  }
  return out;
}

std::map<unsigned, std::vector<std::string>> call_origins(const CallGraph& graph, const NumberSearch& search,
                                                          const std::vector<LibraryUse>& uses) {
  struct Best {
    unsigned steps = 0;
    std::string text;
  };
  // By number and object.
  std::map<unsigned, std::map<std::uint32_t, Best>> best;
  const auto offer = [&](unsigned number, std::uint32_t object, unsigned steps, std::string text) {
    Best offered{steps, std::move(text)};
    const auto [it, fresh] = best[number].emplace(object, offered);
    if (!fresh && std::tie(offered.steps, offered.text) < std::tie(it->second.steps, it->second.text))
      it->second = std::move(offered);
  };
  for (const auto& [number, places] : search.numbers()) {
    for (const NodeRef& p : places) {
      const GraphObject& o = graph.objects()[p.object];
      // What only the C library itself asks for comes last.
      offer(number, p.object, o.c_library ? 1000 : 0, fmt::format("{}: {}", o.path, o.name_of(p.node)));
    }
  }
  Distances distances(graph, search);
  for (const LibraryUse& use : uses) {
    const auto& reach = distances.from(use.name);
    if (reach.empty()) continue;
    const GraphObject& o = graph.objects()[use.user.object];
    const std::string text = fmt::format("{}: {} -> {}", o.path, o.name_of(use.user.node), use.name);
    for (const auto& [number, steps] : reach)
      offer(number, use.user.object, steps + 1, text);
  }
  std::map<unsigned, std::vector<std::string>> out;
  for (const auto& [number, objects] : best) {
    std::vector<std::tuple<unsigned, std::uint32_t, std::string>> sorted;
    for (const auto& [object, b] : objects)
      sorted.emplace_back(b.steps, object, b.text);
    std::ranges::sort(sorted);
    auto& list = out[number];
    for (const auto& [steps, object, text] : sorted) {
      if (list.size() < kMostOrigins && (steps < 1000 || list.empty())) list.push_back(text);
    }
  }
  return out;
}

}  // namespace uni
