// SPDX-License-Identifier: Apache-2.0
// The terminal's side as a File. After a hang-up it reads as at its end and takes nothing more (tty(4)).
#include "kernel/dev/tty/tty_file.hpp"

#include "kernel/base/format.hpp"
#include "kernel/dev/tty/job_control.hpp"
#include "kernel/fs/devpts.hpp"
#include "kernel/fs/inode.hpp"

namespace uni::dev {
namespace {

class TtyFile final : public fs::File {
 public:
  TtyFile(Tty& tty, u32 open_flags)
      : File(fs::FileKind::kDevice, open_flags), tty_(&tty), opened_in_(tty.generation()) {}

  Result<usize> read(IoCursor& to, u64) override {
    if (!readable()) return Errno::BadFd;
    return tty_->read(to, wait(to), opened_in_);
  }
  Result<usize> write(IoCursor& from, u64) override {
    if (!writable()) return Errno::BadFd;
    return tty_->write(from, wait(from), opened_in_);
  }
  u32 poll() override { return tty_->poll(opened_in_); }
  WaitQueue* poll_queue() override { return &tty_->changed(); }
  Result<i64> ioctl(u32 command, u64 argument) override {
    constexpr u32 kTiocSctty = 0x540e, kTiocSpgrp = 0x5410;
    if (tty_->hung_up(opened_in_)) return command == kTiocSpgrp ? Errno::NotTty : Errno::Io;
    if (command == kTiocSctty) {
      TRY(job_control::claim(*tty_, argument == 1, readable()));
      return 0;
    }
    return tty_->ioctl(command, argument, Tty::Side::kTerminal);
  }
  Result<void> stat(fs::Stat& out) override {
    if (fs::Inode* there = inode()) return there->stat(out);
    fs::devpts::stat_of(*tty_, out);
    return {};
  }
  usize describe(Span<char> out) override {
    if (dentry() != nullptr) return File::describe(out);
    BufferWriter w(out.data(), out.size());
    format(w, "/dev/pts/{}", tty_->index());
    return w.view().size();
  }

 private:
  ~TtyFile() override { tty_->closed(); }
  friend class RefPtr<TtyFile>;
  Tty::Wait wait(const IoCursor& cursor) const { return must_not_wait(cursor) ? Tty::Wait::kNo : Tty::Wait::kYes; }
  RefPtr<Tty> tty_;
  u32 opened_in_;
};

}  // namespace

Result<RefPtr<fs::File>> open_tty(Tty& tty, u32 open_flags) {
  TRY(tty.opened());
  auto file = make_ref<TtyFile>(tty, open_flags & ~u32{fs::kOpenNoCtty});
  if (!file.ok()) {
    tty.closed();
    return file.error();
  }
  job_control::claim_on_open(tty, open_flags);
  return RefPtr<fs::File>(file.take());
}

Result<RefPtr<fs::File>> open_controlling_tty(u32 open_flags) {
  const RefPtr<Tty> tty = job_control::current();
  if (!tty) return Errno::NoDeviceOrAddress;
  return open_tty(*tty, open_flags);
}

}  // namespace uni::dev
