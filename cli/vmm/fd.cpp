// SPDX-License-Identifier: Apache-2.0
// Descriptors for the launcher. All are close-on-exec; the child's list of kept ones is explicit (process.cpp).
#include "cli/vmm/fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "loader/analyze/file.hpp"

namespace uni::vmm {

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::unexpected<Diagnostic> system_failure(std::string what, std::string where, std::string hint) {
  return fail({.what = std::move(what),
               .where = std::move(where),
               .why = errno_text(errno),
               .hint = std::move(hint),
               .code = ExitCode::kRunFailed});
}

Expected<Fd> memory_file(const char* name, std::string_view bytes) {
  Fd fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd) return system_failure("cannot make a file in memory");
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return system_failure("cannot write to a file in memory");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return fd;
}

Expected<Fd> memory_copy(const char* name, int source, unsigned long long offset, unsigned long long size) {
  Fd fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd) return system_failure("cannot make a file in memory");
  auto at = static_cast<off_t>(offset);
  while (size > 0) {
    const ssize_t n = ::sendfile(fd.get(), source, &at, static_cast<std::size_t>(size));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_failure("cannot copy to a file in memory");
    if (n == 0) {
      return fail({.what = "cannot copy to a file in memory",
                   .where = {},
                   .why = "the file ends early",
                   .hint = {},
                   .code = ExitCode::kRunFailed});
    }
    size -= static_cast<unsigned long long>(n);
  }
  return fd;
}

Expected<Fd> nameless_file() {
  std::string tried;
  for (const char* dir : {static_cast<const char*>(std::getenv("TMPDIR")), "/var/tmp", "/tmp"}) {
    if (dir == nullptr || *dir == '\0') continue;
    Fd fd(::open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (fd) return fd;
    // Not every file system has O_TMPFILE (open(2)): a name that lives for an instant does there.
    std::string path = std::string(dir) + "/uni-XXXXXX";
    fd = Fd(::mkostemp(path.data(), O_CLOEXEC));
    if (fd) {
      ::unlink(path.c_str());
      return fd;
    }
    tried += (tried.empty() ? "" : ", ") + std::string(dir);
  }
  return system_failure("cannot make a temporary file", tried, "set TMPDIR to a directory that can be written");
}

Expected<SocketPair> socket_pair() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return system_failure("cannot make a socket");
  SocketPair made{Fd(pair[0]), Fd(pair[1])};
  ::fcntl(made.ours.get(), F_SETFL, O_RDWR | O_NONBLOCK);
  return made;
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {  // somebody else made the shared description non-blocking
      pollfd p{fd, POLLOUT, 0};
      ::poll(&p, 1, -1);
      continue;
    }
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace uni::vmm
