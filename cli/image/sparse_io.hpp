// SPDX-License-Identifier: Apache-2.0
// The output file of an image, and the window of it that libext2fs writes its file system into. Blocks of zeros stay
// holes.
#pragma once

#include <ext2fs/ext2fs.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <span>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

// A new file without a name until commit(), or under a temporary one beside its final one where the file system has no
// such files. Gone unless commit() was called: a failure, or a signal that ends the program (temporary_files.hpp),
// leaves nothing behind.
class OutputFile {
 public:
  static Expected<OutputFile> create(const std::filesystem::path& final_path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  int fd() const { return fd_; }
  // Writes all bytes; all-zero 4 KiB blocks are left as holes, which is right in a new file. Fails with kEnvironment,
  // `no space left on device` for one.
  Expected<void> write(std::uint64_t offset, std::span<const char> bytes);
  Expected<void> set_size(std::uint64_t size);
  // Gives the file its final name, replacing what had it. Fails where the rename or the last write-back fails.
  Expected<void> commit();

 private:
  OutputFile() = default;
  std::unexpected<Diagnostic> broken(int number) const;
  std::filesystem::path final_;
  std::filesystem::path temporary_;
  int fd_ = -1;
};

// The window for libext2fs, over a part of a new file. What libext2fs writes, a few hundred bytes at a time, is held in
// memory until flush(); the contents of files pass it by. One at a time.
class SparseWindow {
 public:
  SparseWindow(int fd, std::uint64_t offset, std::uint64_t size);
  ~SparseWindow();
  SparseWindow(const SparseWindow&) = delete;
  SparseWindow& operator=(const SparseWindow&) = delete;

  // For ext2fs_initialize(): its manager opens the window whatever name it is given.
  static io_manager manager();

  // Of what write() has written; all else reads as zeros. They fail outside of the window only.
  errcode_t read(std::uint64_t at, std::span<char> to) const;
  errcode_t write(std::uint64_t at, std::span<const char> from);
  // Brings the blocks that write() has written into the file; blocks of zeros stay holes. Gives 0 or an errno.
  int flush();
  // Into blocks of the file that write() has not written and will not write; by several threads at once. Gives 0 or an
  // errno.
  int write_new(std::uint64_t at, std::span<const char> from) const;

 private:
  static constexpr std::uint64_t kBlock = 4096;
  using Block = std::array<char, kBlock>;
  int fd_;
  std::uint64_t offset_;
  std::uint64_t size_;
  std::map<std::uint64_t, Block> blocks_;  // by number
  mutable std::mutex lock_;                // see write_new()
};

}  // namespace uni
