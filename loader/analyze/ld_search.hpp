// SPDX-License-Identifier: Apache-2.0
// Where the dynamic linker will find a library, by its own rules (ld.so(8); glibc 2.36 elf/dl-load.c; musl 1.2
// ldso/dynlink.c). Nothing is executed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "loader/analyze/elf_reader.hpp"
#include "loader/analyze/ld_cache.hpp"
#include "loader/analyze/sysroot.hpp"

namespace uni {

// An object that the dynamic linker has loaded, as far as the search looks at it.
struct LoadedObject {
  std::string path;                   // guest path under which it was opened
  std::filesystem::path host;         // the file itself
  std::string origin;                 // guest directory that $ORIGIN means
  std::filesystem::path host_origin;  // the same directory on the host; differs where the object was placed elsewhere
  ElfFacts facts;
  const LoadedObject* loader = nullptr;  // who first needed it; nullptr for the program
};

struct FoundLibrary {
  std::string path;  // guest path under which it is opened, symlinks not followed
  Resolved resolved;
  bool by_cache = false;  // only ld.so.cache (or ld.so.conf) names its directory
};

class LibrarySearch {
 public:
  // `interpreter` is the guest path of the dynamic linker, whose name says which rules hold and whose text holds the
  // default directories. `library_path` is the program's LD_LIBRARY_PATH, `cwd` its working directory.
  LibrarySearch(Sysroot& sysroot, const std::string& interpreter, std::string library_path, std::string cwd);

  bool is_musl() const { return musl_; }
  // Names that the dynamic linker itself stands for, which are no files (musl's libc.so, libpthread.so and so on).
  bool is_builtin(std::string_view name) const;
  // The file for DT_NEEDED `name` of `requester`. Nothing where the search fails; an error where a candidate is found
  // that the dynamic linker would stop at (not an ELF file, truncated).
  Expected<std::optional<FoundLibrary>> find(const std::string& name, const LoadedObject& requester);

 private:
  using Found = Expected<std::optional<FoundLibrary>>;
  Found in_path_list(const std::string& list, const LoadedObject& owner, const std::string& name);
  Found in_directory(const std::string& dir, const std::string& name);
  Found candidate(const std::string& path);
  std::optional<std::string> expand(std::string text, const LoadedObject& owner) const;
  Found find_glibc(const std::string& name, const LoadedObject& requester);
  Found find_musl(const std::string& name, const LoadedObject& requester);

  Sysroot& sysroot_;
  bool musl_;
  std::string library_path_;
  std::string cwd_;
  std::vector<std::string> default_dirs_;
  std::vector<CacheEntry> cache_;
  std::vector<std::string> conf_dirs_;  // used where there is no cache
};

}  // namespace uni
