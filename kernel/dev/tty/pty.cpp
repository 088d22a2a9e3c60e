// SPDX-License-Identifier: Apache-2.0
// A pty: what the terminal writes waits in a ring for the master, what the master writes goes through the discipline.
// Numbers as Linux has them: a terminal takes about 12 KiB that nobody reads; behind it there is room for echo.
#include "kernel/dev/tty/pty.hpp"

#include "kernel/dev/tty/job_control.hpp"
#include "kernel/dev/tty/tty_file.hpp"
#include "kernel/dev/tty/tty_table.hpp"
#include "kernel/fs/devpts.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/sched/process.hpp"

namespace uni::dev {
namespace {

constexpr usize kRing = 16384;
constexpr usize kEchoRoom = 4096;

class Pty final : public Tty {
 public:
  explicit Pty(u32 index) : Tty(index, WindowSize{0, 0, 0, 0}) {}
  // What must not fail later. Errors: NoMemory.
  Result<void> prepare() {
    TRY(backlog_.prepare());
    return output_.prepare();
  }

  Result<void> opened() override;
  void closed() override;

  Result<usize> read_master(IoCursor& to, Wait wait);
  Result<usize> write_master(IoCursor& from, Wait wait);
  u32 poll_master();
  void master_closed();
  WaitQueue& master_changed() { return master_changed_; }

 protected:
  usize push(Span<const u8> bytes) override {
    const bool was_empty = output_.empty();
    const usize count = master_gone_ ? bytes.size() : output_.put(bytes);
    if (was_empty && count != 0) master_changed_.wake_all(fs::kPollIn | fs::kPollRdNorm);
    return count;
  }
  bool has_room() override { return output_.room() >= kPiece + kEchoRoom; }
  bool gone() override { return false; }  // a hang-up says it
  void tell_packet(u8 clear, u8 set) override {
    if (!packet_) return;
    status_ = static_cast<u8>((status_ & ~clear) | set);
    if (status_ != 0) master_changed_.wake_all();
  }
  void input_taken() override { master_changed_.wake_all(fs::kPollOut | fs::kPollWrNorm); }
  void flush_output() override {
    LockGuard lock(lock_);
    output_.clear();
    changed().wake_all(fs::kPollOut | fs::kPollWrNorm);
  }
  usize waiting(Side side) override {
    if (side == Side::kTerminal) return Tty::waiting(side);
    LockGuard lock(lock_);
    return output_.size();
  }
  Result<i64> own_ioctl(u32 command, u64 argument, Side side) override;

 private:
  ~Pty() override { ttys::release(index()); }
  friend class RefPtr<Pty>;
  Result<i64> open_peer(u32 open_flags);
  Result<i64> send_signal(u32 number);

  // Under lock_:
  ByteRing<kRing> output_;
  bool locked_ = true;  // TIOCSPTLCK
  bool packet_ = false;
  u8 status_ = 0;              // packet mode's, not yet read
  u32 opens_ = 0;              // of the terminal's side
  bool other_closed_ = false;  // it was open and is not
  bool master_gone_ = false;
  WaitQueue master_changed_;
};

class MasterFile final : public fs::File {
 public:
  MasterFile(RefPtr<Pty> pty, u32 open_flags) : File(fs::FileKind::kDevice, open_flags), pty_(uni::move(pty)) {}

  Result<usize> read(IoCursor& to, u64) override {
    if (!readable()) return Errno::BadFd;
    return pty_->read_master(to, wait(to));
  }
  Result<usize> write(IoCursor& from, u64) override {
    if (!writable()) return Errno::BadFd;
    return pty_->write_master(from, wait(from));
  }
  u32 poll() override { return pty_->poll_master(); }
  WaitQueue* poll_queue() override { return &pty_->master_changed(); }
  Result<i64> ioctl(u32 command, u64 argument) override {
    constexpr u32 kTiocSctty = 0x540e;
    if (command == kTiocSctty) {
      TRY(job_control::claim(*pty_, argument == 1, readable()));
      return 0;
    }
    return pty_->ioctl(command, argument, Tty::Side::kMaster);
  }

 private:
  ~MasterFile() override { pty_->master_closed(); }
  friend class RefPtr<MasterFile>;
  Tty::Wait wait(const IoCursor& cursor) const { return must_not_wait(cursor) ? Tty::Wait::kNo : Tty::Wait::kYes; }
  RefPtr<Pty> pty_;
};

enum Command : u32 {
  kTiocPkt = 0x5420,
  kTiocGptn = 0x80045430,
  kTiocSptlck = 0x40045431,
  kTiocSig = 0x40045436,
  kTiocGpkt = 0x80045438,
  kTiocGptlck = 0x80045439,
  kTiocGptpeer = 0x5441,
};

Result<void> Pty::opened() {
  TRY(Tty::opened());
  LockGuard lock(lock_);
  if (locked_ || master_gone_) return Errno::Io;
  ++opens_;
  other_closed_ = false;
  return {};
}

void Pty::closed() {
  {
    LockGuard lock(lock_);
    if (--opens_ != 0) return;
    other_closed_ = true;
  }
  master_changed_.wake_all();
}

void Pty::master_closed() {
  ttys::hide(*this);
  {
    LockGuard lock(lock_);
    master_gone_ = true;
    packet_ = false;
    output_.clear();
  }
  hang_up();
}

// In packet mode a read gives a status byte, or a zero byte and data (ioctl_tty(2), TIOCPKT).
Result<usize> Pty::read_master(IoCursor& to, Wait wait) {
  if (to.remaining() == 0) return 0;
  u8 piece[1024];
  usize done = 0;
  while (true) {
    usize size = 0;
    bool status = false;
    {
      LockGuard lock(lock_);
      status = packet_ && status_ != 0;
      if (done != 0 && (status || output_.empty())) break;
      if (status) {
        piece[size++] = exchange(status_, u8{0});
      } else if (!output_.empty()) {
        if (packet_ && done == 0) piece[size++] = 0;
        size += output_.take({piece + size, min(sizeof piece, to.remaining()) - size});
      } else if (other_closed_) {
        return Errno::Io;
      }
    }
    if (size == 0) {
      if (wait == Wait::kNo) return Errno::Again;
      auto ready = [this] {
        LockGuard lock(lock_);
        return !output_.empty() || other_closed_ || (packet_ && status_ != 0);
      };
      if (master_changed_.wait(ready) != Wake::kReady) return Errno::RestartSys;
      continue;
    }
    const auto put = to.put(piece, size);
    if (!put.ok()) return done != 0 ? Result<usize>(done) : put.error();
    done += put.value();
    if (status || put.value() < size || to.remaining() == 0) break;
  }
  changed().wake_all(fs::kPollOut | fs::kPollWrNorm);
  return done;
}

Result<usize> Pty::write_master(IoCursor& from, Wait wait) {
  usize done = 0;
  while (from.remaining() != 0) {
    u8 piece[256];
    const auto taken = from.take(piece, sizeof piece);
    if (!taken.ok()) return done != 0 ? Result<usize>(done) : taken.error();
    for (usize at = 0; at < taken.value();) {
      const usize count = receive({piece + at, taken.value() - at});
      at += count;
      done += count;
      if (at == taken.value()) break;
      if (wait == Wait::kNo) return done != 0 ? Result<usize>(done) : Errno::Again;
      auto ready = [this] {
        LockGuard lock(lock_);
        return backlog_.room() != 0;
      };
      if (master_changed_.wait(ready) != Wake::kReady) return done != 0 ? Result<usize>(done) : Errno::RestartSys;
    }
  }
  return done;
}

u32 Pty::poll_master() {
  LockGuard lock(lock_);
  u32 bits = 0;
  if (!output_.empty()) bits |= fs::kPollIn | fs::kPollRdNorm;
  if (packet_ && status_ != 0) bits |= fs::kPollPri | fs::kPollIn | fs::kPollRdNorm;
  if (other_closed_) bits |= fs::kPollHup;
  if (backlog_.room() != 0) bits |= fs::kPollOut | fs::kPollWrNorm;
  return bits;
}

// TIOCGPTPEER: the terminal, by its master: no path is needed, and none can lead elsewhere.
Result<i64> Pty::open_peer(u32 open_flags) {
  RefPtr<fs::File> file = TRY(open_tty(*this, open_flags & ~u32{fs::kOpenCloseOnExec}));
  if (const auto place = fs::devpts::place_of(*this); place.ok()) file->set_dentry(*place.value());
  return i64 {
    TRY(Process::current().files->install(uni::move(file), (open_flags & fs::kOpenCloseOnExec) != 0))
  };
}

// TIOCSIG.
Result<i64> Pty::send_signal(u32 number) {
  if (number != signal::kInt && number != signal::kQuit && number != signal::kTstp) return Errno::Invalid;
  signal_foreground(static_cast<int>(number));
  return 0;
}

Result<i64> Pty::own_ioctl(u32 command, u64 argument, Side side) {
  if (side == Side::kTerminal) return Errno::NotTty;
  const UserPtr<i32> word(argument);
  auto give = [&](i32 value) -> Result<i64> {
    TRY(word.write(value));
    return 0;
  };
  auto locked = [this](const bool& flag) {
    LockGuard lock(lock_);
    return flag ? 1 : 0;
  };
  switch (command) {
    case kTiocGptn:
      return give(static_cast<i32>(index()));
    case kTiocSptlck: {
      const bool on = TRY(word.read())
      != 0;
      LockGuard lock(lock_);
      locked_ = on;
      return 0;
    }
    case kTiocGptlck:
      return give(locked(locked_));
    case kTiocPkt: {
      const bool on = TRY(word.read())
      != 0;
      LockGuard lock(lock_);
      if (on && !packet_) status_ = 0;
      packet_ = on;
      return 0;
    }
    case kTiocGpkt:
      return give(locked(packet_));
    case kTiocGptpeer:
      return open_peer(static_cast<u32>(argument));
    case kTiocSig:
      return send_signal(static_cast<u32>(argument));
    default:
      return Errno::NotTty;
  }
}

}  // namespace

Result<RefPtr<fs::File>> open_ptmx(u32 open_flags) {
  fs::devpts::appear();
  const u32 index = TRY(ttys::reserve());
  auto made = make_ref<Pty>(index);
  if (!made.ok()) {
    ttys::release(index);
    return made.error();
  }
  RefPtr<Pty> pty = made.take();
  TRY(pty->prepare());
  pty->node_uid = Process::current().credentials.fsuid;
  RefPtr<fs::File> file = TRY(make_ref<MasterFile>(pty, open_flags & ~u32{fs::kOpenNoCtty}));
  ttys::show(*pty);
  return file;
}

}  // namespace uni::dev
