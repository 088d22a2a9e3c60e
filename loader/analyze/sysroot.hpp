// SPDX-License-Identifier: Apache-2.0
// Paths of the system that the program comes from. A guest path is absolute and names the file as the program will see
// it; the sysroot says where that file lies on the host. Absolute symlinks stay inside the sysroot.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

// A symlink met on the way: where it is and what it says.
struct Link {
  std::string path;
  std::string target;
  bool operator==(const Link&) const = default;
};

struct Resolved {
  std::string path;  // the guest path without symlinks
  std::filesystem::path host;
  std::vector<Link> links;  // every symlink on the way, in order
  enum class Kind { File, Directory, Other } kind = Kind::Other;
};

// `path` made absolute and without `.`, `..` and doubled slashes, by text alone.
std::string normalise(std::string_view path);

class Sysroot {
 public:
  // `root` is a directory of the host; "/" for the host itself.
  explicit Sysroot(std::filesystem::path root) : root_(std::move(root)) {}

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path host_path(std::string_view guest) const;

  // A file of the host that appears at a guest path although it does not lie there in the sysroot (the program itself,
  // what `-a` names, libraries beside the program).
  void place(std::string guest, std::filesystem::path host);

  // A symlink that appears at a guest path.
  void place_link(std::string guest, std::string target);

  // Follows symlinks as the kernel does (path_resolution(7)), up to 40. Nothing where the path does not exist.
  std::optional<Resolved> resolve(std::string_view guest) const;

 private:
  struct Node;
  Node look(const std::string& guest) const;
  std::filesystem::path root_;
  std::map<std::string, std::filesystem::path> placed_;
  std::map<std::string, std::string> placed_links_;
};

}  // namespace uni
