// SPDX-License-Identifier: Apache-2.0
// The numbers that reach `syscall` instructions of code that is reached: within a function by flow.hpp, and where a
// function takes the number from its caller (syscall(2), Go's Syscall6, musl's __syscall_cp), at each of its calls.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "loader/analyze/call_graph.hpp"
#include "loader/analyze/flow.hpp"
#include "loader/analyze/never_returns.hpp"

namespace uni {

class NumberSearch {
 public:
  explicit NumberSearch(const CallGraph& graph) : graph_(graph), never_returns_(graph) {}

  void run();

  // By number, the functions that state it.
  const std::map<unsigned, std::set<NodeRef>>& numbers() const { return numbers_; }
  struct Open {
    NodeRef node;
    std::uint64_t at = 0;
    std::string why;
    auto operator<=>(const Open&) const = default;
  };
  // Places where a number, or the name of a function that is looked up, is not known.
  const std::set<Open>& undecided() const { return undecided_; }
  // Functions that make a process with clone(2): its flags say so.
  const std::set<NodeRef>& forks() const { return forks_; }
  // Whether a number is replayed that another thread has stated (glibc's setxid, Go's AllThreadsSyscall).
  bool replays() const { return replays_; }

 private:
  enum class Wanted : std::uint8_t { Number, CloneFlags, Name };
  // A function (a group of nodes) whose caller states the value in `location`.
  using Wrapper = std::tuple<std::uint32_t, NodeIndex, Location, Wanted>;
  // Of one function: which location is asked for at an address.
  struct Question {
    std::uint64_t at = 0;
    Location location;
    bool is_call = false;
    Wanted wanted = Wanted::Number;
    bool through_register = false;  // ask only where the call's target is `callee`
    std::vector<Atom> callee;
    auto operator<=>(const Question&) const = default;
  };
  using Questions = std::map<std::pair<std::uint32_t, NodeIndex>, std::vector<Question>>;

  void sites(Questions& out) const;
  void names(Questions& out);
  void ask(const Questions& questions);
  void ask(std::uint32_t object, NodeIndex group, const std::vector<Question>& questions);
  void take(std::uint32_t object, NodeIndex group, const Question& question, const AtomSet& value,
            const MachineState& state);
  void take_name(std::uint32_t object, NodeIndex group, const Question& question, const AtomSet& value);
  void callers_of(const Wrapper& wrapper, Questions& out);
  void callers_by_address(std::uint32_t object, std::uint64_t entry, const Wrapper& wrapper, Questions& out);
  void callers_by_slot(std::uint32_t object, std::uint64_t slot, const Wrapper& wrapper, Questions& out);
  void through_registers(std::uint32_t object, NodeIndex node, const Atom& callee, const Wrapper& wrapper,
                         Questions& out) const;
  bool never_written(std::uint32_t object, std::uint64_t variable);
  void open(std::uint32_t object, std::uint64_t at, std::string why);
  const std::vector<NodeIndex>& members(std::uint32_t object, NodeIndex group);
  const std::multimap<std::uint64_t, std::size_t>& by_target(std::uint32_t object);

  const CallGraph& graph_;
  NeverReturns never_returns_;
  std::map<unsigned, std::set<NodeRef>> numbers_;
  std::set<Open> undecided_;
  std::set<NodeRef> forks_;
  bool replays_ = false;
  std::set<Wrapper> wrappers_;
  std::deque<Wrapper> todo_;
  std::map<std::uint32_t, std::map<NodeIndex, std::vector<NodeIndex>>> members_;
  std::map<std::uint32_t, std::multimap<std::uint64_t, std::size_t>> targets_;
};

}  // namespace uni
