// SPDX-License-Identifier: Apache-2.0
// Flags with structure. Docker's notation, as far as it goes.
#include "cli/vmm/parse.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <filesystem>
#include <optional>
#include <string>

#include "loader/analyze/file.hpp"

namespace uni::vmm {
namespace {

constexpr std::uint64_t kLeastMemory = std::uint64_t{4} << 20;
constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 42;

template <typename T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::unexpected<Diagnostic> bad(std::string_view flag, std::string_view text, std::string why, std::string hint) {
  return fail({.what = "cannot use `" + std::string(flag) + " " + std::string(text) + "`",
               .where = {},
               .why = std::move(why),
               .hint = std::move(hint),
               .code = ExitCode::kRunFailed});
}

bool numeric_address(const std::string& text) {
  in6_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1 || ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

}  // namespace

Expected<Publish> parse_publish(std::string_view text) {
  constexpr const char* kForm = "write `-p [IP:]HOST:GUEST[/udp]`, for example `-p 8080:80`";
  Publish p;
  std::string_view rest = text;
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    const std::string_view protocol = rest.substr(slash + 1);
    if (protocol != "tcp" && protocol != "udp") return bad("-p", text, "the protocol is neither tcp nor udp", kForm);
    if (protocol == "udp") p.protocol = Publish::Protocol::kUdp;
    rest = rest.substr(0, slash);
  }
  const std::size_t last = rest.rfind(':');
  if (last == std::string_view::npos) return bad("-p", text, "there is no colon", kForm);
  const auto guest = whole_number<std::uint16_t>(rest.substr(last + 1));
  rest = rest.substr(0, last);
  if (const std::size_t colon = rest.rfind(':'); colon != std::string_view::npos) {
    p.address = rest.substr(0, colon);
    if (p.address.starts_with('[') && p.address.ends_with(']')) p.address = p.address.substr(1, p.address.size() - 2);
    if (!numeric_address(p.address)) return bad("-p", text, "`" + p.address + "` is not an IP address", kForm);
    rest = rest.substr(colon + 1);
  }
  const auto host = whole_number<std::uint16_t>(rest);
  if (!host || !guest || *host == 0 || *guest == 0) return bad("-p", text, "a port is a number from 1 to 65535", kForm);
  p.host = *host;
  p.guest = *guest;
  return p;
}

Expected<Share> parse_share(std::string_view text) {
  constexpr const char* kForm = "write `-v SRC:DST[:ro]`, for example `-v ./data:/data`";
  Share share;
  std::string_view rest = text;
  if (rest.ends_with(":ro")) share.access = Share::Access::kReadOnly;
  if (rest.ends_with(":ro") || rest.ends_with(":rw")) rest.remove_suffix(3);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad("-v", text, "there is no `SRC:DST`", kForm);
  share.target = rest.substr(colon + 1);
  if (!share.target.starts_with('/')) return bad("-v", text, "the guest's path is not absolute", kForm);
  // The boot configuration's mount record separates its fields with colons, so neither path may hold one at its end.
  const std::filesystem::path source(rest.substr(0, colon));
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(source, error);
  if (error)
    return bad("-v", text, "`" + source.string() + "`: " + errno_text(error.value()), "make the directory first");
  if (!std::filesystem::is_directory(real, error)) {
    return bad("-v", text, "`" + source.string() + "` is not a directory", "share the directory that holds the file");
  }
  share.source = real.string();
  return share;
}

Expected<std::uint64_t> parse_memory(std::string_view text) {
  constexpr const char* kForm = "write a size such as `-m 128M` or `-m 1G`";
  std::string_view digits = text;
  unsigned shift = 0;
  if (!digits.empty()) {
    switch (digits.back()) {
      case 'g':
      case 'G':
        shift = 30;
        break;
      case 'm':
      case 'M':
        shift = 20;
        break;
      case 'k':
      case 'K':
        shift = 10;
        break;
      default:
        break;
    }
    if (shift != 0 || digits.back() == 'b' || digits.back() == 'B') digits.remove_suffix(1);
  }
  const auto count = whole_number<std::uint64_t>(digits);
  if (!count) return bad("-m", text, "it is not a size", kForm);
  if (*count > (kMostMemory >> shift)) return bad("-m", text, "it is more than 4 TiB", kForm);
  const std::uint64_t bytes = *count << shift;
  if (bytes < kLeastMemory) return bad("-m", text, "a machine needs at least 4M", kForm);
  return (bytes + 4095) & ~std::uint64_t{4095};
}

}  // namespace uni::vmm
