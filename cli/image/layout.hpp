// SPDX-License-Identifier: Apache-2.0
// The names and type GUIDs of an image's partitions (docs/IMAGE.md), for the writer and the reader.
#pragma once

#include <string_view>

namespace uni::layout {

constexpr std::string_view kKernelName = "uni-kernel";
constexpr std::string_view kKernelType = "8f2e1c04-6d55-4b1e-9a53-756e692d6b31";
constexpr std::string_view kConfigName = "uni-config";
constexpr std::string_view kConfigType = "8f2e1c04-6d55-4b1e-9a53-756e692d6331";
constexpr std::string_view kRootName = "uni-root";
constexpr std::string_view kRootType = "0fc63daf-8483-4772-8e79-3d69d8477de4";

constexpr std::string_view kManifestName = "uni-manifest";
constexpr std::string_view kManifestType = "8f2e1c04-6d55-4b1e-9a53-756e692d6d31";

}  // namespace uni::layout
