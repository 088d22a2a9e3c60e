// SPDX-License-Identifier: Apache-2.0
// Which functions do not come back to their caller (abort, exit and what always ends in them): what lies behind a call
// of one is not reached from there.
#pragma once

#include <map>

#include "loader/analyze/call_graph.hpp"

namespace uni {

class NeverReturns {
 public:
  explicit NeverReturns(const CallGraph& graph) : graph_(graph) {}

  // Whether the call instruction at this address calls such a function. What is not known to be one is none.
  bool call(std::uint32_t object, std::uint64_t at) { return call(object, at, 0); }

 private:
  bool call(std::uint32_t object, std::uint64_t at, unsigned depth);
  bool function(std::uint32_t object, std::uint64_t entry, unsigned depth);
  bool slot(std::uint32_t object, std::uint64_t slot, unsigned depth);
  bool look(std::uint32_t object, std::uint64_t entry, unsigned depth);

  const CallGraph& graph_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, bool> known_;
};

}  // namespace uni
