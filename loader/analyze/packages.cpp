// SPDX-License-Identifier: Apache-2.0
// Reads /var/lib/dpkg/info/*.list and /var/lib/dpkg/status. On a system with a merged /usr the lists may say /lib/x
// where the file is /usr/lib/x, so both spellings are looked up (usr-is-merged).
#include "loader/analyze/packages.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <unordered_map>

#include "loader/analyze/file.hpp"

namespace uni {
namespace {

std::map<std::string, std::string> versions(const Sysroot& sysroot) {
  std::map<std::string, std::string> out;
  const auto text = read_text(sysroot.host_path("/var/lib/dpkg/status"), 256U << 20);
  if (!text) return out;
  std::string package;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    const std::string_view line = std::string_view(*text).substr(at, end - at);
    if (line.starts_with("Package: ")) package = line.substr(9);
    if (line.starts_with("Version: ") && !package.empty()) out[package] = line.substr(9);
    at = end + 1;
  }
  return out;
}

}  // namespace

std::map<std::string, std::string> find_packages(const Sysroot& sysroot, const std::vector<std::string>& paths) {
  std::unordered_map<std::string, std::string> wanted;  // a spelling in the lists -> the guest path
  for (const std::string& path : paths) {
    wanted.emplace(path, path);
    if (path.starts_with("/usr/")) wanted.emplace(path.substr(4), path);
  }
  std::map<std::string, std::string> out;
  std::vector<std::filesystem::path> lists;
  std::error_code error;
  for (std::filesystem::directory_iterator it(sysroot.host_path("/var/lib/dpkg/info"), error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".list") lists.push_back(it->path());
  }
  if (lists.empty()) return out;
  std::ranges::sort(lists);
  const auto version = versions(sysroot);
  std::string line;
  for (const auto& list : lists) {
    const auto text = read_text(list);
    if (!text) continue;
    std::string name = list.stem().string();
    name.erase(std::min(name.find(':'), name.size()));  // libc6:amd64
    for (std::size_t at = 0; at < text->size();) {
      const std::size_t end = std::min(text->find('\n', at), text->size());
      line.assign(*text, at, end - at);
      if (const auto hit = wanted.find(line); hit != wanted.end()) {
        const auto v = version.find(name);
        out.emplace(hit->second, v == version.end() ? name : name + " " + v->second);
      }
      at = end + 1;
    }
  }
  return out;
}

}  // namespace uni
