// SPDX-License-Identifier: Apache-2.0
// The verdict of `uni inspect`.
#include "cli/image/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "loader/analyze/syscall_table.hpp"

namespace uni {
namespace {

// What the C libraries' and Go's start-up make before main, and what every end needs.
constexpr std::string_view kEssential[] = {"read",       "write",  "mmap",           "mprotect", "munmap",
                                           "brk",        "openat", "close",          "execve",   "arch_prctl",
                                           "exit_group", "futex",  "rt_sigaction",   "fstat",    "newfstatat",
                                           "clone",      "clone3", "rt_sigprocmask", "pread64",  "set_tid_address"};

std::string join(const std::vector<std::string>& words, std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < words.size() && i < limit; ++i)
    out += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > limit) out += fmt::format(" and {} more", words.size() - limit);
  return out;
}

}  // namespace

Verdict judge(const Manifest& manifest) {
  Verdict verdict;
  std::vector<std::string> missing;
  for (const SyscallUse& use : manifest.syscalls.uses) {
    const SyscallRow* row = find_syscall(use.number);
    const std::string name = row != nullptr ? std::string(row->name) : fmt::format("number {}", use.number);
    const Level level = row != nullptr ? row->level : Level::Missing;
    if (level == Level::Missing && name != "execve" && std::ranges::find(kEssential, name) != std::end(kEssential)) {
      verdict.reasons.push_back(fmt::format("the kernel lacks the system call `{}`", name));
    } else if (level == Level::Missing) {
      missing.push_back(name);
    } else if (level == Level::Partial) {
      verdict.notes.push_back(fmt::format("`{}` is there in part: {}", name, row->note));
    }
  }
  if (!missing.empty()) {
    verdict.notes.push_back("its code holds calls that answer ENOSYS: " + join(missing, 40));
  }
  if (!manifest.syscalls.processes.empty() && manifest.processes == "none") {
    verdict.notes.push_back("its code can start processes, which the manifest does not permit: " +
                            join(manifest.syscalls.processes, 6));
  }
  for (const std::string& u : manifest.syscalls.undecided)
    verdict.notes.push_back("not decided: " + u);
  if (!manifest.syscalls.undecided.empty() && manifest.call_mode == "all") {
    verdict.notes.push_back("its system calls are not limited to those found, because some are not decided");
  }
  verdict.kind = !verdict.reasons.empty() ? Verdict::Kind::WillNotRun
                 : verdict.notes.empty()  ? Verdict::Kind::Runs
                                          : Verdict::Kind::RunsWithNotes;
  return verdict;
}

std::string_view verdict_name(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::Runs:
      return "runs";
    case Verdict::Kind::RunsWithNotes:
      return "runs with notes";
    case Verdict::Kind::WillNotRun:
      return "will not run";
  }
  return "will not run";
}

}  // namespace uni
