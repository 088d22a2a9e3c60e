// SPDX-License-Identifier: Apache-2.0
// Reads recipes with yaml-cpp.
#include "manifests/recipes.hpp"

#include <string>

#include "manifests/yaml_reader.hpp"

namespace uni {
namespace {

void read_when(const YamlReader& when, Recipe& recipe) {
  when.only({"always", "program", "library", "import", "text"});
  recipe.always = when.boolean("always", false);
  recipe.programs = when.strings("program");
  recipe.libraries = when.strings("library");
  recipe.imports = when.strings("import");
  recipe.texts = when.strings("text");
}

void read_add(const YamlReader& add, Recipe& recipe) {
  add.only({"files", "trees", "exclude", "load", "directories", "write", "environment", "ports", "accounts",
            "name-services", "keep-times"});
  recipe.files = add.strings("files");
  recipe.trees = add.strings("trees");
  recipe.exclude = add.strings("exclude");
  recipe.load = add.strings("load");
  recipe.environment = add.strings("environment");
  for (const std::string& text : add.strings("ports")) {
    unsigned port = 0;
    for (const char c : text)
      port = c >= '0' && c <= '9' && port < 65536 ? port * 10 + static_cast<unsigned>(c - '0') : 65536;
    if (port == 0 || port > 65535) add.refuse("ports", "must be numbers of ports");
    recipe.ports.push_back(port);
  }
  recipe.accounts = add.boolean("accounts", false);
  recipe.name_services = add.boolean("name-services", false);
  recipe.keep_times = add.boolean("keep-times", false);
  for (const YamlReader& d : add.items("directories")) {
    d.only({"path", "mode"});
    recipe.directories.push_back({d.absolute_path("path"), d.octal("mode", 0755)});
  }
  for (const YamlReader& w : add.items("write")) {
    w.only({"path", "content"});
    recipe.write.push_back({w.absolute_path("path"), w.string("content")});
  }
}

}  // namespace

Expected<Recipe> parse_recipe(std::string_view file, std::string_view text) {
  return read_yaml(std::string(file), std::string(text), [](const YamlReader& root) {
    Recipe recipe;
    root.only({"name", "when", "add"});
    recipe.name = root.string("name");
    read_when(root.map("when"), recipe);
    read_add(root.map("add"), recipe);
    return recipe;
  });
}

Expected<std::vector<Recipe>> all_recipes() {
  std::vector<Recipe> recipes;
  for (const EmbeddedRecipe& r : embedded_recipes()) {
    auto recipe = parse_recipe(r.file, r.text);
    if (!recipe) return std::unexpected(recipe.error());
    recipes.push_back(std::move(*recipe));
  }
  return recipes;
}

}  // namespace uni
