// SPDX-License-Identifier: Apache-2.0
// A regular file opened for reading, and what can go wrong with that said in the user's words.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "loader/analyze/diagnostic.hpp"

namespace uni {

class InputFile {
 public:
  // Opens a regular file. A directory, a device, a missing or an unreadable file fails with kBadInput.
  static Expected<InputFile> open(const std::filesystem::path& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  unsigned mode() const { return mode_; }
  int fd() const { return fd_; }

  // Fills `to` from byte `offset`. Fails where the file ends before or cannot be read.
  Expected<void> read_exact(std::uint64_t offset, std::span<char> to) const;
  // Reads at most `to.size()` bytes; fewer only at the end of the file.
  Expected<std::size_t> read_some(std::uint64_t offset, std::span<char> to) const;

 private:
  InputFile() = default;
  std::filesystem::path path_;
  std::uint64_t size_ = 0;
  unsigned mode_ = 0;
  int fd_ = -1;
};

// A whole file as a string; fails as InputFile does, and where it is larger than `limit` bytes.
Expected<std::string> read_text(const std::filesystem::path& path, std::uint64_t limit = std::uint64_t{64} << 20);

// Lower-case text of an errno value: "permission denied".
std::string errno_text(int number);

}  // namespace uni
