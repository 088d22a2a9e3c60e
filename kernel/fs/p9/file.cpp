// SPDX-License-Identifier: Apache-2.0
// Open files of a host directory: reads and writes go to the host at once. Data passes through a kernel buffer, because
// the client is held during a call and touching the program's memory then could need the client again (a mapping of a
// host file).
#include "kernel/fs/locks.hpp"
#include "kernel/fs/notify.hpp"
#include "kernel/fs/p9/inode.hpp"

namespace uni::fs::p9 {
namespace {

class P9File final : public File {
 public:
  P9File(P9Inode& inode, Fid opened, u32 flags) : File(FileKind::kInode, flags), inode_(&inode), opened_(opened) {}

  Result<usize> read(IoCursor& to, u64 offset) override {
    u8* buffer = new (std::nothrow) u8[min(kChunk, max<usize>(to.remaining(), 1))];
    if (buffer == nullptr) return Errno::NoMemory;
    ScopeGuard free_buffer([buffer] { delete[] buffer; });
    usize done = 0;
    while (to.remaining() > 0) {
      const usize wanted = min(kChunk, to.remaining());
      auto got = inode_->read_at(opened_, offset + done, buffer, wanted);
      if (!got.ok()) return done > 0 ? Result<usize>(done) : Result<usize>(got.error());
      if (got.value() == 0) break;
      auto put = to.put(buffer, got.value());
      if (!put.ok()) return done > 0 ? Result<usize>(done) : Result<usize>(put.error());
      done += put.value();
      if (put.value() < wanted) break;
    }
    if (done > 0) notify::on_file(*this, notify::kAccess);
    return done;
  }

  Result<usize> write(IoCursor& from, u64 offset) override {
    u8* buffer = new (std::nothrow) u8[min(kChunk, max<usize>(from.remaining(), 1))];
    if (buffer == nullptr) return Errno::NoMemory;
    ScopeGuard free_buffer([buffer] { delete[] buffer; });
    LockGuard guard(inode_->lock);
    if ((flags() & kOpenAppend) != 0 || from.append()) {
      Stat stat;
      TRY(inode_->stat(stat));
      offset = stat.size;
    }
    usize done = 0;
    while (from.remaining() > 0) {
      auto taken = from.take(buffer, min(kChunk, from.remaining()));
      if (!taken.ok()) return done > 0 ? Result<usize>(done) : Result<usize>(taken.error());
      auto put = inode_->write_at(opened_, offset + done, buffer, taken.value());
      if (!put.ok()) return done > 0 ? Result<usize>(done) : Result<usize>(put.error());
      done += put.value();
      if (put.value() < taken.value()) break;
    }
    append_end = offset + done;
    if (done > 0) notify::on_file(*this, notify::kModify);
    return done;
  }

  bool seekable() const override { return true; }

  Result<u64> seek(i64 wanted, int whence) override {
    i64 base = 0;
    if (whence == 1) {
      base = static_cast<i64>(position);
    } else if (whence != 0) {
      Stat stat;
      TRY(inode_->stat(stat));
      base = static_cast<i64>(stat.size);
      if (whence == 3 || whence == 4) {  // no holes are known: data up to the end
        if (wanted < 0 || wanted >= base) return Errno::NoDeviceOrAddress;
        position = static_cast<u64>(whence == 3 ? wanted : base);
        return u64{position};
      }
      if (whence != 2) return Errno::Invalid;
    }
    i64 target = 0;
    if (__builtin_add_overflow(base, wanted, &target)) return Errno::Overflow;
    if (target < 0) return Errno::Invalid;
    position = static_cast<u64>(target);
    return u64{position};
  }

  Result<void> stat(Stat& out) override { return inode_->stat(out); }
  Result<void> truncate(u64 size) override {
    LockGuard guard(inode_->lock);
    TRY(inode_->set_size(size));
    notify::on_file(*this, notify::kModify);
    return {};
  }
  Result<void> sync(bool data_only) override {
    TRY(inode_->mapping_cache().flush());
    Client::Call call(inode_->client(), kFsync);
    return call.fid(opened_).u32v(data_only ? 1 : 0).send();
  }
  Result<RefPtr<mm::VmObject>> vm_object() override {
    Stat stat;
    TRY(inode_->stat(stat));
    return inode_->mapping_cache().vm_object();
  }
  void descriptor_closed(FileTable& table) override { locks::release_table(*inode_, table); }
  Inode* inode() override { return inode_.get(); }

 private:
  ~P9File() override {
    locks::release_file(*inode_, *this);
    inode_->client().clunk(opened_);
  }
  RefPtr<P9Inode> inode_;
  Fid opened_;
};

}  // namespace

Result<Fid> P9Inode::open_fid(u32 access) {
  Qid unused;
  const Fid opened = TRY(client().walk(fid_, "", &unused));
  Errno failure{};
  {
    Client::Call call(client(), kOpen);
    const auto sent = call.fid(opened).u32v(access).send();
    if (!sent.ok()) failure = sent.error();
  }
  if (failure != Errno{}) {
    client().clunk(opened);
    return failure;
  }
  return opened;
}

Result<RefPtr<File>> P9Inode::open(u32 flags) {
  if (type() != FileType::kRegular) return RefPtr<File>();
  const Fid opened = TRY(open_fid(flags & kOpenAccessMask));
  auto file = make_ref<P9File>(*this, opened, flags);
  if (!file.ok()) {
    client().clunk(opened);
    return file.error();
  }
  return RefPtr<File>(file.take());
}

Result<usize> P9Inode::read_at(Fid opened, u64 offset, void* to, usize size) {
  Client::Call call(client(), kRead);
  TRY(call.fid(opened).u64v(offset).u32v(static_cast<u32>(min(size, kChunk))).send());
  const u32 got = TRY(call.get32());
  if (got > size) return Errno::Io;
  const Span<const u8> bytes = TRY(call.get_bytes(got));
  __builtin_memcpy(to, bytes.data(), got);
  return usize{got};
}

Result<usize> P9Inode::write_at(Fid opened, u64 offset, const void* from, usize size) {
  Client::Call call(client(), kWrite);
  const auto n = static_cast<u32>(min(size, kChunk));
  TRY(call.fid(opened).u64v(offset).u32v(n).put(from, n).send());
  const u32 done = TRY(call.get32());
  if (done > n) return Errno::Io;
  return usize{done};
}

Result<void> P9Inode::read_pages(u64 page_index, Span<mm::Page*> pages) {
  const Fid opened = TRY(open_fid(0));
  ScopeGuard close([&] { client().clunk(opened); });
  for (usize i = 0; i < pages.size(); ++i) {
    auto* page = static_cast<u8*>(mm::address_of(*pages[i]));
    usize done = 0;
    while (done < kPageSize) {
      const usize got = TRY(read_at(opened, (page_index + i) * kPageSize + done, page + done, kPageSize - done));
      if (got == 0) break;
      done += got;
    }
    __builtin_memset(page + done, 0, kPageSize - done);
  }
  return {};
}

Result<void> P9Inode::write_pages(u64 page_index, Span<mm::Page* const> pages) {
  const Fid opened = TRY(open_fid(1));
  ScopeGuard close([&] { client().clunk(opened); });
  for (usize i = 0; i < pages.size(); ++i) {
    const u64 offset = (page_index + i) * kPageSize;
    if (offset >= size()) break;
    const usize n = min<u64>(kPageSize, size() - offset);
    usize done = 0;
    while (done < n) {
      const usize put =
          TRY(write_at(opened, offset + done, static_cast<u8*>(mm::address_of(*pages[i])) + done, n - done));
      if (put == 0) return Errno::Io;
      done += put;
    }
  }
  return {};
}

}  // namespace uni::fs::p9
