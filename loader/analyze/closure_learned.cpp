// SPDX-License-Identifier: Apache-2.0
// What a run or a trace has shown to be used. The program ran on this machine, or on one like it, so a path that does
// not exist here is no error: programs try many places.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "loader/analyze/closure_builder.hpp"
#include "loader/analyze/program_file.hpp"

namespace uni {

Expected<void> ClosureBuilder::add_learned(const LearnedPaths& learned) {
  // The program itself, wherever it ran.
  const auto known_origin = [&](const std::filesystem::path& host) {
    struct stat wanted {};
    if (::stat(host.c_str(), &wanted) != 0) return true;
    return std::ranges::any_of(out_.files, [&](const auto& f) {
      struct stat st {};
      return !f.second.origin.empty() && f.second.size == static_cast<std::uint64_t>(wanted.st_size) &&
             ::stat(f.second.origin.c_str(), &st) == 0 && st.st_ino == wanted.st_ino && st.st_dev == wanted.st_dev;
    });
  };
  for (const std::string& path : learned.programs) {
    const auto where = sysroot_.resolve(path);
    if (!where || has(where->path) || known_origin(where->host) || !is_program_file(where->host)) continue;
    if (auto ok = add_executed(path, learned.reason); !ok) return std::unexpected(ok.error());
  }
  for (const AddedPath& placed : learned.placed) {
    const std::string guest = normalise(request_.cwd + "/" + placed.guest);
    struct stat st {};
    if (has(guest) || known_origin(placed.host)) continue;
    if (::stat(placed.host.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) continue;
    if (auto ok = add_from_host({placed.host, guest}, learned.reason); !ok) return ok;
  }
  for (const std::string& path : learned.files) {
    const auto where = sysroot_.resolve(path);
    if (!where || has(where->path) || ::access(where->host.c_str(), R_OK) != 0) continue;
    if (where->kind == Resolved::Kind::File && known_origin(where->host)) continue;
    if (auto ok = add_path(path, learned.reason); !ok) return std::unexpected(ok.error());
  }
  std::set<std::string> named;  // a program is looked for in one directory of $PATH after the other
  for (const std::string& path : learned.looked) {
    const auto where = sysroot_.resolve(path);
    if (!where || has(where->path) || ::access(where->host.c_str(), R_OK) != 0 || known_origin(where->host)) continue;
    const bool program = is_program_file(where->host);
    if (program && !named.insert(path.substr(path.rfind('/') + 1)).second) continue;
    auto added = program ? add_executed(path, learned.reason) : add_path(path, learned.reason);
    if (!added) add_note("the run looked for `" + path + "`, which cannot be added: " + added.error().what);
  }
  return {};
}

void ClosureBuilder::begin_with(std::map<std::string, FileEntry> files, const std::string& program,
                                const std::string& interpreter) {
  out_.files = std::move(files);
  out_.program = program;
  out_.interpreter = interpreter;
  // Its files are where they were found, also where that is not their guest path.
  for (const auto& [path, entry] : out_.files) {
    if (entry.kind == FileEntry::Kind::Symlink) sysroot_.place_link(path, entry.target);
    if (!entry.origin.empty()) sysroot_.place(path, entry.origin);
  }
}

Expected<std::map<std::string, FileEntry>> extend_closure(const ClosureRequest& request,
                                                          std::map<std::string, FileEntry> files,
                                                          const std::string& program, const std::string& interpreter) {
  ClosureBuilder builder(request);
  builder.begin_with(std::move(files), program, interpreter);
  // The program's dynamic linker is needed for the libraries of what is added.
  if (auto ok = builder.add_executed(program, "the program"); !ok) return std::unexpected(ok.error());
  for (const LearnedPaths& learned : request.learned) {
    if (auto ok = builder.add_learned(learned); !ok) return std::unexpected(ok.error());
  }
  auto closure = builder.finish();
  if (!closure) return std::unexpected(closure.error());
  return std::move(closure->files);
}

}  // namespace uni
