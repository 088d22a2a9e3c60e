// SPDX-License-Identifier: Apache-2.0
// The verb, and the rows that it makes of the parser's options.
#include "cli/commands/completions.hpp"

#include <algorithm>
#include <memory>

#include "cli/image/sparse_io.hpp"
#include "cli/report/report.hpp"

namespace uni {
namespace {

struct CompletionsOptions {
  std::string shell;
  std::string directory;
};

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> out(1);
  for (const char c : text)
    c == by ? void(out.emplace_back()) : void(out.back() += c);
  return out;
}

// "none|fork|exec", or what CLI11 writes for a list of members: "TEXT:{microvm,q35}".
std::vector<std::string> choices_of(const std::string& type) {
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}');
  if (open != std::string::npos && close != std::string::npos && open < close)
    return split(type.substr(open + 1, close - open - 1), ',');
  const bool words = type.find('|') != std::string::npos &&
                     std::ranges::all_of(type, [](char c) { return (c >= 'a' && c <= 'z') || c == '|' || c == '-'; });
  return words ? split(type, '|') : std::vector<std::string>();
}

OptionRow row_of(const CLI::Option& option) {
  OptionRow row;
  for (const std::string& s : option.get_snames())
    row.names.push_back("-" + s);
  for (const std::string& l : option.get_lnames())
    row.names.push_back("--" + l);
  row.text = option.get_description();
  const bool takes = option.get_items_expected_max() > 0;
  row.repeats =
      option.get_items_expected_max() > 1 || option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  if (!takes) return row;
  const std::string type = option.get_type_name();
  row.choices = choices_of(type);
  if (row.names.empty()) {
    row.value = type.empty() || type == "TEXT" ? option.get_name(true) : type;
  } else if (!row.choices.empty()) {
    for (const std::string& c : row.choices)
      row.value += (row.value.empty() ? "" : "|") + c;
  } else {
    row.value = type == "TEXT" || type.empty() ? "VALUE" : type.starts_with("UINT") ? "NUMBER" : type;
  }
  return row;
}

Expected<void> write_file(const std::filesystem::path& path, const std::string& text) {
  auto file = OutputFile::create(path);
  if (!file) return std::unexpected(file.error());
  if (auto ok = file->write(0, text); !ok) return ok;
  if (auto ok = file->set_size(text.size()); !ok) return ok;
  return file->commit();
}

Expected<int> run_completions(const CompletionsOptions& options, const std::vector<VerbRow>& verbs) {
  if (options.shell == "man") {
    if (options.directory.empty()) {
      return fail({.what = "manual pages are several files",
                   .where = {},
                   .why = {},
                   .hint = "name a directory: `uni completions man DIR`",
                   .code = ExitCode::kUsage});
    }
    for (const auto& [name, text] : manual_pages(verbs)) {
      if (auto ok = write_file(std::filesystem::path(options.directory) / name, text); !ok)
        return std::unexpected(ok.error());
    }
    return 0;
  }
  report::data(options.shell == "bash"  ? bash_completion(verbs)
               : options.shell == "zsh" ? zsh_completion(verbs)
                                        : fish_completion(verbs));
  return 0;
}

}  // namespace

std::vector<VerbRow> verb_rows(const CLI::App& app) {
  std::vector<VerbRow> out;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    VerbRow row{.name = verb->get_name(), .text = verb->get_description(), .footer = verb->get_footer(), .options = {}};
    for (const CLI::Option* option : verb->get_options()) {
      OptionRow r = row_of(*option);
      // Positionals first, as on the command line.
      const auto at = r.names.empty()
                          ? std::ranges::find_if(row.options, [](const auto& o) { return !o.names.empty(); })
                          : row.options.end();
      row.options.insert(at, std::move(r));
    }
    out.push_back(std::move(row));
  }
  return out;
}

void add_completions(CLI::App& app, Verbs& verbs) {
  auto options = std::make_shared<CompletionsOptions>();
  CLI::App* verb = app.add_subcommand("completions", "print a completion script for a shell, or write manual pages");
  verb->add_option("shell", options->shell, "for whom")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish", "man"}));
  verb->add_option("directory", options->directory, "where the manual pages go")->type_name("DIR");
  verb->footer(
      "Examples:\n"
      "  uni completions bash > ~/.local/share/bash-completion/completions/uni\n"
      "  uni completions fish > ~/.config/fish/completions/uni.fish\n"
      "  uni completions man /usr/local/share/man/man1");
  verb->callback([options, &app, &verbs] {
    verbs.chosen = [options, &app] { return run_completions(*options, verb_rows(app)); };
  });
}

}  // namespace uni
