// SPDX-License-Identifier: Apache-2.0
// A file descriptor that closes itself, and the few ways in which the launcher makes one.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "loader/analyze/diagnostic.hpp"

namespace uni::vmm {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

// A diagnostic with the reason taken from `errno`; status 125.
std::unexpected<Diagnostic> system_failure(std::string what, std::string where = {}, std::string hint = {});

// A file in memory (memfd_create(2)) that holds `bytes`.
Expected<Fd> memory_file(const char* name, std::string_view bytes);

// A file in memory that holds `size` bytes of `source` from `offset` on.
Expected<Fd> memory_copy(const char* name, int source, unsigned long long offset, unsigned long long size);

// A new file without a name in $TMPDIR (else /var/tmp, /tmp): nothing is left behind, however the process ends.
Expected<Fd> nameless_file();

struct SocketPair {
  Fd ours;    // non-blocking
  Fd theirs;  // blocking, as QEMU expects it to be at first
};
// A connected pair of stream sockets (AF_UNIX), both close-on-exec.
Expected<SocketPair> socket_pair();

// Writes all of `bytes`, blocking; errors are dropped: for the log lines on stderr.
void write_all(int fd, std::string_view bytes);

}  // namespace uni::vmm
