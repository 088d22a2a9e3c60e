// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "loader/analyze/digest.hpp"
#include "manifests/manifest.hpp"
#include "manifests/recipes.hpp"
#include "tests/unit/scratch.hpp"

using namespace uni;

namespace {

const std::string kSmall = "version: 1\nname: x\nprogram: /x\n";

Diagnostic refused(const std::string& text) {
  const auto manifest = parse_manifest("/d/x.yaml", text);
  REQUIRE_FALSE(manifest);
  return manifest.error();
}

}  // namespace

TEST_CASE("a manifest comes back as it was written") {
  Manifest m;
  m.name = "server";
  m.program = "/usr/local/bin/server";
  m.arguments = {"--a", "", "yes", "1"};
  m.environment = {"A=b: c #d", "E=\xc3\xa4"};
  m.files["/etc"] = {.kind = FileEntry::Kind::Directory, .mode = 0755, .reason = "recipe base"};
  m.files["/etc/x"] = {
      .content = std::string("\0\n'", 3), .mode = 0644, .size = 3, .sha256 = std::string(64, 'a'), .reason = "r"};
  m.files["/server"] = {
      .origin = "/d/server", .mode = 0755, .size = 5, .sha256 = std::string(64, 'b'), .mtime = 7, .reason = "p"};
  const std::string text = write_manifest(m, "/d", Origins::Relative);
  CHECK(text.find("origin: server") != std::string::npos);
  const auto again = parse_manifest("/d/server.yaml", text);
  REQUIRE(again);
  CHECK(again->arguments == m.arguments);
  CHECK(again->environment == m.environment);
  CHECK(again->files.at("/etc/x").content == m.files["/etc/x"].content);
  CHECK(again->files.at("/server").origin == "/d/server");
  CHECK(write_manifest(*again, "/d", Origins::Relative) == text);
}

TEST_CASE("a manifest's errors name the line") {
  CHECK(refused("version: 2\nname: x\n").where == "/d/x.yaml:1:1");
  CHECK(refused(kSmall + "colour: red\n").where == "/d/x.yaml:4:1");
  CHECK(refused(kSmall + "colour: red\n").what == "unknown key `colour`");
  CHECK(refused(kSmall + "name: y\n").where == "/d/x.yaml:4:1");
  CHECK(refused(kSmall + "files:\n  - path: /a/b\n    type: directory\n").where == "/d/x.yaml:5:5");
  CHECK(refused(kSmall + "files:\n  - path: /../b\n    type: directory\n").where == "/d/x.yaml:5:5");
  CHECK(refused(kSmall + "arguments: {a: b}\n").where == "/d/x.yaml:4:1");
  CHECK(refused(kSmall + "user: {uid: -1}\n").where == "/d/x.yaml:4:8");
  CHECK(refused(kSmall + "a: [\n").what.starts_with("not valid YAML"));
  CHECK(refused("- a\n").what == "not a mapping");
  CHECK(refused("").what == "not a mapping");
  CHECK(refused(std::string(100000, '[')).what == "nested too deeply");
  CHECK(refused("a: \"x\" " + std::string(100000, '[')).what == "nested too deeply");
  CHECK(refused("a: \"\nb: " + std::string(100000, '[') + "\"").what == "nested too deeply");
  // The quote on the second line ends what the first one began.
  CHECK(refused("[ \"a ,\nb: \", " + std::string(100000, '[') + " \"").what == "nested too deeply");
  CHECK(refused("[\"a ,\nb: \", " + std::string(100000, '[') + " \"").what == "nested too deeply");
  // A plain scalar goes on over the line, with a quote in it.
  CHECK(refused("[ a\n\", " + std::string(100000, '[') + " \"").what == "nested too deeply");
  CHECK(refused("[ # ]\n a\n\", " + std::string(100000, '[') + " \"").what == "nested too deeply");
  CHECK(refused("[ a\n- \", " + std::string(100000, '[') + " \"").what == "nested too deeply");
  CHECK(refused("[ a !x \", " + std::string(100000, '[') + " \"").what == "nested too deeply");
}

TEST_CASE("bytes are base64, and may be none") {
  const auto with = [](const std::string& content, int size) {
    return kSmall + "files:\n  - path: /e\n    content: " + content + "\n    size: " + std::to_string(size) +
           "\n    sha256: " + std::string(64, 'a') + "\n    reason: r\n";
  };
  // yaml-cpp's Binary takes the address of the first byte even where there is none.
  for (const std::string none : {"\"\"", "!!binary \"\"", "''"}) {
    const auto manifest = parse_manifest("/d/x.yaml", with(none, 0));
    REQUIRE(manifest);
    CHECK(manifest->files.at("/e").content.empty());
    CHECK(parse_manifest("/d/x.yaml", write_manifest(*manifest, "/d", Origins::Relative)));
  }
  CHECK(parse_manifest("/d/x.yaml", with("!!binary \"AAE=\"", 2))->files.at("/e").content == std::string("\0\1", 2));
  for (const std::string bad : {"=", "====", "AAE", "A===", "\"\\xff\\xff\\xff\\xff\"", "\"AA E=\""})
    CHECK(refused(with(bad, 0)).what.ends_with("must be base64"));
}

TEST_CASE("a changed file is an error that names it") {
  const test::Scratch scratch;
  const auto file = scratch.write("server", "old");
  Manifest m;
  m.files["/server"] = {
      .origin = file, .mode = 0755, .size = 3, .sha256 = sha256_of(std::string_view("old")), .reason = "p"};
  CHECK(check_files(m, "x.yaml"));
  scratch.write("server", "new");
  const auto changed = check_files(m, "x.yaml");
  REQUIRE_FALSE(changed);
  CHECK(changed.error().where == file.string());
  std::filesystem::remove(file);
  CHECK_FALSE(check_files(m, "x.yaml"));
}

TEST_CASE("every recipe that is compiled in can be read") {
  const auto recipes = all_recipes();
  REQUIRE(recipes);
  CHECK(recipes->size() >= 10);
}
