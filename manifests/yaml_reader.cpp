// SPDX-License-Identifier: Apache-2.0
// The accessors of YamlReader.
#include "manifests/yaml_reader.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace uni {
namespace {

constexpr int kMaxDepth = 64;

template <typename T>
bool parse_number(const std::string& text, int base, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

}  // namespace

YamlReader::YamlReader(YAML::Node node, std::string name) : node_(std::move(node)), name_(std::move(name)) {}

void YamlReader::refuse(const std::string& what) const {
  throw YamlError{node_.Mark(), what};
}

void YamlReader::refuse(const char* key, const std::string& what) const {
  throw YamlError{mark_of(key), "`" + name_ + key + "` " + what};
}

void YamlReader::only(std::initializer_list<std::string_view> keys) const {
  if (!node_.IsMap()) refuse("`" + name_ + "` must be a mapping");
  std::set<std::string> seen;
  for (const auto& pair : node_) {
    if (!pair.first.IsScalar()) throw YamlError{pair.first.Mark(), "a key must be a word"};
    const std::string& key = pair.first.Scalar();
    if (std::ranges::find(keys, std::string_view(key)) == keys.end()) {
      throw YamlError{pair.first.Mark(), "unknown key `" + name_ + key + "`"};
    }
    if (!seen.insert(key).second) throw YamlError{pair.first.Mark(), "key `" + name_ + key + "` given twice"};
  }
}

YAML::Mark YamlReader::mark_of(const char* key) const {
  for (const auto& pair : node_) {
    if (pair.first.IsScalar() && pair.first.Scalar() == key) return pair.first.Mark();
  }
  return node_.Mark();
}

YAML::Node YamlReader::need(const char* key) const {
  YAML::Node node = node_[key];
  if (!node.IsDefined()) refuse("`" + name_ + key + "` is missing");
  return node;
}

std::string YamlReader::string(const char* key) const {
  const YAML::Node node = need(key);
  if (!node.IsScalar()) refuse(key, "must be a string");
  if (node.Scalar().find('\0') != std::string::npos) refuse(key, "holds a NUL byte");
  return node.Scalar();
}

std::string YamlReader::string(const char* key, const std::string& fallback) const {
  return has(key) ? string(key) : fallback;
}

bool YamlReader::boolean(const char* key, bool fallback) const {
  if (!has(key)) return fallback;
  const std::string text = string(key);
  if (text != "true" && text != "false") refuse(key, "must be `true` or `false`");
  return text == "true";
}

std::uint64_t YamlReader::number(const char* key) const {
  std::uint64_t value = 0;
  if (!parse_number(string(key), 10, value)) refuse(key, "must be a whole number");
  return value;
}

std::uint64_t YamlReader::number(const char* key, std::uint64_t fallback) const {
  return has(key) ? number(key) : fallback;
}

unsigned YamlReader::octal(const char* key, unsigned fallback) const {
  if (!has(key)) return fallback;
  unsigned value = 0;
  if (!parse_number(string(key), 8, value) || value > 07777) refuse(key, "must be octal permissions");
  return value;
}

std::string YamlReader::absolute_path(const char* key) const {
  const std::string path = string(key);
  bool good = path.size() > 1 && path[0] == '/' && path.size() < 4096 && path.back() != '/';
  for (std::size_t at = 0; good && at < path.size();) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view part = std::string_view(path).substr(at + 1, end - at - 1);
    good = !part.empty() && part != "." && part != ".." && part.size() <= 255;
    at = end;
  }
  if (!good) refuse(key, "must be an absolute path without `.`, `..` and doubled slashes");
  return path;
}

std::string YamlReader::binary(const char* key) const {
  // yaml-cpp 0.7 looks bytes up in its table of base64 digits without checking their range, so that is done here.
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string_view text = need(key).IsScalar() ? std::string_view(node_[key].Scalar()) : std::string_view("?");
  const bool whole = text.size() % 4 == 0;
  if (text.ends_with("==")) {
    text.remove_suffix(2);
  } else if (text.ends_with('=')) {
    text.remove_suffix(1);
  }
  if (!whole || text.find_first_not_of(kDigits) != std::string_view::npos) refuse(key, "must be base64");
  const auto value = node_[key].as<YAML::Binary>(YAML::Binary());
  if (value.size() == 0) return {};  // its data() takes the address of the first byte, which is not there
  return {reinterpret_cast<const char*>(value.data()), value.size()};
}

std::vector<std::string> YamlReader::strings(const char* key) const {
  if (!has(key)) return {};
  const YAML::Node node = node_[key];
  if (node.IsScalar()) return {string(key)};
  if (!node.IsSequence()) refuse(key, "must be a list of strings");
  std::vector<std::string> out;
  for (const YAML::Node& item : node) {
    if (!item.IsScalar() || item.Scalar().find('\0') != std::string::npos) {
      throw YamlError{item.Mark(), "`" + name_ + key + "` must be a list of strings"};
    }
    out.push_back(item.Scalar());
  }
  return out;
}

YamlReader YamlReader::map(const char* key) const {
  const YAML::Node node = need(key);
  if (!node.IsMap()) refuse(key, "must be a mapping");
  return YamlReader(node, name_ + key + ".");
}

std::vector<YamlReader> YamlReader::items(const char* key) const {
  std::vector<YamlReader> out;
  if (!has(key)) return out;
  const YAML::Node node = node_[key];
  if (!node.IsSequence()) refuse(key, "must be a list");
  for (const YAML::Node& item : node) {
    if (!item.IsMap()) throw YamlError{item.Mark(), "`" + name_ + key + "` must be a list of mappings"};
    out.emplace_back(item, name_ + key + ".");
  }
  return out;
}

std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

namespace {

// The end of a quoted scalar that begins at `at` and closes on its line, or `at` where there is none.
std::size_t after_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size() && text[i] != '\n'; ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 >= text.size() || text[i + 1] != quote) return i + 1;
      ++i;
    }
  }
  return at;
}

// May a quoted scalar begin behind these characters of its line? `before` is the last one that is no blank, 0: none. In
// flow style a line may go on with a plain scalar, where a quote is nothing special.
bool may_begin_quoted(char before, bool blank_between, bool line_start, bool in_flow, bool tagged) {
  if (before == '[' || before == '{' || before == ',') return true;
  if (before == ':' || tagged) return blank_between;
  return !in_flow && (before == '\0' || (before == '-' && line_start && blank_between));
}

}  // namespace

bool nests_too_deep(std::string_view text) {
  // An upper bound: brackets of flow style, and the indentation and dashes that begin a line in block style. What
  // stands in quotes nests nothing, where it is sure that they are quotes: never beyond their line, and not after a
  // quote elsewhere, which may begin a string that ends where another seems to begin, or after a comment.
  int flow = 0;
  int block = 0;
  bool line_start = true;
  bool sure = true;
  char before = '\0';    // the last character of the line that is no blank
  std::size_t word = 0;  // where its word begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool after_blank = i == 0 || text[i - 1] == ' ';
    if (c == '"' || c == '\'') {
      const bool tagged = flow == 0 && before != '\0' && text[word] == '!';
      const bool begins = sure && may_begin_quoted(before, after_blank, line_start, flow > 0, tagged);
      const std::size_t end = begins ? after_quoted(text, i) : i;
      if (end != i) {
        i = end - 1;
        before = c;
        word = end - 1;
        line_start = false;
        continue;
      }
      sure = false;
    }
    if (c == '#') sure = false;
    if (c == '\n') {
      line_start = true;
      block = 0;
      before = '\0';
    } else if (line_start && (c == ' ' || c == '-' || c == '?' || c == ':' || c == '\t')) {
      block += c == ' ' ? 0 : 1;
    } else {
      line_start = false;
    }
    if (c != ' ' && c != '\n') {
      if (after_blank) word = i;
      before = c;
    }
    if (c == '[' || c == '{') ++flow;
    if ((c == ']' || c == '}') && flow > 0) --flow;
    if (flow > kMaxDepth || block > kMaxDepth) return true;
  }
  return false;
}

}  // namespace uni
