// SPDX-License-Identifier: Apache-2.0
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

namespace {
constexpr usize kPathMax = 4096;
}

PathArgument::~PathArgument() {
  if (page_ != nullptr) mm::put_page(*page_);
}

Result<void> PathArgument::read(i32 directory, UserText path) {
  Result<usize> length = copy_string_from_user(short_, path.address(), sizeof(short_));
  const char* data = short_;
  if (!length.ok() && length.error() == Errno::NameTooLong) {
    page_ = mm::alloc_page(mm::Zero::kNo);
    if (page_ == nullptr) return Errno::NoMemory;
    data = static_cast<char*>(mm::address_of(*page_));
    text_ = { data, TRY(copy_string_from_user(static_cast<char*>(mm::address_of(*page_)), path.address(), kPathMax)) };
  } else {
    text_ = { data, TRY(uni::move(length)) };
  }
  if (directory == abi::kAtCwd || (!text_.empty() && text_[0] == '/')) return {};
  file_ = TRY(file_of(directory, true));
  base_ = file_->dentry();
  if (!text_.empty() && (base_ == nullptr || !base_->is_directory())) return Errno::NotDirectory;
  return {};
}

fs::PathStart PathArgument::start() const {
  return start(Process::current().credentials);
}

fs::PathStart PathArgument::start(const Credentials& who) const {
  return {*Process::current_fs(), who, base_};
}

Result<StringView> PathArgument::directory(Span<char> buffer) const {
  const RefPtr<fs::FsContext>& context = Process::current_fs();
  const RefPtr<fs::Dentry> root = context->root();
  const RefPtr<fs::Dentry> cwd = context->cwd();
  const StringView path = TRY(fs::path_of(base_ != nullptr ? *base_ : *cwd, root.get(), buffer));
  return path == "/" ? StringView{} : path;
}

void note_lacked(const PathArgument& path, fs::Asked how) {
  if (path.text().empty()) return;
  if (path.text()[0] == '/') return fs::note_lacked_file(how, {}, path.text());
  char buffer[160];
  const Result<StringView> directory = path.directory({buffer, sizeof buffer});
  if (directory.ok()) fs::note_lacked_file(how, directory.value(), path.text());
}

Result<RefPtr<fs::Dentry>> find_path(const PathArgument& path, u32 flags, u32 lookup_flags) {
  if (path.text().empty()) {
    if ((flags & abi::kAtEmptyPath) == 0) return Errno::NoEntry;
    if (path.file() != nullptr) return fs::dentry_for(*path.file());
    return Process::current_fs()->cwd();
  }
  Result<RefPtr<fs::Dentry>> found = fs::lookup(path.start(), path.text(), lookup_flags);
  if (!found.ok() && found.error() == Errno::NoEntry) note_lacked(path, fs::Asked::kLookedAt);
  return found;
}

Result<void> IoVector::read(UserPtr<IoSegment> segments, u64 count) {
  if (count > abi::kMaxSegments) return Errno::Invalid;
  IoSegment* to = inline_;
  if (count > kInline) {
    TRY(more_.resize(count));
    to = more_.data();
  }
  TRY(copy_from_user(to, segments.address(), count * sizeof(IoSegment)));
  count_ = count;
  for (usize i = 0; i < count; ++i) {
    if (static_cast<i64>(to[i].length) < 0) return Errno::Invalid;
    if (!user_range_ok(UserAddr{to[i].base}, to[i].length)) return Errno::Fault;
    total_ = min<usize>(total_ + to[i].length, abi::kMaxTransfer);
  }
  return {};
}

Span<const IoSegment> IoVector::segments() const {
  return {count_ > kInline ? more_.data() : inline_, count_};
}

IoCursor IoVector::cursor() const {
  IoCursor cursor(segments().data(), count_);
  cursor.truncate(total_);
  return cursor;
}

Result<i64> finish_write(Result<usize> written) {
  if (written.ok()) return static_cast<i64>(written.value());
  if (written.error() == Errno::Pipe) {
    signal::Info info;
    info.number = signal::kPipe;
    info.pid = raw(Process::current().pid());
    info.uid = Process::current().credentials.uid;
    signal::send(Thread::current(), info).take();  // EPIPE is told in any case
  }
  return written.error();
}

}  // namespace uni::shim
