// SPDX-License-Identifier: Apache-2.0
// The cache of packed images. pack() writes to a temporary name and renames, so two runs at once do not disturb each
// other; images that no run has used for a month are removed when a new one is added.
#include "cli/commands/run_cache.hpp"

#include <chrono>
#include <cstdlib>

#include "cli/commands/pack.hpp"
#include "loader/analyze/digest.hpp"
#include "loader/analyze/file.hpp"

namespace uni {
namespace {

namespace fs = std::filesystem;

constexpr auto kUnusedFor = std::chrono::hours(24 * 30);

Expected<fs::path> cache_directory() {
  const char* chosen = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  fs::path dir;
  std::error_code error;
  // A relative path there is invalid and to be ignored (XDG base directory specification).
  if (chosen != nullptr && *chosen == '/') {
    dir = chosen;
  } else if (home != nullptr && *home != '\0') {
    dir = fs::path(home) / ".cache";
  } else {
    dir = fs::temp_directory_path(error);
    if (error) dir = std::getenv("TMPDIR") != nullptr ? std::getenv("TMPDIR") : "/tmp";
  }
  dir = dir / "uni" / "images";
  if (!error) fs::create_directories(dir, error);
  if (error) {
    return fail({.what = "cannot make the cache directory",
                 .where = dir.string(),
                 .why = errno_text(error.value()),
                 .hint = "set XDG_CACHE_HOME to a directory that can be written, or pack first with `uni pack`",
                 .code = ExitCode::kEnvironment});
  }
  return dir;
}

void remove_unused(const fs::path& dir) {
  std::error_code error;
  const auto limit = fs::file_time_type::clock::now() - kUnusedFor;
  for (const fs::directory_entry& entry : fs::directory_iterator(dir, error)) {
    if (!entry.is_regular_file(error) || entry.last_write_time(error) > limit || error) continue;
    fs::remove(entry.path(), error);
  }
}

}  // namespace

Expected<fs::path> cached_image(const std::string& source) {
  PackOptions options;
  options.source = source;
  auto plan = plan_pack(options);
  if (!plan) return std::unexpected(plan.error());
  auto kernel = InputFile::open(kernel_path());
  if (!kernel) return std::unexpected(kernel.error());
  auto kernel_digest = sha256_of(*kernel);
  if (!kernel_digest) return std::unexpected(kernel_digest.error());
  auto dir = cache_directory();
  if (!dir) return std::unexpected(dir.error());

  // The manifest's text holds each file's digest and everything else that pack() takes from it.
  const std::string key = sha256_of(*kernel_digest + write_manifest(plan->content, *dir, Origins::Names));
  const fs::path image = *dir / (key.substr(0, 32) + ".img");
  std::error_code error;
  if (fs::exists(image, error)) {
    fs::last_write_time(image, fs::file_time_type::clock::now(), error);  // it is in use: see remove_unused()
    return image;
  }
  remove_unused(*dir);
  options.output = image.string();
  auto packed = pack(options);
  if (!packed) return std::unexpected(packed.error());
  return image;
}

}  // namespace uni
