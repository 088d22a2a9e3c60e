// SPDX-License-Identifier: Apache-2.0
// What a search along $PATH finds in an image.
#pragma once

#include "cli/image/boot_config.hpp"
#include "cli/image/reader.hpp"
#include "cli/vmm/lacked.hpp"

namespace uni {

// Says of a program's path whether it lies in a directory of the guest's $PATH while another of these has a program of
// its name in the image. The manifest in the image is read at the first question.
vmm::FoundElsewhere found_along_path(ImageInfo image, const BootConfig& config);

}  // namespace uni
