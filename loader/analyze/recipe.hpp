// SPDX-License-Identifier: Apache-2.0
// A recipe: files that come along although no ELF header names them, and when. The recipes are data,
// manifests/recipes/*.yaml; this is their form in memory.
#pragma once

#include <string>
#include <vector>

namespace uni {

struct Recipe {
  std::string name;

  // The recipe holds where one of these does.
  bool always = false;
  std::vector<std::string> programs;   // the program's file name, as shell patterns
  std::vector<std::string> libraries;  // the file name of a library in the closure, as shell patterns
  std::vector<std::string> imports;    // a symbol that the program or a library other than libc imports
  std::vector<std::string> texts;      // bytes in the program's own file

  // What it adds. What the source system does not have is left out silently: a recipe covers several distributions.
  struct Directory {
    std::string path;
    unsigned mode = 0755;
  };
  struct Written {
    std::string path;
    std::string content;
  };
  std::vector<std::string> files;        // shell patterns of guest paths
  std::vector<std::string> trees;        // directories, with all below
  std::vector<std::string> exclude;      // shell patterns of guest paths that trees leave out
  std::vector<std::string> load;         // libraries that are opened by name at run time
  std::vector<Directory> directories;    // empty directories
  std::vector<Written> write;            // small files made here
  std::vector<std::string> environment;  // NAME=VALUE, unless the user gives the name
  std::vector<unsigned> ports;           // that the program listens on by its default configuration
  bool accounts = false;                 // passwd and group, system accounts only
  bool name_services = false;            // nsswitch.conf and the libnss_* it names
  bool keep_times = false;               // the trees' files keep their modification times
};

}  // namespace uni
