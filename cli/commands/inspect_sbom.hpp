// SPDX-License-Identifier: Apache-2.0
// Bills of material of an image: SPDX 2.3 and CycloneDX 1.5, both as JSON.
#pragma once

#include <functional>
#include <string>

#include "loader/analyze/diagnostic.hpp"
#include "loader/analyze/dpkg.hpp"
#include "manifests/manifest.hpp"

namespace uni {

// The documents depend on the manifest and the package database alone: the same input gives the same bytes. Licenses
// and source packages are said where the database at `system` has the package in the same version; else NOASSERTION.
// SPDX demands a file's SHA-1 (section 8.4), which a manifest does not hold: `sha1` gives it, empty where it cannot.
using Sha1Of = std::function<std::string(const std::string& path, const FileEntry& file)>;
std::string spdx_document(const Manifest& manifest, const PackageDatabase& packages, const Sha1Of& sha1);
std::string cyclonedx_document(const Manifest& manifest, const PackageDatabase& packages);

}  // namespace uni
