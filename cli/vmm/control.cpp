// SPDX-License-Identifier: Apache-2.0
// Control lines. At most kLineLimit bytes of a line and kHintLimit hints are kept, whatever the guest sends.
#include "cli/vmm/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/report/report.hpp"

namespace uni::vmm {
namespace {

using report::printable;

constexpr std::size_t kLineLimit = 16384;
constexpr std::size_t kHintLimit = 20;
constexpr std::size_t kLogLimit = 1000;

std::optional<int> number(const std::vector<std::string>& words, std::size_t index, int most) {
  if (words.size() <= index) return std::nullopt;
  const std::string& word = words[index];
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size() || value < 0 || value > most) return std::nullopt;
  return value;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool is_logged(std::string_view verb) {
  return verb == "exit" || verb == "killed" || verb == "refused" || verb == "permission" ||
         verb.starts_with("missing-") || verb.starts_with("denied-");
}

std::string refusal_reason(std::string_view word) {
  if (word == "ENOENT") return "the file or its interpreter is not in the image";
  if (word == "ENOEXEC") return "it is not a program for this machine";
  if (word == "EACCES") return "it is not executable";
  if (word == "ENOMEM") return "it does not fit into the machine's memory";
  return printable(word);
}

std::string refusal_hint(std::string_view word) {
  if (word == "ENOMEM") return "give the machine more memory with `-m`";
  if (word == "ENOENT") return "`uni inspect IMAGE` lists what the image holds";
  return "make the image again with `uni pack`";
}

}  // namespace

std::vector<std::string> control_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ' ') {
      words.push_back(std::move(word));
      word.clear();
    } else if (line[i] == '%' && i + 2 < line.size() && hex_digit(line[i + 1]) >= 0 && hex_digit(line[i + 2]) >= 0) {
      word += static_cast<char>(hex_digit(line[i + 1]) * 16 + hex_digit(line[i + 2]));
      i += 2;
    } else {
      word += line[i];
    }
  }
  words.push_back(std::move(word));
  return words;
}

void GuestReport::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\n') {
      if (!overlong_) line(partial_);
      partial_.clear();
      overlong_ = false;
    } else if (partial_.size() < kLineLimit) {
      partial_ += c;
    } else {
      overlong_ = true;
    }
  }
}

void GuestReport::line(std::string_view text) {
  const std::vector<std::string> words = control_words(text);
  const std::string& verb = words[0];
  const std::string subject = words.size() > 1 ? printable(words[1]) : "";
  if (is_logged(verb) && log_lines_.size() < kLogLimit) log_lines_.push_back(printable(text));
  if (verb == "ready") {
    ready_ = true;
  } else if (verb == "exit") {
    if (const auto status = number(words, 1, 255)) status_ = *status;
  } else if (verb == "killed") {
    if (const auto signal = number(words, 1, 64)) status_ = 128 + *signal;
  } else if (verb == "refused" && words.size() > 2) {
    refused_ = Diagnostic{.what = "the program cannot start",
                          .where = printable(words[2]),
                          .why = refusal_reason(words[1]),
                          .hint = refusal_hint(words[1]),
                          .code = ExitCode::kRunFailed};
  } else if (verb == "missing-syscall" && !subject.empty()) {
    hint(fmt::format("the program called `{}`, which the kernel lacks", subject));
  } else if (verb == "denied-syscall" && words.size() > 2) {
    hint(fmt::format(
        "the program called `{}`, which the image's list of system calls does not have, and was {}; `uni pack "
        "--syscalls all` makes no list",
        subject, words[2] == "ended" ? "ended" : "answered ENOSYS"));
  } else if (verb == "missing-file" && words.size() > 1) {
    lacked_.opened(words[1]);
  } else if (verb == "missing-path" && words.size() > 1) {
    lacked_.looked_at(words[1]);
  } else if (verb == "missing-program" && words.size() > 1) {
    lacked_.executed(words[1]);
  } else if (verb == "left-running" && words.size() > 2) {
    left_running_ = fmt::format(
        "the program ended while {} of its processes still ran (`{}`), and the machine ended with it; a server must "
        "stay in the foreground",
        subject, printable(words[2]));
  } else if (verb == "permission" && !subject.empty()) {
    hint(fmt::format("the program needs the permission `{}`; `uni pack --processes {}` gives it", subject,
                     subject.substr(subject.find('=') + 1)));
  }
}

void GuestReport::hint(std::string text) {
  if (hints_.size() < kHintLimit && std::ranges::find(hints_, text) == hints_.end()) hints_.push_back(std::move(text));
}

std::vector<std::string> GuestReport::hints(const FoundElsewhere& elsewhere) const {
  std::vector<std::string> all = hints_;
  for (std::string& text : lacked_.hints(elsewhere)) {
    if (all.size() < kHintLimit) all.push_back(std::move(text));
  }
  return all;
}

std::string signal_line(int number) {
  return fmt::format("signal {}\n", number);
}

std::string winsize_line(unsigned rows, unsigned columns) {
  return fmt::format("winsize {} {}\n", rows, columns);
}

}  // namespace uni::vmm
