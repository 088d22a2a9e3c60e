// SPDX-License-Identifier: Apache-2.0
// The parts of docs/IMAGE.md in blocks of 4 KiB: contents, directories and inodes as ext4 lays them out.
#include "cli/image/estimate.hpp"

#include <map>
#include <string>
#include <system_error>

#include "cli/image/root.hpp"

namespace uni {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kInode = 256;
constexpr std::uint64_t kGroup = 32768 * kBlock;  // what one block bitmap describes
constexpr std::uint64_t kShortTarget = 59;        // of a symlink that lies in its inode (ext4 layout, "symbolic links")
// What the kernel and a C library's start take, and room for the stack and the first allocations.
constexpr std::uint64_t kBaseMemory = std::uint64_t{12} << 20;

std::uint64_t blocks(std::uint64_t bytes) {
  return (bytes + kBlock - 1) / kBlock;
}

// In a directory: inode, lengths, type, then the name, a multiple of four (ext4 layout, "linear directories").
std::uint64_t entry_bytes(const std::string& path) {
  return (8 + path.size() - path.rfind('/') - 1 + 3) / 4 * 4;
}

std::uint64_t root_blocks(const FileMap& files) {
  std::uint64_t sum = 0;
  std::map<std::string, std::uint64_t> directories;
  directories[""] = 24;
  for (const auto& [path, entry] : files) {
    if (entry.kind == FileEntry::Kind::File) sum += blocks(entry.size);
    if (entry.kind == FileEntry::Kind::Symlink && entry.target.size() > kShortTarget) ++sum;
    if (entry.kind == FileEntry::Kind::Directory) directories[path] += 24;
    directories[path.substr(0, path.rfind('/'))] += entry_bytes(path);
  }
  for (const auto& [path, bytes] : directories)
    sum += blocks(bytes + 12);
  sum += 4;  // lost+found
  const std::uint64_t groups = root_size(files) / kGroup + 1;
  // Bitmaps of the groups, superblock and descriptors with their copies, the part of the inode tables in use.
  return sum + 2 * groups + 12 + blocks((files.size() + 12) * kInode);
}

// Whether the file is a program or a library, by why it is there.
bool is_loaded(const FileEntry& entry) {
  const std::string& r = entry.reason;
  return r == "the program" || r.starts_with("dynamic linker of ") || r.starts_with("needed by ") ||
         r.starts_with("interpreter of ");
}

}  // namespace

Estimate estimate_of(const Manifest& manifest, const std::filesystem::path& kernel) {
  Estimate out;
  std::error_code error;
  const std::uint64_t kernel_size = kernel.empty() ? 0 : std::filesystem::file_size(kernel, error);
  const std::uint64_t text = write_manifest(manifest, {}, Origins::Names).size();
  // The partition table at both ends, the boot configuration.
  out.disk = (root_blocks(manifest.files) + blocks(error ? 0 : kernel_size) + blocks(text) + 4) * kBlock;
  out.memory = kBaseMemory + (error ? 0 : kernel_size);
  for (const auto& [path, entry] : manifest.files) {
    if (entry.kind == FileEntry::Kind::File && is_loaded(entry)) out.memory += blocks(entry.size) * kBlock;
  }
  out.memory = (out.memory + (1U << 20) - 1) >> 20 << 20;
  return out;
}

}  // namespace uni
