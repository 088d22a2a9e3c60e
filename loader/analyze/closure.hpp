// SPDX-License-Identifier: Apache-2.0
// Everything that goes into the image: the program, the libraries that its dynamic linker will load, and what the
// recipes add, each with the reason why it is there. The program is never executed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "loader/analyze/elf_reader.hpp"
#include "loader/analyze/recipe.hpp"

namespace uni {

struct FileEntry {
  enum class Kind { File, Directory, Symlink } kind = Kind::File;
  std::filesystem::path origin{};  // on the host; empty for directories, symlinks and what is made here
  std::string content{};           // of a file that is made here
  std::string target{};            // of a symlink
  unsigned mode = 0;
  std::uint64_t size = 0;
  std::string sha256{};    // of a file, in hexadecimal
  std::int64_t mtime = 0;  // seconds; 0 means the image's own time
  std::string reason{};
  std::string package{};  // "name version", empty where unknown
};

// An ELF file of the closure, kept for the search for system calls.
struct ClosureObject {
  std::string path;
  std::filesystem::path host;
  ElfFacts facts;
};

struct Closure {
  std::string program;      // guest path as the user named it (symlinks kept)
  std::string interpreter;  // the program's dynamic linker or the program of its `#!` line; empty for a static program
  std::vector<std::string> programs;  // every program of the image, as it is called and with symlinks followed
  std::map<std::string, FileEntry> files;
  std::vector<ClosureObject> objects;  // the program first
  std::vector<std::string> environment;
  std::vector<std::pair<unsigned, std::string>> ports;  // that recipes name, with the recipe's name
  std::vector<std::string> notes;                       // what a person should know, one line each
};

struct AddedPath {
  std::filesystem::path host;
  std::string guest;
};

// What a run or a trace has shown to be used. What does not exist, and what the closure has already, is passed over.
struct LearnedPaths {
  std::string reason;
  std::vector<std::string> files;     // guest paths
  std::vector<std::string> looked;    // guest paths; of programs of one name the first
  std::vector<std::string> programs;  // guest paths
  std::vector<AddedPath> placed;      // files of the host, at guest paths relative to the working directory
};

struct ClosureRequest {
  std::string program;                   // as on the command line
  std::filesystem::path sysroot = "/";   // where the program's system lies
  std::vector<std::string> environment;  // NAME=VALUE of the guest
  std::vector<AddedPath> added;          // `-a HOST:GUEST`
  std::string package;                   // `--package NAME`: the program is that package's
  std::vector<std::string> programs;     // `--add-program PATH`: what the program executes
  std::vector<LearnedPaths> learned;
  std::string cwd = "/";
  std::vector<Recipe> recipes;
};

// Finds the closure. Fails with kBadInput for a program that cannot be packed (see read_elf_header), for a missing
// interpreter and for a missing library; the message names who wants it. Reads every file once, for its digest.
Expected<Closure> find_closure(const ClosureRequest& request);

// `files` with what `request.learned` adds, programs and libraries with what they need. `program` and `interpreter` are
// those of the files. Fails as find_closure() does.
Expected<std::map<std::string, FileEntry>> extend_closure(const ClosureRequest& request,
                                                          std::map<std::string, FileEntry> files,
                                                          const std::string& program, const std::string& interpreter);

}  // namespace uni
