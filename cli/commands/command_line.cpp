// SPDX-License-Identifier: Apache-2.0
// parse -> verb -> one diagnostic -> exit code. Each verb lives in cli/commands/ and adds itself to the parser.
#include "cli/commands/command_line.hpp"

#include <exception>
#include <string_view>

#include "cli/report/report.hpp"

namespace uni {

int command_line(int argc, char** argv, const std::function<void(CLI::App&, Verbs&)>& add,
                 std::function<Expected<std::filesystem::path>(const std::string&)> image_for) {
  CLI::App app{"uni: turns Linux programs into unikernels", "uni"};
  app.set_version_flag("--version", UNI_VERSION);
  app.require_subcommand(1);
  Verbs verbs;
  verbs.image_for = std::move(image_for);
  add(app, verbs);
  // The program's arguments may look like flags of ours: everything behind the first `--` is taken as it is.
  int ours = 1;
  while (ours < argc && std::string_view(argv[ours]) != "--")
    ++ours;
  for (int i = ours + 1; i < argc; ++i)
    verbs.program_arguments.emplace_back(argv[i]);
  try {
    app.parse(ours, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    return report::error({.what = e.what(),
                          .where = {},
                          .why = {},
                          .hint = "`uni --help` shows the verbs, `uni VERB --help` their flags",
                          .code = verbs.usage_code(argc, argv)});
  }
  try {
    Expected<int> status = verbs.run();
    return status ? *status : report::error(status.error());
  } catch (const std::exception& e) {
    // A library's exception that no layer expected: still one line, never a crash.
    return report::error({.what = "internal failure",
                          .where = {},
                          .why = e.what(),
                          .hint = "please report this with the command line",
                          .code = verbs.failure_code()});
  }
}

}  // namespace uni
