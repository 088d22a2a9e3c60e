// SPDX-License-Identifier: Apache-2.0
// call graph -> numbers -> who makes them. The evidence of fork and exec comes from the same graph.
#include "loader/analyze/syscalls_used.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "loader/analyze/call_graph.hpp"
#include "loader/analyze/file.hpp"
#include "loader/analyze/number_search.hpp"
#include "loader/analyze/parallel.hpp"
#include "loader/analyze/port_search.hpp"
#include "loader/analyze/scan_cache.hpp"
#include "loader/analyze/syscall_origins.hpp"

namespace uni {
namespace {

// Functions of the C libraries that make a process that executes nothing, and those that start another program.
constexpr std::string_view kForkNames[] = {"fork",  "_Fork",   "__fork", "__libc_fork",
                                           "vfork", "__vfork", "daemon", "forkpty"};
constexpr std::string_view kExecNames[] = {
    "posix_spawn", "posix_spawnp", "pidfd_spawn", "pidfd_spawnp", "system", "popen",  "wordexp", "execve",
    "execv",       "execvp",       "execvpe",     "execl",        "execlp", "execle", "fexecve", "execveat"};
constexpr unsigned kFork = 57;
constexpr unsigned kVfork = 58;
constexpr unsigned kExecve = 59;
constexpr unsigned kExecveat = 322;

void find_processes(const CallGraph& graph, const NumberSearch& search, const std::vector<LibraryUse>& uses,
                    SyscallReport& report) {
  std::set<std::string> evidence;
  for (const LibraryUse& use : uses) {
    if (std::ranges::find(kForkNames, use.name) == std::end(kForkNames) &&
        std::ranges::find(kExecNames, use.name) == std::end(kExecNames)) {
      continue;
    }
    const GraphObject& o = graph.objects()[use.user.object];
    evidence.insert(fmt::format("{}: {} -> {}", o.path, o.name_of(use.user.node), use.name));
  }
  // The C library's own instructions count where another object asks for them, which is above.
  const auto direct = [&](const NodeRef& at, std::string_view what) {
    const GraphObject& o = graph.objects()[at.object];
    if (o.c_library) return;
    evidence.insert(fmt::format("{}: {} makes {}", o.path, o.name_of(at.node), what));
  };
  for (const auto& [number, what] : {std::pair<unsigned, std::string_view>{kFork, "fork"},
                                     {kVfork, "vfork"},
                                     {kExecve, "execve"},
                                     {kExecveat, "execveat"}}) {
    const auto found = search.numbers().find(number);
    if (found == search.numbers().end()) continue;
    for (const NodeRef& at : found->second)
      direct(at, what);
  }
  for (const NodeRef& at : search.forks())
    direct(at, "clone");
  report.processes.assign(evidence.begin(), evidence.end());
}

// Programs in the image that are none of the objects: what they do is not known.
std::vector<std::string> other_programs(const Closure& closure) {
  std::set<std::string> known;
  for (const ClosureObject& object : closure.objects)
    known.insert(object.path);
  std::vector<std::string> out;
  for (const auto& [path, entry] : closure.files) {
    if (entry.kind != FileEntry::Kind::File || (entry.mode & 0111U) == 0 || entry.origin.empty() ||
        known.contains(path))
      continue;
    const auto file = InputFile::open(entry.origin);
    char magic[4] = {};
    if (file && file->read_exact(0, magic) && std::string_view(magic, 4) == "\177ELF") out.push_back(path);
  }
  return out;
}

Expected<SyscallReport> search_closure(const Closure& closure) {
  const unsigned threads = usable_processors();
  auto graph = CallGraph::build(closure, threads);
  if (!graph) return std::unexpected(graph.error());
  graph->walk();
  NumberSearch search(*graph);
  search.run();
  const std::vector<LibraryUse> uses = library_uses(*graph);

  SyscallReport report;
  for (auto& [number, origins] : call_origins(*graph, search, uses))
    report.uses.push_back({number, std::move(origins)});
  std::set<std::string> undecided;
  for (const NumberSearch::Open& open : search.undecided()) {
    const GraphObject& o = graph->objects()[open.node.object];
    undecided.insert(fmt::format("{}: {}+{:#x}: {}", o.path, o.name_of(open.node.node),
                                 open.at - o.begin_of(open.node.node), open.why));
  }
  find_processes(*graph, search, uses, report);
  report.ports = find_ports(*graph);
  if (processes_wanted(report) == "exec") {
    for (const std::string& path : other_programs(closure))
      undecided.insert(path + ": a program of the image that is not looked at");
  }
  report.undecided.assign(undecided.begin(), undecided.end());
  return report;
}

}  // namespace

Expected<SyscallReport> find_syscalls(const Closure& closure) {
  const ScanCache cache(closure);
  if (auto known = cache.load()) return std::move(*known);
  auto report = search_closure(closure);
  if (report) cache.store(*report);
  return report;
}

void add_port(SyscallReport& report, PortUse port) {
  const auto at =
      std::ranges::find_if(report.ports, [&](const PortUse& p) { return p.number == 0 || p.number >= port.number; });
  if (at == report.ports.end() || at->number != port.number) report.ports.insert(at, std::move(port));
}

std::string_view processes_wanted(const SyscallReport& report) {
  if (report.processes.empty()) return "none";
  for (const std::string& evidence : report.processes) {
    const std::string name = evidence.substr(evidence.rfind(' ') + 1);
    if (name != "clone" && std::ranges::find(kForkNames, name) == std::end(kForkNames)) return "exec";
  }
  return "fork";
}

}  // namespace uni
