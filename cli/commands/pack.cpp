// SPDX-License-Identifier: Apache-2.0
// `uni pack`: declared so that the command links.
#include "cli/commands/commands.hpp"

namespace uni {

void add_pack(CLI::App& app, Verbs& verbs) {
  CLI::App* verb = app.add_subcommand("pack", "not in this build yet");
  verb->callback([&verbs] {
    verbs.chosen = []() -> Expected<int> {
      return fail({.what = "`uni pack` is not in this build",
                   .where = {},
                   .why = {},
                   .hint = {},
                   .code = ExitCode::kEnvironment});
    };
  });
}

}  // namespace uni
