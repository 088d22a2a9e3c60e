// SPDX-License-Identifier: Apache-2.0
// A file a closure: lines of text that end with a digest of themselves. Written under another name and renamed, so that
// two packers at once do no harm. Entries that were not used for a month are removed when a new one is made.
#include "loader/analyze/scan_cache.hpp"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "loader/analyze/digest.hpp"
#include "loader/analyze/file.hpp"

namespace uni {
namespace {

namespace fs = std::filesystem;

// Grows with every change of what the search finds.
constexpr std::string_view kVersion = "uni analysis 8";
constexpr auto kUnusedFor = std::chrono::hours(24 * 30);

fs::path directory() {
  const char* chosen = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  // A relative path there is invalid and to be ignored (XDG base directory specification).
  if (chosen != nullptr && *chosen == '/') return fs::path(chosen) / "uni" / "analysis";
  if (home != nullptr && *home == '/') return fs::path(home) / ".cache" / "uni" / "analysis";
  return {};
}

std::string text_of(const SyscallReport& report) {
  std::string text;
  for (const SyscallUse& use : report.uses) {
    text += "call " + std::to_string(use.number) + "\n";
    for (const std::string& origin : use.origins)
      text += "origin " + origin + "\n";
  }
  for (const std::string& u : report.undecided)
    text += "undecided " + u + "\n";
  for (const std::string& p : report.processes)
    text += "evidence " + p + "\n";
  for (const PortUse& p : report.ports)
    text += "port " + std::to_string(p.number) + " " + p.evidence + "\n";
  return text;
}

bool read_number(std::string_view text, unsigned& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

std::optional<SyscallReport> report_of(const std::string& text) {
  SyscallReport report;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.find(' ');
    if (space == std::string::npos) return std::nullopt;
    const std::string key = line.substr(0, space);
    std::string value = line.substr(space + 1);
    if (key == "call") {
      unsigned number = 0;
      if (!read_number(value, number)) return std::nullopt;
      report.uses.push_back({number, {}});
    } else if (key == "origin" && !report.uses.empty()) {
      report.uses.back().origins.push_back(std::move(value));
    } else if (key == "undecided") {
      report.undecided.push_back(std::move(value));
    } else if (key == "port") {
      const std::size_t gap = value.find(' ');
      unsigned number = 0;
      if (gap == std::string::npos || !read_number(std::string_view(value).substr(0, gap), number)) return std::nullopt;
      report.ports.push_back({number, value.substr(gap + 1)});
    } else if (key == "evidence") {
      report.processes.push_back(std::move(value));
    } else {
      return std::nullopt;
    }
  }
  return report;
}

void remove_unused(const fs::path& dir) {
  std::error_code error;
  const auto limit = fs::file_time_type::clock::now() - kUnusedFor;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir, error)) {
    std::error_code ignored;
    if (entry.is_regular_file(ignored) && entry.last_write_time(ignored) < limit && !ignored)
      fs::remove(entry.path(), ignored);
  }
}

}  // namespace

ScanCache::ScanCache(const Closure& closure) {
  std::string all(kVersion);
  all += "\n" + closure.interpreter + "\n";
  for (const ClosureObject& object : closure.objects) {
    const auto entry = closure.files.find(object.path);
    // A path with a newline would end a line; without a digest nothing can be known again.
    if (entry == closure.files.end() || entry->second.sha256.empty() || object.path.find('\n') != std::string::npos)
      return;
    all += object.path + " " + entry->second.sha256 + "\n";
  }
  // Compiled Lisp names functions (call_graph.cpp).
  for (const auto& [path, entry] : closure.files) {
    if ((path.ends_with(".core") || path.ends_with(".fasl")) && path.find('\n') == std::string::npos)
      all += path + " " + entry.sha256 + "\n";
  }
  if (const fs::path dir = directory(); !dir.empty()) file_ = dir / sha256_of(all).substr(0, 32);
}

std::optional<SyscallReport> ScanCache::load() const {
  std::error_code error;
  if (file_.empty() || !fs::is_regular_file(file_, error)) return std::nullopt;
  const auto text = read_text(file_);
  if (!text || text->size() < 65) return std::nullopt;
  const std::string body = text->substr(65);
  if (text->substr(0, 64) != sha256_of(body)) return std::nullopt;
  fs::last_write_time(file_, fs::file_time_type::clock::now(), error);  // it is in use: see remove_unused()
  return report_of(body);
}

void ScanCache::store(const SyscallReport& report) const {
  if (file_.empty()) return;
  std::error_code error;
  fs::create_directories(file_.parent_path(), error);
  if (error) return;
  remove_unused(file_.parent_path());
  const std::string body = text_of(report);
  const fs::path temporary = file_.string() + "." + std::to_string(::getpid());
  {
    std::ofstream out(temporary, std::ios::binary);
    out << sha256_of(body) << '\n' << body;
    if (!out.flush()) {
      fs::remove(temporary, error);
      return;
    }
  }
  fs::rename(temporary, file_, error);
  if (error) fs::remove(temporary, error);
}

}  // namespace uni
