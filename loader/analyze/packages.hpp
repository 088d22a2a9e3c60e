// SPDX-License-Identifier: Apache-2.0
// Which distribution package a file comes from.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "loader/analyze/sysroot.hpp"

namespace uni {

// For each of these guest paths, `name version` of the dpkg package that holds it; paths of no package are left out.
// Reads dpkg's database in the sysroot (/var/lib/dpkg), never runs dpkg.
std::map<std::string, std::string> find_packages(const Sysroot& sysroot, const std::vector<std::string>& paths);

}  // namespace uni
