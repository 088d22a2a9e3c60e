// SPDX-License-Identifier: Apache-2.0
// Control begins at the program's and the dynamic linker's entries and at the initialisers and finalisers of every
// object; it may come to every function whose address is taken by code that is reached or lies in data that such code
// refers to, and to every export of an object that dlopen loads, to native methods of Java, and to what a saved heap of
// Lisp names. A symbol leads to all its definitions in the closure: versions and the order of the search are not looked
// at.
#include "loader/analyze/call_graph.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>

#include "loader/analyze/c_library.hpp"
#include "loader/analyze/file.hpp"

namespace uni {
namespace {

using Kind = CodeEvent::Kind;

constexpr std::uint64_t kLargestFile = std::uint64_t{2} << 30;
constexpr std::uint64_t kLongestTable = 4096;
constexpr std::string_view kGlibcSoname = "libc.so.6";

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

bool looks_up_symbols(std::string_view name) {
  return name == "dlsym" || name == "dlvsym" || name == "__libc_dlsym";
}

NodeIndex root_of(std::vector<NodeIndex>& group, NodeIndex n) {
  while (group[n] != n)
    n = group[n] = group[group[n]];
  return n;
}

void join_groups(GraphObject& o) {
  o.group.resize(o.scan.starts.size());
  for (NodeIndex i = 0; i < o.group.size(); ++i)
    o.group[i] = i;
  const auto join = [&](NodeIndex a, NodeIndex b) {
    if (a == kNoNode || b == kNoNode) return;
    a = root_of(o.group, a), b = root_of(o.group, b);
    o.group[std::max(a, b)] = std::min(a, b);
  };
  NodeIndex from = 0;
  for (const CodeEvent& e : o.scan.events) {
    if (e.kind != Kind::Jump || !o.image.is_code(e.target)) continue;
    if (e.at < o.begin_of(from) || e.at >= o.end_of(from)) from = o.node_at(e.at);
    if (e.target >= o.begin_of(from) && e.target < o.end_of(from)) continue;
    const NodeIndex to = o.node_at(e.target);
    if (o.begin_of(to) != e.target) join(from, to);
  }
  for (const std::uint64_t f : o.scan.falls) {
    if (f != o.scan.starts.front()) join(o.node_at(f - 1), o.node_at(f));
  }
  for (NodeIndex i = 0; i < o.group.size(); ++i)
    o.group[i] = root_of(o.group, i);
}

void find_referred(GraphObject& o) {
  for (const CodeEvent& e : o.scan.events) {
    if ((e.kind == Kind::Address || e.kind == Kind::Access) && !o.image.is_code(e.target))
      o.referred.push_back(e.target);
  }
  std::ranges::sort(o.referred);
  o.referred.erase(std::unique(o.referred.begin(), o.referred.end()), o.referred.end());
}

void find_exports(GraphObject& o) {
  o.exports.resize(o.scan.starts.size());
  for (const ImageSymbol& s : o.image.dynamic) {
    if (!s.defined || !o.image.is_code(s.address)) continue;
    if (const NodeIndex node = o.node_at(s.address); node != kNoNode) o.exports[o.group[node]] = true;
  }
}

// Compiled Lisp, a saved heap or a file that is loaded, names the C functions that it calls.
bool is_compiled_lisp(const std::string& path) {
  return path.ends_with(".core") || path.ends_with(".fasl");
}

// The names among the strings: NUL-terminated, as in a heap, or behind their length, as in a file.
template <typename F>
void each_name(std::string_view bytes, F take) {
  const auto part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (std::size_t at = 0; at < bytes.size();) {
    const auto first = std::find_if(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), part);
    const auto last = std::find_if_not(first, bytes.end(), part);
    const auto begin = static_cast<std::size_t>(first - bytes.begin());
    at = static_cast<std::size_t>(last - bytes.begin());
    const std::string_view name = bytes.substr(begin, at - begin);
    const bool closed = begin > 0 && bytes[begin - 1] == '\0' && at < bytes.size() && bytes[at] == '\0';
    if (closed || (begin > 0 && static_cast<unsigned char>(bytes[begin - 1]) == name.size())) take(name);
  }
}

// The Java Native Interface finds these by names that it computes.
bool is_native_method(std::string_view name) {
  return name.starts_with("Java_") || name.starts_with("JNI_On");
}

}  // namespace

NodeIndex GraphObject::node_at(std::uint64_t address) const {
  const auto after = std::ranges::upper_bound(scan.starts, address);
  return after == scan.starts.begin() ? kNoNode : static_cast<NodeIndex>(after - scan.starts.begin() - 1);
}

std::uint64_t GraphObject::end_of(NodeIndex node) const {
  const std::uint64_t next = node + 1 < scan.starts.size() ? scan.starts[node + 1] : UINT64_MAX;
  const auto range = std::ranges::upper_bound(image.code, scan.starts[node], {}, &AddressRange::begin);
  return range == image.code.begin() ? next : std::min(next, std::prev(range)->end);
}

std::pair<std::size_t, std::size_t> GraphObject::events_of(NodeIndex node) const {
  const auto& events = scan.events;
  const auto first = std::ranges::lower_bound(events, begin_of(node), {}, &CodeEvent::at);
  const auto last = std::ranges::lower_bound(first, events.end(), end_of(node), {}, &CodeEvent::at);
  return {static_cast<std::size_t>(first - events.begin()), static_cast<std::size_t>(last - events.begin())};
}

std::string GraphObject::name_of(NodeIndex node) const {
  const std::uint64_t address = begin_of(node);
  std::string_view best;
  // Of several names the plain one: fewest leading underscores, then the shortest, then by letters.
  const auto better = [](std::string_view a, std::string_view b) {
    const auto lead = [](std::string_view s) { return s.find_first_not_of('_'); };
    return std::tuple(lead(a), a.size(), a) < std::tuple(lead(b), b.size(), b);
  };
  for (const auto* symbols : {&image.dynamic, &image.local}) {
    for (const ImageSymbol& s : *symbols) {
      if (s.address != address || !s.function || !s.defined || s.name.empty()) continue;
      if (best.empty() || better(s.name, best)) best = s.name;
    }
  }
  return best.empty() ? fmt::format("{:#x}", address) : std::string(best);
}

const ImageRelocation* GraphObject::relocation_at(std::uint64_t slot) const {
  const auto r = std::ranges::lower_bound(image.relocations, slot, {}, &ImageRelocation::where);
  return r != image.relocations.end() && r->where == slot ? &*r : nullptr;
}

const ImageSymbol* GraphObject::symbol_of(const ImageRelocation& relocation) const {
  if (relocation.symbol == 0 || relocation.symbol >= image.dynamic.size()) return nullptr;
  switch (relocation.type) {
    case R_X86_64_64:
    case R_X86_64_GLOB_DAT:
    case R_X86_64_JUMP_SLOT:
      return &image.dynamic[relocation.symbol];
    default:
      return nullptr;
  }
}

Expected<CallGraph> CallGraph::build(const Closure& closure, unsigned threads) {
  CallGraph graph;
  graph.objects_.resize(closure.objects.size());
  for (std::size_t i = 0; i < closure.objects.size(); ++i) {
    const ClosureObject& from = closure.objects[i];
    GraphObject& o = graph.objects_[i];
    o.path = from.path;
    o.soname = from.facts.soname;
    auto bytes = read_text(from.host, kLargestFile);
    if (!bytes) return std::unexpected(bytes.error());
    o.bytes = std::move(*bytes);
    o.image = read_elf_image(o.bytes, from.facts.header);
    o.scan = scan_code(o.image, threads);
    o.data = DataMap(o.image, o.scan);
    o.data_reached.resize(o.data.pieces());
    o.reached.resize(o.scan.starts.size());
    o.address_taken.resize(o.scan.starts.size());
    o.pointed_to.resize(o.scan.starts.size());
    join_groups(o);
    find_exports(o);
    find_referred(o);
  }
  graph.classify(closure);
  graph.texts_.resize(graph.objects_.size());
  for (std::uint32_t i = 0; i < graph.objects_.size(); ++i) {
    const GraphObject& o = graph.objects_[i];
    for (const ImageSymbol& s : o.image.dynamic) {
      if (!s.defined || s.name.empty()) continue;
      if (!s.function || !o.image.is_code(s.address)) {
        if (s.address != 0) graph.data_exports_[s.name].emplace_back(i, s.address);
        continue;
      }
      auto& list = graph.exports_[s.name];
      const NodeRef ref{i, o.node_at(s.address)};
      if (std::ranges::find(list, ref) == list.end()) list.push_back(ref);
    }
  }
  for (const auto& [path, entry] : closure.files) {
    if (!is_compiled_lisp(path) || entry.origin.empty()) continue;
    const auto bytes = read_text(entry.origin, kLargestFile);
    if (!bytes) return std::unexpected(bytes.error());
    each_name(*bytes, [&](std::string_view name) {
      for (const NodeRef& ref : graph.exported(name)) {
        graph.objects_[ref.object].pointed_to[ref.node] = true;
        graph.mark(ref, true);
      }
    });
  }
  return graph;
}

// Who is loaded because another object names it, and who by dlopen.
void CallGraph::classify(const Closure& closure) {
  std::map<std::string, std::size_t> by_name;
  for (std::size_t i = 0; i < objects_.size(); ++i) {
    GraphObject& o = objects_[i];
    const std::string name = base_name(o.path);
    o.linker = o.path == closure.interpreter || name.starts_with("ld-");
    o.c_library = is_c_library(name) || is_c_library(o.soname) || o.linker;
    o.program = i == 0 || !closure.objects[i].facts.header.interpreter.empty() ||
                !closure.objects[i].facts.header.position_independent;
    by_name.emplace(name, i);
    if (!o.soname.empty()) by_name.emplace(o.soname, i);
  }
  std::vector<bool> linked(objects_.size());
  std::vector<std::size_t> todo;
  const auto reach = [&](std::size_t i) {
    if (!linked[i]) linked[i] = true, todo.push_back(i);
    while (!todo.empty()) {
      const std::size_t at = todo.back();
      todo.pop_back();
      for (const std::string& name : closure.objects[at].facts.needed) {
        const auto found = by_name.find(base_name(name));
        if (found != by_name.end() && !linked[found->second]) {
          linked[found->second] = true;
          todo.push_back(found->second);
        }
      }
    }
  };
  for (std::size_t i = 0; i < objects_.size(); ++i) {
    if (objects_[i].program || objects_[i].linker) reach(i);
  }
  // An object that no other needs was named to dlopen; then what only those need; at last rings of objects.
  std::set<std::string> needed;
  for (const ClosureObject& o : closure.objects) {
    for (const std::string& name : o.facts.needed)
      needed.insert(base_name(name));
  }
  for (const bool rings : {false, true}) {
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      if (linked[i]) continue;
      if (!rings && (needed.contains(base_name(objects_[i].path)) || needed.contains(objects_[i].soname))) continue;
      objects_[i].loaded_by_name = true;
      reach(i);
    }
  }
}

const std::vector<NodeRef>& CallGraph::exported(std::string_view name) const {
  static const std::vector<NodeRef> kNone;
  const auto found = exports_.find(name);
  return found == exports_.end() ? kNone : found->second;
}

template <typename F>
void CallGraph::each_switch_target(const GraphObject& o, std::uint64_t table, F target) const {
  // A table ends where code refers to the next thing, unless that may be this table's first entry in use.
  const auto behind = std::ranges::upper_bound(o.referred, table + DataMap::kFolded);
  const std::uint64_t bytes =
      behind == o.referred.end() ? kLongestTable * 8 : std::min(*behind - table, kLongestTable * 8);
  for (std::uint64_t i = 0; i < bytes / 4; ++i) {
    const auto entry = o.image.read<std::int32_t>(table + i * 4);
    if (!entry || !o.image.is_code(table + static_cast<std::uint64_t>(std::int64_t{*entry}))) break;
    target(table + static_cast<std::uint64_t>(std::int64_t{*entry}));
  }
  for (std::uint64_t i = 0; i < bytes / 8; ++i) {
    const auto entry = o.image.read<std::uint64_t>(table + i * 8);
    if (!entry || !o.image.is_code(*entry)) break;
    target(*entry);
  }
}

// Calls edge(object, address in it, nullptr, taken) or edge(object, 0, symbol, taken).
template <typename F>
void CallGraph::each_edge(NodeRef from, F edge) const {
  const GraphObject& o = objects_[from.object];
  const auto [first, last] = o.events_of(from.node);
  bool switches = false;
  for (std::size_t i = first; i < last; ++i)
    switches |= o.scan.events[i].kind == Kind::JumpRegister;
  for (std::size_t i = first; i < last; ++i) {
    const CodeEvent& e = o.scan.events[i];
    switch (e.kind) {
      case Kind::Call:
      case Kind::Jump:
        edge(e.target, nullptr, false);
        break;
      case Kind::CallSlot:
      case Kind::JumpSlot:
      case Kind::Access: {
        const bool taken = e.kind == Kind::Access;
        if (!o.image.is_got(e.target)) edge(e.target, nullptr, false);
        const ImageRelocation* r = o.relocation_at(e.target);
        if (r == nullptr) break;
        if (const ImageSymbol* symbol = o.symbol_of(*r)) {
          edge(std::uint64_t{0}, symbol, taken);
        } else if (r->type == R_X86_64_RELATIVE || r->type == R_X86_64_IRELATIVE) {
          edge(static_cast<std::uint64_t>(r->addend), nullptr, taken);
        }
        break;
      }
      case Kind::Address:
        edge(e.target, nullptr, true);
        if (switches && !o.image.is_code(e.target)) {
          each_switch_target(o, e.target, [&](std::uint64_t t) { edge(t, nullptr, false); });
        }
        break;
      default:
        break;
    }
  }
  if (const NodeIndex next = from.node + 1; next < o.scan.starts.size()) {
    if (std::ranges::binary_search(o.scan.falls, o.begin_of(next))) edge(o.begin_of(next), nullptr, false);
  }
}

std::vector<NodeRef> CallGraph::successors(NodeRef from) const {
  std::vector<NodeRef> out;
  const GraphObject& o = objects_[from.object];
  each_edge(from, [&](std::uint64_t address, const ImageSymbol* symbol, bool) {
    if (symbol != nullptr) {
      const auto& all = exported(symbol->name);
      out.insert(out.end(), all.begin(), all.end());
    } else if (o.image.is_code(address)) {
      out.push_back({from.object, o.node_at(address)});
    }
  });
  return out;
}

void CallGraph::mark(NodeRef ref, bool address_taken) {
  GraphObject& o = objects_[ref.object];
  if (ref.node == kNoNode) return;
  if (address_taken) o.address_taken[ref.node] = true;
  if (o.reached[ref.node]) return;
  o.reached[ref.node] = true;
  todo_.push_back(ref);
}

void CallGraph::mark_address(std::uint32_t object, std::uint64_t address, bool address_taken) {
  const GraphObject& o = objects_[object];
  if (o.image.is_code(address)) mark({object, o.node_at(address)}, address_taken);
}

void CallGraph::mark_symbol(std::uint32_t object, const ImageSymbol& symbol, bool address_taken) {
  // A symbol that is taken the address of is followed by the search for numbers, through the pointer's slot.
  for (const NodeRef& ref : exported(symbol.name))
    mark(ref, false);
  if (const auto data = data_exports_.find(symbol.name); data != data_exports_.end()) {
    for (const auto& [owner, address] : data->second)
      mark_data(owner, address);
  }
  if (symbol.defined && objects_[object].image.is_code(symbol.address))
    mark_address(object, symbol.address, address_taken);
  if (looks_up_symbols(symbol.name) && !objects_[object].looks_up) {
    objects_[object].looks_up = true;
    const auto texts = texts_[object];
    for (const std::uint64_t at : texts)
      take_text(object, at);
  }
}

// A string in an object that calls dlsym may be a name that it looks up.
void CallGraph::take_text(std::uint32_t object, std::uint64_t address) {
  const GraphObject& o = objects_[object];
  const auto text = o.image.text_at(address);
  if (!text || text->empty()) return;
  const auto& found = exported(*text);
  if (!o.looks_up && !found.empty()) {
    texts_[object].insert(address);
    return;
  }
  for (const NodeRef& ref : found) {
    objects_[ref.object].pointed_to[ref.node] = true;
    mark(ref, true);
  }
}

void CallGraph::mark_data(std::uint32_t object, std::uint64_t address) {
  GraphObject& o = objects_[object];
  const auto [first, last] = o.data.pieces_of(address);
  for (std::size_t i = first; i < last; ++i) {
    if (o.data_reached[i]) continue;
    o.data_reached[i] = true;
    data_todo_.emplace_back(object, i);
  }
}

// A pointer that lies in data which is reached.
void CallGraph::mark_pointer(std::uint32_t object, std::uint64_t target) {
  const GraphObject& o = objects_[object];
  if (!o.image.is_code(target)) {
    if (!o.c_library) take_text(object, target);
    if (!o.image.is_got(target)) mark_data(object, target);
    return;
  }
  const NodeIndex node = o.node_at(target);
  if (node == kNoNode) return;
  const bool start = o.begin_of(node) == target;
  // At a fixed address the middle of a function in data is a switch's target; its own function has reached it.
  if (!start && !o.image.header.position_independent) return;
  if (start) objects_[object].pointed_to[node] = true;
  mark({object, node}, start);
}

void CallGraph::visit_piece(std::uint32_t object, std::size_t piece) {
  const auto [first, last] = objects_[object].data.pointers_of(piece);
  for (const DataPointer* p = first; p != last; ++p) {
    if (p->symbol != 0) {
      const ImageSymbol& symbol = objects_[object].image.dynamic[p->symbol];
      for (const NodeRef& ref : exported(symbol.name))
        objects_[ref.object].pointed_to[ref.node] = true;
      mark_symbol(object, symbol, true);
    } else {
      mark_pointer(object, p->target);
    }
  }
}

void CallGraph::add_roots(std::uint32_t index) {
  GraphObject& o = objects_[index];
  if (o.c_library) o.looks_up = true;  // it finds names without calling dlsym
  if (o.program || o.linker) mark_address(index, o.image.header.entry, true);
  for (const std::uint64_t start : o.image.initial)
    mark_address(index, start, true);
  if (o.image.go) {
    for (NodeIndex i = 0; i < o.scan.starts.size(); ++i)
      mark({index, i}, false);
  }
  for (const ImageSymbol& s : o.image.dynamic) {
    if (!s.defined || !(o.loaded_by_name || is_native_method(s.name))) continue;
    s.function ? mark_address(index, s.address, true) : mark_data(index, s.address);
  }
  // What the dynamic linker copies out of a library has the library's pointers.
  for (const ImageRelocation& r : o.image.relocations) {
    if (r.type == R_X86_64_COPY && r.symbol < o.image.dynamic.size())
      mark_symbol(index, o.image.dynamic[r.symbol], true);
  }
  if (o.image.go) {
    for (std::size_t i = 0; i < o.data.pieces(); ++i)
      visit_piece(index, i);
  }
}

void CallGraph::visit(NodeRef ref) {
  const GraphObject& o = objects_[ref.object];
  each_edge(ref, [&](std::uint64_t address, const ImageSymbol* symbol, bool taken) {
    if (symbol != nullptr) {
      mark_symbol(ref.object, *symbol, taken);
    } else if (o.image.is_code(address)) {
      if (held_back(ref, address)) return;
      // An address in the middle of a function is a switch's target or a place to go on at.
      mark_address(ref.object, address, taken && o.begin_of(o.node_at(address)) == address);
    } else {
      if (taken) take_text(ref.object, address);
      mark_data(ref.object, address);
    }
  });
}

// A call of one of glibc's helpers that is made only for what the program asked for (call_gates.hpp).
bool CallGraph::held_back(NodeRef from, std::uint64_t target) {
  const GraphObject& o = objects_[from.object];
  if (o.soname != kGlibcSoname || o.exports[o.group[from.node]]) return false;
  const NodeIndex node = o.node_at(target);
  if (o.begin_of(node) != target || !o.exports[o.group[node]] || o.reached[node]) return false;
  const auto asked = asked_for_by(o.name_of(node));
  if (asked.empty()) return false;
  held_back_.emplace(NodeRef{from.object, node}, asked);
  return true;
}

bool CallGraph::any_reached(std::span<const std::string_view> names) const {
  return std::ranges::any_of(names, [&](std::string_view name) {
    return std::ranges::any_of(exported(name), [&](NodeRef ref) { return objects_[ref.object].reached[ref.node]; });
  });
}

void CallGraph::release_asked_for() {
  std::erase_if(held_back_, [&](const auto& held) {
    const bool asked = any_reached(held.second);
    if (asked) mark(held.first, false);
    return asked;
  });
}

bool CallGraph::never_asked_for(NodeRef node, unsigned number) const {
  const GraphObject& o = objects_[node.object];
  const auto asked = asked_for_by(number);
  if (asked.empty() || o.soname != kGlibcSoname) return false;
  const NodeIndex group = o.group[node.node];
  if (o.exports[group] && o.name_of(group) != "pthread_create") return false;
  return !any_reached(asked);
}

void CallGraph::walk() {
  for (std::uint32_t i = 0; i < objects_.size(); ++i)
    add_roots(i);
  while (!todo_.empty() || !data_todo_.empty()) {
    if (!todo_.empty()) {
      const NodeRef ref = todo_.back();
      todo_.pop_back();
      visit(ref);
    } else {
      const auto [object, piece] = data_todo_.back();
      data_todo_.pop_back();
      visit_piece(object, piece);
    }
    if (todo_.empty() && data_todo_.empty()) release_asked_for();
  }
}

}  // namespace uni
