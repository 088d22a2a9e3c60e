// SPDX-License-Identifier: Apache-2.0
// `uni pack`: a program or a manifest becomes an image.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "loader/analyze/diagnostic.hpp"
#include "manifests/manifest.hpp"

namespace uni {

struct PackOptions {
  std::string source;                    // a program or a manifest
  std::string output;                    // the image; empty: NAME.img in the current directory
  std::string name;                      // empty: the program's file name
  std::vector<std::string> environment;  // NAME=VALUE, or NAME to take it from here
  std::vector<std::string> added;        // HOST:GUEST
  std::vector<std::string> programs;     // what else is executed: paths or names
  std::string package;                   // a Debian package; then `source` chooses one of its programs
  std::vector<std::string> learn;        // logs of runs and traces
  std::string directory;                 // working directory in the guest
  std::string user;                      // UID[:GID]
  std::string processes;                 // none, fork, exec; empty: what the code can do
  std::vector<std::string> limits;       // NAME=N
  std::string call_mode;                 // audit, enforce, all; empty: audit where every call is known
  std::string sign;                      // a secret key; empty: the image is not signed
  std::string report;                    // a file for what `uni inspect --json` says; empty: none
  std::string sysroot = "/";
  std::vector<std::string> arguments;
};

struct PackResult {
  std::filesystem::path image;
  std::filesystem::path manifest;  // empty where the source was a manifest
  Manifest content;
  std::vector<std::string> notes;
  std::uint64_t disk_bytes = 0;  // what the image takes on the disk
};

// What `uni pack` would put into an image, without writing one. Fails as find_closure() and parse_manifest() do, and
// with kUsage for malformed options.
Expected<PackResult> plan_pack(const PackOptions& options);

// Writes the image, and the manifest beside it; prints nothing but progress. A failure leaves nothing behind.
Expected<PackResult> pack(const PackOptions& options);

// The kernel that goes into images: $UNI_KERNEL, or share/uni/kernel-x86_64.elf beside the directory of this command.
std::filesystem::path kernel_path();

}  // namespace uni
