// SPDX-License-Identifier: Apache-2.0
// Grows the closure breadth-first, in the order in which ld.so loads, so that the first finder of a name wins as it
// does there. Cycles end because a name that is satisfied is not searched again.
#include "loader/analyze/closure_builder.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "loader/analyze/digest.hpp"
#include "loader/analyze/packages.hpp"

namespace uni {
namespace {

namespace fs = std::filesystem;

// A program outside of these is the user's own: it goes to /usr/local/bin, so that the image does not depend on the
// directory in which it was built.
constexpr std::string_view kSystemDirs[] = {"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/", "/nix/", "/gnu/"};

std::string parent_of(const std::string& guest) {
  const std::size_t slash = guest.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : guest.substr(0, slash);
}

// Permissions that do not depend on the packer's umask: what matters is whether a file can be run and whether it is
// private.
unsigned plain_mode(unsigned mode) {
  if ((mode & 0111U) != 0) return 0755;
  return (mode & 0044U) != 0 ? 0644 : 0600;
}

bool is_elf_object(const fs::path& host) {
  const auto file = InputFile::open(host);
  char magic[4] = {};
  return file && file->read_exact(0, magic).has_value() && std::string_view(magic, 4) == "\177ELF" &&
         !is_foreign_elf(*file);
}

// `PROGRAM` without a slash that is no file here is looked for in PATH, as a shell does; a script there (a wrapper)
// gives way to a program further on.
fs::path find_on_host(const std::string& program) {
  std::error_code error;
  if (program.empty() || program.find('/') != std::string::npos || fs::exists(program, error)) return program;
  const char* path = std::getenv("PATH");
  std::string_view list = path != nullptr ? path : "";
  fs::path first;
  while (!list.empty()) {
    const std::size_t colon = list.find(':');
    const fs::path candidate = fs::path(list.substr(0, colon)) / program;
    if (fs::is_regular_file(candidate, error)) {
      if (is_elf_object(candidate)) return candidate;
      if (first.empty()) first = candidate;
    }
    list.remove_prefix(colon == std::string_view::npos ? list.size() : colon + 1);
  }
  return first.empty() ? fs::path(program) : first;
}

}  // namespace

ClosureBuilder::ClosureBuilder(const ClosureRequest& request)
    : request_(request), sysroot_(fs::absolute(request.sysroot).lexically_normal()) {
  out_.environment = request.environment;
}

std::string ClosureBuilder::library_path() const {
  for (const std::string& e : out_.environment) {
    if (e.starts_with("LD_LIBRARY_PATH=")) return e.substr(e.find('=') + 1);
  }
  return {};
}

Expected<void> ClosureBuilder::locate_program() {
  const bool host_is_root = sysroot_.root() == "/";
  if (!host_is_root && sysroot_.resolve(request_.program) && request_.program.starts_with('/')) {
    out_.program = normalise(request_.program);
    return {};
  }
  const fs::path found = find_on_host(request_.program);
  if (auto file = InputFile::open(found); !file) return std::unexpected(file.error());
  const std::string absolute = fs::absolute(found).lexically_normal().string();
  if (!host_is_root) {
    const std::string root = sysroot_.root().string();
    if (absolute.starts_with(root)) {
      out_.program = normalise(absolute.substr(root.size()));
      return {};
    }
  } else if (std::ranges::any_of(kSystemDirs, [&](std::string_view d) { return absolute.starts_with(d); })) {
    out_.program = absolute;
    return {};
  }
  out_.program = "/usr/local/bin/" + found.filename().string();
  sysroot_.place(out_.program, fs::canonical(found));
  return {};
}

Expected<void> ClosureBuilder::add_program() {
  if (auto ok = locate_program(); !ok) return ok;
  const auto where = sysroot_.resolve(out_.program);
  if (!where || where->kind != Resolved::Kind::File) {
    return fail({.what = "no such program", .where = request_.program, .why = {}, .hint = "check the path"});
  }
  program_real_ = where->path;
  auto facts = reader_.read(where->host);
  if (!facts) return std::unexpected(facts.error());
  out_.interpreter = facts->header.interpreter;
  // A static PIE has a dynamic section too, but nothing of a library's.
  const bool library = !facts->needed.empty() || !facts->soname.empty() || facts->header.entry == 0;
  if (out_.interpreter.empty() && facts->header.dynamic && library) {
    return fail({.what = "is a shared library, not a program",
                 .where = where->host.string(),
                 .why = "it names no dynamic linker",
                 .hint = "name the program that uses it"});
  }
  search_.emplace(sysroot_, out_.interpreter, library_path(), request_.cwd);
  put_links(*where, "the program");
  if (auto ok = put_file(where->path, where->host, "the program"); !ok) return ok;
  if (!out_.interpreter.empty()) {
    if (auto ok = add_interpreter(where->host.string()); !ok) return ok;
  }
  auto object = load(where->path, *where, nullptr);
  if (!object) return std::unexpected(object.error());
  return load_needed();
}

Expected<void> ClosureBuilder::add_interpreter(const std::string& program_host) {
  const auto where = sysroot_.resolve(out_.interpreter);
  if (!where || where->kind != Resolved::Kind::File) {
    const std::string hint =
        request_.sysroot == "/" ? "install the C library that it was built for, or name its system with `--sysroot DIR`"
                                : "check `--sysroot " + request_.sysroot.string() + "`";
    return fail({.what = "missing dynamic linker `" + out_.interpreter + "`",
                 .where = program_host,
                 .why = "the program names it as its interpreter",
                 .hint = hint});
  }
  const std::string reason = "dynamic linker of " + program_real_;
  put_links(*where, reason);
  if (auto ok = put_file(where->path, where->host, reason); !ok) return ok;
  // ld.so is in the list of loaded objects from the start, under its own name.
  by_name_.insert(out_.interpreter.substr(out_.interpreter.rfind('/') + 1));
  auto object = load(where->path, *where, nullptr);
  if (!object) return std::unexpected(object.error());
  return {};
}

Expected<const LoadedObject*> ClosureBuilder::load(const std::string& path, const Resolved& where,
                                                   const LoadedObject* loader) {
  if (const auto known = by_file_.find(where.path); known != by_file_.end()) return known->second;
  auto facts = reader_.read(where.host);
  if (!facts) return std::unexpected(facts.error());
  auto object = std::make_unique<LoadedObject>();
  object->path = path;
  object->host = where.host;
  object->origin = parent_of(path);
  object->host_origin = where.host.parent_path();
  if (sysroot_.host_path(where.path).lexically_normal() == where.host.lexically_normal()) {
    object->host_origin = sysroot_.host_path(object->origin);
  }
  object->loader = loader;
  object->facts = std::move(*facts);
  if (!object->facts.soname.empty()) by_name_.insert(object->facts.soname);
  // The program is the first object, although its interpreter may have been loaded before it.
  ClosureObject kept{where.path, where.host, object->facts};
  if (where.path == program_real_)
    out_.objects.insert(out_.objects.begin(), std::move(kept));
  else
    out_.objects.push_back(std::move(kept));
  by_file_[where.path] = object.get();
  loaded_.push_back(std::move(object));
  return loaded_.back().get();
}

std::string ClosureBuilder::chain_of(const LoadedObject& object) const {
  std::string chain;
  for (const LoadedObject* l = object.loader; l != nullptr; l = l->loader) {
    chain += (chain.empty() ? "" : ", ") + std::string("which ") + l->host.string() + " needs";
  }
  return chain;
}

Expected<void> ClosureBuilder::add_needed(const LoadedObject& requester, const std::string& name) {
  if (by_name_.contains(name) || search_->is_builtin(name)) return {};
  auto found = search_->find(name, requester);
  if (!found) {
    Diagnostic d = found.error();
    d.why += (d.why.empty() ? "" : "; ") + std::string("needed by ") + requester.path;
    return fail(std::move(d));
  }
  if (!*found) {
    const std::string chain = chain_of(requester);
    return fail({.what = "missing library `" + name + "`",
                 .where = requester.host.string(),
                 .why = "it is needed by this file" + (chain.empty() ? "" : ", " + chain) +
                        ", and is in none of the directories that the dynamic linker searches",
                 .hint = "install the package that has it, or add its directory: `-e LD_LIBRARY_PATH=DIR`"});
  }
  by_name_.insert(name);
  const FoundLibrary& library = **found;
  const std::string reason = "needed by " + requester.path;
  put_links(library.resolved, reason);
  if (auto ok = put_file(library.resolved.path, library.resolved.host, reason); !ok) return ok;
  if (library.by_cache) cache_.push_back({name, library.path});
  auto object = load(library.path, library.resolved, &requester);
  if (!object) return std::unexpected(object.error());
  return {};
}

Expected<void> ClosureBuilder::load_needed() {
  for (; next_ < loaded_.size(); ++next_) {
    const LoadedObject& object = *loaded_[next_];
    for (const std::string& name : object.facts.needed) {
      if (auto ok = add_needed(object, name); !ok) return ok;
    }
  }
  return {};
}

void ClosureBuilder::put_parents(const std::string& guest, const std::string& reason) {
  for (std::string dir = parent_of(guest); dir != "/"; dir = parent_of(dir)) {
    add_directory(dir, 0755, reason);
  }
}

void ClosureBuilder::put_links(const Resolved& where, const std::string& reason) {
  for (const Link& link : where.links) {
    put_parents(link.path, reason);
    FileEntry entry{.kind = FileEntry::Kind::Symlink,
                    .origin = {},
                    .content = {},
                    .target = link.target,
                    .mode = 0777,
                    .size = link.target.size(),
                    .sha256 = {},
                    .mtime = 0,
                    .reason = reason,
                    .package = {}};
    // A directory that was only assumed gives way to the link that is really there.
    out_.files.insert_or_assign(link.path, std::move(entry));
  }
}

Expected<void> ClosureBuilder::put_file(const std::string& guest, const fs::path& host, const std::string& reason) {
  if (const auto known = out_.files.find(guest);
      known != out_.files.end() && known->second.kind == FileEntry::Kind::File) {
    return {};
  }
  const auto file = InputFile::open(host);
  if (!file) return std::unexpected(file.error());
  put_parents(guest, reason);
  FileEntry entry;
  entry.origin = host;
  entry.mode = plain_mode(file->mode());
  entry.size = file->size();
  entry.reason = reason;
  out_.files.insert_or_assign(guest, std::move(entry));
  return {};
}

void ClosureBuilder::add_directory(const std::string& guest, unsigned mode, const std::string& reason) {
  const std::string path = normalise(guest);
  if (path == "/" || out_.files.contains(path)) return;
  // The source system's symlinks stay: /var/run is a link to /run, /lib one to usr/lib.
  if (const auto where = sysroot_.resolve(path); where && !where->links.empty()) {
    put_links(*where, reason);
    if (where->path != path) return add_directory(where->path, mode, reason);
  }
  if (out_.files.contains(path)) return;
  put_parents(path, reason);
  FileEntry entry;
  entry.kind = FileEntry::Kind::Directory;
  entry.mode = mode;
  entry.reason = reason;
  out_.files.emplace(path, std::move(entry));
}

void ClosureBuilder::add_written(const std::string& guest, std::string content, const std::string& reason) {
  if (out_.files.contains(guest)) return;
  put_parents(guest, reason);
  FileEntry entry;
  entry.mode = 0644;
  entry.size = content.size();
  entry.content = std::move(content);
  entry.reason = reason;
  out_.files.emplace(guest, std::move(entry));
}

void ClosureBuilder::add_environment(const std::string& assignment) {
  const std::string name = assignment.substr(0, assignment.find('=') + 1);
  if (std::ranges::none_of(out_.environment, [&](const std::string& e) { return e.starts_with(name); })) {
    out_.environment.push_back(assignment);
  }
}

Expected<void> ClosureBuilder::maybe_load(const std::string& guest, const Resolved& where) {
  if (out_.interpreter.empty() || by_file_.contains(where.path) || !is_elf_object(where.host)) return {};
  const LoadedObject* program = loaded_.empty() ? nullptr : by_file_[program_real_];
  auto object = load(guest, where, program);
  if (!object) return std::unexpected(object.error());
  return load_needed();
}

Expected<bool> ClosureBuilder::add_path(const std::string& guest, const std::string& reason) {
  const auto where = sysroot_.resolve(guest);
  if (!where) return false;
  put_links(*where, reason);
  if (where->kind == Resolved::Kind::Directory) {
    add_directory(where->path, 0755, reason);
    return true;
  }
  if (where->kind != Resolved::Kind::File) return false;
  if (auto ok = put_file(where->path, where->host, reason); !ok) return std::unexpected(ok.error());
  if (auto ok = maybe_load(normalise(guest), *where); !ok) return std::unexpected(ok.error());
  return true;
}

Expected<bool> ClosureBuilder::add_by_name(const std::string& name, const std::string& reason) {
  if (out_.interpreter.empty() || by_name_.contains(name)) return by_name_.contains(name);
  auto found = search_->find(name, *by_file_[program_real_]);
  if (!found) return std::unexpected(found.error());
  if (!*found) return false;
  by_name_.insert(name);
  if ((*found)->by_cache) cache_.push_back({name, (*found)->path});
  return add_path((*found)->path, reason);
}

Expected<Closure> ClosureBuilder::finish() {
  // Only the directories that ld.so does not know by itself need a cache; without one it looks at its own.
  if (!cache_.empty() && !out_.interpreter.empty() && !search_->is_musl()) {
    add_written("/etc/ld.so.cache", make_ld_cache(cache_), "directories of ld.so.conf");
  }
  std::vector<std::string> paths;
  for (auto& [path, entry] : out_.files) {
    if (entry.kind != FileEntry::Kind::File) continue;
    if (entry.origin.empty()) {
      entry.sha256 = sha256_of(entry.content);
      continue;
    }
    const auto file = InputFile::open(entry.origin);
    if (!file) return std::unexpected(file.error());
    auto sum = sha256_of(*file);
    if (!sum) return std::unexpected(sum.error());
    entry.sha256 = std::move(*sum);
    if (sysroot_.host_path(path).lexically_normal() == entry.origin.lexically_normal()) paths.push_back(path);
  }
  for (auto& [path, package] : find_packages(sysroot_, paths))
    out_.files[path].package = package;
  return std::move(out_);
}

}  // namespace uni
