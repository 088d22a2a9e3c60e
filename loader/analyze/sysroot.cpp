// SPDX-License-Identifier: Apache-2.0
// Walks paths component by component inside the sysroot, so that no symlink can lead out of it.
#include "loader/analyze/sysroot.hpp"

#include <sys/stat.h>

#include <deque>
#include <system_error>

namespace uni {
namespace {

constexpr unsigned kMaxLinks = 40;  // as Linux: MAXSYMLINKS

void push_front(std::deque<std::string>& todo, std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    if (slash != 0) parts.emplace_back(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  todo.insert(todo.begin(), parts.begin(), parts.end());
}

}  // namespace

struct Sysroot::Node {
  enum { None, File, Directory, Symlink, Other } kind = None;
  std::filesystem::path host;
  std::string target{};  // of a symlink
};

std::string normalise(std::string_view path) {
  std::deque<std::string> parts;
  push_front(parts, path);
  std::vector<std::string> kept;
  for (std::string& part : parts) {
    if (part == ".") continue;
    if (part != "..") {
      kept.push_back(std::move(part));
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string out;
  for (const std::string& part : kept)
    out.append("/").append(part);
  return out.empty() ? "/" : out;
}

std::filesystem::path Sysroot::host_path(std::string_view guest) const {
  while (guest.starts_with('/'))
    guest.remove_prefix(1);
  return root_ / guest;
}

void Sysroot::place(std::string guest, std::filesystem::path host) {
  placed_links_.erase(guest);
  placed_.insert_or_assign(std::move(guest), std::move(host));
}

void Sysroot::place_link(std::string guest, std::string target) {
  placed_links_.insert_or_assign(std::move(guest), std::move(target));
}

Sysroot::Node Sysroot::look(const std::string& guest) const {
  Node node;
  struct stat st {};
  if (const auto link = placed_links_.find(guest); link != placed_links_.end()) {
    node.kind = Node::Symlink;
    node.target = link->second;
    return node;
  }
  if (const auto placed = placed_.find(guest); placed != placed_.end()) {
    node.host = placed->second;
    // What was placed is taken as what it points to.
    if (::stat(node.host.c_str(), &st) != 0) return node;
  } else {
    node.host = host_path(guest);
    if (::lstat(node.host.c_str(), &st) != 0) {
      // A directory may exist only because something was placed below it.
      const auto below = placed_.lower_bound(guest + "/");
      if (below != placed_.end() && below->first.starts_with(guest + "/")) node.kind = Node::Directory;
      return node;
    }
  }
  if (S_ISREG(st.st_mode))
    node.kind = Node::File;
  else if (S_ISDIR(st.st_mode))
    node.kind = Node::Directory;
  else if (S_ISLNK(st.st_mode)) {
    std::error_code error;
    node.kind = Node::Symlink;
    node.target = std::filesystem::read_symlink(node.host, error).string();
  } else
    node.kind = Node::Other;
  return node;
}

std::optional<Resolved> Sysroot::resolve(std::string_view guest) const {
  Resolved out;
  std::deque<std::string> todo;
  push_front(todo, guest);
  std::string at;  // without symlinks, without a trailing slash; "" is the root
  Node node{.kind = Node::Directory, .host = root_};
  while (!todo.empty()) {
    const std::string part = std::move(todo.front());
    todo.pop_front();
    if (part == ".") continue;
    if (part == "..") {
      at.erase(at.empty() ? 0 : at.rfind('/'));
      node = at.empty() ? Node{.kind = Node::Directory, .host = root_} : look(at);
      continue;
    }
    const std::string next = at + "/" + part;
    Node found = look(next);
    if (found.kind == Node::None) return std::nullopt;
    if (found.kind == Node::Symlink) {
      const std::string target = found.target;
      if (target.empty() || out.links.size() == kMaxLinks) return std::nullopt;
      out.links.push_back({next, target});
      push_front(todo, target);
      if (target.front() == '/') {
        at.clear();
        node = Node{.kind = Node::Directory, .host = root_};
      }
      continue;
    }
    if (!todo.empty() && found.kind != Node::Directory) return std::nullopt;
    at = next;
    node = std::move(found);
  }
  out.path = at.empty() ? "/" : at;
  out.host = node.host;
  out.kind = node.kind == Node::File        ? Resolved::Kind::File
             : node.kind == Node::Directory ? Resolved::Kind::Directory
                                            : Resolved::Kind::Other;
  return out;
}

}  // namespace uni
