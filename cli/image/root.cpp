// SPDX-License-Identifier: Apache-2.0
// ext4 through libext2fs. The order of the files is the order of their paths, the UUID and all times are given, the
// directory hash seed comes from the UUID: the same files give the same bytes. File contents are written straight to
// the blocks that were allocated for them (contents.hpp).
#include "cli/image/root.hpp"

#include <et/com_err.h>
#include <ext2fs/ext2fs.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "cli/image/contents.hpp"

namespace uni {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint64_t kFree = std::uint64_t{1} << 30;
constexpr std::uint64_t kAlign = std::uint64_t{1} << 20;

std::uint64_t up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

struct CloseFs {
  void operator()(ext2_filsys fs) const { ext2fs_free(fs); }
};
using Filesystem = std::unique_ptr<struct_ext2_filsys, CloseFs>;

class RootWriter {
 public:
  RootWriter(OutputFile& output, std::uint64_t offset, std::uint64_t size, const RootOptions& options)
      : window_(output.fd(), offset, size), options_(options), size_(size) {}

  Expected<void> make(const FileMap& files) {
    if (auto ok = initialise(files.size()); !ok) return ok;
    for (const auto& [path, entry] : files) {
      const std::size_t slash = path.rfind('/');
      const ext2_ino_t parent = slash == 0 ? EXT2_ROOT_INO : directories_.at(path.substr(0, slash));
      const std::string name = path.substr(slash + 1);
      auto ok = entry.kind == FileEntry::Kind::Directory ? add_directory(path, parent, name, entry)
                : entry.kind == FileEntry::Kind::Symlink ? add_symlink(path, parent, name, entry)
                                                         : add_file(path, parent, name, entry);
      if (!ok) return ok;
    }
    if (auto ok = copy_contents(window_, jobs_, options_.progress); !ok) return ok;
    if (auto ok = set_inode(EXT2_ROOT_INO, 0755, options_.time); !ok) return ok;
    fs_->super->s_wtime = 0;
    // ext2fs_flush() would stamp the time of now; s_now is what it takes instead.
    if (auto ok = check(ext2fs_close2(fs_.release(), EXT2_FLAG_FLUSH_NO_SYNC), "closing"); !ok) return ok;
    if (const int error = window_.flush(); error != 0) return fail(write_failure(error));
    return {};
  }

 private:
  static Expected<void> check(errcode_t error, const std::string& what) {
    if (error == 0) return {};
    return fail({.what = "the root file system cannot be made",
                 .where = what,
                 .why = error_message(error),
                 .hint = "please report this with the command line"});
  }

  Expected<void> initialise(std::size_t entries) {
    initialize_ext2_error_table();
    ext2_super_block super{};
    super.s_rev_level = EXT2_DYNAMIC_REV;
    super.s_log_block_size = 2;
    super.s_log_cluster_size = 2;
    super.s_inode_size = 256;
    super.s_min_extra_isize = 32;
    super.s_want_extra_isize = 32;
    super.s_feature_compat = EXT2_FEATURE_COMPAT_DIR_INDEX | EXT2_FEATURE_COMPAT_EXT_ATTR;
    super.s_feature_incompat =
        EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT;
    super.s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
                                EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
                                EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
    super.s_desc_size = EXT2_MIN_DESC_SIZE_64BIT;
    ext2fs_blocks_count_set(&super, size_ / kBlock);
    // The files, and 16,384 of the program's own for each GiB; the inode tables are holes until they are used.
    super.s_inodes_count = static_cast<__u32>(up(entries + 128 + 16384 * (size_ / kFree + 1), 8192));
    ext2_filsys raw = nullptr;
    const errcode_t error = ext2fs_initialize("root", EXT2_FLAG_64BITS, &super, SparseWindow::manager(), &raw);
    fs_.reset(raw);
    if (auto ok = check(error, "initialising"); !ok) return ok;
    fs_->now = static_cast<time_t>(options_.time);
    std::ranges::copy(options_.uuid, fs_->super->s_uuid);
    fs_->super->s_checksum_type = EXT2_CRC32C_CHKSUM;
    ext2fs_init_csum_seed(fs_.get());
    fs_->super->s_def_hash_version = EXT2_HASH_HALF_MD4;
    for (std::size_t i = 0; i < options_.uuid.size(); ++i) {
      reinterpret_cast<std::uint8_t*>(fs_->super->s_hash_seed)[i] = static_cast<std::uint8_t>(options_.uuid[i] ^ 0x5a);
    }
    fs_->super->s_flags |= EXT2_FLAGS_SIGNED_HASH;
    fs_->super->s_mkfs_time = static_cast<__u32>(options_.time);
    fs_->super->s_lastcheck = static_cast<__u32>(options_.time);
    fs_->super->s_max_mnt_count = static_cast<__u16>(-1);
    std::memcpy(fs_->super->s_volume_name, "uni-root", 8);
    if (auto ok = check(ext2fs_allocate_tables(fs_.get()), "allocating tables"); !ok) return ok;
    for (dgrp_t g = 0; g < fs_->group_desc_count; ++g) {
      // The file is new, so the tables are zeros already: the guest need not write them.
      ext2fs_bg_flags_set(fs_.get(), g, EXT2_BG_INODE_ZEROED);
      ext2fs_group_desc_csum_set(fs_.get(), g);
    }
    if (auto ok = check(ext2fs_mkdir(fs_.get(), EXT2_ROOT_INO, EXT2_ROOT_INO, nullptr), "/"); !ok) return ok;
    return reserve_inodes();
  }

  Expected<void> reserve_inodes() {
    for (ext2_ino_t i = EXT2_ROOT_INO + 1; i < EXT2_FIRST_INODE(fs_->super); ++i) {
      ext2fs_inode_alloc_stats2(fs_.get(), i, +1, 0);
    }
    ext2fs_inode_alloc_stats2(fs_.get(), EXT2_BAD_INO, +1, 0);
    // e2fsck wants lost+found; it never runs on a throw-away root, but an image must be clean for it.
    ext2_ino_t ino = 0;
    if (auto ok = check(ext2fs_new_inode(fs_.get(), EXT2_ROOT_INO, LINUX_S_IFDIR | 0700, nullptr, &ino), "lost+found");
        !ok) {
      return ok;
    }
    if (auto ok = check(ext2fs_mkdir(fs_.get(), EXT2_ROOT_INO, ino, "lost+found"), "lost+found"); !ok) return ok;
    return set_inode(ino, 0700, options_.time);
  }

  Expected<void> set_inode(ext2_ino_t ino, unsigned mode, std::int64_t mtime) {
    ext2_inode_large inode{};
    auto* small = reinterpret_cast<ext2_inode*>(&inode);
    if (auto ok = check(ext2fs_read_inode_full(fs_.get(), ino, small, sizeof inode), "an inode"); !ok) return ok;
    inode.i_mode = static_cast<__u16>((inode.i_mode & LINUX_S_IFMT) | mode);
    set_times(inode, mtime);
    return check(ext2fs_write_inode_full(fs_.get(), ino, small, sizeof inode), "an inode");
  }

  void set_times(ext2_inode_large& inode, std::int64_t mtime) const {
    inode.i_extra_isize = 32;
    inode.i_mtime = static_cast<__u32>(mtime);
    inode.i_atime = inode.i_ctime = inode.i_crtime = static_cast<__u32>(options_.time);
  }

  Expected<void> link(ext2_ino_t parent, const std::string& name, ext2_ino_t ino, int type, const std::string& path) {
    errcode_t error = ext2fs_link(fs_.get(), parent, name.c_str(), ino, type);
    if (error == EXT2_ET_DIR_NO_SPACE) {
      if (auto ok = check(ext2fs_expand_dir(fs_.get(), parent), path); !ok) return ok;
      error = ext2fs_link(fs_.get(), parent, name.c_str(), ino, type);
    }
    return check(error, path);
  }

  Expected<void> add_directory(const std::string& path, ext2_ino_t parent, const std::string& name,
                               const FileEntry& entry) {
    ext2_ino_t ino = 0;
    if (auto ok = check(ext2fs_new_inode(fs_.get(), parent, LINUX_S_IFDIR | 0755, nullptr, &ino), path); !ok) return ok;
    errcode_t error = ext2fs_mkdir(fs_.get(), parent, ino, name.c_str());
    if (error == EXT2_ET_DIR_NO_SPACE) {
      if (auto ok = check(ext2fs_expand_dir(fs_.get(), parent), path); !ok) return ok;
      error = ext2fs_mkdir(fs_.get(), parent, ino, name.c_str());
    }
    if (auto ok = check(error, path); !ok) return ok;
    directories_[path] = ino;
    return set_inode(ino, entry.mode, options_.time);
  }

  Expected<void> add_symlink(const std::string& path, ext2_ino_t parent, const std::string& name,
                             const FileEntry& entry) {
    ext2_ino_t ino = 0;
    errcode_t error = ext2fs_symlink(fs_.get(), parent, 0, name.c_str(), entry.target.c_str());
    if (error == EXT2_ET_DIR_NO_SPACE) {
      if (auto ok = check(ext2fs_expand_dir(fs_.get(), parent), path); !ok) return ok;
      error = ext2fs_symlink(fs_.get(), parent, 0, name.c_str(), entry.target.c_str());
    }
    if (auto ok = check(error, path); !ok) return ok;
    error = ext2fs_lookup(fs_.get(), parent, name.c_str(), static_cast<int>(name.size()), nullptr, &ino);
    if (auto ok = check(error, path); !ok) return ok;
    return set_inode(ino, 0777, options_.time);
  }

  Expected<void> add_file(const std::string& path, ext2_ino_t parent, const std::string& name, const FileEntry& entry) {
    ext2_ino_t ino = 0;
    if (auto ok = check(ext2fs_new_inode(fs_.get(), parent, LINUX_S_IFREG | 0644, nullptr, &ino), path); !ok) return ok;
    ext2fs_inode_alloc_stats2(fs_.get(), ino, +1, 0);
    ext2_inode_large inode{};
    auto* small = reinterpret_cast<ext2_inode*>(&inode);
    inode.i_mode = static_cast<__u16>(LINUX_S_IFREG | entry.mode);
    inode.i_links_count = 1;
    set_times(inode, entry.mtime != 0 ? entry.mtime : options_.time);
    if (auto ok = check(ext2fs_inode_size_set(fs_.get(), small, static_cast<ext2_off64_t>(entry.size)), path); !ok)
      return ok;
    inode.i_flags |= EXT4_EXTENTS_FL;
    if (auto ok = check(ext2fs_write_inode_full(fs_.get(), ino, small, sizeof inode), path); !ok) return ok;
    ext2_extent_handle_t handle = nullptr;
    if (auto ok = check(ext2fs_extent_open2(fs_.get(), ino, small, &handle), path); !ok) return ok;
    ext2fs_extent_free(handle);
    if (auto ok = check(ext2fs_write_inode_full(fs_.get(), ino, small, sizeof inode), path); !ok) return ok;
    if (entry.size > 0) {
      const errcode_t error =
          ext2fs_fallocate(fs_.get(), EXT2_FALLOCATE_FORCE_INIT, ino, small, goal_, 0, up(entry.size, kBlock) / kBlock);
      if (auto ok = check(error, path); !ok) return ok;
      if (auto ok = check(ext2fs_write_inode_full(fs_.get(), ino, small, sizeof inode), path); !ok) return ok;
      if (auto ok = plan_contents(path, ino, entry); !ok) return ok;
    }
    return link(parent, name, ino, EXT2_FT_REG_FILE, path);
  }

  // Where the file's bytes go; they are copied when all files have their places.
  Expected<void> plan_contents(const std::string& path, ext2_ino_t ino, const FileEntry& entry) {
    ext2_extent_handle_t raw = nullptr;
    if (auto ok = check(ext2fs_extent_open(fs_.get(), ino, &raw), path); !ok) return ok;
    const auto close = [](ext2_extent_handle_t h) { ext2fs_extent_free(h); };
    const std::unique_ptr<struct ext2_extent_handle, decltype(close)> handle(raw, close);
    ContentJob job{.path = &path, .entry = &entry, .extents = {}};
    std::uint64_t done = 0;
    ext2fs_extent extent{};
    for (int op = EXT2_EXTENT_ROOT; done < entry.size; op = EXT2_EXTENT_NEXT_LEAF) {
      if (auto ok = check(ext2fs_extent_get(handle.get(), op, &extent), path); !ok) return ok;
      if ((extent.e_flags & EXT2_EXTENT_FLAGS_LEAF) == 0) continue;
      if (extent.e_lblk * kBlock != done) return check(EXT2_ET_EXTENT_INVALID_LENGTH, path);
      const std::uint64_t size = std::min<std::uint64_t>(std::uint64_t{extent.e_len} * kBlock, entry.size - done);
      job.extents.push_back({extent.e_pblk * kBlock, size});
      goal_ = extent.e_pblk + extent.e_len;
      done += size;
    }
    jobs_.push_back(std::move(job));
    return {};
  }

  SparseWindow window_;
  const RootOptions& options_;
  std::uint64_t size_;
  std::vector<ContentJob> jobs_;
  Filesystem fs_;
  std::map<std::string, ext2_ino_t> directories_;
  blk64_t goal_ = 0;
};

}  // namespace

std::uint64_t root_size(const FileMap& files) {
  std::uint64_t bytes = 0;
  for (const auto& [path, entry] : files) {
    // The contents, a block for an extent tree or a directory, and the inode.
    bytes += up(entry.size, kBlock) + kBlock + 256;
  }
  // One part in 64 for the tables of the groups.
  return up(bytes + bytes / 64 + (std::uint64_t{4} << 20) + kFree, kAlign);
}

Expected<void> write_root(OutputFile& output, std::uint64_t offset, std::uint64_t size, const FileMap& files,
                          const RootOptions& options) {
  return RootWriter(output, offset, size, options).make(files);
}

}  // namespace uni
