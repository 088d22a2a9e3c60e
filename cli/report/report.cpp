// SPDX-License-Identifier: Apache-2.0
// Writes diagnostics and data. Colour only on a terminal and without NO_COLOR (no-color.org).
#include "cli/report/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace uni::report {
namespace {

int g_data_error = 0;  // the errno of the first write to stdout that failed

bool colour() {
  const char* no = std::getenv("NO_COLOR");
  return isatty(STDERR_FILENO) == 1 && (no == nullptr || *no == '\0');
}

void line(std::string_view label, const char* style, std::string_view text) {
  std::string out;
  if (colour()) {
    out.append(style).append(label).append("\x1b[0m");
  } else {
    out.append(label);
  }
  out.append(printable(text)).push_back('\n');
  std::fwrite(out.data(), 1, out.size(), stderr);
}

long long now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

int error(const Diagnostic& d) {
  std::string text;
  if (!d.where.empty()) text.append(d.where).append(": ");
  text.append(d.what);
  if (!d.why.empty()) text.append(": ").append(d.why);
  line("uni: error: ", "\x1b[1;31m", text);
  if (!d.hint.empty()) line("hint: ", "\x1b[1;36m", d.hint);
  return static_cast<int>(d.code);
}

void warning(std::string_view text) {
  line("uni: warning: ", "\x1b[1;33m", text);
}

void hint(std::string_view text) {
  line("hint: ", "\x1b[1;36m", text);
}

void note(std::string_view text) {
  line("uni: ", "\x1b[1m", text);
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return out;
}

void data(std::string_view bytes) {
  errno = 0;
  const bool whole = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
  if ((!whole || std::fflush(stdout) != 0) && g_data_error == 0) g_data_error = errno != 0 ? errno : EIO;
}

int data_error() {
  return g_data_error;
}

Progress::Progress(std::string_view title, unsigned long long total)
    : title_(title), total_(total), started_ms_(now_ms()), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\x1b[K", stderr);
}

void Progress::advance(unsigned long long amount, std::string_view item) {
  done_ += amount;
  if (!terminal_) return;
  const long long now = now_ms();
  // Short work stays silent; long work is redrawn ten times a second.
  if (now - started_ms_ < 500 || now - last_shown_ms_ < 100) return;
  last_shown_ms_ = now;
  shown_ = true;
  std::string text = "\r\x1b[K" + title_;
  if (total_ > 0) {
    constexpr unsigned kWidth = 24;
    const unsigned long long part = std::min(done_, total_);
    const auto full = static_cast<std::size_t>(part * kWidth / total_);
    text += " [" + std::string(full, '#') + std::string(kWidth - full, ' ') + "] " +
            std::to_string(part * 100 / total_) + " %";
  }
  if (!item.empty()) text.append(" ").append(printable(item.substr(0, 60)));
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace uni::report
