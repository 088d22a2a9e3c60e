// SPDX-License-Identifier: Apache-2.0
// Applies recipes to a closure.
#pragma once

#include "loader/analyze/closure_builder.hpp"

namespace uni {

// Applies each recipe that holds, once; a recipe may make another one hold (a module brings libssl), so it goes on
// until nothing changes.
Expected<void> apply_recipes(ClosureBuilder& builder, const std::vector<Recipe>& recipes);

}  // namespace uni
