// SPDX-License-Identifier: Apache-2.0
// `uni`, as the user calls it. Loading the libraries that analyse and pack programs takes longer than all that `uni
// run` does before QEMU starts (7.8 ms against 2.0 until QEMU is started), so running an image needs none of them; for
// everything else this process becomes `uni-tools`, with the same arguments.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/commands/command_line.hpp"
#include "cli/report/report.hpp"
#include "loader/analyze/file.hpp"

namespace {

// lib/uni/uni-tools beside the directory of this command. Does not return when it worked.
uni::Diagnostic become_tools(char** argv, uni::ExitCode code) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path tools = self.parent_path().parent_path() / "lib" / "uni" / "uni-tools";
  ::execv(tools.c_str(), argv);
  return {.what = "cannot start a part of uni",
          .where = tools.string(),
          .why = uni::errno_text(errno),
          .hint = "the installation is not whole: install `uni` again",
          .code = code};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || std::strcmp(argv[1], "run") != 0) {
    return uni::report::error(become_tools(argv, uni::ExitCode::kEnvironment));
  }
  return uni::command_line(argc, argv, uni::add_run, [argv](const std::string&) {
    return uni::Expected<std::filesystem::path>(uni::fail(become_tools(argv, uni::ExitCode::kRunFailed)));
  });
}
