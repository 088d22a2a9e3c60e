// SPDX-License-Identifier: Apache-2.0
// What the fs handlers share: path arguments, descriptors, io vectors.
#pragma once

#include "kernel/fs/lacked_files.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/fs.hpp"

namespace uni::shim {

inline Result<RefPtr<fs::File>> file_of(i32 fd, bool allow_path = false) {
  return Process::current().files->get(fd, allow_path);
}

// A path of the program and the directory that it starts from. Short paths are held in the object, long ones in a page.
class PathArgument {
 public:
  PathArgument() = default;
  ~PathArgument();
  PathArgument(const PathArgument&) = delete;
  PathArgument& operator=(const PathArgument&) = delete;

  // Reads the path. `directory` is a descriptor or AT_FDCWD, not looked at for an absolute path.
  // Errors: Fault, NameTooLong, BadFd, NotDirectory (unless the path is empty).
  Result<void> read(i32 directory, UserText path);
  StringView text() const { return text_; }
  fs::PathStart start() const;
  fs::PathStart start(const Credentials& who) const;
  // The file that the descriptor names, where the path is empty: for AT_EMPTY_PATH. Null: the cwd.
  fs::File* file() const { return file_.get(); }
  // The directory that a relative path starts from as a path, in `buffer`; empty for the root. Errors: as path_of().
  Result<StringView> directory(Span<char> buffer) const;

 private:
  StringView text_;
  RefPtr<fs::File> file_;
  fs::Dentry* base_ = nullptr;
  mm::Page* page_ = nullptr;
  char short_[160];
};

// The file at a path argument. With AT_EMPTY_PATH in `flags` an empty path is the descriptor itself. One that is absent
// is noted as looked at.
Result<RefPtr<fs::Dentry>> find_path(const PathArgument& path, u32 flags, u32 lookup_flags);

// The path is absent: the host hears of it if the program fails (kernel/fs/lacked_files.hpp).
void note_lacked(const PathArgument& path, fs::Asked how);

// readv's and writev's array, checked as Linux does.
class IoVector {
 public:
  // Errors: Invalid (too many, lengths that overflow), Fault, NoMemory.
  Result<void> read(UserPtr<IoSegment> segments, u64 count);
  IoCursor cursor() const;
  Span<const IoSegment> segments() const;

 private:
  static constexpr usize kInline = 8;
  IoSegment inline_[kInline];
  Vector<IoSegment> more_;
  usize count_ = 0;
  usize total_ = 0;
};

// Transfers at the file's own position and at a given one. Errors: BadFd (not opened for it), IllegalSeek.
Result<usize> read_here(fs::File& file, IoCursor& to);
Result<usize> write_here(fs::File& file, IoCursor& from);
Result<usize> read_at(fs::File& file, IoCursor& to, i64 offset);
Result<usize> write_at(fs::File& file, IoCursor& from, i64 offset);
// Puts RWF_* flags (preadv2(2)) on a cursor. Errors: NotSupported.
enum class Transfer : u8 { kRead, kWrite };
Result<void> apply_rw_flags(const fs::File& file, IoCursor& cursor, u32 flags, Transfer direction);

// A write's result on its way out: EPIPE comes with SIGPIPE.
Result<i64> finish_write(Result<usize> written);

}  // namespace uni::shim
