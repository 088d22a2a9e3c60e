// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/search_path.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "manifests/manifest.hpp"

namespace uni {
namespace {

std::vector<std::string> path_of(const BootConfig& config) {
  std::vector<std::string> out;
  for (std::string_view e : config.all("env")) {
    if (!e.starts_with("PATH=")) continue;
    out.clear();
    for (e.remove_prefix(5); !e.empty(); e.remove_prefix(std::min(e.size(), out.back().size() + 1)))
      out.emplace_back(e.substr(0, e.find(':')));
  }
  return out;
}

}  // namespace

vmm::FoundElsewhere found_along_path(ImageInfo image, const BootConfig& config) {
  auto files = std::make_shared<std::optional<std::map<std::string, FileEntry>>>();
  return [image = std::move(image), path = path_of(config), files](const std::string& program) {
    const std::size_t slash = program.rfind('/');
    if (std::ranges::find(path, program.substr(0, slash)) == path.end()) return false;
    if (!*files) {
      files->emplace();
      const auto text = read_manifest_text(image);
      if (auto manifest = text ? parse_manifest(image.path.string(), *text) : std::unexpected(text.error()))
        **files = std::move(manifest->files);
    }
    return std::ranges::any_of(path, [&](const std::string& directory) {
      const auto found = (*files)->find(directory + program.substr(slash));
      return found != (*files)->end() && found->second.kind != FileEntry::Kind::Directory;
    });
  };
}

}  // namespace uni
