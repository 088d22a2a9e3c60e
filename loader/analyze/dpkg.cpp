// SPDX-License-Identifier: Apache-2.0
// Reads deb822 paragraphs (deb-control(5)): fields at the start of a line, continued by lines that begin with a blank.
#include "loader/analyze/dpkg.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "loader/analyze/file.hpp"

namespace uni {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// Calls `visit` with each field's name and the rest of its first line; with an empty name at a paragraph's end.
void each_field(std::string_view text, const std::function<void(std::string_view, std::string_view)>& visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (trimmed(line).empty()) {
      visit({}, {});
      continue;
    }
    const std::size_t colon = line.find(':');
    if (line.front() == ' ' || line.front() == '\t' || colon == std::string_view::npos) continue;
    visit(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
  visit({}, {});
}

}  // namespace

PackageDatabase::PackageDatabase(const Sysroot& sysroot) : sysroot_(sysroot) {
  if (const auto release = read_text(sysroot_.host_path("/etc/os-release"), 1U << 20)) {
    const std::size_t at = ("\n" + *release).find("\nID=");
    if (at != std::string::npos) {
      std::string id = release->substr(at + 3, release->find('\n', at) - at - 3);
      std::erase(id, '"');
      if (!id.empty()) distribution_ = id;
    }
  }
  const auto status = read_text(sysroot_.host_path("/var/lib/dpkg/status"));
  if (!status) return;
  InstalledPackage p;
  bool installed = false;
  each_field(*status, [&](std::string_view field, std::string_view value) {
    if (field == "Package") p.name = value;
    if (field == "Version") p.version = value;
    if (field == "Architecture") p.architecture = value;
    if (field == "Depends" || field == "Pre-Depends") p.depends += (p.depends.empty() ? "" : ", ") + std::string(value);
    if ((field == "Essential" && value == "yes") || (field == "Priority" && value == "required")) p.required = true;
    if (field == "Status") installed = value.ends_with(" installed");
    if (field == "Source") {
      const std::size_t open = value.find(" (");
      p.source = value.substr(0, open);
      if (open != std::string_view::npos) p.source_version = value.substr(open + 2, value.find(')') - open - 2);
    }
    if (!field.empty()) return;
    if (p.source.empty()) p.source = p.name;
    if (p.source_version.empty()) p.source_version = p.version;
    if (installed && !p.name.empty()) packages_.insert_or_assign(p.name, p);
    p = {};
    installed = false;
  });
}

const InstalledPackage* PackageDatabase::find(const std::string& name) const {
  const auto found = packages_.find(name);
  return found == packages_.end() ? nullptr : &found->second;
}

std::vector<std::string> PackageDatabase::licenses(const std::string& name) const {
  const auto where = sysroot_.resolve("/usr/share/doc/" + name + "/copyright");
  if (!where) return {};
  const auto text = read_text(where->host, 16U << 20);
  if (!text) return {};
  const std::string first = text->substr(0, text->find('\n'));
  if (!first.starts_with("Format") || first.find("copyright-format") == std::string::npos) return {};
  std::set<std::string> found;
  bool files = false;  // a paragraph that says which files a license is for
  each_field(*text, [&](std::string_view field, std::string_view value) {
    if (field == "Files") files = true;
    if (field == "License" && files && !value.empty()) found.emplace(value);
    if (field.empty()) files = false;
  });
  return {found.begin(), found.end()};
}

std::vector<std::string> PackageDatabase::paths(const InstalledPackage& package) const {
  for (const std::string& name : {package.name, package.name + ":" + package.architecture}) {
    const auto text = read_text(sysroot_.host_path("/var/lib/dpkg/info/" + name + ".list"));
    if (!text) continue;
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text->size();) {
      const std::size_t end = std::min(text->find('\n', at), text->size());
      if (end > at) out.push_back(text->substr(at, end - at));
      at = end + 1;
    }
    return out;
  }
  return {};
}

}  // namespace uni
