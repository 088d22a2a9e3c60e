// SPDX-License-Identifier: Apache-2.0
// Images made with mke2fs and judged with e2fsck, in a directory of their own that goes with the object.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "kernel/dev/block.hpp"
#include "kernel/fs/ext4/ext4.hpp"
#include "kernel/mm/page.hpp"

namespace uni::test {

// A disk in the host's memory.
class MemoryDisk final : public dev::BlockDevice {
 public:
  std::vector<char> bytes;
  unsigned reads = 0, writes = 0;
  Result<void> read(u64 offset, Span<const dev::BlockSegment> segments) override {
    ++reads;
    return move(offset, segments, false);
  }
  Result<void> write(u64 offset, Span<const dev::BlockSegment> segments) override {
    ++writes;
    return move(offset, segments, true);
  }
  Result<void> flush() override { return {}; }
  u64 size() const override { return bytes.size(); }
  bool read_only() const override { return false; }

 private:
  Result<void> move(u64 offset, Span<const dev::BlockSegment> segments, bool write) {
    for (const auto& s : segments) {
      if (offset % 512 != 0 || s.size % 512 != 0 || offset > bytes.size() || s.size > bytes.size() - offset)
        return Errno::Invalid;
      char* at = bytes.data() + offset;
      if (write)
        __builtin_memcpy(at, s.data, s.size);
      else
        __builtin_memcpy(s.data, at, s.size);
      offset += s.size;
    }
    return {};
  }
};

inline std::string run(const std::string& command, int* status = nullptr) {
  std::string out;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  while (size_t n = fread(buffer, 1, sizeof buffer, pipe))
    out.append(buffer, n);
  const int s = pclose(pipe);
  if (status != nullptr) *status = WIFEXITED(s) ? WEXITSTATUS(s) : 255;
  return out;
}

class Image {
 public:
  Image() {
    char pattern[] = "/tmp/uni-ext4-XXXXXX";
    directory_ = mkdtemp(pattern);
    std::filesystem::create_directory(tree());
  }
  ~Image() { std::filesystem::remove_all(directory_); }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  std::string tree() const { return directory_ + "/tree"; }
  std::string path() const { return directory_ + "/image"; }
  // Makes the image from tree(), with the features that `uni pack` uses and `options` behind them.
  void make(const std::string& size, const std::string& options = "-b 4096") {
    int status = 0;
    const std::string out = run("PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext4 -O ^has_journal -d " + tree() + " " +
                                    options + " " + path() + " " + size,
                                &status);
    if (status != 0) throw std::runtime_error(out);
    load();
  }
  void load() {
    std::ifstream in(path(), std::ios::binary | std::ios::ate);
    disk.bytes.resize(static_cast<size_t>(in.tellg()));
    in.seekg(0);
    in.read(disk.bytes.data(), static_cast<std::streamsize>(disk.bytes.size()));
  }
  void save() const {
    std::ofstream(path(), std::ios::binary).write(disk.bytes.data(), static_cast<std::streamsize>(disk.bytes.size()));
  }
  // e2fsck's findings; empty when the image is clean.
  std::string fsck() const {
    save();
    int status = 0;
    const std::string out = run("PATH=$PATH:/sbin:/usr/sbin e2fsck -fn " + path(), &status);
    return status == 0 ? "" : out;
  }
  std::string debugfs(const std::string& request) const {
    return run("PATH=$PATH:/sbin:/usr/sbin debugfs -R '" + request + "' " + path());
  }
  Result<RefPtr<fs::FileSystem>> mount() { return fs::ext4::mount(disk, 0, disk.size()); }
  MemoryDisk disk;

 private:
  std::string directory_;
};

// The inode at a path from `root`, without following links.
inline Result<RefPtr<fs::Inode>> walk(fs::FileSystem& fs, const std::string& path) {
  RefPtr<fs::Inode> at = TRY(fs.root());
  size_t from = 0;
  while (from < path.size()) {
    const size_t end = std::min(path.find('/', from), path.size());
    if (end > from) at = TRY(at->lookup(StringView(path.data() + from, end - from)));
    from = end + 1;
  }
  return at;
}

// A file's content through read_pages, `batch` pages at a time.
inline Result<std::string> content(fs::Inode& inode, size_t batch = 16) {
  std::string out;
  const u64 size = inode.size();
  for (u64 page = 0; page * kPageSize < size; page += batch) {
    std::vector<mm::Page*> pages(std::min<u64>(batch, (size - page * kPageSize + kPageSize - 1) / kPageSize));
    for (auto& p : pages)
      p = mm::alloc_page(mm::Zero::kNo);
    const auto done = inode.read_pages(page, {pages.data(), pages.size()});
    for (auto* p : pages) {
      out.append(static_cast<char*>(mm::address_of(*p)), kPageSize);
      mm::put_page(*p);
    }
    if (!done.ok()) return done.error();
  }
  out.resize(size);
  return Result<std::string>(std::move(out));
}

struct Lister final : fs::DirectorySink {
  std::vector<std::string> names;
  size_t room = ~size_t{0};  // how many more it takes
  u64 next = 0;
  bool entry(StringView name, u64, fs::FileType, u64 next_offset) override {
    if (room == 0) return false;
    --room;
    names.emplace_back(name.data(), name.size());
    next = next_offset;
    return true;
  }
};

}  // namespace uni::test
