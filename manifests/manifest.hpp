// SPDX-License-Identifier: Apache-2.0
// The manifest: what an image is made of and why (docs/MANIFEST.md; the schema is
// manifests/schema/uni-manifest-1.json).
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "loader/analyze/closure.hpp"
#include "loader/analyze/diagnostic.hpp"
#include "loader/analyze/syscalls_used.hpp"

namespace uni {

constexpr std::uint64_t kManifestVersion = 1;

// What `resources: limits:` can bound in the guest: processes and threads alive, files that a process has open, bytes
// of private memory that a process may write to.
inline constexpr auto kLimitNames = {"processes", "threads", "files", "memory", "cpu"};

struct Manifest {
  std::string name;
  std::string program;
  std::string interpreter;
  std::vector<std::string> arguments;    // argv[1] and up
  std::vector<std::string> environment;  // NAME=VALUE; NAME alone is taken from the environment of `uni run`
  std::string directory = "/";
  unsigned uid = 0;
  unsigned gid = 0;
  std::int64_t time = 0;             // of every file that has none of its own
  std::string memory;                // what `uni run` takes without `-m`; empty means its default
  unsigned cpus = 0;                 // the same for `-c`
  std::vector<std::string> publish;  // as `uni run -p`
  std::vector<std::string> volumes;  // as `uni run -v`
  std::string processes = "none";    // none, fork or exec
  std::string call_mode = "all";     // of what `syscalls` lists: audit, enforce, or all for no list
  // By names of kLimitNames.
  std::map<std::string, std::uint64_t> limits;
  std::map<std::string, FileEntry> files;
  SyscallReport syscalls;
};

// How origins are written.
enum class Origins {
  Relative,  // relative to the manifest's directory where they lie below it: for the file beside the image
  Names,     // only the file name, unless the origin is the guest path: for the copy inside the image
};

// The YAML text. `directory` is the one that will hold it.
std::string write_manifest(const Manifest& manifest, const std::filesystem::path& directory, Origins origins);

// Reads a manifest. `file` names it in messages and gives the directory of relative origins. Fails (kBadInput) with the
// line and column on unknown keys, wrong types, another version, files without their parent directory and the like.
// Does not look at the files.
Expected<Manifest> parse_manifest(const std::filesystem::path& file, const std::string& text);

// Whether every file still has the size and the digest that the manifest states; the error names the first that has
// not.
Expected<void> check_files(const Manifest& manifest, const std::filesystem::path& file);

// Whether this is meant to be a manifest: by its name, or because it is text that states a version.
bool looks_like_manifest(const std::filesystem::path& path);

}  // namespace uni
