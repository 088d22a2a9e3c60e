// SPDX-License-Identifier: Apache-2.0
// parse -> verb -> one diagnostic -> exit code. Each verb lives in cli/commands/ and adds itself to the parser.
#include "cli/commands/command_line.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <string_view>
#include <system_error>

#include "cli/report/report.hpp"

namespace uni {
namespace {

// A descriptor below 3 that was closed would be given to the next file that is opened, and a message written into it.
void open_standard_descriptors() {
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // open(2) gives the lowest free number, which is `fd`.
    if (::open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) < 0) return;
  }
}

}  // namespace

int command_line(int argc, char** argv, const std::function<void(CLI::App&, Verbs&)>& add,
                 std::function<Expected<std::filesystem::path>(const std::string&)> image_for) {
  open_standard_descriptors();
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
    if (!status) return report::error(status.error());
    if (const int reason = report::data_error(); reason != 0) {
      return report::error({.what = "cannot be written",
                            .where = "standard output",
                            .why = std::generic_category().message(reason),
                            .hint = "what was written is not whole: choose another place for it",
                            .code = verbs.failure_code()});
    }
    return *status;
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
