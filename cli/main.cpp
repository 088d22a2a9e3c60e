// SPDX-License-Identifier: Apache-2.0
// parse -> verb -> one diagnostic -> exit code. Each verb lives in cli/commands/ and adds itself to the parser.
#include <CLI/CLI.hpp>
#include <exception>

#include "cli/commands/commands.hpp"
#include "cli/report/report.hpp"

int main(int argc, char** argv) {
  CLI::App app{"uni: turns Linux programs into unikernels", "uni"};
  app.set_version_flag("--version", UNI_VERSION);
  app.require_subcommand(1);
  uni::Verbs verbs;
  uni::add_verbs(app, verbs);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);
    return uni::report::error({.what = e.what(),
                               .where = {},
                               .why = {},
                               .hint = "`uni --help` shows the verbs, `uni VERB --help` their flags",
                               .code = verbs.usage_code(argc, argv)});
  }
  try {
    uni::Expected<int> status = verbs.run();
    return status ? *status : uni::report::error(status.error());
  } catch (const std::exception& e) {
    // A library's exception that no layer expected: still one line, never a crash.
    return uni::report::error({.what = "internal failure",
                               .where = {},
                               .why = e.what(),
                               .hint = "please report this with the command line",
                               .code = verbs.failure_code()});
  }
}
