// SPDX-License-Identifier: Apache-2.0
// Lines are those of the control channel (docs/IMAGE.md), words escaped in the same way, so that a run's log and a
// trace are read by one reader.
#include "cli/trace/learned.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "cli/vmm/control.hpp"
#include "loader/analyze/file.hpp"
#include "loader/analyze/syscall_table.hpp"
#include "loader/analyze/sysroot.hpp"

namespace uni::trace {
namespace {

constexpr std::string_view kTraceHead = "# uni trace 1";
constexpr std::string_view kLogHead = "# What the program lacked";
// Of the machine that the program ran on, or made by the packer for the image.
constexpr std::string_view kOfTheMachine[] = {"/proc/", "/sys/", "/dev/", "/run/"};
constexpr std::string_view kMade[] = {"/etc/ld.so.cache",
                                      "/etc/ld.so.preload",
                                      "/etc/passwd",
                                      "/etc/group",
                                      "/etc/shadow",
                                      "/etc/gshadow",
                                      "/etc/resolv.conf",
                                      "/etc/hosts",
                                      "/etc/hostname",
                                      "/etc/machine-id",
                                      "/",
                                      "/proc",
                                      "/sys",
                                      "/dev",
                                      "/run",
                                      "/tmp"};

bool stays_out(const std::string& path) {
  return std::ranges::any_of(kOfTheMachine, [&](std::string_view p) { return path.starts_with(p); }) ||
         std::ranges::find(kMade, path) != std::end(kMade);
}

std::string word(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte > 0x20 && byte < 0x7f && c != '%' ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

std::string name_of(unsigned number) {
  const SyscallRow* row = find_syscall(number);
  return row != nullptr ? std::string(row->name) : fmt::format("syscall_{}", number);
}

std::optional<unsigned> number_of(const std::string& name) {
  if (const SyscallRow* row = find_syscall(name)) return row->number;
  constexpr std::string_view kPrefix = "syscall_";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  unsigned number = 0;
  const char* begin = name.data() + kPrefix.size();
  const auto [end, error] = std::from_chars(begin, name.data() + name.size(), number);
  return error == std::errc{} && end == name.data() + name.size() ? std::optional(number) : std::nullopt;
}

void allow(Learned& learned, const std::string& permission) {
  if (permission == "exec" || (permission == "fork" && learned.processes == "none")) learned.processes = permission;
}

void take_line(const std::vector<std::string>& words, Learned& learned) {
  const std::string& verb = words[0];
  const std::string subject = words.size() > 1 ? words[1] : "";
  if (subject.empty()) return;
  if (verb == "file" || verb == "missing-file") {
    if (subject.starts_with('/') && !stays_out(normalise(subject))) learned.files.insert(normalise(subject));
  } else if (verb == "missing-path") {
    if (subject.starts_with('/') && !stays_out(normalise(subject))) learned.looked.push_back(normalise(subject));
  } else if (verb == "here" && words.size() > 2) {
    learned.placed.push_back({words[2], subject});
  } else if (verb == "program" || verb == "missing-program") {
    if (subject.starts_with('/')) learned.programs.insert(normalise(subject));
  } else if (verb == "syscall" || verb == "denied-syscall") {
    if (const auto number = number_of(subject)) learned.calls.insert(*number);
  } else if (verb == "port") {
    unsigned port = 0;
    std::from_chars(subject.data(), subject.data() + subject.size(), port);
    if (port > 0 && port < 65536) learned.ports.insert(port);
  } else if (verb == "permission") {
    allow(learned, subject.substr(subject.find('=') + 1));
  }
}

}  // namespace

std::string trace_text(const Record& record) {
  std::string out = std::string(kTraceHead) + "\n";
  for (const auto& [path, file] : record.files) {
    if (file.executed) {
      out += "program " + word(path) + "\n";
    } else if (!file.named.empty() && !file.directory) {
      out += "here " + word(file.named) + " " + word(path) + "\n";
    } else {
      out += "file " + word(path) + "\n";
    }
  }
  for (const std::string& path : record.missing)
    out += "absent " + word(path) + "\n";
  for (const unsigned number : record.calls)
    out += "syscall " + name_of(number) + "\n";
  for (const unsigned port : record.ports)
    out += fmt::format("port {}\n", port);
  if (record.execs != 0) out += "permission processes=exec\n";
  if (record.execs == 0 && record.forks != 0) out += "permission processes=fork\n";
  out += fmt::format("forks {}\nexecs {}\nstatus {}\n", record.forks, record.execs, record.status);
  return out;
}

Expected<void> read_learned(const std::filesystem::path& file, Learned& learned) {
  const auto text = read_text(file);
  if (!text) return std::unexpected(text.error());
  const bool trace = text->starts_with(kTraceHead);
  if (!trace && !text->starts_with(kLogHead)) {
    return fail({.what = "neither a trace nor the log of a run",
                 .where = file.string(),
                 .why = {},
                 .hint = "`uni trace -o FILE -- PROGRAM` and `uni run --log FILE` write such files"});
  }
  learned.reason = trace ? "traced" : "learned from a run";
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != '#') take_line(vmm::control_words(line), learned);
  }
  return {};
}

Learned learned_of(const Record& record) {
  Learned learned{
      .reason = "traced", .files = {}, .placed = {}, .looked = {}, .programs = {}, .calls = {}, .ports = {}};
  std::istringstream lines(trace_text(record));
  for (std::string line; std::getline(lines, line);) {
    if (line[0] != '#') take_line(vmm::control_words(line), learned);
  }
  return learned;
}

void add_learned(const Learned& learned, Manifest& m) {
  auto& uses = m.syscalls.uses;
  for (const unsigned number : learned.calls) {
    const auto at = std::ranges::lower_bound(uses, number, {}, &SyscallUse::number);
    if (at == uses.end() || at->number != number) uses.insert(at, {number, {learned.reason}});
  }
  for (const unsigned port : learned.ports)
    add_port(m.syscalls, {port, learned.reason});
  const auto rank = [](const std::string& p) { return p == "exec" ? 2 : p == "fork" ? 1 : 0; };
  if (rank(learned.processes) > rank(m.processes)) {
    m.processes = learned.processes;
    m.syscalls.processes.push_back(learned.reason + ": " + learned.processes);
  }
}

void add_learned(const Learned& learned, ClosureRequest& request) {
  request.learned.push_back({.reason = learned.reason,
                             .files = {learned.files.begin(), learned.files.end()},
                             .looked = learned.looked,
                             .programs = {learned.programs.begin(), learned.programs.end()},
                             .placed = learned.placed});
}

Expected<void> add_learned_files(const Learned& learned, Manifest& m) {
  ClosureRequest request;
  request.cwd = m.directory;
  request.environment = m.environment;
  add_learned(learned, request);
  auto files = extend_closure(request, std::move(m.files), m.program, m.interpreter);
  if (!files) return std::unexpected(files.error());
  m.files = std::move(*files);
  return {};
}

}  // namespace uni::trace
