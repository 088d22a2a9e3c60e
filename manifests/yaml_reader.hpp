// SPDX-License-Identifier: Apache-2.0
// Strict reading of a YAML mapping: each access says what it wants, and everything else is an error with line and
// column. Inside read_yaml() errors travel as an exception of our own, because yaml-cpp throws its own anyway; none
// leaves it.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

struct YamlError {
  YAML::Mark mark;  // of the key or the value that is wrong
  std::string what;
};

class YamlReader {
 public:
  explicit YamlReader(YAML::Node node, std::string name = {});

  // Refuses keys that are not in the list, and keys given twice.
  void only(std::initializer_list<std::string_view> keys) const;
  bool has(const char* key) const { return node_[key].IsDefined(); }

  std::string string(const char* key) const;
  std::string string(const char* key, const std::string& fallback) const;
  bool boolean(const char* key, bool fallback) const;
  std::uint64_t number(const char* key) const;
  std::uint64_t number(const char* key, std::uint64_t fallback) const;
  unsigned octal(const char* key, unsigned fallback) const;
  // Absolute, without `.`, `..`, doubled or trailing slashes, without NUL.
  std::string absolute_path(const char* key) const;
  std::string binary(const char* key) const;
  // A list of strings, or one string; empty where the key is absent.
  std::vector<std::string> strings(const char* key) const;
  // A mapping; it must be there.
  YamlReader map(const char* key) const;
  // A list of mappings; empty where the key is absent.
  std::vector<YamlReader> items(const char* key) const;

  [[noreturn]] void refuse(const std::string& what) const;
  [[noreturn]] void refuse(const char* key, const std::string& what) const;

 private:
  // Where the key stands, or the mapping where it is absent.
  YAML::Mark mark_of(const char* key) const;
  YAML::Node need(const char* key) const;
  YAML::Node node_;
  std::string name_;
};

// yaml-cpp 0.7 recurses without a limit over nested collections; a text that nests deeper than this is refused first.
bool nests_too_deep(std::string_view text);

// Control characters replaced, so that a message stays one line.
std::string one_line(std::string text);

// Parses `text` and hands the mapping at its top to `read`. Everything that goes wrong becomes one diagnostic
// `FILE:LINE:COLUMN: ...` of kBadInput.
template <typename Read>
auto read_yaml(const std::string& file, const std::string& text, Read read)
    -> Expected<decltype(read(std::declval<const YamlReader&>()))> {
  const auto bad = [&](const YAML::Mark& mark, const std::string& what) {
    const auto place = ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
    return fail({.what = one_line(what),
                 .where = mark.is_null() ? file : file + place,
                 .why = {},
                 .hint = "manifests are written by `uni pack PROGRAM`; make it again"});
  };
  try {
    if (nests_too_deep(text)) return bad(YAML::Mark::null_mark(), "nested too deeply");
    const YAML::Node node = YAML::Load(text);
    if (!node.IsMap()) return bad(YAML::Mark(), "not a mapping");
    return read(YamlReader(node));
  } catch (const YamlError& e) {
    return bad(e.mark, e.what);
  } catch (const YAML::Exception& e) {
    return bad(e.mark, "not valid YAML: " + e.msg);
  }
}

}  // namespace uni
