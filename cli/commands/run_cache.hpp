// SPDX-License-Identifier: Apache-2.0
// `uni run PROGRAM` and `uni run MANIFEST`: the image that belongs to them, packed when it is not there yet.
#pragma once

#include <filesystem>
#include <string>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

// The image of a program or a manifest, in $XDG_CACHE_HOME/uni/images (else under ~/.cache). Its name is a digest of
// all that goes into it (every file's content, the kernel), so it is never stale. Fails as pack() does. Blocks while it
// packs.
Expected<std::filesystem::path> cached_image(const std::string& source);

}  // namespace uni
