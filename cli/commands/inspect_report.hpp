// SPDX-License-Identifier: Apache-2.0
// The report of `uni inspect` in its three forms.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/image/estimate.hpp"
#include "cli/image/verdict.hpp"
#include "manifests/manifest.hpp"

namespace uni {

// All that is said of one subject.
struct Inspection {
  const Manifest& manifest;
  Verdict verdict;
  Estimate estimate;
  std::string_view type;                   // "image", "manifest", "program" or "script"
  std::optional<std::uint64_t> disk = {};  // what an image takes on the disk
};

// What is to be said of a manifest. `image` is the file that was packed of it; empty: there is none.
Inspection inspection_of(const Manifest& manifest, std::string_view type, const std::filesystem::path& image);

// "static", "static-pie", "dynamic (glibc)", "dynamic (musl)", "script".
std::string linkage_of(const Inspection& inspection);

std::string inspection_text(const Inspection& inspection);
// docs/INSPECT.md describes the keys.
std::string inspection_json(const Inspection& inspection);
// One page without any reference to another file or host.
std::string inspection_html(const Inspection& inspection);

}  // namespace uni
