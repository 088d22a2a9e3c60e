// SPDX-License-Identifier: Apache-2.0
// An io_manager of libext2fs over memory. Its own one (unix_io) would write zeroed blocks out, loses the reason of a
// failed write, and makes several system calls for each inode.
#include "cli/image/sparse_io.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "cli/image/temporary_files.hpp"
#include "loader/analyze/file.hpp"

namespace uni {
namespace {

constexpr const char* kTemporary = ".XXXXXX";
constexpr std::uint64_t kBlock = 4096;
constexpr std::size_t kRun = std::size_t{1} << 20;  // of one write of several blocks

bool all_zero(std::span<const char> bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// 0 or an errno.
int write_all(int fd, std::uint64_t offset, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return ENOSPC;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return 0;
}

// Calls `data(offset, bytes)` for the runs of blocks that are not all zeros, until it gives an errno.
template <typename Data>
int for_data_runs(std::uint64_t offset, std::span<const char> bytes, Data data) {
  std::size_t begin = 0;
  std::size_t at = 0;
  const auto flush = [&](std::size_t end) {
    return end > begin ? data(offset + begin, bytes.subspan(begin, end - begin)) : 0;
  };
  while (at < bytes.size()) {
    const std::uint64_t room = kBlock - (offset + at) % kBlock;
    const std::size_t size = std::min<std::uint64_t>(room, bytes.size() - at);
    if (all_zero(bytes.subspan(at, size))) {
      if (const int error = flush(at); error != 0) return error;
      begin = at + size;
    }
    at += size;
  }
  return flush(bytes.size());
}

SparseWindow* g_window = nullptr;  // libext2fs gives open() nothing but a name

SparseWindow& window_of(io_channel channel) {
  return *static_cast<SparseWindow*>(channel->private_data);
}

// libext2fs counts bytes as negative numbers of blocks.
std::size_t byte_count(io_channel channel, int count) {
  return count < 0 ? static_cast<std::size_t>(-static_cast<long>(count))
                   : static_cast<std::size_t>(count) * static_cast<std::size_t>(channel->block_size);
}

errcode_t io_open(const char* name, int, io_channel* out) {
  auto* channel = static_cast<io_channel>(std::calloc(1, sizeof(struct_io_channel)));
  if (channel == nullptr) return EXT2_ET_NO_MEMORY;
  channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
  channel->manager = SparseWindow::manager();
  channel->name = ::strdup(name);
  channel->block_size = 1024;
  channel->refcount = 1;
  channel->private_data = g_window;
  *out = channel;
  return 0;
}

errcode_t io_close(io_channel channel) {
  if (--channel->refcount > 0) return 0;
  std::free(channel->name);
  std::free(channel);
  return 0;
}

errcode_t io_set_block_size(io_channel channel, int size) {
  channel->block_size = size;
  return 0;
}

errcode_t io_read64(io_channel channel, unsigned long long block, int count, void* data) {
  return window_of(channel).read(block * static_cast<std::uint64_t>(channel->block_size),
                                 {static_cast<char*>(data), byte_count(channel, count)});
}

errcode_t io_write64(io_channel channel, unsigned long long block, int count, const void* data) {
  return window_of(channel).write(block * static_cast<std::uint64_t>(channel->block_size),
                                  {static_cast<const char*>(data), byte_count(channel, count)});
}

errcode_t io_read(io_channel channel, unsigned long block, int count, void* data) {
  return io_read64(channel, block, count, data);
}

errcode_t io_write(io_channel channel, unsigned long block, int count, const void* data) {
  return io_write64(channel, block, count, data);
}

errcode_t io_write_byte(io_channel channel, unsigned long offset, int count, const void* data) {
  return window_of(channel).write(offset, {static_cast<const char*>(data), static_cast<std::size_t>(count)});
}

errcode_t io_flush(io_channel) {
  return 0;
}

}  // namespace

Expected<OutputFile> OutputFile::create(const std::filesystem::path& final_path) {
  // A rename would put the file in place of a device, a pipe or what a link such as /dev/stdout leads to.
  struct stat st {};
  if (::stat(final_path.c_str(), &st) == 0 && !S_ISREG(st.st_mode)) {
    return fail({.what = "cannot be written",
                 .where = final_path.string(),
                 .why = "it is there and is not a regular file",
                 .hint = "name a regular file, or one that is not there yet",
                 .code = ExitCode::kUsage});
  }
  OutputFile file;
  file.final_ = final_path;
  file.fd_ = make_nameless(final_path.string());
  if (file.fd_ >= 0) return file;
  std::string name = final_path.string() + kTemporary;
  file.fd_ = make_temporary(name);
  if (file.fd_ < 0) {
    return fail({.what = "cannot be written",
                 .where = final_path.string(),
                 .why = errno_text(errno),
                 .hint = "choose another place with `-o IMAGE`",
                 .code = ExitCode::kEnvironment});
  }
  file.temporary_ = name;
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : final_(std::move(other.final_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::exchange(other.fd_, -1)) {}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
  if (temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  forget_temporary(temporary_);
}

std::unexpected<Diagnostic> OutputFile::broken(int number) const {
  return fail({.what = "cannot be written",
               .where = final_.string(),
               .why = errno_text(number),
               .hint = number == ENOSPC || number == EDQUOT
                           ? "free space there, or choose another place with `-o IMAGE`"
                       : number == EFBIG ? "raise the limit on file sizes (`ulimit -f`)"
                                         : "choose another place with `-o IMAGE`",
               .code = ExitCode::kEnvironment});
}

Expected<void> OutputFile::write(std::uint64_t offset, std::span<const char> bytes) {
  const int error = for_data_runs(offset, bytes,
                                  [&](std::uint64_t at, std::span<const char> run) { return write_all(fd_, at, run); });
  if (error != 0) return broken(error);
  return {};
}

Expected<void> OutputFile::set_size(std::uint64_t size) {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return broken(errno);
  return {};
}

Expected<void> OutputFile::commit() {
  // It was made private; the final file has the permissions that any new file gets.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(fd_, 0666U & ~mask) != 0) return broken(errno);
  if (temporary_.empty()) {
    std::string name = final_.string() + kTemporary;
    if (name_temporary(fd_, name) != 0) return broken(errno);
    temporary_ = name;
  }
  if (::rename(temporary_.c_str(), final_.c_str()) != 0) return broken(errno);
  forget_temporary(temporary_);
  temporary_.clear();
  return {};
}

SparseWindow::SparseWindow(int fd, std::uint64_t offset, std::uint64_t size) : fd_(fd), offset_(offset), size_(size) {
  g_window = this;
}

SparseWindow::~SparseWindow() {
  g_window = nullptr;
}

io_manager SparseWindow::manager() {
  static struct_io_manager manager = [] {
    struct_io_manager m{};
    m.magic = EXT2_ET_MAGIC_IO_MANAGER;
    m.name = "uni sparse window";
    m.open = io_open;
    m.close = io_close;
    m.set_blksize = io_set_block_size;
    m.read_blk = io_read;
    m.write_blk = io_write;
    m.flush = io_flush;
    m.write_byte = io_write_byte;
    m.read_blk64 = io_read64;
    m.write_blk64 = io_write64;
    return m;
  }();
  return &manager;
}

errcode_t SparseWindow::read(std::uint64_t at, std::span<char> to) const {
  if (at > size_ || to.size() > size_ - at) return EXT2_ET_SHORT_READ;
  while (!to.empty()) {
    const std::size_t inside = at % kBlock;
    const std::span<char> part = to.subspan(0, std::min(to.size(), kBlock - inside));
    const auto block = blocks_.find(at / kBlock);
    if (block == blocks_.end()) {
      std::ranges::fill(part, '\0');
    } else {
      std::memcpy(part.data(), block->second.data() + inside, part.size());
    }
    to = to.subspan(part.size());
    at += part.size();
  }
  return 0;
}

errcode_t SparseWindow::write(std::uint64_t at, std::span<const char> from) {
  if (at > size_ || from.size() > size_ - at) return EXT2_ET_SHORT_WRITE;
  while (!from.empty()) {
    const std::size_t inside = at % kBlock;
    const std::span<const char> part = from.subspan(0, std::min(from.size(), kBlock - inside));
    auto block = blocks_.find(at / kBlock);
    if (block == blocks_.end() && !all_zero(part)) block = blocks_.try_emplace(at / kBlock).first;
    if (block != blocks_.end()) std::memcpy(block->second.data() + inside, part.data(), part.size());
    from = from.subspan(part.size());
    at += part.size();
  }
  return 0;
}

int SparseWindow::flush() {
  std::vector<char> run;
  const auto write_run = [&](std::uint64_t end) {
    const int error = run.empty() ? 0 : write_new(end * kBlock - run.size(), run);
    run.clear();
    return error;
  };
  std::uint64_t next = 0;
  for (const auto& [number, block] : blocks_) {
    if (number != next || run.size() >= kRun) {
      if (const int error = write_run(next); error != 0) return error;
    }
    run.insert(run.end(), block.begin(), block.end());
    next = number + 1;
  }
  blocks_.clear();
  return write_run(next);
}

int SparseWindow::write_new(std::uint64_t at, std::span<const char> from) const {
  if (at > size_ || from.size() > size_ - at) return EINVAL;
  return for_data_runs(at, from, [&](std::uint64_t where, std::span<const char> run) {
    // A file takes one write at a time. Linux lets the others spin on the inode's lock, which costs what digests need.
    const std::lock_guard guard(lock_);
    return write_all(fd_, offset_ + where, run);
  });
}

}  // namespace uni
