// SPDX-License-Identifier: Apache-2.0
// The parent's side and the child's side of LIEF. They speak over a socket pair: the parent sends a path, the child
// answers with a flat message of length-prefixed strings, which the parent reads as untrusted input.
#include "loader/analyze/elf_reader.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <optional>

#include "loader/analyze/lief_child.hpp"

namespace uni {
namespace {

constexpr int kTimeoutMs = 30'000;
constexpr std::uint32_t kMessageLimit = 256U << 20;

bool write_all(int fd, const void* data, std::size_t size) {
  const char* p = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::send(fd, p, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    p += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool read_all(int fd, void* data, std::size_t size, int timeout_ms) {
  char* p = static_cast<char*>(data);
  while (size > 0) {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wait, 1, timeout_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t n = ::recv(fd, p, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    p += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool send_message(int fd, const std::string& body) {
  const auto size = static_cast<std::uint32_t>(body.size());
  return write_all(fd, &size, sizeof size) && write_all(fd, body.data(), body.size());
}

std::optional<std::string> receive_message(int fd, int timeout_ms) {
  std::uint32_t size = 0;
  if (!read_all(fd, &size, sizeof size, timeout_ms) || size > kMessageLimit) return std::nullopt;
  std::string body(size, '\0');
  if (!read_all(fd, body.data(), size, timeout_ms)) return std::nullopt;
  return body;
}

[[noreturn]] void child_main(int fd) {
#ifndef __SANITIZE_ADDRESS__  // ASan's shadow needs terabytes of address space
  // A parse that eats memory ends the child, not the machine. 4 GiB of address space is enough for files of 1 GiB.
  const rlimit memory{.rlim_cur = std::uint64_t{4} << 30, .rlim_max = std::uint64_t{4} << 30};
  ::setrlimit(RLIMIT_AS, &memory);
#endif
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    ::signal(number, SIG_DFL);
  silence_lief();
  for (;;) {
    const auto path = receive_message(fd, -1);
    if (!path) ::_exit(0);
    if (!send_message(fd, lief_facts(*path))) ::_exit(0);
  }
}

// The closed reader over the child's answer.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}
  bool number(std::uint64_t& value) {
    if (rest_.size() < sizeof value) return false;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return true;
  }
  bool text(std::string& value) {
    std::uint64_t size = 0;
    if (!number(size) || size > rest_.size()) return false;
    value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value.find('\0') == std::string::npos;
  }
  bool texts(std::vector<std::string>& values) {
    std::uint64_t count = 0;
    if (!number(count) || count > rest_.size() / sizeof count) return false;
    values.resize(count);
    return std::ranges::all_of(values, [&](std::string& v) { return text(v); });
  }
  bool symbols(std::vector<DynamicSymbol>& values) {
    std::uint64_t count = 0;
    if (!number(count) || count > rest_.size() / sizeof count) return false;
    values.resize(count);
    return std::ranges::all_of(values,
                               [&](DynamicSymbol& s) { return text(s.name) && number(s.address) && number(s.size); });
  }

 private:
  std::string_view rest_;
};

bool unpack(std::string_view bytes, ElfFacts& out) {
  Unpacker in(bytes);
  std::uint64_t flags = 0;
  if (!in.number(flags) || !in.texts(out.needed) || !in.text(out.rpath) || !in.text(out.runpath) ||
      !in.text(out.soname) || !in.texts(out.imports) || !in.symbols(out.exports)) {
    return false;
  }
  out.has_runpath = (flags & kFactRunpath) != 0;
  out.no_default_libs = (flags & kFactNoDefaultLibs) != 0;
  return (flags & kFactParsed) != 0;
}

}  // namespace

ElfReader::~ElfReader() {
  stop();
}

Expected<void> ElfReader::start() {
  if (child_ > 0) return {};
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return fail({.what = "cannot start the ELF reader",
                 .where = {},
                 .why = errno_text(errno),
                 .hint = {},
                 .code = ExitCode::kEnvironment});
  }
  const pid_t pid = ::fork();
  if (pid < 0) {
    const int error = errno;
    ::close(pair[0]), ::close(pair[1]);
    return fail({.what = "cannot start the ELF reader",
                 .where = {},
                 .why = errno_text(error),
                 .hint = {},
                 .code = ExitCode::kEnvironment});
  }
  if (pid == 0) {
    ::close(pair[0]);
    child_main(pair[1]);
  }
  ::close(pair[1]);
  child_ = pid;
  socket_ = pair[0];
  return {};
}

void ElfReader::stop() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  child_ = -1;
}

Expected<ElfFacts> ElfReader::read(const std::filesystem::path& path) {
  auto file = InputFile::open(path);
  if (!file) return std::unexpected(file.error());
  auto header = read_elf_header(*file);
  if (!header) return std::unexpected(header.error());
  ElfFacts facts;
  facts.header = std::move(*header);
  // Without a dynamic section there is nothing that LIEF could add.
  if (!facts.header.dynamic) return facts;
  if (auto ok = start(); !ok) return std::unexpected(ok.error());
  std::optional<std::string> answer;
  if (send_message(socket_, path.string())) answer = receive_message(socket_, kTimeoutMs);
  if (!answer || !unpack(*answer, facts)) {
    const bool lost = !answer;
    if (lost) stop();
    return fail(
        {.what = "damaged ELF file",
         .where = path.string(),
         .why = lost ? "reading its dynamic section crashed or did not end" : "its dynamic section is not readable",
         .hint = "get or build the file again"});
  }
  std::ranges::sort(facts.imports);
  return facts;
}

}  // namespace uni
