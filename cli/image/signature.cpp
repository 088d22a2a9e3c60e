// SPDX-License-Identifier: Apache-2.0
// Which tool a key is for is said by its first line: minisign writes `untrusted comment:`, all others are OpenSSH's. No
// shell: argument vectors, and the image as standard input where ssh-keygen wants it there.
#include "cli/image/signature.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/vmm/process.hpp"
#include "loader/analyze/file.hpp"

namespace uni {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNamespace = "uni-image";  // ssh-keygen(1): what the signature is for
constexpr const char* kIdentity = "uni";

struct Tool {
  std::string path;
  bool minisign = false;
};

Expected<Tool> tool_for(const fs::path& key) {
  auto text = read_text(key, 1U << 20);
  if (!text) return std::unexpected(text.error());
  Tool tool;
  tool.minisign = text->starts_with("untrusted comment:");
  const std::string name = tool.minisign ? "minisign" : "ssh-keygen";
  tool.path = vmm::find_program(name);
  if (!tool.path.empty()) return tool;
  return fail({.what = "`" + name + "` is missing",
               .where = key.string(),
               .why = "the key is one of its own",
               .hint = std::string("install the package ") + (tool.minisign ? "minisign" : "openssh-client"),
               .code = ExitCode::kEnvironment});
}

// Its status; its output goes to /dev/null, its messages stay on standard error where they are wanted.
Expected<int> run_tool(const std::vector<std::string>& words, const fs::path& input, const char* messages) {
  std::vector<char*> argv;
  for (const std::string& w : words)
    argv.push_back(const_cast<char*>(w.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (!input.empty()) ::posix_spawn_file_actions_addopen(&actions, 0, input.c_str(), O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  if (messages != nullptr) ::posix_spawn_file_actions_addopen(&actions, 2, messages, O_WRONLY, 0);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return fail({.what = "cannot be started",
                 .where = words[0],
                 .why = errno_text(error),
                 .hint = {},
                 .code = ExitCode::kEnvironment});
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// ssh-keygen takes the keys that may sign from a file: one line, our identity and the key.
class AllowedSigners {
 public:
  static Expected<AllowedSigners> make(const fs::path& key) {
    auto text = read_text(key, 1U << 20);
    if (!text) return std::unexpected(text.error());
    AllowedSigners made;
    std::error_code error;
    const fs::path directory = fs::temp_directory_path(error);
    made.path_ = ((error ? fs::path("/tmp") : directory) / "uni-signers.XXXXXX").string();
    const int fd = ::mkstemp(made.path_.data());
    const std::string line = std::string(kIdentity) + " " + text->substr(0, text->find('\n')) + "\n";
    const bool written = fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    if (fd >= 0) ::close(fd);
    if (written) return made;
    return fail({.what = "cannot write a temporary file",
                 .where = made.path_,
                 .why = {},
                 .hint = "check TMPDIR",
                 .code = ExitCode::kEnvironment});
  }
  AllowedSigners(AllowedSigners&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  AllowedSigners& operator=(AllowedSigners&&) = delete;
  ~AllowedSigners() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  AllowedSigners() = default;
  std::string path_;
};

}  // namespace

Expected<fs::path> sign_image(const fs::path& image, const fs::path& key) {
  auto tool = tool_for(key);
  if (!tool) return std::unexpected(tool.error());
  const fs::path out = image.string() + (tool->minisign ? ".minisig" : ".sig");
  std::error_code error;
  fs::remove(out, error);  // ssh-keygen would ask
  const std::vector<std::string> words =
      tool->minisign ? std::vector<std::string>{tool->path, "-S", "-s", key, "-m", image, "-x", out}
                     : std::vector<std::string>{tool->path, "-Y", "sign", "-q", "-f", key, "-n", kNamespace, image};
  auto status = run_tool(words, {}, nullptr);
  if (!status) return std::unexpected(status.error());
  if (*status == 0 && fs::exists(out, error)) return out;
  return fail({.what = "cannot be signed",
               .where = image.string(),
               .why = tool->path + " ended with status " + std::to_string(*status),
               .hint = "name a secret key of minisign or OpenSSH: `--sign KEY`"});
}

Expected<void> verify_signature(const fs::path& image, const fs::path& key, fs::path signature) {
  auto tool = tool_for(key);
  if (!tool) return std::unexpected(tool.error());
  if (signature.empty()) signature = image.string() + (tool->minisign ? ".minisig" : ".sig");
  if (auto there = InputFile::open(signature); !there) {
    Diagnostic d = there.error();
    d.hint = "sign the image with `uni pack --sign KEY`, or name the file with `--signature FILE`";
    return fail(std::move(d));
  }
  Expected<int> status = 1;
  if (tool->minisign) {
    status = run_tool({tool->path, "-V", "-q", "-p", key, "-m", image, "-x", signature}, {}, "/dev/null");
  } else {
    auto signers = AllowedSigners::make(key);
    if (!signers) return std::unexpected(signers.error());
    status = run_tool(
        {tool->path, "-Y", "verify", "-q", "-f", signers->path(), "-I", kIdentity, "-n", kNamespace, "-s", signature},
        image, "/dev/null");
  }
  if (!status) return std::unexpected(status.error());
  if (*status == 0) return {};
  return fail({.what = "the signature is not good",
               .where = signature.string(),
               .why = "it is not one of " + key.string() + " over " + image.string(),
               .hint = "get the image and its signature again, or check the key"});
}

}  // namespace uni
