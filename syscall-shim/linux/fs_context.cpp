// SPDX-License-Identifier: Apache-2.0
#include "syscall-shim/linux/fs_context.hpp"

#include "kernel/fs/anonymous.hpp"
#include "kernel/fs/mount.hpp"
#include "kernel/sched/process.hpp"

namespace uni::shim {

Result<RefPtr<fs::File>> FsContextFile::for_new(StringView type) {
  RefPtr<FsContextFile> made = TRY(make_ref<FsContextFile>());
  made->wanted_.type = type;
  return RefPtr<fs::File>(uni::move(made));
}

Result<RefPtr<fs::File>> FsContextFile::for_mounted(const fs::Mount& mount) {
  RefPtr<FsContextFile> made = TRY(make_ref<FsContextFile>());
  made->system_ = RefPtr<fs::FileSystem>(&mount.file_system());
  made->start_reconfiguring(mount.file_system());
  return RefPtr<fs::File>(uni::move(made));
}

Result<usize> FsContextFile::read(IoCursor& to, u64) {
  LockGuard guard(lock_);
  if (messages_.empty()) return Errno::NoData;
  const StringView text = messages_[0].view();
  if (text.size() > to.remaining()) return Errno::MessageSize;
  const usize got = TRY(to.put(text.data(), text.size()));
  messages_.remove_at(0);
  return got;
}

usize FsContextFile::describe(Span<char> out) {
  return fs::describe_anonymous("[fscontext]", out);
}

// A message that there is no memory for is lost, as on Linux.
void FsContextFile::say(StringView start, StringView key) {
  char text[400];
  BufferWriter writer(text);
  if (key.empty())
    format(writer, "e {}\n", start);
  else
    format(writer, "e {}: {} '{}'\n", wanted_.type, start, key);
  if (messages_.size() == kMostMessages) messages_.remove_at(0);
  Result<String> copy = String::copy(writer.view());
  if (copy.ok()) messages_.push(copy.take()).take();
}

Result<void> FsContextFile::set(StringView key, StringView value, HasValue has_value) {
  LockGuard guard(lock_);
  if (phase_ != Phase::kParameters && phase_ != Phase::kReconfiguring) return Errno::Busy;
  const bool second_source = key == "source"_sv && !wanted_.source.empty();
  const Result<void> done = set_option(wanted_, key, value, has_value);
  if (done.ok() || done.error() == Errno::NoMemory) return done;
  if (key == "source"_sv)
    say(second_source ? "Multiple sources"_sv : "Non-string source"_sv, {});
  else
    say(done.error() == Errno::NoEntry ? "Unknown parameter"_sv : "Bad value for"_sv, key);
  return Errno::Invalid;
}

Result<void> FsContextFile::create() {
  LockGuard guard(lock_);
  if (phase_ != Phase::kParameters) return Errno::Busy;
  constexpr u32 kCapSysAdmin = 21;
  if (!Process::current().credentials.capable(kCapSysAdmin)) return Errno::NotPermitted;
  phase_ = Phase::kFailed;
  system_ = TRY(shim::create(wanted_));
  phase_ = Phase::kMountable;
  return {};
}

Result<void> FsContextFile::reconfigure() {
  LockGuard guard(lock_);
  if (phase_ != Phase::kReconfiguring) return Errno::Busy;
  phase_ = Phase::kFailed;
  TRY(shim::reconfigure(*system_, wanted_));
  start_reconfiguring(*system_);
  return {};
}

void FsContextFile::start_reconfiguring(fs::FileSystem& system) {
  wanted_ = NewFs{};
  wanted_.type = system.type_name();
  wanted_.super_flags = system.super_flags.load();
  phase_ = Phase::kReconfiguring;
}

Result<RefPtr<fs::Mount>> FsContextFile::mount(u32 flags) {
  LockGuard guard(lock_);
  if (!system_) return Errno::Invalid;
  if (phase_ != Phase::kMountable) return Errno::Busy;
  RefPtr<fs::Mount> made =
      TRY(fs::make_mount(system_, wanted_.source.empty() ? "none"_sv : wanted_.source.view(), flags));
  start_reconfiguring(*system_);
  return made;
}

}  // namespace uni::shim
