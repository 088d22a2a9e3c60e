// SPDX-License-Identifier: Apache-2.0
// Grows the closure breadth-first, in the order in which ld.so loads, so that the first finder of a name wins as it
// does there. Cycles end because a name that is satisfied is not searched again.
#include "loader/analyze/closure_builder.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <future>
#include <system_error>

#include "loader/analyze/digest.hpp"
#include "loader/analyze/packages.hpp"
#include "loader/analyze/parallel.hpp"

namespace uni {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

ClosureBuilder::ClosureBuilder(const ClosureRequest& request)
    : request_(request), sysroot_(fs::absolute(request.sysroot).lexically_normal()) {
  out_.environment = request.environment;
}

Expected<const LoadedObject*> ClosureBuilder::load(LinkMap& map, const std::string& path, const Resolved& where,
                                                   const LoadedObject* loader) {
  if (const auto known = map.by_file.find(where.path); known != map.by_file.end()) return known->second;
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
  if (!object->facts.soname.empty()) map.by_name.insert(object->facts.soname);
  if (known_objects_.insert(where.path).second) {
    // A program comes before its interpreter, which is loaded first.
    ClosureObject kept{where.path, where.host, object->facts};
    if (where.path == map.program)
      out_.objects.insert(out_.objects.begin() + static_cast<std::ptrdiff_t>(map.first_object), std::move(kept));
    else
      out_.objects.push_back(std::move(kept));
  }
  map.by_file[where.path] = object.get();
  map.loaded.push_back(std::move(object));
  return map.loaded.back().get();
}

std::string ClosureBuilder::chain_of(const LoadedObject& object) const {
  std::string chain;
  for (const LoadedObject* l = object.loader; l != nullptr; l = l->loader) {
    chain += (chain.empty() ? "" : ", ") + std::string("which ") + l->host.string() + " needs";
  }
  return chain;
}

Expected<void> ClosureBuilder::add_needed(LinkMap& map, const LoadedObject& requester, const std::string& name) {
  if (map.by_name.contains(name) || map.search->is_builtin(name)) return {};
  auto found = map.search->find(name, requester);
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
  map.by_name.insert(name);
  const FoundLibrary& library = **found;
  const std::string reason = "needed by " + requester.path;
  put_links(library.resolved, reason);
  if (auto ok = put_file(library.resolved.path, library.resolved.host, reason); !ok) return ok;
  if (library.by_cache) note_cached(name, library.path);
  auto object = load(map, library.path, library.resolved, &requester);
  if (!object) return std::unexpected(object.error());
  return {};
}

Expected<void> ClosureBuilder::load_needed(LinkMap& map) {
  for (; map.next < map.loaded.size(); ++map.next) {
    const LoadedObject& object = *map.loaded[map.next];
    for (const std::string& name : object.facts.needed) {
      auto ok = add_needed(map, object, name);
      if (!ok && !lenient_) return ok;
      if (!ok) lacking_.emplace_back(name, object.path + " cannot be loaded: " + ok.error().what);
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
  // A directory that is made here may lie behind a link of the system: /var/lock/NAME in /run/lock.
  const std::string path = place_of(normalise(guest), reason);
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

// The program whose dynamic linker opens what is loaded at run time: the first that has one.
LinkMap* ClosureBuilder::dynamic_map() {
  const auto found = std::ranges::find_if(maps_, [](const auto& m) { return !m->interpreter.empty(); });
  return found == maps_.end() ? nullptr : found->get();
}

void ClosureBuilder::note_cached(const std::string& name, const std::string& path) {
  if (std::ranges::none_of(cache_, [&](const CacheEntry& e) { return e.name == name; })) cache_.push_back({name, path});
}

Expected<void> ClosureBuilder::maybe_load(const std::string& guest, const Resolved& where) {
  LinkMap* map = dynamic_map();
  if (map == nullptr || known_objects_.contains(where.path) || !is_elf_object(where.host)) return {};
  const auto file = InputFile::open(where.host);
  if (!file) return std::unexpected(file.error());
  // What only looks like an object, or is another system's, is data.
  const auto is_data = [&](const std::string& why) -> Expected<void> {
    add_note(normalise(guest) + " is taken as data: " + why);
    return {};
  };
  const auto header = read_elf_header(*file);
  if (!header) return is_data(header.error().what + (header.error().why.empty() ? "" : ", " + header.error().why));
  if (!header->interpreter.empty()) {
    const auto facts = reader_.read(where.host);
    if (!facts) return is_data(facts.error().what + ", " + facts.error().why);
    // libc.so.6 names an interpreter too, but only libraries have a DT_SONAME.
    if (facts->soname.empty()) {
      if (!sysroot_.resolve(header->interpreter)) return is_data("there is no `" + header->interpreter + "` here");
      return add_elf(guest, where, {});
    }
  }
  const LoadedObject* program = map->loaded.empty() ? nullptr : map->by_file[map->program];
  auto object = load(*map, guest, where, program);
  if (!object) return std::unexpected(object.error());
  return load_needed(*map);
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
  LinkMap* map = dynamic_map();
  if (map == nullptr) return false;
  if (map->by_name.contains(name)) return true;
  auto found = map->search->find(name, *map->by_file[map->program]);
  if (!found) return std::unexpected(found.error());
  if (!*found) return false;
  map->by_name.insert(name);
  if ((*found)->by_cache) note_cached(name, (*found)->path);
  return add_path((*found)->path, reason);
}

// Two of the user's paths may contradict each other: one has a directory where the other has a symlink or a file.
Expected<void> ClosureBuilder::check_parents() const {
  for (const auto& [path, entry] : out_.files) {
    const std::string parent = parent_of(path);
    const auto above = out_.files.find(parent);
    if (parent == "/" || (above != out_.files.end() && above->second.kind == FileEntry::Kind::Directory)) continue;
    const bool link = above != out_.files.end() && above->second.kind == FileEntry::Kind::Symlink;
    return fail({.what = "cannot be both a directory and a " + std::string(link ? "symlink" : "file"),
                 .where = parent,
                 .why = link ? "it leads to `" + above->second.target + "`, and `" + path + "` lies in it"
                             : "`" + path + "` lies in it",
                 .hint = "give `-a` another guest path"});
  }
  return {};
}

namespace {

// On all processors; the first error in the order of the list.
Expected<void> digest_files(const std::vector<FileEntry*>& files) {
  std::vector<Expected<void>> results(files.size());
  for_each_parallel(files.size(), [&](std::size_t i) {
    FileEntry& entry = *files[i];
    if (entry.origin.empty()) {
      entry.sha256 = sha256_of(entry.content);
      return;
    }
    const auto file = InputFile::open(entry.origin);
    auto sum = file ? sha256_of(*file) : std::unexpected(file.error());
    sum ? void(entry.sha256 = std::move(*sum)) : void(results[i] = std::unexpected(std::move(sum.error())));
  });
  for (auto& result : results) {
    if (!result) return std::move(result);
  }
  return {};
}

}  // namespace

Expected<Closure> ClosureBuilder::finish() {
  if (auto ok = check_parents(); !ok) return std::unexpected(ok.error());
  for (auto& [name, text] : lacking_) {
    // What was loaded later from elsewhere serves all that need that name.
    if (std::ranges::none_of(maps_, [&](const auto& m) { return m->by_name.contains(name); }))
      add_note(std::move(text));
  }
  // Only the directories that ld.so does not know by itself need a cache; without one it looks at its own.
  const auto glibc = [](const auto& m) { return !m->interpreter.empty() && !m->search->is_musl(); };
  if (!cache_.empty() && std::ranges::any_of(maps_, glibc)) {
    add_written("/etc/ld.so.cache", make_ld_cache(cache_), "directories of ld.so.conf");
  }
  std::vector<std::string> paths;
  std::vector<FileEntry*> files;
  for (auto& [path, entry] : out_.files) {
    if (entry.kind != FileEntry::Kind::File) continue;
    files.push_back(&entry);
    if (!entry.origin.empty() && sysroot_.host_path(path).lexically_normal() == entry.origin.lexically_normal())
      paths.push_back(path);
  }
  // One thread reads the package database while the others digest.
  auto packages = std::async(std::launch::async, [&] { return find_packages(sysroot_, paths); });
  if (auto ok = digest_files(files); !ok) return std::unexpected(ok.error());
  for (auto& [path, package] : packages.get())
    out_.files[path].package = package;
  return std::move(out_);
}

}  // namespace uni
