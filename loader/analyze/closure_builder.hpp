// SPDX-License-Identifier: Apache-2.0
// The work behind find_closure(): a set of files that grows, with the dynamic linker's search attached.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>

#include "loader/analyze/closure.hpp"
#include "loader/analyze/ld_search.hpp"
#include "loader/analyze/script.hpp"

namespace uni {

// The objects of one program, as its dynamic linker loads them: what one program has loaded does not serve another.
struct LinkMap {
  std::string program;      // guest path of the program's file, symlinks followed
  std::string interpreter;  // guest path of its dynamic linker, empty for a static program
  std::optional<LibrarySearch> search;
  std::deque<std::unique_ptr<LoadedObject>> loaded;
  std::set<std::string> by_name;  // names that are satisfied: sonames and DT_NEEDED names
  std::map<std::string, const LoadedObject*> by_file;
  std::size_t next = 0;          // the first of `loaded` whose needs were not looked at
  std::size_t first_object = 0;  // where the program stands in Closure::objects
};

// Whether it is a program or library for this class and machine. What a compiler takes in (crt1.o) is data.
bool is_elf_object(const std::filesystem::path& host);

class ClosureBuilder {
 public:
  explicit ClosureBuilder(const ClosureRequest& request);

  // The program, its interpreter and its libraries; for a script, the program of its `#!` line.
  Expected<void> add_program();
  // Another program that the first one executes: a path of the host, or a name that is looked for as a shell does.
  Expected<void> add_other_program(const std::string& named, const std::string& reason);
  // A program of the sysroot; false where there is none at that path.
  Expected<bool> add_executed(const std::string& guest, const std::string& reason);
  // A guest path of the sysroot, the symlinks on the way included; where it is an ELF object, its libraries too. False
  // where it does not exist.
  Expected<bool> add_path(const std::string& guest, const std::string& reason);
  // A directory of the sysroot with everything below it.
  Expected<void> add_tree(const std::string& guest, const std::string& reason, const Recipe* recipe = nullptr);
  // A file or a directory of the host at another guest path.
  Expected<void> add_from_host(const AddedPath& added, const std::string& reason = "named by the user");
  // What a run or a trace has shown.
  Expected<void> add_learned(const LearnedPaths& learned);
  // Begins with files that are there already, those of a manifest.
  void begin_with(std::map<std::string, FileEntry> files, const std::string& program, const std::string& interpreter);
  // A library that the program opens by name; false where the search does not find it.
  Expected<bool> add_by_name(const std::string& name, const std::string& reason);
  void add_directory(const std::string& guest, unsigned mode, const std::string& reason);
  // A file with this content, unless the path is taken.
  void add_written(const std::string& guest, std::string content, const std::string& reason);

  // From here on, an object whose libraries are missing is noted: it is one of several that the program may load.
  void be_lenient() { lenient_ = true; }

  bool has(const std::string& guest) const { return out_.files.contains(guest); }
  const Closure& closure() const { return out_; }
  const Sysroot& sysroot() const { return sysroot_; }
  void add_environment(const std::string& assignment);
  void add_port(unsigned number, const std::string& reason) { out_.ports.emplace_back(number, reason); }
  void add_note(std::string note) { out_.notes.push_back(std::move(note)); }

  // Digests and packages, and the cache for the guest's ld.so; then the closure is done.
  Expected<Closure> finish();

 private:
  Expected<std::string> locate(const std::string& named);
  Expected<void> add_elf(const std::string& guest, const Resolved& where, const std::string& reason);
  Expected<void> add_runnable(const std::string& guest, const std::string& reason, unsigned depth);
  Expected<void> add_script(const std::string& guest, const Resolved& where, const ScriptLine& line,
                            const std::string& reason, unsigned depth);
  std::optional<std::string> find_in_path(const std::string& name) const;
  Expected<void> add_interpreter(LinkMap& map, const std::string& program_host);
  Expected<const LoadedObject*> load(LinkMap& map, const std::string& path, const Resolved& where,
                                     const LoadedObject* loader);
  Expected<void> load_needed(LinkMap& map);
  Expected<void> add_needed(LinkMap& map, const LoadedObject& requester, const std::string& name);
  LinkMap* dynamic_map();
  void note_cached(const std::string& name, const std::string& path);
  void put_links(const Resolved& where, const std::string& reason);
  void put_parents(const std::string& guest, const std::string& reason);
  Expected<void> put_file(const std::string& guest, const std::filesystem::path& host, const std::string& reason);
  std::string place_of(const std::string& guest, const std::string& reason);
  std::filesystem::path real_path(const std::filesystem::path& host, unsigned mode, std::error_code& error);
  Expected<void> check_parents() const;
  Expected<void> maybe_load(const std::string& guest, const Resolved& where);
  std::string chain_of(const LoadedObject& object) const;
  std::string environment_value(std::string_view name) const;

  const ClosureRequest& request_;
  Sysroot sysroot_;
  ElfReader reader_;
  Closure out_;
  std::vector<std::unique_ptr<LinkMap>> maps_;       // one a program, the image's own first
  std::set<std::string> known_objects_;              // guest paths of Closure::objects
  std::set<std::string> walked_;                     // directories that add_tree() has seen
  std::vector<std::filesystem::path> followed_;      // directories that add_from_host() is in through a link
  std::filesystem::path last_parent_, real_parent_;  // of real_path()
  std::vector<CacheEntry> cache_;
  bool lenient_ = false;
  std::vector<std::pair<std::string, std::string>> lacking_;  // a library's name, and what its absence means
};

}  // namespace uni
