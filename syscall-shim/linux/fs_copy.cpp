// SPDX-License-Identifier: Apache-2.0
// Copies inside the kernel: sendfile(2), copy_file_range(2), splice(2), tee(2), vmsplice(2). A regular file's pages are
// handed to the receiver as they lie in the page cache; other sources go through a few pages of the kernel.
// Nothing is taken from a pipe before the receiver has it.
#include "syscall-shim/linux/fs_copy.hpp"
#include "kernel/fs/page_cache.hpp"
#include "kernel/fs/pipe.hpp"
#include "kernel/mm/address_space.hpp"
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
constexpr unsigned kBounceOrder = 4;
constexpr u32 kSpliceNonBlock = 2;

bool is_regular(fs::File& file) {
  fs::Inode* inode = file.inode();
  return inode != nullptr && inode->type() == fs::FileType::kRegular;
}

// One side of a copy: a stream, or a file at a position.
struct Side {
  fs::File& file;
  u64* position;  // null: a stream
  bool block;
};

// Kernel memory for what has no pages of its own; made when first needed.
class Bounce {
 public:
  Bounce() = default;
  ~Bounce() {
    if (page_ != nullptr) mm::put_page(*page_);
  }
  Bounce(const Bounce&) = delete;
  Bounce& operator=(const Bounce&) = delete;
  Result<void*> memory() {
    if (page_ != nullptr) return mm::address_of(*page_);
    page_ = mm::alloc_pages(kBounceOrder, mm::Zero::kNo);
    if (page_ == nullptr) {
      page_ = mm::alloc_page(mm::Zero::kNo);
      size_ = kPageSize;
    }
    if (page_ == nullptr) return Errno::NoMemory;
    return mm::address_of(*page_);
  }
  usize size() const { return size_; }

 private:
  mm::Page* page_ = nullptr;
  usize size_ = kPageSize << kBounceOrder;
};

// Hands kernel memory to the receiver; gives what it took.
Result<usize> deliver(Side& to, const void* data, usize size) {
  IoCursor from = IoCursor::kernel(data, size);
  if (fs::Pipe* pipe = fs::pipe_of(to.file)) return pipe->write(from, to.block);
  const Result<usize> done = to.file.write(from, to.position != nullptr ? *to.position : 0);
  if (!done.ok()) return done.error();
  if (to.position != nullptr) *to.position += done.value();
  return usize{done.value()};
}

Result<usize> copy_from_cache(Side& from, Side& to, usize count) {
  fs::Inode& inode = *from.file.inode();
  const u64 size = inode.size();
  const u64 at = *from.position;
  if (at >= size) return usize{0};
  const usize in = at % kPageSize;
  const usize length = static_cast<usize>(min(u64{min(count, kPageSize - in)}, size - at));
  mm::Page* page = TRY(inode.page_cache()->fault(at / kPageSize, mm::Access::kRead));
  Result<usize> done = deliver(to, static_cast<const char*>(mm::address_of(*page)) + in, length);
  mm::put_page(*page);
  if (done.ok()) *from.position += done.value();
  return done;
}

Result<usize> copy_from_pipe(fs::Pipe& pipe, Side& from, Side& to, usize count, Bounce& bounce) {
  TRY(pipe.wait_readable(from.block));
  void* memory = TRY(bounce.memory());
  IoCursor peeked = IoCursor::kernel(memory, min(count, bounce.size()));
  const usize held = TRY(pipe.peek(peeked));
  if (held == 0) return usize{0};
  Result<usize> done = deliver(to, memory, held);
  if (done.ok()) pipe.discard(done.value());
  return done;
}

Result<usize> copy_from_stream(Side& from, Side& to, usize count, Bounce& bounce) {
  void* memory = TRY(bounce.memory());
  usize wanted = min(count, bounce.size());
  // What is read must fit into the receiver, or it would be lost.
  if (fs::Pipe* pipe = fs::pipe_of(to.file)) {
    TRY(pipe->wait_writable(to.block));
    wanted = min(wanted, pipe->capacity() - pipe->used());
  }
  IoCursor in = IoCursor::kernel(memory, wanted);
  const usize got = TRY(from.file.read(in, from.position != nullptr ? *from.position : 0));
  if (got == 0) return usize{0};
  usize done = 0;
  while (done < got) {
    const Result<usize> step = deliver(to, static_cast<const char*>(memory) + done, got - done);
    if (!step.ok() && done == 0) return step.error();
    if (!step.ok() || step.value() == 0) break;
    done += step.value();
  }
  if (from.position != nullptr) *from.position += done;
  return done;
}

Result<usize> copy_all(Side from, Side to, usize count) {
  Bounce bounce;
  usize total = 0;
  const bool cached = from.position != nullptr && is_regular(from.file) && from.file.inode()->page_cache() != nullptr;
  fs::Pipe* pipe = fs::pipe_of(from.file);
  while (total < count) {
    const usize left = count - total;
    const Result<usize> step = cached            ? copy_from_cache(from, to, left)
                               : pipe != nullptr ? copy_from_pipe(*pipe, from, to, left, bounce)
                                                 : copy_from_stream(from, to, left, bounce);
    if (!step.ok()) return total != 0 ? Result<usize>(total) : Result<usize>(step.error());
    if (step.value() == 0) break;
    total += step.value();
    // A stream gives what it has; more would wait.
    if (!cached && total != 0) from.block = false;
    if (!cached && pipe == nullptr) break;
    if (signal::pending(Thread::current())) break;
  }
  return total;
}

// A position that is the program's (`user` not null) or the file's own, written back at the end.
class Position {
 public:
  Result<void> begin(fs::File& file, UserPtr<i64> user) {
    file_ = &file;
    user_ = user;
    if (!file.seekable()) return user ? Result<void>(Errno::IllegalSeek) : Result<void>();
    if (user) {
      const i64 from = TRY(user.read());
      if (from < 0) return Errno::Invalid;
      value_ = static_cast<u64>(from);
    } else {
      LockGuard guard(file.position_lock);
      value_ = file.position;
    }
    used_ = true;
    return {};
  }
  u64* get() { return used_ ? &value_ : nullptr; }
  u64 value() const { return value_; }
  Result<void> end() {
    if (!used_) return {};
    if (user_) return user_.write(static_cast<i64>(value_));
    LockGuard guard(file_->position_lock);
    file_->position = value_;
    return {};
  }

 private:
  fs::File* file_ = nullptr;
  UserPtr<i64> user_;
  u64 value_ = 0;
  bool used_ = false;
};

Result<usize> move_between(fs::File& in, u64* from, fs::File& out, u64* to, u64 count, u32 flags) {
  const bool block = (flags & kSpliceNonBlock) == 0;
  const Side source{in, from, block && !in.nonblocking()};
  const Side target{out, to, block && !out.nonblocking()};
  return copy_all(source, target, min(count, abi::kMaxTransfer));
}

Result<i64> copy_positions(fs::File& in, Position& from, fs::File& out, Position& to, u64 count, u32 flags) {
  Result<usize> done = move_between(in, from.get(), out, to.get(), count, flags);
  TRY(from.end());
  TRY(to.end());
  return finish_write(uni::move(done));
}

// What splice asks of two files, before their offsets are looked at.
// Asked before anything is waited for: what is no stream of bytes is not spliced.
bool is_stream(fs::FileKind kind) {
  switch (kind) {
    case fs::FileKind::kEpoll:
    case fs::FileKind::kEventFd:
    case fs::FileKind::kTimerFd:
    case fs::FileKind::kSignalFd:
    case fs::FileKind::kInotify:
    case fs::FileKind::kPidFd:
    case fs::FileKind::kUring:
      return false;
    default:
      return true;
  }
}

Result<void> check_splice(fs::File& in, bool in_offset, fs::File& out, bool out_offset, u32 flags) {
  if ((flags & ~15u) != 0) return Errno::Invalid;
  if (!in.readable() || !out.writable()) return Errno::BadFd;
  fs::Pipe* const in_pipe = fs::pipe_of(in);
  fs::Pipe* const out_pipe = fs::pipe_of(out);
  if ((in_pipe != nullptr && in_offset) || (out_pipe != nullptr && out_offset)) return Errno::IllegalSeek;
  if (in_pipe == nullptr && out_pipe == nullptr) return Errno::Invalid;
  if (in.inode() != nullptr && in.inode()->type() == fs::FileType::kDirectory) return Errno::Invalid;
  if (!is_stream(in.kind()) || !is_stream(out.kind())) return Errno::Invalid;
  if (in_pipe == out_pipe || (out.flags() & fs::kOpenAppend) != 0) return Errno::Invalid;
  return {};
}
}  // namespace

Result<usize> splice_files(fs::File& in, i64* in_offset, fs::File& out, i64* out_offset, u64 count, u32 flags) {
  if (count == 0) return usize{0};
  TRY(check_splice(in, in_offset != nullptr, out, out_offset != nullptr, flags));
  struct Place {
    fs::File& file;
    i64* given;
    u64 at = 0;
    Result<u64*> begin() {
      if (!file.seekable()) return given != nullptr ? Result<u64*>(Errno::IllegalSeek) : Result<u64*>(nullptr);
      if (given != nullptr && *given < 0) return Errno::Invalid;
      LockGuard guard(file.position_lock);
      at = given != nullptr ? static_cast<u64>(*given) : file.position;
      return &at;
    }
    void end() {
      if (given != nullptr) *given = static_cast<i64>(at);
      if (given != nullptr || !file.seekable()) return;
      LockGuard guard(file.position_lock);
      file.position = at;
    }
  } from{in, in_offset}, to{out, out_offset};
  u64* const source = TRY(from.begin());
  u64* const target = TRY(to.begin());
  Result<usize> done = move_between(in, source, out, target, count, flags);
  from.end();
  to.end();
  return done;
}

// sendfile(2): the source must be a file that can be read at a position.
Result<i64> sys_sendfile(i32 out, i32 in, UserPtr<i64> offset, u64 count) {
  const RefPtr<fs::File> source = TRY(file_of(in));
  if (!source->readable()) return Errno::BadFd;
  if (offset && !source->seekable()) return Errno::IllegalSeek;
  const RefPtr<fs::File> target = TRY(file_of(out));
  if (!target->writable()) return Errno::BadFd;
  if (!source->seekable() || (target->flags() & fs::kOpenAppend) != 0) return Errno::Invalid;
  Position from, to;
  TRY(from.begin(*source, offset));
  TRY(to.begin(*target, UserPtr<i64>()));
  return copy_positions(*source, from, *target, to, count, 0);
}

Result<i64> sys_copy_file_range(i32 in, UserPtr<i64> in_offset, i32 out, UserPtr<i64> out_offset, u64 count,
                                u32 flags) {
  const RefPtr<fs::File> source = TRY(file_of(in));
  const RefPtr<fs::File> target = TRY(file_of(out));
  Position from, to;
  TRY(from.begin(*source, in_offset));
  TRY(to.begin(*target, out_offset));
  if (flags != 0) return Errno::Invalid;
  for (fs::File* file : {source.get(), target.get()}) {
    if (file->inode() != nullptr && file->inode()->type() == fs::FileType::kDirectory) return Errno::IsDirectory;
    if (!is_regular(*file)) return Errno::Invalid;
  }
  if (!source->readable() || !target->writable() || (target->flags() & fs::kOpenAppend) != 0) return Errno::BadFd;
  if (count > (~u64{0} >> 1) - max(from.value(), to.value())) return Errno::Overflow;
  const u64 apart = from.value() < to.value() ? to.value() - from.value() : from.value() - to.value();
  if (source->inode() == target->inode() && apart < count) return Errno::Invalid;
  return copy_positions(*source, from, *target, to, count, 0);
}

Result<i64> sys_splice(i32 in, UserPtr<i64> in_offset, i32 out, UserPtr<i64> out_offset, u64 count, u32 flags) {
  if (count == 0) return 0;
  if ((flags & ~15u) != 0) return Errno::Invalid;
  const RefPtr<fs::File> source = TRY(file_of(in));
  const RefPtr<fs::File> target = TRY(file_of(out));
  TRY(check_splice(*source, static_cast<bool>(in_offset), *target, static_cast<bool>(out_offset), flags));
  Position from, to;
  TRY(from.begin(*source, in_offset));
  TRY(to.begin(*target, out_offset));
  return copy_positions(*source, from, *target, to, count, flags);
}

Result<usize> tee_files(fs::File& in, fs::File& out, u64 count, u32 flags) {
  if (!in.readable() || !out.writable()) return Errno::BadFd;
  fs::Pipe* const from = fs::pipe_of(in);
  fs::Pipe* const to = fs::pipe_of(out);
  if (from == nullptr || to == nullptr || from == to) return Errno::Invalid;
  const bool block = (flags & kSpliceNonBlock) == 0;
  TRY(from->wait_readable(block && !in.nonblocking()));
  TRY(to->wait_writable(block && !out.nonblocking()));
  Bounce bounce;
  void* memory = TRY(bounce.memory());
  IoCursor peeked = IoCursor::kernel(memory, min(min<usize>(count, bounce.size()), to->capacity() - to->used()));
  const usize held = TRY(from->peek(peeked));
  if (held == 0) return usize{0};
  Side side{out, nullptr, false};
  return deliver(side, memory, held);
}

Result<i64> sys_tee(i32 in, i32 out, u64 count, u32 flags) {
  if ((flags & ~15u) != 0) return Errno::Invalid;
  if (count == 0) return 0;
  const RefPtr<fs::File> source = TRY(file_of(in));
  const RefPtr<fs::File> target = TRY(file_of(out));
  return finish_write(tee_files(*source, *target, count, flags));
}

// Into a pipe: as much as it has room for, after a wait for the first byte.
static Result<usize> splice_memory(fs::Pipe& pipe, IoCursor& cursor, bool block) {
  if (!block || cursor.remaining() <= kPageSize) return pipe.write(cursor, block);  // such a write is whole
  for (;;) {
    TRY(pipe.wait_writable(true));
    Result<usize> written = pipe.write(cursor, false);
    if (written.ok() || written.error() != Errno::Again) return written;
  }
}

// vmsplice(2): into a pipe the memory is copied, not given (as without SPLICE_F_GIFT); out of it, too. Secret memory
// (memfd_secret(2)) in any of the pieces fails the whole call.
Result<i64> sys_vmsplice(i32 fd, UserPtr<IoSegment> segments, u64 count, u32 flags) {
  if ((flags & ~15u) != 0) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(file_of(fd));
  fs::Pipe* const pipe = fs::pipe_of(*file);
  if (pipe == nullptr) return Errno::BadFd;
  IoVector vector;
  TRY(vector.read(segments, count));
  for (const IoSegment& s : vector.segments()) {
    if (file->writable() && Process::current().space->shows_secret(s.base, s.length)) return Errno::Fault;
  }
  IoCursor cursor = vector.cursor();
  const bool block = (flags & kSpliceNonBlock) == 0 && !file->nonblocking();
  return finish_write(file->writable() ? splice_memory(*pipe, cursor, block) : pipe->read(cursor, block));
}

}  // namespace uni::shim
