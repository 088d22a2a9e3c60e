// SPDX-License-Identifier: Apache-2.0
// `uni inspect`: declared so that the command links.
#include "cli/commands/commands.hpp"

namespace uni {

void add_inspect(CLI::App& app, Verbs& verbs) {
  CLI::App* verb = app.add_subcommand("inspect", "not in this build yet");
  verb->callback([&verbs] {
    verbs.chosen = []() -> Expected<int> {
      return fail({.what = "`uni inspect` is not in this build",
                   .where = {},
                   .why = {},
                   .hint = {},
                   .code = ExitCode::kEnvironment});
    };
  });
}

}  // namespace uni
