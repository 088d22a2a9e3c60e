// SPDX-License-Identifier: Apache-2.0
// Manual pages in man(7)'s macros: a page for the command and one for each verb.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cli/commands/completions.hpp"

namespace uni {
namespace {

// A line of text: a backslash and a dash as they are, and no line that begins with a request's dot.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    if (c == '-') {
      out += "\\-";
    } else if (c == '\\') {
      out += "\\e";
    } else {
      out += c;
    }
  }
  return out;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string head(const std::string& page, const std::string& text) {
  return fmt::format(".TH {} 1 \"\" \"uni {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n", upper(roff(page)),
                     UNI_VERSION, roff(page), roff(text));
}

std::string option_lines(const OptionRow& o) {
  std::string names;
  for (const std::string& n : o.names)
    names += (names.empty() ? "" : ", ") + ("\\fB" + roff(n) + "\\fR");
  std::string out = ".TP\n" + names;
  if (!o.value.empty()) out += (names.empty() ? "" : " ") + ("\\fI" + roff(o.value) + "\\fR");
  return out + "\n" + roff(o.text) + (o.repeats && !o.names.empty() ? "; may be given several times" : "") + ".\n";
}

// The footer is a few lines of text and examples, as `--help` shows it.
std::string footer(const std::string& text) {
  const std::size_t examples = text.find("Examples:\n");
  std::string out;
  if (const std::string before = text.substr(0, std::min(examples, text.size())); !before.empty())
    out += ".SH NOTES\n" + roff(before) + "\n";
  if (examples != std::string::npos) out += ".SH EXAMPLES\n.EX\n" + roff(text.substr(examples + 10)) + "\n.EE\n";
  return out;
}

std::string verb_page(const VerbRow& verb) {
  std::string out = head("uni-" + verb.name, verb.text) + ".SH SYNOPSIS\n\\fBuni " + roff(verb.name) + "\\fR";
  out += " [\\fIOPTION\\fR]...";
  for (const OptionRow& o : verb.options) {
    if (o.names.empty()) out += " \\fI" + roff(o.value) + "\\fR" + (o.repeats ? "..." : "");
  }
  out += "\n.SH OPTIONS\n";
  for (const OptionRow& o : verb.options)
    out += option_lines(o);
  return out + footer(verb.footer) + ".SH SEE ALSO\n\\fBuni\\fR(1)\n";
}

}  // namespace

std::vector<std::pair<std::string, std::string>> manual_pages(const std::vector<VerbRow>& verbs) {
  std::vector<std::pair<std::string, std::string>> out;
  std::string main = head("uni", "turns Linux programs into unikernels");
  main += ".SH SYNOPSIS\n\\fBuni\\fR \\fIVERB\\fR [\\fIARGUMENT\\fR]...\n.SH VERBS\n";
  std::string see;
  for (const VerbRow& verb : verbs) {
    main += ".TP\n\\fB" + roff(verb.name) + "\\fR\n" + roff(verb.text) + ".\n";
    see += (see.empty() ? "" : ", ") + ("\\fBuni\\-" + roff(verb.name) + "\\fR(1)");
    out.emplace_back("uni-" + verb.name + ".1", verb_page(verb));
  }
  main +=
      ".SH EXIT STATUS\nOf \\fBrun\\fR and \\fBtrace\\fR: the program's, 128+N where signal N ended it, 125 where uni "
      "itself failed. Of the other verbs: 0 done, 1 the input is wrong, 2 usage, 3 the program needs what the kernel "
      "lacks, 4 the environment lacks something.\n.SH SEE ALSO\n" +
      see + "\n";
  out.emplace_back("uni.1", std::move(main));
  return out;
}

}  // namespace uni
