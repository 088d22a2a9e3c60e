// SPDX-License-Identifier: Apache-2.0
// For people: who makes a system call. A call of the C library is told by the function of another object that asks for
// it, the nearest one of each object.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "loader/analyze/call_graph.hpp"
#include "loader/analyze/number_search.hpp"

namespace uni {

// A function of an object that is not the C library, and the C library's function that it uses.
struct LibraryUse {
  NodeRef user;
  std::string name;
};

// Every name of the C library that other objects' code uses, with the first user in each object.
std::vector<LibraryUse> library_uses(const CallGraph& graph);

// By number: "FILE: FUNCTION" or "FILE: FUNCTION -> NAME".
std::map<unsigned, std::vector<std::string>> call_origins(const CallGraph& graph, const NumberSearch& search,
                                                          const std::vector<LibraryUse>& uses);

}  // namespace uni
