// SPDX-License-Identifier: Apache-2.0
// Opens and reads files with pread, so that a file that shrinks meanwhile is an error and not a SIGBUS.
#include "loader/analyze/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

namespace uni {

std::string errno_text(int number) {
  std::string text = std::strerror(number);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

Expected<InputFile> InputFile::open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer (open(2)); regular files ignore it.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    const int error = errno;
    return fail({.what = error == ENOENT ? "no such file" : "cannot be read",
                 .where = path.string(),
                 .why = error == ENOENT ? std::string() : errno_text(error),
                 .hint = error == EACCES ? "check its permissions with `ls -l`" : "check the path"});
  }
  InputFile file;
  file.fd_ = fd;
  file.path_ = path;
  struct stat st {};
  if (fstat(fd, &st) != 0)
    return fail({.what = "cannot be read", .where = path.string(), .why = errno_text(errno), .hint = {}});
  if (S_ISDIR(st.st_mode)) {
    return fail({.what = "is a directory", .where = path.string(), .why = {}, .hint = "name a file in it"});
  }
  if (!S_ISREG(st.st_mode)) {
    return fail({.what = "is not a regular file", .where = path.string(), .why = {}, .hint = "name a regular file"});
  }
  file.size_ = static_cast<std::uint64_t>(st.st_size);
  file.mode_ = st.st_mode & 07777U;
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), size_(other.size_), mode_(other.mode_), fd_(std::exchange(other.fd_, -1)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(size_, other.size_);
  std::swap(mode_, other.mode_);
  std::swap(fd_, other.fd_);
  return *this;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

Expected<std::size_t> InputFile::read_some(std::uint64_t offset, std::span<char> to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t n = ::pread(fd_, to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail({.what = "cannot be read", .where = path_.string(), .why = errno_text(errno), .hint = {}});
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Expected<void> InputFile::read_exact(std::uint64_t offset, std::span<char> to) const {
  const auto n = read_some(offset, to);
  if (!n) return std::unexpected(n.error());
  if (*n != to.size()) {
    return fail({.what = "is truncated",
                 .where = path_.string(),
                 .why = "it ends at byte " + std::to_string(offset + *n),
                 .hint = "get the file again"});
  }
  return {};
}

Expected<std::string> read_text(const std::filesystem::path& path, std::uint64_t limit) {
  auto file = InputFile::open(path);
  if (!file) return std::unexpected(file.error());
  std::string text;
  char chunk[65536];
  for (;;) {
    // Files of /proc say that they have no bytes, so the size is not trusted.
    const auto n = file->read_some(text.size(), chunk);
    if (!n) return std::unexpected(n.error());
    text.append(chunk, *n);
    if (text.size() > limit) {
      return fail({.what = "is too large",
                   .where = path.string(),
                   .why = "over " + std::to_string(limit) + " bytes",
                   .hint = {}});
    }
    if (*n < sizeof chunk) return text;
  }
}

}  // namespace uni
