// SPDX-License-Identifier: Apache-2.0
// The page of `uni inspect --html`: a template (cli/report/page/page.html) with the report as JSON in it, and a table
// that needs no script. Its policy (CSP) lets it load nothing.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands/inspect_report.hpp"
#include "cli/commands/inspect_tree.hpp"

// The template's bytes (page.S).
extern "C" const char uni_page_begin[];
extern "C" const char uni_page_end[];

namespace uni {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// JSON inside of a <script>: `</script>` and `<!--` must not appear in it.
std::string inside_script(std::string json) {
  for (std::size_t at = json.find('<'); at != std::string::npos; at = json.find('<', at))
    json.replace(at, 1, "\\u003c");
  return json;
}

std::string data_of(const Manifest& m) {
  auto list = nlohmann::json::array();
  for (const auto& [path, f] : m.files) {
    if (f.kind == FileEntry::Kind::File) list.push_back({path, f.size, f.reason, f.package});
  }
  return inside_script(list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::string rows_of(const Manifest& m) {
  std::string out;
  for (const auto& [path, f] : m.files) {
    if (f.kind != FileEntry::Kind::File) continue;
    out += fmt::format("<tr><td>{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td></tr>\n", escaped(path), f.size,
                       escaped(f.reason), escaped(f.package));
  }
  return out;
}

void put(std::string& page, std::string_view mark, const std::string& text) {
  const std::size_t at = page.find(mark);
  if (at != std::string::npos) page.replace(at, mark.size(), text);
}

}  // namespace

std::string inspection_html(const Inspection& inspection) {
  std::string page(uni_page_begin, uni_page_end);
  const Manifest& m = inspection.manifest;
  // The marks stand in this order, so that what is put in is not searched again.
  const std::size_t files = static_cast<std::size_t>(
      std::ranges::count_if(m.files, [](const auto& f) { return f.second.kind == FileEntry::Kind::File; }));
  put(page, "@TITLE@", escaped(m.name));
  put(page, "@HEAD@", escaped(m.name));
  put(page, "@VERDICT@", escaped(verdict_name(inspection.verdict.kind)));
  put(page, "@COUNT@", std::to_string(files));
  std::string tail = page.substr(page.find("@ROWS@"));
  page.resize(page.find("@ROWS@"));
  std::string report = tail.substr(tail.find("@REPORT@"));
  tail.resize(tail.find("@REPORT@"));
  std::string data = report.substr(report.find("@DATA@"));
  report.resize(report.find("@DATA@"));
  put(tail, "@ROWS@", rows_of(m));
  put(report, "@REPORT@", escaped(inspection_text(inspection)));
  put(data, "@DATA@", data_of(m));
  return page + tail + report + data;
}

}  // namespace uni
