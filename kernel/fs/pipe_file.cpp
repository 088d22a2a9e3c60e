// SPDX-License-Identifier: Apache-2.0
// The open ends of a pipe or fifo. The access mode says which end; O_RDWR (fifos only) is both.
#include "kernel/fs/inode_extra.hpp"
#include "kernel/fs/pipe.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/time/clock.hpp"

namespace uni::fs {

namespace {
class PipeFile final : public File {
 public:
  PipeFile(RefPtr<Pipe> pipe, u32 flags)
      : File(FileKind::kPipe, flags), pipe_(uni::move(pipe)), opened_ns_(time::realtime_ns()) {
    pipe_->open_end(readable(), writable());
  }

  Result<usize> read(IoCursor& to, u64) override { return pipe_->read(to, !must_not_wait(to)); }
  Result<usize> write(IoCursor& from, u64) override {
    const bool block = !must_not_wait(from);
    return (flags() & kOpenDirect) != 0 ? pipe_->write_packets(from, block) : pipe_->write(from, block);
  }
  u32 poll() override {
    u32 ready = 0;
    if (readable()) ready |= pipe_->poll_reader(writers_seen_);
    if (writable()) ready |= pipe_->poll_writer();
    return ready;
  }
  // An O_RDWR file is never without the other side, so it only waits for bytes here.
  WaitQueue* poll_queue() override { return readable() ? &pipe_->read_queue : &pipe_->write_queue; }

  Result<i64> ioctl(u32 command, u64 argument) override {
    constexpr u32 kFionRead = 0x541b;
    if (command != kFionRead) return Errno::NotTty;
    TRY(UserPtr<i32>(argument).write(static_cast<i32>(pipe_->used())));
    return i64{0};
  }

  Result<void> stat(Stat& out) override {
    if (dentry() != nullptr) return dentry()->inode()->stat(out);
    const Credentials& who = Process::current().credentials;
    out = Stat{};
    out.device = 13;
    out.inode = pipe_->number();
    out.mode = mode_type_bits(FileType::kFifo) | 0600;
    out.uid = who.fsuid;
    out.gid = who.fsgid;
    out.accessed = out.modified =
        out.changed = {static_cast<i64>(opened_ns_ / time::kSecond), static_cast<u32>(opened_ns_ % time::kSecond)};
    return {};
  }

  usize describe(Span<char> out) override {
    if (dentry() != nullptr) return File::describe(out);
    BufferWriter text(out.data(), out.size());
    format(text, "pipe:[{}]", pipe_->number());
    return text.view().size();
  }

  // A nonblocking reader of a fifo that nobody writes yet: no hang-up until a writer came and went.
  void note_writers_seen() { writers_seen_ = pipe_->writer_opens.load(); }
  Pipe& pipe() { return *pipe_; }

 private:
  ~PipeFile() override { pipe_->close_end(readable(), writable()); }
  friend class RefPtr<PipeFile>;
  RefPtr<Pipe> pipe_;
  u64 opened_ns_;
  u32 writers_seen_ = ~0u;
};

// The one pipe of a fifo, made by the first who opens it.
Result<RefPtr<Pipe>> pipe_of_fifo(Inode& inode) {
  InodeExtra* extra = TRY(inode.ensure_extra());
  RefPtr<Pipe> fresh;
  for (;;) {
    {
      LockGuard guard(extra->lock);
      if (extra->fifo != nullptr && extra->fifo->try_ref()) return RefPtr<Pipe>::adopt(extra->fifo);
      if (fresh) {
        // One that is just dying sees that it is no longer named here.
        fresh->fifo_of = extra;
        extra->fifo = fresh.get();
        return fresh;
      }
    }
    fresh = TRY(Pipe::create());
  }
}
}  // namespace

Pipe* pipe_of(File& file) {
  // SAFETY: only PipeFile has this kind and answers "pipe" in its poll_queue; devices that look like pipes are kDevice.
  return file.kind() == FileKind::kPipe ? &static_cast<PipeFile&>(file).pipe() : nullptr;
}

Result<PipeEnds> make_pipe(u32 flags) {
  RefPtr<Pipe> pipe = TRY(Pipe::create());
  PipeEnds ends;
  ends.reader = TRY(make_ref<PipeFile>(pipe, (flags & ~u32{kOpenAccessMask | kOpenDirect}) | kOpenReadOnly));
  ends.writer = TRY(make_ref<PipeFile>(pipe, (flags & ~u32{kOpenAccessMask}) | kOpenWriteOnly));
  return ends;
}

Result<RefPtr<File>> open_fifo(Dentry& dentry, u32 flags) {
  RefPtr<Pipe> pipe = TRY(pipe_of_fifo(*dentry.inode()));
  const u32 access = flags & kOpenAccessMask;
  const bool block = (flags & kOpenNonBlock) == 0;
  const bool writes_only = access == kOpenWriteOnly;
  if (writes_only && !block && pipe->readers.load() == 0) return Errno::NoDeviceOrAddress;
  const u32 readers_before = pipe->reader_opens.load();
  const u32 writers_before = pipe->writer_opens.load();
  RefPtr<PipeFile> file = TRY(make_ref<PipeFile>(pipe, flags));
  file->set_dentry(dentry);
  Wake woken = Wake::kReady;
  if (access == kOpenReadOnly && !block) {
    if (pipe->writers.load() == 0) file->note_writers_seen();
  } else if (access == kOpenReadOnly) {
    woken =
        pipe->read_queue.wait([&] { return pipe->writers.load() != 0 || pipe->writer_opens.load() != writers_before; });
  } else if (writes_only && block) {
    woken = pipe->write_queue.wait(
        [&] { return pipe->readers.load() != 0 || pipe->reader_opens.load() != readers_before; });
  }
  if (woken == Wake::kSignal) return Errno::RestartSys;
  return RefPtr<File>(file);
}

}  // namespace uni::fs
