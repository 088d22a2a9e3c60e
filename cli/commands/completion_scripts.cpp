// SPDX-License-Identifier: Apache-2.0
// The scripts for bash, zsh and fish. Where an option takes neither words of a list nor nothing, files are offered.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/completions.hpp"

namespace uni {
namespace {

std::string join(const std::vector<std::string>& words, std::string_view by) {
  std::string out;
  for (const std::string& w : words)
    out += (out.empty() ? "" : std::string(by)) + w;
  return out;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

// Inside of single quotes.
std::string quoted(const std::string& text) {
  return "'" + replaced(text, "'", "'\\''") + "'";
}

const OptionRow* positional(const VerbRow& verb) {
  const auto found = std::ranges::find_if(verb.options, [](const OptionRow& o) { return o.names.empty(); });
  return found == verb.options.end() ? nullptr : &*found;
}

// In zsh's specifications a colon and brackets have a meaning.
std::string zsh_text(const std::string& text) {
  return replaced(replaced(replaced(text, ":", "\\:"), "[", "\\["), "]", "\\]");
}

}  // namespace

std::string bash_completion(const std::vector<VerbRow>& verbs) {
  std::string names;
  std::string flags;
  std::string values;
  std::string plain;
  for (const VerbRow& verb : verbs) {
    names += (names.empty() ? "" : " ") + verb.name;
    std::string all;
    for (const OptionRow& o : verb.options) {
      if (o.names.empty()) continue;
      all += (all.empty() ? "" : " ") + join(o.names, " ");
      if (o.value.empty()) continue;
      std::string patterns;
      for (const std::string& n : o.names)
        patterns += (patterns.empty() ? "" : " | ") + verb.name + ":" + n;
      values += fmt::format("    {})\n      {}\n      return\n      ;;\n", patterns,
                            o.choices.empty() ? std::string("mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")")
                                              : fmt::format("mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$cur\")",
                                                            join(o.choices, " ")));
    }
    flags += fmt::format("    {}) flags='{}' ;;\n", verb.name, all);
    const OptionRow* first = positional(verb);
    if (first != nullptr && !first->choices.empty())
      plain += fmt::format("    {}) words='{}' ;;\n", verb.name, join(first->choices, " "));
  }
  return fmt::format(R"(# SPDX-License-Identifier: Apache-2.0
# bash completion for uni, made by `uni completions bash`.
_uni() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev='' verb='' flags='' words='' i
  [ "$COMP_CWORD" -lt 1 ] || prev=${{COMP_WORDS[COMP_CWORD - 1]}}
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    # What stands behind it is the program's.
    [ "${{COMP_WORDS[i]}}" != -- ] || {{
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
    }}
    case ${{COMP_WORDS[i]}} in -*) ;; *) [ -n "$verb" ] || verb=${{COMP_WORDS[i]}} ;; esac
  done
  if [ -z "$verb" ]; then
    mapfile -t COMPREPLY < <(compgen -W '{} --help --version' -- "$cur")
    return
  fi
  case $verb:$prev in
{}  esac
  case $verb in
{}  esac
  case $verb in
{}    *) ;;
  esac
  case $cur in
    -*) mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur") ;;
    *)
      if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
      else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      fi
      ;;
  esac
}}
complete -o filenames -F _uni uni
)",
                     names, values, flags, plain);
}

std::string zsh_completion(const std::vector<VerbRow>& verbs) {
  std::string out =
      "#compdef uni\n# SPDX-License-Identifier: Apache-2.0\n# zsh completion for uni, made by `uni completions "
      "zsh`.\n_uni() {\n  local -a verbs\n  verbs=(\n";
  for (const VerbRow& verb : verbs)
    out += "    " + quoted(verb.name + ":" + zsh_text(verb.text)) + "\n";
  out += "  )\n  if ((CURRENT == 2)); then\n    _describe verb verbs\n    return\n  fi\n  case $words[2] in\n";
  for (const VerbRow& verb : verbs) {
    out += "    " + verb.name + ")\n      shift words\n      ((CURRENT--))\n      _arguments -S";
    for (const OptionRow& o : verb.options) {
      const std::string action = o.choices.empty() ? "_files" : "(" + join(o.choices, " ") + ")";
      if (o.names.empty()) {
        out += " \\\n        " + quoted(std::string(o.repeats ? "*" : "") + ":" + zsh_text(o.value) + ":" + action);
        continue;
      }
      const std::string value = o.value.empty() ? "" : ":" + zsh_text(o.value) + ":" + action;
      for (const std::string& n : o.names)
        out += " \\\n        " + quoted(std::string(o.repeats ? "*" : "") + n + "[" + zsh_text(o.text) + "]" + value);
    }
    out += "\n      ;;\n";
  }
  return out + "  esac\n}\n_uni \"$@\"\n";
}

std::string fish_completion(const std::vector<VerbRow>& verbs) {
  std::string out =
      "# SPDX-License-Identifier: Apache-2.0\n# fish completion for uni, made by `uni completions fish`.\n";
  for (const VerbRow& verb : verbs)
    out += fmt::format("complete -c uni -f -n __fish_use_subcommand -a {} -d {}\n", verb.name, quoted(verb.text));
  for (const VerbRow& verb : verbs) {
    for (const OptionRow& o : verb.options) {
      std::string line = fmt::format("complete -c uni -n '__fish_seen_subcommand_from {}'", verb.name);
      if (o.names.empty()) {
        if (!o.choices.empty()) out += line + " -f -a " + quoted(join(o.choices, " ")) + "\n";
        continue;
      }
      for (const std::string& n : o.names)
        line += n.starts_with("--") ? " -l " + n.substr(2) : " -s " + n.substr(1);
      if (!o.value.empty()) line += o.choices.empty() ? " -r" : " -x -a " + quoted(join(o.choices, " "));
      out += line + " -d " + quoted(o.text) + "\n";
    }
  }
  return out;
}

}  // namespace uni
