// SPDX-License-Identifier: Apache-2.0
// `uni run`: declared so that the command links; the launcher comes with cli/vmm.
#include "cli/commands/commands.hpp"

namespace uni {

void add_run(CLI::App& app, Verbs& verbs) {
  CLI::App* verb = app.add_subcommand("run", "boot an image");
  verb->callback([&verbs] {
    verbs.is_run = true;
    verbs.chosen = []() -> Expected<int> {
      return fail(
          {.what = "`uni run` is not in this build", .where = {}, .why = {}, .hint = {}, .code = ExitCode::kRunFailed});
    };
  });
}

}  // namespace uni
