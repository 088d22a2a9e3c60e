// SPDX-License-Identifier: Apache-2.0
// Runs a program under ptrace(2) and takes down what it uses: files, system calls, ports, processes. The program keeps
// its descriptors, signals and exit status.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "loader/analyze/diagnostic.hpp"

namespace uni::trace {

struct TracedFile {
  std::string named;       // as the program said it where that is relative to the directory it started in, else empty
  bool executed = false;   // by execve
  bool directory = false;  // opened as one, or looked at
};

struct Record {
  std::map<std::string, TracedFile>
      files;                      // by absolute path on this machine; what the program made itself is left out
  std::set<std::string> missing;  // looked for and absent
  std::set<unsigned> calls;       // numbers
  std::set<unsigned> ports;       // bound, but port 0
  std::uint64_t forks = 0;        // processes made, threads left out
  std::uint64_t execs = 0;        // without the first
  int status = 0;                 // as a shell would see it: 128 + N for signal N
};

// Runs `arguments` and gives the record when it and all that it started have ended. ^C goes to the program as it always
// does; signals that a process sends to this one are passed on. Fails with kRunFailed where the program cannot be
// started, or traced.
Expected<Record> run(const std::vector<std::string>& arguments);

}  // namespace uni::trace
