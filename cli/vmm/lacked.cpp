// SPDX-License-Identifier: Apache-2.0
#include "cli/vmm/lacked.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <ranges>
#include <set>
#include <string_view>
#include <utility>

#include "cli/report/report.hpp"
#include "loader/analyze/program_file.hpp"
#include "loader/analyze/sysroot.hpp"

namespace uni::vmm {
namespace {

using report::printable;

constexpr std::size_t kMostKept = 1000;       // of each list: the guest is not trusted
constexpr std::size_t kMostLookedAtData = 5;  // run-time systems do without most of what they look at

// What lies there is this machine's, or the packer makes the image's own.
bool stays_out(std::string_view path) {
  constexpr std::string_view kTops[] = {"/proc/", "/sys/", "/dev/", "/run/"};
  return path == "/etc/ld.so.cache" || path == "/etc/ld.so.preload" ||
         std::ranges::any_of(kTops, [&](std::string_view top) { return path.starts_with(top); });
}

// A word of a command line as a shell takes it.
std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "%+,-./:=@_";
  if (!text.empty() && std::ranges::all_of(text, [&](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || kPlain.contains(c);
      }))
    return std::string(text);
  std::string quoted = "'";
  for (const char c : text)
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// The sentences so far, and what they name already: a file by any of its paths, a program by its name.
class Sentences {
 public:
  explicit Sentences(const FoundElsewhere& elsewhere) : elsewhere_(elsewhere) {}

  void program(const std::string& path, std::string_view what) {
    if (stays_out(path) || (elsewhere_ && elsewhere_(path)) || !is_program_file(path) ||
        named_.contains(base_name(path)) || !first(path))
      return;
    named_.insert(base_name(path));
    out_.push_back(fmt::format("the program {} `{}`, which is not in the image; `uni pack --add-program {}` adds it",
                               what, printable(path), shell_word(printable(path))));
  }

  bool data(const std::string& path, std::string_view what) {
    if (stays_out(path) || !first(path)) return false;
    const std::string shown = printable(path);
    out_.push_back(fmt::format("the program {} `{}`, which is not in the image; `uni pack -a {}` adds it", what, shown,
                               shell_word(shown + ":" + shown)));
    return true;
  }

  std::vector<std::string> take() { return std::move(out_); }

 private:
  static std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

  // A regular file of this machine that no sentence names yet.
  bool first(const std::string& path) {
    struct stat st {};
    return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) && files_.insert({st.st_dev, st.st_ino}).second;
  }

  const FoundElsewhere& elsewhere_;
  std::vector<std::string> out_;
  std::set<std::pair<dev_t, ino_t>> files_;
  std::set<std::string> named_;
};

}  // namespace

void Lacked::keep(std::vector<std::string>& list, std::string path) {
  if (path.starts_with('/') && list.size() < kMostKept) list.push_back(normalise(path));
}

std::vector<std::string> Lacked::hints(const FoundElsewhere& elsewhere) const {
  Sentences sentences(elsewhere);
  for (const std::string& path : executed_)
    sentences.program(path, "tried to execute");
  for (const std::string& path : opened_)
    sentences.data(path, "opened");
  for (const std::string& path : looked_at_)
    sentences.program(path, "looked for");
  std::size_t told = 0;
  for (const std::string& path : std::views::reverse(looked_at_)) {
    if (told < kMostLookedAtData && !is_program_file(path) && sentences.data(path, "looked for")) ++told;
  }
  return sentences.take();
}

}  // namespace uni::vmm
