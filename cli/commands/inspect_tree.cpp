// SPDX-License-Identifier: Apache-2.0
// Reasons are sentences that the packer writes (docs/PACK.md): "VERB by PATH", "WORD of PATH", or a rule.
#include "cli/commands/inspect_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "loader/analyze/sysroot.hpp"

namespace uni {
namespace {

constexpr std::size_t kShownBelowRule = 8;

using Children = std::map<std::string, std::vector<std::string>>;

// Where a path leads inside of the image, its symlinks followed; empty where it leads nowhere.
std::string followed(const Manifest& m, const std::string& path) {
  std::string rest = normalise(path);
  std::string at;
  for (int links = 0; !rest.empty();) {
    const std::size_t end = std::min(rest.find('/', 1), rest.size());
    const std::string next = at + rest.substr(0, end);
    rest.erase(0, end);
    const auto found = m.files.find(next);
    if (found == m.files.end() || links > 40) return {};
    if (found->second.kind != FileEntry::Kind::Symlink) {
      at = next;
      continue;
    }
    ++links;
    const std::string& target = found->second.target;
    rest = normalise((target.starts_with('/') ? target : at + "/" + target) + rest);
    at.clear();
  }
  return at;
}

// The file because of which this one is there; empty where it is a rule.
std::string parent_of(const Manifest& m, const std::string& path, const FileEntry& entry) {
  for (const std::string_view word : {" by ", " of "}) {
    const std::size_t at = entry.reason.find(word);
    if (at == std::string::npos || entry.reason.compare(at + word.size(), 1, "/") != 0) continue;
    const std::string named = followed(m, entry.reason.substr(at + word.size()));
    const auto found = m.files.find(named);
    if (found != m.files.end() && found->second.kind == FileEntry::Kind::File && named != path) return named;
  }
  return {};
}

TreeNode node_of(const Manifest& m, const Children& children, const std::string& path, std::set<std::string>& seen) {
  const FileEntry& entry = m.files.at(path);
  TreeNode node{.name = path,
                .reason = entry.reason,
                .package = entry.package,
                .size = entry.size,
                .total = entry.size,
                .files = 1,
                .children = {}};
  seen.insert(path);
  if (const auto below = children.find(path); below != children.end()) {
    for (const std::string& child : below->second) {
      if (seen.contains(child)) continue;
      node.children.push_back(node_of(m, children, child, seen));
      node.total += node.children.back().total;
      node.files += node.children.back().files;
    }
  }
  return node;
}

void add_lines(const TreeNode& node, unsigned depth, std::string& out) {
  const std::string name = std::string(std::size_t{depth} * 2, ' ') + node.name;
  const std::string size = node.reason.empty() ? short_size(node.total) : short_size(node.size);
  const std::string why = node.reason.empty() ? fmt::format("{} files", node.files) : node.reason;
  out += fmt::format("  {:<58} {:>7}  {}{}\n", name, size, why, node.package.empty() ? "" : " [" + node.package + "]");
  // Below a rule there may be thousands.
  std::vector<const TreeNode*> shown;
  for (const TreeNode& child : node.children)
    shown.push_back(&child);
  const bool rule = node.reason.empty() && shown.size() > kShownBelowRule;
  if (rule) {
    std::ranges::stable_sort(shown, std::ranges::greater{}, [](const TreeNode* n) { return n->total; });
    shown.resize(kShownBelowRule);
  }
  for (const TreeNode* child : shown)
    add_lines(*child, depth + 1, out);
  if (rule) {
    std::uint64_t rest = node.total;
    for (const TreeNode* child : shown)
      rest -= child->total;
    out += fmt::format(
        "  {:<58} {:>7}\n",
        std::string(std::size_t{depth} * 2 + 2, ' ') + fmt::format("and {} more", node.children.size() - shown.size()),
        short_size(rest));
  }
}

}  // namespace

std::string short_size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes);
  if (bytes < (1U << 20)) return fmt::format("{:.1f}K", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.1f}M", static_cast<double>(bytes) / (1 << 20));
}

std::vector<TreeNode> closure_tree(const Manifest& m) {
  Children children;
  std::map<std::string, std::vector<std::string>> rules;
  std::string program;
  for (const auto& [path, entry] : m.files) {
    if (entry.kind != FileEntry::Kind::File) continue;
    if (entry.reason == "the program") {
      program = path;
      continue;
    }
    const std::string parent = parent_of(m, path, entry);
    parent.empty() ? rules[entry.reason.empty() ? "no reason" : entry.reason].push_back(path)
                   : children[parent].push_back(path);
  }
  std::vector<TreeNode> out;
  std::set<std::string> seen;
  if (!program.empty()) out.push_back(node_of(m, children, program, seen));
  for (const auto& [rule, paths] : rules) {
    TreeNode node{.name = rule, .reason = {}, .package = {}, .size = 0, .total = 0, .files = 0, .children = {}};
    for (const std::string& path : paths) {
      if (seen.contains(path)) continue;
      node.children.push_back(node_of(m, children, path, seen));
      node.total += node.children.back().total;
      node.files += node.children.back().files;
    }
    out.push_back(std::move(node));
  }
  // Two files that name each other are below none of these.
  for (const auto& [parent, paths] : children) {
    for (const std::string& path : paths) {
      if (!seen.contains(path)) out.push_back(node_of(m, children, path, seen));
    }
  }
  return out;
}

std::string tree_text(const std::vector<TreeNode>& tree) {
  std::string out;
  for (const TreeNode& node : tree)
    add_lines(node, 0, out);
  return out;
}

}  // namespace uni
