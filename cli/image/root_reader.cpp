// SPDX-License-Identifier: Apache-2.0
// A walk over the directory tree. libext2fs checks the metadata's checksums where it reads; what it does not check is
// how the tree, the bitmaps and the link counts agree, which is done here.
#include "cli/image/root_reader.hpp"

#include <ext2fs/ext2fs.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <type_traits>
#include <vector>

#include "cli/image/root_unused.hpp"
#include "loader/analyze/digest.hpp"
#include "loader/analyze/file.hpp"
#include "loader/analyze/sha1.hpp"

namespace uni {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;
constexpr unsigned kMostDepth = 512;  // a cycle of directories must end

struct CloseFilesystem {
  void operator()(ext2_filsys fs) const { ext2fs_close_free(&fs); }
};
using Filesystem = std::unique_ptr<struct_ext2_filsys, CloseFilesystem>;

struct Name {
  std::string name;
  ext2_ino_t inode;
};

class RootWalk {
 public:
  RootWalk(const ImageInfo& image, WithSha1 with_sha1, const std::function<void(std::uint64_t)>& progress)
      : image_(image), with_sha1_(with_sha1), progress_(progress), buffer_(kChunk) {}

  Expected<std::map<std::string, RootEntry>> walk() {
    initialize_ext2_error_table();
    ext2_filsys raw = nullptr;
    const std::string option = fmt::format("offset={}", image_.root.offset);
    const errcode_t error =
        ext2fs_open2(image_.path.c_str(), option.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &raw);
    if (error != 0) return broken("/", error);
    fs_.reset(raw);
    if (ext2fs_blocks_count(fs_->super) * fs_->blocksize > image_.root.size) return wrong("/", "it is cut");
    if (const errcode_t e = ext2fs_read_bitmaps(raw); e != 0) return broken("/", e);
    ext2fs_block_bitmap claimed = nullptr;
    if (const errcode_t e = ext2fs_allocate_block_bitmap(raw, "claimed", &claimed); e != 0) return broken("/", e);
    const auto free_bitmap = [](ext2fs_block_bitmap b) { ext2fs_free_block_bitmap(b); };
    const std::unique_ptr<std::remove_pointer_t<ext2fs_block_bitmap>, decltype(free_bitmap)> owner(claimed,
                                                                                                   free_bitmap);
    claimed_ = claimed;
    if (auto ok = directory(EXT2_ROOT_INO, "", 0); !ok) return std::unexpected(ok.error());
    for (const auto& [inode, count] : links_) {
      // A directory with more than 65,000 entries says 1 (ext4, dir_nlink).
      if (count != counted_[inode] && count != 1)
        return wrong(fmt::format("inode {}", inode), "its link count is wrong");
    }
    if (auto ok = check_unused(); !ok) return std::unexpected(ok.error());
    return std::move(out_);
  }

 private:
  std::unexpected<Diagnostic> wrong(const std::string& path, std::string why) const {
    return fail({.what = "damaged file system",
                 .where = image_.path.string() + ": " + path,
                 .why = std::move(why),
                 .hint = "make the image again with `uni pack`"});
  }
  std::unexpected<Diagnostic> broken(const std::string& path, errcode_t error) const {
    return wrong(path, error_message(error));
  }

  static int take_name(ext2_ino_t, int, ext2_dir_entry* entry, int, int, char*, void* list) {
    const std::string name(entry->name, static_cast<std::size_t>(ext2fs_dirent_name_len(entry)));
    static_cast<std::vector<Name>*>(list)->push_back({name, entry->inode});
    return 0;
  }

  Expected<void> check_unused() {
    const auto file = InputFile::open(image_.path);
    if (!file) return std::unexpected(file.error());
    const UsedByTree used{claimed_, [this](ext2_ino_t i) { return links_.contains(i); }};
    std::string fault = fault_in_unused(fs_.get(), file->fd(), image_.root.offset, used);
    return fault.empty() ? Expected<void>{} : wrong("/", std::move(fault));
  }

  struct Blocks {
    RootWalk* walk;
    const char* problem;
    std::uint64_t size = 0;  // in bytes, of what has data
    blk64_t last = 0;        // the block that holds its end, 0: none
  };
  static int take_block(ext2_filsys fs, blk64_t* block, e2_blkcnt_t number, blk64_t, int, void* argument) {
    auto* blocks = static_cast<Blocks*>(argument);
    if (number >= 0 && static_cast<std::uint64_t>(number) == blocks->size / fs->blocksize) blocks->last = *block;
    if (*block >= ext2fs_blocks_count(fs->super)) {
      blocks->problem = "a block lies behind the end";
    } else if (ext2fs_test_block_bitmap2(fs->block_map, *block) == 0) {
      blocks->problem = "a block is used and marked free";
    } else if (ext2fs_mark_block_bitmap2(blocks->walk->claimed_, *block) != 0) {
      blocks->problem = "a block is used twice";
    }
    return blocks->problem != nullptr ? BLOCK_ABORT : 0;
  }

  // Each inode once: its blocks are its own, its number is taken.
  Expected<void> claim(ext2_ino_t number, const ext2_inode& inode, const std::string& path) {
    ++counted_[number];
    if (!links_.emplace(number, inode.i_links_count).second) return {};
    if (ext2fs_test_inode_bitmap2(fs_->inode_map, number) == 0) return wrong(path, "its inode is marked free");
    if (ext2fs_inode_has_valid_blocks2(fs_.get(), const_cast<ext2_inode*>(&inode)) == 0) return {};
    Blocks blocks{this, nullptr, EXT2_I_SIZE(&inode)};
    const errcode_t error =
        ext2fs_block_iterate3(fs_.get(), number, BLOCK_FLAG_READ_ONLY, nullptr, take_block, &blocks);
    if (blocks.problem != nullptr) return wrong(path, blocks.problem);
    if (error != 0) return broken(path, error);
    if (blocks.last != 0 && !tail_is_zero(fs_.get(), blocks.last, blocks.size % fs_->blocksize))
      return wrong(path, "its last block holds something behind its end");
    return {};
  }

  Expected<void> directory(ext2_ino_t number, const std::string& path, unsigned depth) {
    if (depth > kMostDepth) return wrong(path, "directories are nested too deeply");
    std::vector<Name> names;
    const errcode_t error = ext2fs_dir_iterate2(fs_.get(), number, 0, nullptr, take_name, &names);
    if (error != 0) return broken(path.empty() ? "/" : path, error);
    for (const Name& n : names) {
      if (n.name == "." || n.name == "..") {
        ++counted_[n.inode];
        continue;
      }
      if (auto ok = entry(path + "/" + n.name, n.inode, depth); !ok) return ok;
    }
    if (number == EXT2_ROOT_INO) {
      ext2_inode root{};
      if (const errcode_t e = ext2fs_read_inode(fs_.get(), number, &root); e != 0) return broken("/", e);
      --counted_[number];  // claim() counts a name, and the root has none
      return claim(number, root, "/");
    }
    return {};
  }

  Expected<void> entry(const std::string& path, ext2_ino_t number, unsigned depth) {
    if (path.find('\0') != std::string::npos) return wrong(path, "its name holds a NUL byte");
    ext2_inode inode{};
    if (const errcode_t e = ext2fs_read_inode(fs_.get(), number, &inode); e != 0) return broken(path, e);
    if (auto ok = claim(number, inode, path); !ok) return ok;
    RootEntry out{.kind = FileEntry::Kind::File,
                  .mode = inode.i_mode & 07777U,
                  .uid = static_cast<std::uint32_t>(inode_uid(inode)),
                  .gid = static_cast<std::uint32_t>(inode_gid(inode)),
                  .size = EXT2_I_SIZE(&inode),
                  .mtime = inode.i_mtime,
                  .target = {},
                  .sha256 = {},
                  .sha1 = {}};
    if (LINUX_S_ISDIR(inode.i_mode)) {
      if (path != "/lost+found") {
        out.kind = FileEntry::Kind::Directory;
        out_.emplace(path, std::move(out));
      }
      return directory(number, path, depth + 1);
    }
    if (LINUX_S_ISLNK(inode.i_mode)) {
      out.kind = FileEntry::Kind::Symlink;
      if (out.size > 4095) return wrong(path, "its target is too long");
      if (ext2fs_is_fast_symlink(&inode) != 0) {
        out.target.assign(reinterpret_cast<const char*>(inode.i_block), std::min<std::size_t>(out.size, 60));
      } else if (auto ok = contents(path, number, [&](std::string_view bytes) { out.target.append(bytes); }); !ok) {
        return ok;
      }
    } else if (LINUX_S_ISREG(inode.i_mode)) {
      Sha256 sum;
      Sha1 other;
      const auto take = [&](std::string_view bytes) {
        sum.add(bytes);
        if (with_sha1_ == WithSha1::Yes) other.add(bytes);
      };
      if (auto ok = contents(path, number, take); !ok) return ok;
      out.sha256 = hex(sum.finish());
      if (with_sha1_ == WithSha1::Yes) out.sha1 = other.finish();
    } else {
      return wrong(path, "it is no file, directory or symlink");
    }
    out_.emplace(path, std::move(out));
    return {};
  }

  Expected<void> contents(const std::string& path, ext2_ino_t number,
                          const std::function<void(std::string_view)>& take) {
    ext2_file_t raw = nullptr;
    if (const errcode_t e = ext2fs_file_open(fs_.get(), number, 0, &raw); e != 0) return broken(path, e);
    const auto close = [](ext2_file_t f) { ext2fs_file_close(f); };
    const std::unique_ptr<struct ext2_file, decltype(close)> file(raw, close);
    for (;;) {
      unsigned got = 0;
      const errcode_t e = ext2fs_file_read(raw, buffer_.data(), static_cast<unsigned>(buffer_.size()), &got);
      if (e != 0) return broken(path, e);
      if (got == 0) return {};
      take({buffer_.data(), got});
      progress_(got);
    }
  }

  const ImageInfo& image_;
  WithSha1 with_sha1_;
  const std::function<void(std::uint64_t)>& progress_;
  std::vector<char> buffer_;
  Filesystem fs_;
  ext2fs_block_bitmap claimed_ = nullptr;
  std::map<ext2_ino_t, unsigned> links_;    // what the inodes say
  std::map<ext2_ino_t, unsigned> counted_;  // what the directories say
  std::map<std::string, RootEntry> out_;
};

}  // namespace

Expected<std::map<std::string, RootEntry>> read_root(const ImageInfo& image, WithSha1 with_sha1,
                                                     const std::function<void(std::uint64_t)>& progress) {
  return RootWalk(image, with_sha1, progress).walk();
}

}  // namespace uni
