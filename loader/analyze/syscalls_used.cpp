// SPDX-License-Identifier: Apache-2.0
// All code of an ordinary file counts. The C library holds every call, so of it only what others reach counts: its
// functions are the nodes of a graph, with direct calls, jumps and taken addresses as edges; the imports of the other
// files and the pointers in its data are where the walk begins.
#include "loader/analyze/syscalls_used.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "loader/analyze/c_library.hpp"
#include "loader/analyze/code_scan.hpp"
#include "loader/analyze/file.hpp"

namespace uni {
namespace {

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

using Calls = std::set<int>;  // -1 stands for an undecided site

// The C library as a graph of functions.
class Library {
 public:
  Library(const ClosureObject& object, std::string_view bytes) {
    const CodeScan scan = scan_code(bytes, object.facts.header, WantEdges::Yes);
    starts_ = function_starts(bytes, object.facts.header);
    for (const DynamicSymbol& s : object.facts.exports) {
      if (s.address == 0) continue;
      starts_.push_back(s.address);
      by_name_.emplace(s.name.substr(0, s.name.find('@')), s.address);
    }
    for (const CodeEdge& e : scan.edges) {
      if (e.is_call) starts_.push_back(e.to);
    }
    std::ranges::sort(starts_);
    starts_.erase(std::unique(starts_.begin(), starts_.end()), starts_.end());
    next_.resize(starts_.size());
    calls_.resize(starts_.size());
    for (const CodeEdge& e : scan.edges) {
      const auto from = function_of(e.from);
      const auto to = function_of(e.to);
      // An address in the middle of a function is taken of data or a jump table, unless it is a jump.
      if (from != kNone && to != kNone && from != to) next_[from].push_back(to);
    }
    for (const SyscallSite& s : scan.sites) {
      if (const auto f = function_of(s.address); f != kNone) calls_[f].insert(s.number);
    }
    for (const std::uint64_t p : object.facts.code_pointers) {
      if (std::ranges::binary_search(starts_, p)) always_.push_back(function_of(p));
    }
    always_.push_back(function_of(object.facts.header.entry));
  }

  // What is reachable from these symbols; where `names` is null, from the pointers in the library's data.
  Calls reach(const std::vector<std::string>* names) const {
    std::vector<std::size_t> todo;
    if (names == nullptr) {
      todo = always_;
    } else {
      for (const std::string& name : *names) {
        const auto [first, last] = by_name_.equal_range(name.substr(0, name.find('@')));
        for (auto it = first; it != last; ++it)
          todo.push_back(function_of(it->second));
      }
    }
    std::vector<bool> seen(starts_.size());
    Calls out;
    while (!todo.empty()) {
      const std::size_t f = todo.back();
      todo.pop_back();
      if (f == kNone || seen[f]) continue;
      seen[f] = true;
      out.insert(calls_[f].begin(), calls_[f].end());
      todo.insert(todo.end(), next_[f].begin(), next_[f].end());
    }
    return out;
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  std::size_t function_of(std::uint64_t address) const {
    const auto after = std::ranges::upper_bound(starts_, address);
    return after == starts_.begin() ? kNone : static_cast<std::size_t>(after - starts_.begin()) - 1;
  }

  std::vector<std::uint64_t> starts_;
  std::multimap<std::string, std::uint64_t> by_name_;
  std::vector<std::vector<std::size_t>> next_;
  std::vector<Calls> calls_;
  std::vector<std::size_t> always_;
};

void note_processes(const ClosureObject& object, const Calls& own, std::set<std::string>& evidence) {
  static constexpr std::string_view kStart[] = {
      "fork",   "_Fork", "vfork",  "posix_spawn", "posix_spawnp", "system", "popen",  "forkpty", "daemon",
      "execve", "execv", "execvp", "execvpe",     "execl",        "execlp", "execle", "fexecve", "execveat"};
  for (const std::string_view name : kStart) {
    if (std::ranges::binary_search(object.facts.imports, name)) evidence.insert(object.path + ": " + std::string(name));
  }
  // A static program has no imports; its code says it.
  static constexpr std::pair<int, std::string_view> kCalls[] = {
      {57, "fork"}, {58, "vfork"}, {59, "execve"}, {322, "execveat"}};
  if (!object.facts.imports.empty()) return;
  for (const auto& [number, name] : kCalls) {
    if (own.contains(number)) evidence.insert(object.path + ": " + std::string(name));
  }
}

}  // namespace

Expected<SyscallReport> find_syscalls(const Closure& closure) {
  std::map<int, std::set<std::string>> found;
  std::map<std::string, std::size_t> undecided;
  std::set<std::string> processes;
  std::vector<Library> libraries;
  const auto take = [&](const Calls& calls, const std::string& path) {
    for (const int number : calls) {
      if (number >= 0)
        found[number].insert(path);
      else
        ++undecided[path];
    }
  };
  for (const ClosureObject& object : closure.objects) {
    auto bytes = read_text(object.host, std::uint64_t{2} << 30);
    if (!bytes) return std::unexpected(bytes.error());
    const std::string name = base_name(object.path);
    const bool linker = object.path == closure.interpreter || name.starts_with("ld-");
    if (is_c_library(name) && !linker) {
      libraries.emplace_back(object, *bytes);
      take(libraries.back().reach(nullptr), object.path);
      continue;
    }
    if (is_c_library(name) && object.facts.soname.starts_with("libc.")) {
      libraries.emplace_back(object, *bytes);  // musl: one file is both
      take(libraries.back().reach(nullptr), object.path);
      continue;
    }
    const CodeScan scan = scan_code(*bytes, object.facts.header, WantEdges::No);
    Calls own;
    std::set<std::uint64_t> open_sites;
    for (const SyscallSite& site : scan.sites) {
      if (site.number >= 0) {
        own.insert(site.number);
      } else {
        open_sites.insert(site.address);
      }
    }
    take(own, object.path);
    if (!open_sites.empty()) undecided[object.path] += open_sites.size();
    // The dynamic linker's execve is for `ld.so --argv0 PROGRAM` on its own command line.
    if (!linker) note_processes(object, own, processes);
  }
  for (const ClosureObject& object : closure.objects) {
    if (is_c_library(base_name(object.path))) continue;
    for (const Library& library : libraries) {
      Calls calls = library.reach(&object.facts.imports);
      // A computed number inside the library is the library's own matter; syscall(2)'s is the caller's.
      if (!std::ranges::binary_search(object.facts.imports, "syscall")) calls.erase(-1);
      take(calls, object.path);
    }
  }
  SyscallReport report;
  for (const auto& [number, origins] : found) {
    report.uses.push_back({static_cast<unsigned>(number), {origins.begin(), origins.end()}});
  }
  for (const auto& [path, count] : undecided) {
    report.undecided.push_back(fmt::format("{}: {} call site{} with a number that is computed at run time", path, count,
                                           count == 1 ? "" : "s"));
  }
  report.processes.assign(processes.begin(), processes.end());
  return report;
}

std::string_view processes_wanted(const SyscallReport& report) {
  if (report.processes.empty()) return "none";
  // These make a process that executes nothing; all others end in an execve.
  static constexpr std::string_view kOnlyFork[] = {"fork", "_Fork", "vfork", "daemon", "forkpty"};
  for (const std::string& evidence : report.processes) {
    const std::string name = evidence.substr(evidence.rfind(' ') + 1);
    if (std::ranges::find(kOnlyFork, name) == std::end(kOnlyFork)) return "exec";
  }
  return "fork";
}

}  // namespace uni
