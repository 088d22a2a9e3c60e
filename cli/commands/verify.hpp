// SPDX-License-Identifier: Apache-2.0
// `uni verify`: is an image what its manifest says, and signed by whom it should be?
#pragma once

#include "cli/commands/commands.hpp"

namespace uni {

void add_verify(CLI::App& app, Verbs& verbs);

}  // namespace uni
