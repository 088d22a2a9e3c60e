// SPDX-License-Identifier: Apache-2.0
// The work behind find_closure(): a set of files that grows, with the dynamic linker's search attached.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "loader/analyze/closure.hpp"
#include "loader/analyze/ld_search.hpp"

namespace uni {

class ClosureBuilder {
 public:
  explicit ClosureBuilder(const ClosureRequest& request);

  // The program, its interpreter and its libraries.
  Expected<void> add_program();
  // A guest path of the sysroot, the symlinks on the way included; where it is an ELF object, its libraries too. False
  // where it does not exist.
  Expected<bool> add_path(const std::string& guest, const std::string& reason);
  // A directory of the sysroot with everything below it.
  Expected<void> add_tree(const std::string& guest, const std::string& reason, const Recipe* recipe = nullptr);
  // A file or a directory of the host at another guest path.
  Expected<void> add_from_host(const AddedPath& added);
  // A library that the program opens by name; false where the search does not find it.
  Expected<bool> add_by_name(const std::string& name, const std::string& reason);
  void add_directory(const std::string& guest, unsigned mode, const std::string& reason);
  // A file with this content, unless the path is taken.
  void add_written(const std::string& guest, std::string content, const std::string& reason);

  bool has(const std::string& guest) const { return out_.files.contains(guest); }
  const Closure& closure() const { return out_; }
  const Sysroot& sysroot() const { return sysroot_; }
  const std::string& program_path() const { return program_real_; }
  void add_environment(const std::string& assignment);
  void add_note(std::string note) { out_.notes.push_back(std::move(note)); }

  // Digests and packages, and the cache for the guest's ld.so; then the closure is done.
  Expected<Closure> finish();

 private:
  Expected<void> locate_program();
  Expected<void> add_interpreter(const std::string& program_host);
  Expected<const LoadedObject*> load(const std::string& path, const Resolved& where, const LoadedObject* loader);
  Expected<void> load_needed();
  Expected<void> add_needed(const LoadedObject& requester, const std::string& name);
  void put_links(const Resolved& where, const std::string& reason);
  void put_parents(const std::string& guest, const std::string& reason);
  Expected<void> put_file(const std::string& guest, const std::filesystem::path& host, const std::string& reason);
  Expected<void> maybe_load(const std::string& guest, const Resolved& where);
  std::string chain_of(const LoadedObject& object) const;
  std::string library_path() const;

  const ClosureRequest& request_;
  Sysroot sysroot_;
  ElfReader reader_;
  std::optional<LibrarySearch> search_;
  Closure out_;
  std::string program_real_;  // guest path of the program's file, symlinks followed
  std::deque<std::unique_ptr<LoadedObject>> loaded_;
  std::set<std::string> by_name_;  // names that are satisfied: sonames and DT_NEEDED names
  std::map<std::string, const LoadedObject*> by_file_;
  std::set<std::string> walked_;  // directories that add_tree() has seen
  std::size_t next_ = 0;          // the first of loaded_ whose needs were not looked at
  std::vector<CacheEntry> cache_;
};

}  // namespace uni
