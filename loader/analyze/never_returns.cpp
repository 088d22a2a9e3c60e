// SPDX-License-Identifier: Apache-2.0
// Follows a function's control flow from its entry: if no way leads to a `ret`, to a jump that leaves for a function
// that returns, or to a computed jump, it does not return. Bounded in depth and length; beyond, a function returns.
#include "loader/analyze/never_returns.hpp"

#include <algorithm>
#include <set>

#include "loader/analyze/flow_step.hpp"

namespace uni {
namespace {

using Kind = CodeEvent::Kind;

constexpr unsigned kDeepest = 8;
constexpr unsigned kMostInstructions = 3000;

const CodeEvent* event_at(const GraphObject& o, std::uint64_t at) {
  const auto e = std::ranges::lower_bound(o.scan.events, at, {}, &CodeEvent::at);
  return e != o.scan.events.end() && e->at == at ? &*e : nullptr;
}

}  // namespace

bool NeverReturns::call(std::uint32_t object, std::uint64_t at, unsigned depth) {
  const CodeEvent* e = event_at(graph_.objects()[object], at);
  if (e == nullptr || depth > kDeepest) return false;
  if (e->kind == Kind::Call) return function(object, e->target, depth + 1);
  return e->kind == Kind::CallSlot && slot(object, e->target, depth + 1);
}

bool NeverReturns::slot(std::uint32_t object, std::uint64_t slot, unsigned depth) {
  const GraphObject& o = graph_.objects()[object];
  const ImageRelocation* r = o.relocation_at(slot);
  const ImageSymbol* symbol = r == nullptr ? nullptr : o.symbol_of(*r);
  if (symbol == nullptr) return false;
  const auto& all = graph_.exported(symbol->name);
  return !all.empty() && std::ranges::all_of(all, [&](const NodeRef& n) {
    return function(n.object, graph_.objects()[n.object].begin_of(n.node), depth);
  });
}

bool NeverReturns::function(std::uint32_t object, std::uint64_t entry, unsigned depth) {
  if (depth > kDeepest || !graph_.objects()[object].image.is_code(entry)) return false;
  const std::pair key{object, entry};
  if (const auto it = known_.find(key); it != known_.end()) return it->second;
  known_[key] = false;  // where it calls itself
  const bool result = look(object, entry, depth);
  // A search that was cut short says nothing for a fresh one.
  if (result || depth == 1)
    known_[key] = result;
  else
    known_.erase(key);
  return result;
}

bool NeverReturns::look(std::uint32_t object, std::uint64_t entry, unsigned depth) {
  const GraphObject& o = graph_.objects()[object];
  const FlowStep step(o.image);
  const NodeIndex home = o.node_at(entry);
  std::set<std::uint64_t> seen;
  std::vector<std::uint64_t> todo = {entry};
  unsigned left = kMostInstructions;
  while (!todo.empty()) {
    std::uint64_t at = todo.back();
    todo.pop_back();
    while (seen.insert(at).second) {
      if (--left == 0) return false;
      const FlowStep::Effect e = step.look(at);
      if (e.length == 0 || e.returns) return false;
      if (e.indirect) {
        const CodeEvent* jump = event_at(o, at);
        if (jump == nullptr || jump->kind != Kind::JumpSlot || !slot(object, jump->target, depth + 1)) return false;
        break;
      }
      if (e.target != 0) {
        const NodeIndex to = o.node_at(e.target);
        const bool same = to == home || (to != kNoNode && o.group[to] == o.group[home]);
        if (same) {
          todo.push_back(e.target);
        } else if (!function(object, e.target, depth + 1)) {
          return false;
        }
      }
      if (e.ends || (e.call && call(object, at, depth))) break;
      at += e.length;
    }
  }
  return true;
}

}  // namespace uni
