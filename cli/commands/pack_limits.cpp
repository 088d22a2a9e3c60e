// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/pack_limits.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "manifests/manifest.hpp"

namespace uni {
namespace {

// Decimal; with a suffix in units of 2^10, 2^20 or 2^30. Nothing where it is no number from 1 to 2^63 - 1.
std::optional<std::uint64_t> amount(std::string_view text, bool suffix) {
  unsigned shift = 0;
  if (suffix && !text.empty()) {
    constexpr std::string_view kSuffixes = "KMG";
    const std::size_t at = kSuffixes.find(text.back());
    if (at != std::string_view::npos) {
      shift = 10 * (static_cast<unsigned>(at) + 1);
      text.remove_suffix(1);
    }
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
  if (error != std::errc{} || end != text.end() || value == 0 || value > (std::uint64_t{INT64_MAX} >> shift)) {
    return std::nullopt;
  }
  return value << shift;
}

// Processors with up to three decimals, in thousandths.
std::optional<std::uint64_t> processors(std::string_view text) {
  const std::size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  std::string decimals(point == std::string_view::npos ? "" : text.substr(point + 1));
  if (decimals.size() > 3 || (point != std::string_view::npos && decimals.empty())) return std::nullopt;
  decimals.resize(3, '0');
  digits += decimals;
  const auto value = amount(digits, false);
  return value && *value >= 10 && *value <= 1'000'000 ? value : std::nullopt;
}

std::optional<std::uint64_t> most_of(const std::string& name, std::string_view text) {
  return name == "cpu" ? processors(text) : amount(text, name == "memory");
}

}  // namespace

Expected<std::map<std::string, std::uint64_t>> limits_of(const std::vector<std::string>& given) {
  std::map<std::string, std::uint64_t> out;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const bool known = std::ranges::find(kLimitNames, name) != std::end(kLimitNames);
    const auto most = equals == std::string::npos ? std::nullopt : most_of(name, text.substr(equals + 1));
    if (!known || !most) {
      return fail(
          {.what = known ? name == "cpu" ? "`--limit cpu=` needs processors from 0.01 to 1000"
                                         : "`--limit` needs a number from 1 on"
                         : "`--limit` knows no such limit",
           .where = text,
           .why = {},
           .hint =
               "write processes=N, threads=N, files=N, memory=SIZE or cpu=PROCESSORS, for example `--limit cpu=1.5`",
           .code = ExitCode::kUsage});
    }
    out[name] = *most;
  }
  return out;
}

}  // namespace uni
