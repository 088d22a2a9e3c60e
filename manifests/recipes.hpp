// SPDX-License-Identifier: Apache-2.0
// The recipes of manifests/recipes/*.yaml (manifests/README.md describes their form).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "loader/analyze/diagnostic.hpp"
#include "loader/analyze/recipe.hpp"

namespace uni {

struct EmbeddedRecipe {
  std::string_view file;
  std::string_view text;
};
std::vector<EmbeddedRecipe> embedded_recipes();

// Reads one recipe. Fails (kBadInput) on anything but the known keys and types; `file` names it in the message.
Expected<Recipe> parse_recipe(std::string_view file, std::string_view text);

// All recipes that are compiled in, by file name.
Expected<std::vector<Recipe>> all_recipes();

}  // namespace uni
