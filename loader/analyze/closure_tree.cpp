// SPDX-License-Identifier: Apache-2.0
// Directories in the closure: trees of the sysroot, and what the user names with `-a HOST:GUEST`.
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>

#include "loader/analyze/closure_builder.hpp"

namespace uni {
namespace {

namespace fs = std::filesystem;

Expected<std::vector<std::string>> names_in(const fs::path& dir) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) {
    return fail({.what = "cannot be read",
                 .where = dir.string(),
                 .why = errno_text(error.value()),
                 .hint = "check its permissions"});
  }
  std::ranges::sort(names);
  return names;
}

bool excluded(const Recipe* recipe, const std::string& guest) {
  return recipe != nullptr && std::ranges::any_of(recipe->exclude, [&](const std::string& pattern) {
           return ::fnmatch(pattern.c_str(), guest.c_str(), 0) == 0;
         });
}

}  // namespace

Expected<void> ClosureBuilder::add_tree(const std::string& guest, const std::string& reason, const Recipe* recipe) {
  if (excluded(recipe, guest)) return {};
  const auto where = sysroot_.resolve(guest);
  if (!where) {
    // A symlink to nothing is kept as it is, it is part of the tree.
    std::error_code error;
    const auto target = fs::read_symlink(sysroot_.host_path(guest), error);
    if (!error) put_links({.path = guest, .host = {}, .links = {{guest, target.string()}}}, reason);
    return {};
  }
  if (where->kind != Resolved::Kind::Directory) {
    // Sockets, FIFOs and devices of a running system are not part of the program.
    if (auto ok = add_path(guest, reason); !ok) return std::unexpected(ok.error());
    if (recipe != nullptr && recipe->keep_times) {
      struct stat st {};
      const auto entry = out_.files.find(where->path);
      if (entry != out_.files.end() && ::stat(where->host.c_str(), &st) == 0) entry->second.mtime = st.st_mtime;
    }
    return {};
  }
  put_links(*where, reason);
  add_directory(where->path, 0755, reason);
  // Symlinks may lead to a directory twice, or in a circle.
  if (!walked_.insert(where->path).second) return {};
  auto names = names_in(where->host);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (auto ok = add_tree(where->path + "/" + name, reason, recipe); !ok) return ok;
  }
  return {};
}

// The guest path with the symlinks on its way followed: of the source system, and of what the user added before. What
// does not exist yet stays as it is named.
std::string ClosureBuilder::place_of(const std::string& guest, const std::string& reason) {
  const std::size_t slash = guest.rfind('/');
  if (slash == 0 || slash == std::string::npos) return guest;
  const auto parent = sysroot_.resolve(guest.substr(0, slash));
  if (!parent || parent->kind != Resolved::Kind::Directory) {
    return place_of(guest.substr(0, slash), reason) + guest.substr(slash);
  }
  put_links(*parent, reason);
  return (parent->path == "/" ? "" : parent->path) + guest.substr(slash);
}

// As fs::canonical(). The files of a directory share its part of the work.
fs::path ClosureBuilder::real_path(const fs::path& host, unsigned mode, std::error_code& error) {
  if (S_ISLNK(mode) || host.filename() == "..") return fs::canonical(host, error);
  const fs::path parent = host.parent_path();
  if (last_parent_.empty() || parent != last_parent_) {
    real_parent_ = fs::canonical(parent.empty() ? "." : parent, error);
    last_parent_ = error ? fs::path() : parent;
  }
  return real_parent_ / host.filename();
}

Expected<void> ClosureBuilder::add_from_host(const AddedPath& added, const std::string& reason) {
  const std::string guest = place_of(normalise(added.guest), reason);
  struct stat st {};
  if (::lstat(added.host.c_str(), &st) != 0) {
    return fail({.what = "no such file or directory",
                 .where = added.host.string(),
                 .why = {},
                 .hint = "check `-a HOST:GUEST`"});
  }
  if (S_ISDIR(st.st_mode)) {
    add_directory(guest, 0755, reason);
    auto names = names_in(added.host);
    if (!names) return std::unexpected(names.error());
    for (const std::string& name : *names) {
      if (auto ok = add_from_host({added.host / name, guest + "/" + name}, reason); !ok) return ok;
    }
    return {};
  }
  if (S_ISLNK(st.st_mode)) {
    std::error_code error;
    const std::string target = fs::read_symlink(added.host, error).string();
    // A relative link inside an added directory stays a link; what it points to is added by the walk.
    if (!error && !target.starts_with('/')) {
      put_links({.path = guest, .host = {}, .links = {{guest, target}}}, reason);
      sysroot_.place_link(guest, target);
      return {};
    }
  }
  std::error_code error;
  const fs::path host = real_path(added.host, st.st_mode, error);
  if (error) {
    return fail({.what = "cannot be read", .where = added.host.string(), .why = errno_text(error.value()), .hint = {}});
  }
  // A link to a directory elsewhere is taken as that directory; one that leads back would not end.
  if (S_ISLNK(st.st_mode) && fs::is_directory(host, error)) {
    const fs::path above = fs::canonical(added.host.parent_path(), error);
    const bool back = std::mismatch(host.begin(), host.end(), above.begin(), above.end()).first == host.end();
    if (back || std::ranges::find(followed_, host) != followed_.end()) return {};
    followed_.push_back(host);
    auto ok = add_from_host({host, guest}, reason);
    followed_.pop_back();
    return ok;
  }
  sysroot_.place(guest, host);
  // The user's file wins over one that a rule brought.
  out_.files.erase(guest);
  auto ok = add_path(guest, reason);
  if (!ok) return std::unexpected(ok.error());
  if (!*ok) {
    const bool regular = fs::is_regular_file(host, error);
    return fail({.what = regular ? "cannot be put at `" + guest + "`" : "is not a regular file",
                 .where = added.host.string(),
                 .why = regular ? "a part of that path is a file" : "",
                 .hint = regular ? "give `-a` another guest path" : "name files or directories"});
  }
  return {};
}

}  // namespace uni
