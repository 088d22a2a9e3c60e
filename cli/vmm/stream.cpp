// SPDX-License-Identifier: Apache-2.0
// Streams and pumps. No write here can raise SIGPIPE: `uni run` ignores it, and sockets use MSG_NOSIGNAL as well.
#include "cli/vmm/stream.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace uni::vmm {
namespace {

constexpr std::size_t kBufferSize = 65536;

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

Stream::Stream(Loop& loop, Fd fd) : loop_(loop), fd_(std::move(fd)) {
  struct stat st {};
  if (fd_ && ::fstat(fd_.get(), &st) == 0 && S_ISSOCK(st.st_mode)) kind_ = Kind::kSocket;
}

Stream::~Stream() {
  close();
}

std::unique_ptr<Stream> Stream::standard(Loop& loop, int fd, int open_mode) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return nullptr;  // closed by whoever started us
  if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    Fd again(::open(path.c_str(), open_mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (again) return std::make_unique<Stream>(loop, std::move(again));
  }
  auto stream = std::make_unique<Stream>(loop, Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)));
  if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) stream->kind_ = Kind::kFile;
  if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) stream->kind_ = Kind::kPieces;
  return stream;
}

void Stream::close() {
  if (watch_ != 0) loop_.forget(watch_);
  watch_ = 0;
  fd_.reset();
}

void Stream::shut_writing() {
  if (fd_) ::shutdown(fd_.get(), SHUT_WR);
}

void Stream::want_read(bool on) {
  read_on_ = on;
  update();
}

void Stream::want_write(bool on) {
  write_on_ = on;
  update();
}

void Stream::update() {
  if (!fd_) return;
  const std::uint32_t events = (read_on_ ? std::uint32_t{EPOLLIN} : 0) | (write_on_ ? std::uint32_t{EPOLLOUT} : 0);
  if (watch_ == 0) {
    watch_ = loop_.watch(fd_.get(), events, [this](std::uint32_t ready) { handle(ready); });
  } else {
    loop_.change(watch_, events);
  }
}

void Stream::handle(std::uint32_t events) {
  // A handler may close this stream; each step looks again.
  const bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if ((events & EPOLLIN) != 0 || (gone && read_on_)) {
    if (readable_ && read_on_) readable_();
  }
  if (fd_ && ((events & EPOLLOUT) != 0 || (gone && write_on_))) {
    if (writable_ && write_on_) writable_();
  }
  // epoll tells a hang-up whatever the interest: without this it would be told for ever.
  if (fd_ && gone && !read_on_ && !write_on_) {
    loop_.forget(watch_);
    watch_ = 0;
    if (const auto handler = std::move(hangup_)) handler();
  }
}

Stream::Result Stream::read(char* to, std::size_t size) {
  const ssize_t n = ::read(fd_.get(), to, size);
  if (n > 0) return {Io::kDone, static_cast<std::size_t>(n)};
  if (n == 0) return {Io::kEnd, 0};
  return {would_block(errno) ? Io::kAgain : errno == ECONNRESET ? Io::kEnd : Io::kError, 0};
}

Stream::Result Stream::write(std::string_view bytes) {
  ssize_t n = 0;
  switch (kind_) {
    case Kind::kSocket:
      n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      break;
    case Kind::kPieces:
      n = ::write(fd_.get(), bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
      break;
    case Kind::kFile:
    case Kind::kNonBlocking:
      n = ::write(fd_.get(), bytes.data(), bytes.size());
      break;
  }
  if (n >= 0) return {Io::kDone, static_cast<std::size_t>(n)};
  if (would_block(errno)) return {Io::kAgain, 0};
  write_error_ = errno;
  return {Io::kError, 0};
}

Pump::Pump(Stream& from, Stream& to) : from_(from), to_(to) {
  from_.on_readable([this] { pull(); });
  to_.on_writable([this] { push(); });
}

void Pump::start() {
  paused_ = false;
  if (done_) return;
  if (written_ < waiting_.size()) return to_.want_write(true);
  from_.want_read(true);
}

void Pump::pause() {
  paused_ = true;
  from_.want_read(false);
}

void Pump::finish(const std::function<void()>& handler) {
  done_ = true;
  from_.want_read(false);
  to_.want_write(false);
  waiting_ = {};
  if (handler) handler();  // may destroy this pump: nothing follows
}

void Pump::pull() {
  static thread_local std::array<char, kBufferSize> buffer;
  const Stream::Result got = from_.read(buffer.data(), buffer.size());
  if (got.io == Stream::Io::kAgain) return;
  if (got.io == Stream::Io::kError && read_error_) return read_error_();
  if (got.io != Stream::Io::kDone) return finish(ended_);
  const std::string_view bytes(buffer.data(), got.count);
  if (seen_) seen_(bytes);
  const Stream::Result put = to_.write(bytes);
  if (put.io == Stream::Io::kError) return finish(refused_);
  if (put.count == bytes.size()) return;
  waiting_.assign(bytes.substr(put.count));
  written_ = 0;
  from_.want_read(false);
  to_.want_write(true);
}

void Pump::push() {
  const Stream::Result put = to_.write(std::string_view(waiting_).substr(written_));
  if (put.io == Stream::Io::kError) return finish(refused_);
  written_ += put.count;
  if (written_ < waiting_.size()) return;
  waiting_.clear();
  written_ = 0;
  to_.want_write(false);
  if (!paused_) from_.want_read(true);
}

}  // namespace uni::vmm
