// SPDX-License-Identifier: Apache-2.0
// The list of verbs, in the order in which `uni --help` shows them.
#include "cli/commands/commands.hpp"

#include "cli/commands/completions.hpp"
#include "cli/commands/trace.hpp"
#include "cli/commands/verify.hpp"

namespace uni {

void add_verbs(CLI::App& app, Verbs& verbs) {
  add_pack(app, verbs);
  add_run(app, verbs);
  add_inspect(app, verbs);
  add_verify(app, verbs);
  add_trace(app, verbs);
  add_syscalls(app, verbs);
  add_completions(app, verbs);
}

}  // namespace uni
