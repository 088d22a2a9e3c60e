// SPDX-License-Identifier: Apache-2.0
// Signatures of images, made and verified by minisign(1) or ssh-keygen(1) -Y, whichever the key is for.
#pragma once

#include <filesystem>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

// Writes IMAGE.minisig or IMAGE.sig. A tool that asks for the key's password does so on the terminal. Fails with
// kEnvironment where the tool is missing, with kBadInput where it refuses.
Expected<std::filesystem::path> sign_image(const std::filesystem::path& image, const std::filesystem::path& key);

// Whether the signature beside the image (or `signature`) is one of this public key over this image.
Expected<void> verify_signature(const std::filesystem::path& image, const std::filesystem::path& key,
                                std::filesystem::path signature);

}  // namespace uni
