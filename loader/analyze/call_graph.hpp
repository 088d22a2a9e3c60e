// SPDX-License-Identifier: Apache-2.0
// The call graph of the whole closure: a function of an object is a node; calls, jumps and taken addresses are edges,
// also those that the dynamic linker makes by symbols. Which nodes are reached from what the system starts.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "loader/analyze/call_gates.hpp"
#include "loader/analyze/closure.hpp"
#include "loader/analyze/code_scan.hpp"
#include "loader/analyze/data_map.hpp"
#include "loader/analyze/elf_image.hpp"

namespace uni {

using NodeIndex = std::uint32_t;
constexpr NodeIndex kNoNode = UINT32_MAX;

struct GraphObject {
  std::string path;
  std::string soname;
  std::string bytes;
  ElfImage image;
  CodeScan scan;
  DataMap data;
  bool c_library = false;
  bool linker = false;                  // the dynamic linker
  bool program = false;                 // has an entry that execve starts
  bool loaded_by_name = false;          // no other object needs it: dlopen loads it
  bool looks_up = false;                // its code reaches dlsym
  std::vector<bool> reached;            // by node
  std::vector<bool> address_taken;      // by node: control may come from anywhere
  std::vector<bool> pointed_to;         // by node: data that is reached has its address, or dlsym may give it
  std::vector<bool> data_reached;       // by piece of `data`
  std::vector<NodeIndex> group;         // nodes that jump into each other's middle have the same
  std::vector<bool> exports;            // by group: some function of it has a dynamic symbol
  std::vector<std::uint64_t> referred;  // data that code refers to, sorted

  NodeIndex node_at(std::uint64_t address) const;
  std::uint64_t begin_of(NodeIndex node) const { return scan.starts[node]; }
  std::uint64_t end_of(NodeIndex node) const;
  // The events of a node: first and behind the last, as indices.
  std::pair<std::size_t, std::size_t> events_of(NodeIndex node) const;
  // A function's name, or its address where it has none.
  std::string name_of(NodeIndex node) const;
  const ImageRelocation* relocation_at(std::uint64_t slot) const;
  // The dynamic symbol that a relocation names; nullptr for the others.
  const ImageSymbol* symbol_of(const ImageRelocation& relocation) const;
};

struct NodeRef {
  std::uint32_t object = 0;
  NodeIndex node = 0;
  auto operator<=>(const NodeRef&) const = default;
};

class CallGraph {
 public:
  // Reads and decodes every object; `threads` threads.
  static Expected<CallGraph> build(const Closure& closure, unsigned threads);

  // Marks what is reached.
  void walk();

  const std::vector<GraphObject>& objects() const { return objects_; }
  // Functions of that name that some object exports.
  const std::vector<NodeRef>& exported(std::string_view name) const;
  // What is called, jumped to or taken the address of directly, by this node.
  std::vector<NodeRef> successors(NodeRef from) const;
  // Whether `number` in a system call of this node is made only for what no function that is reached asks for
  // (call_gates.hpp).
  bool never_asked_for(NodeRef node, unsigned number) const;

 private:
  void classify(const Closure& closure);
  void add_roots(std::uint32_t index);
  void mark_data(std::uint32_t object, std::uint64_t address);
  void visit_piece(std::uint32_t object, std::size_t piece);
  void mark_pointer(std::uint32_t object, std::uint64_t target);
  void mark(NodeRef ref, bool address_taken);
  void mark_address(std::uint32_t object, std::uint64_t address, bool address_taken);
  void mark_symbol(std::uint32_t object, const ImageSymbol& symbol, bool address_taken);
  void take_text(std::uint32_t object, std::uint64_t address);
  void visit(NodeRef ref);
  bool held_back(NodeRef from, std::uint64_t target);
  void release_asked_for();
  bool any_reached(std::span<const std::string_view> names) const;
  template <typename F>
  void each_edge(NodeRef from, F edge) const;
  template <typename F>
  void each_switch_target(const GraphObject& o, std::uint64_t table, F target) const;

  std::vector<GraphObject> objects_;
  std::unordered_map<std::string_view, std::vector<NodeRef>> exports_;
  std::unordered_map<std::string_view, std::vector<std::pair<std::uint32_t, std::uint64_t>>> data_exports_;
  std::vector<std::set<std::uint64_t>> texts_;  // by object: places of strings that dlsym may be given
  std::map<NodeRef, std::span<const std::string_view>> held_back_;  // reached once one of the functions named is
  std::vector<NodeRef> todo_;
  std::vector<std::pair<std::uint32_t, std::size_t>> data_todo_;
};

}  // namespace uni
