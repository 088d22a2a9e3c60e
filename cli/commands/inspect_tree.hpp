// SPDX-License-Identifier: Apache-2.0
// The closure as a tree: below each file what is there because of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "manifests/manifest.hpp"

namespace uni {

struct TreeNode {
  std::string name;         // a guest path, or the rule: "recipe NAME", "named by the user"
  std::string reason;       // empty for a rule
  std::string package;      // empty where unknown
  std::uint64_t size = 0;   // of the file itself
  std::uint64_t total = 0;  // with all below
  std::uint64_t files = 0;  // regular files, with all below
  std::vector<TreeNode> children;
};

// The program first, then what rules brought, by name. Directories and symlinks are left out. A file that is needed by
// several is below the one that its reason names.
std::vector<TreeNode> closure_tree(const Manifest& manifest);

// The tree as indented lines; below a rule only what is large, and a count of the rest.
std::string tree_text(const std::vector<TreeNode>& tree);

// "812", "1.4K", "3.2M": powers of 1024.
std::string short_size(std::uint64_t bytes);

}  // namespace uni
