// SPDX-License-Identifier: Apache-2.0
// Splits COM1 into lines. A line longer than kLineLimit is passed on in pieces, so memory stays bounded.
#include "cli/vmm/kernel_log.hpp"

#include <utility>

namespace uni::vmm {
namespace {

constexpr std::size_t kLineLimit = 65536;
constexpr std::string_view kPanic = "uni-kernel: panic: ";
constexpr std::string_view kPanicEnd = "uni-kernel: panic end";
constexpr std::string_view kStrace = "strace: ";

}  // namespace

KernelLog::KernelLog(LogLevel level, Trace trace, std::function<void(std::string_view)> show)
    : level_(level), trace_(trace), show_(std::move(show)) {}

void KernelLog::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    partial_.append(bytes.substr(0, end));
    if (end == std::string_view::npos && partial_.size() < kLineLimit) return;
    line(std::exchange(partial_, {}));
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
  }
}

void KernelLog::end() {
  if (!partial_.empty()) line(std::exchange(partial_, {}));
}

void KernelLog::line(std::string_view text) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.find(kPanic) != std::string_view::npos) panicked_ = in_panic_ = true;
  const bool trace = text.starts_with(kStrace);
  const bool visible = in_panic_ || level_ == LogLevel::kVerbose || (trace && trace_ == Trace::kStrace);
  if (visible) {
    if (trace) text.remove_prefix(kStrace.size());
    show_(std::string(text) + "\n");
  }
  if (text.find(kPanicEnd) != std::string_view::npos) in_panic_ = false;
}

}  // namespace uni::vmm
