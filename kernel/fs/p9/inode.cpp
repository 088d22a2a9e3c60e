// SPDX-License-Identifier: Apache-2.0
// Names and attributes over 9P. Nothing is remembered but the size (for mappings) and the last attributes of a file
// that has lost its name: the host may change everything at any time.
#include "kernel/fs/p9/inode.hpp"

namespace uni::fs::p9 {
namespace {

constexpr u64 kGetBasic = 0x7ff;
constexpr u32 kRemoveDirectory = 0x200;  // AT_REMOVEDIR

FileType type_of(const Qid& q) {
  if ((q.type & 0x80) != 0) return FileType::kDirectory;
  if ((q.type & 0x02) != 0) return FileType::kSymlink;
  return FileType::kRegular;
}

Result<Stat> get_attributes(Client& client, Fid fid) {
  Client::Call call(client, kGetAttr);
  TRY(call.fid(fid).u64v(kGetBasic).send());
  (void)TRY(call.get64());  // valid
  const Qid qid = TRY(call.get_qid());
  Stat s;
  s.inode = qid.path;
  s.mode = TRY(call.get32());
  s.uid = TRY(call.get32());
  s.gid = TRY(call.get32());
  s.links = static_cast<u32>(TRY(call.get64()));
  s.special_device = TRY(call.get64());
  s.size = TRY(call.get64());
  s.block_size = static_cast<u32>(TRY(call.get64()));
  if (s.block_size == 0) s.block_size = kPageSize;
  s.blocks_512 = TRY(call.get64());
  for (Timespec* t : {&s.accessed, &s.modified, &s.changed}) {
    t->seconds = static_cast<i64>(TRY(call.get64()));
    t->nanoseconds = static_cast<u32>(TRY(call.get64()));
  }
  s.created = s.changed;
  return s;
}

}  // namespace

P9Inode::P9Inode(P9FileSystem& fs, FileType type, const Qid& qid, Fid fid)
    : Inode(fs, type, qid.path), fid_(fid), path_(qid.path), cache_(*this) {}

P9Inode::~P9Inode() {
  cache_.release();
  client().clunk(fid_);
}

void P9Inode::last_unref() {
  if (fs().retire(*this)) delete this;
}

P9FileSystem& P9Inode::fs() const {
  return static_cast<P9FileSystem&>(file_system());
}
Client& P9Inode::client() const {
  return fs().client();
}

Result<void> P9Inode::stat(Stat& out) {
  auto got = get_attributes(client(), fid_);
  if (!got.ok()) {
    if (!nameless_.load(std::memory_order_acquire)) return got.error();
    out = last_;
    out.links = 0;
  } else {
    out = got.take();
    last_ = out;
  }
  out.device = fs().device_number();
  size_.store(out.size, std::memory_order_relaxed);
  return {};
}

Result<void> P9Inode::set_attributes(const SetAttr& change) {
  u32 valid = 0;
  if ((change.which & SetAttr::kMode) != 0) valid |= 1;
  if ((change.which & SetAttr::kUid) != 0) valid |= 2;
  if ((change.which & SetAttr::kGid) != 0) valid |= 4;
  if ((change.which & SetAttr::kAccessed) != 0) valid |= 0x10 | 0x80;
  if ((change.which & SetAttr::kModified) != 0) valid |= 0x20 | 0x100;
  Client::Call call(client(), kSetAttr);
  call.fid(fid_).u32v(valid).u32v(change.mode & 07777).u32v(change.uid).u32v(change.gid).u64v(0);
  for (const Timespec* t : {&change.accessed, &change.modified})
    call.u64v(static_cast<u64>(t->seconds)).u64v(t->nanoseconds);
  return call.send();
}

Result<void> P9Inode::set_size(u64 wanted) {
  Client::Call call(client(), kSetAttr);
  call.fid(fid_).u32v(8).u32v(0).u32v(0).u32v(0).u64v(wanted).u64v(0).u64v(0).u64v(0).u64v(0);
  TRY(call.send());
  size_.store(wanted, std::memory_order_relaxed);
  return {};
}

Result<RefPtr<Inode>> P9Inode::lookup(StringView name) {
  Qid qid;
  const Fid found = TRY(client().walk(fid_, name, &qid));
  return fs().inode_for(found, qid);
}

Result<RefPtr<Inode>> P9Inode::create(StringView name, FileType type, u32 mode, u32, u32 gid, u64 special_device) {
  mode &= 07777;
  if (type == FileType::kDirectory) {
    Client::Call call(client(), kMkDir);
    TRY(call.fid(fid_).text(name).u32v(mode).u32v(gid).send());
  } else if (type == FileType::kRegular) {
    Qid unused;
    const Fid opened = TRY(client().walk(fid_, "", &unused));
    Result<void> made;
    {
      constexpr u32 kReadWriteCreateExclusive = 02 | 0100 | 0200;
      Client::Call call(client(), kCreate);
      made = call.fid(opened).text(name).u32v(kReadWriteCreateExclusive).u32v(mode).u32v(gid).send();
    }
    client().clunk(opened);
    if (!made.ok()) return made.error();
  } else {
    const u64 device = special_device;
    const auto major = static_cast<u32>((device >> 8) & 0xfff),
               minor = static_cast<u32>((device & 0xff) | ((device >> 12) & 0xfff00));
    Client::Call call(client(), kMkNod);
    TRY(call.fid(fid_).text(name).u32v(mode_type_bits(type) | mode).u32v(major).u32v(minor).u32v(gid).send());
  }
  return lookup(name);
}

Result<RefPtr<Inode>> P9Inode::symlink(StringView name, StringView target, u32, u32 gid) {
  {
    Client::Call call(client(), kSymlinkMessage);
    TRY(call.fid(fid_).text(name).text(target).u32v(gid).send());
  }
  return lookup(name);
}

Result<void> P9Inode::link(StringView name, Inode& existing) {
  Client::Call call(client(), kLink);
  return call.fid(fid_).fid(static_cast<P9Inode&>(existing).fid()).text(name).send();
}

Result<void> P9Inode::unlink_at(StringView name, u32 flags, Inode& victim) {
  Stat before;
  const bool known = victim.stat(before).ok();
  {
    Client::Call call(client(), kUnlinkAt);
    TRY(call.fid(fid_).text(name).u32v(flags).send());
  }
  if (!known || before.links <= 1 || flags != 0) static_cast<P9Inode&>(victim).forget();
  return {};
}

Result<void> P9Inode::unlink(StringView name, Inode& victim) {
  return unlink_at(name, 0, victim);
}
Result<void> P9Inode::rmdir(StringView name, Inode& victim) {
  return unlink_at(name, kRemoveDirectory, victim);
}

Result<void> P9Inode::rename(StringView old_name, Inode&, Inode& new_parent, StringView new_name, Inode* replaced,
                             bool exchange) {
  if (exchange) return Errno::Invalid;  // the protocol has no such message
  {
    Client::Call call(client(), kRenameAt);
    TRY(call.fid(fid_).text(old_name).fid(static_cast<P9Inode&>(new_parent).fid()).text(new_name).send());
  }
  if (replaced != nullptr) static_cast<P9Inode*>(replaced)->forget();
  return {};
}

Result<void> P9Inode::read_directory(u64 offset, DirectorySink& sink) {
  Qid unused;
  const Fid opened = TRY(client().walk(fid_, "", &unused));
  ScopeGuard close([&] { client().clunk(opened); });
  {
    Client::Call call(client(), kOpen);
    TRY(call.fid(opened).u32v(0200000).send());  // O_DIRECTORY
  }
  while (true) {
    Client::Call call(client(), kReadDir);
    TRY(call.fid(opened).u64v(offset).u32v(kChunk).send());
    const u32 size = TRY(call.get32());
    if (size == 0) return {};
    u32 used = 0;
    while (used < size) {
      const Qid qid = TRY(call.get_qid());
      const u64 next = TRY(call.get64());
      const u8 type = TRY(call.get8());
      const StringView name = TRY(call.get_text());
      used += static_cast<u32>(13 + 8 + 1 + 2 + name.size());
      const auto kind = type == 0 ? type_of(qid) : static_cast<FileType>(type);
      if (!sink.entry(name, qid.path, kind, next)) return {};
      offset = next;
    }
  }
}

Result<usize> P9Inode::read_link(Span<char> out) {
  Client::Call call(client(), kReadLink);
  TRY(call.fid(fid_).send());
  const StringView target = TRY(call.get_text());
  const usize n = min(out.size(), target.size());
  __builtin_memcpy(out.data(), target.data(), n);
  return n;
}

Result<void> P9Inode::sync(bool data_only) {
  if (type() != FileType::kRegular) return {};
  auto opened = open_fid(0);
  if (!opened.ok()) return opened.error();
  Result<void> done;
  {
    Client::Call call(client(), kFsync);
    done = call.fid(opened.value()).u32v(data_only ? 1 : 0).send();
  }
  client().clunk(opened.value());
  if (!done.ok()) return done.error();
  return {};
}

void P9Inode::forget() {
  nameless_.store(true, std::memory_order_release);
  LockGuard guard(fs().lock_);
  if (table_node.linked()) List<P9Inode, &P9Inode::table_node>::remove(*this);
}

Result<void> P9FileSystem::attach() {
  static std::atomic<u64> devices{0x40};
  device_ = devices.fetch_add(1, std::memory_order_relaxed);
  TRY(client_.start());
  const Fid fid{0};
  Qid qid;
  {
    Client::Call call(client_, kAttach);
    TRY(call.fid(fid).fid(kNoFid).text("root").text("").u32v(0).send());
    qid = TRY(call.get_qid());
  }
  root_ = TRY(inode_for(fid, qid));
  return {};
}

Result<RefPtr<Inode>> P9FileSystem::inode_for(Fid fid, const Qid& qid) {
  RefPtr<Inode> known;
  {
    LockGuard guard(lock_);
    for (P9Inode& i : table_) {
      if (i.path() != qid.path || !i.try_ref()) continue;
      known = RefPtr<Inode>::adopt(&i);
      break;
    }
  }
  if (known) {
    client_.clunk(fid);
    return known;
  }
  FileType type = type_of(qid);
  if (type == FileType::kRegular) {
    // Devices, sockets and fifos look like files in a qid.
    const auto attributes = get_attributes(client_, fid);
    if (attributes.ok()) type = static_cast<FileType>(attributes.value().mode >> 12);
  }
  auto made = make_ref<P9Inode>(*this, type, qid, fid);
  if (!made.ok()) {
    client_.clunk(fid);
    return made.error();
  }
  auto inode = made.take();
  LockGuard guard(lock_);
  table_.push_front(*inode);
  return RefPtr<Inode>(uni::move(inode));
}

bool P9FileSystem::retire(P9Inode& inode) {
  LockGuard guard(lock_);
  if (inode.table_node.linked()) List<P9Inode, &P9Inode::table_node>::remove(inode);
  return true;
}

Result<FsStat> P9FileSystem::stat() {
  Client::Call call(client_, kStatFs);
  TRY(call.fid(static_cast<P9Inode*>(root_.get())->fid()).send());
  FsStat s;
  s.type = 0x01021997;  // V9FS_MAGIC
  (void)TRY(call.get32());
  s.block_size = TRY(call.get32());
  s.blocks = TRY(call.get64());
  s.blocks_free = TRY(call.get64());
  s.blocks_available = TRY(call.get64());
  s.inodes = TRY(call.get64());
  s.inodes_free = TRY(call.get64());
  s.id = TRY(call.get64());
  s.name_max = TRY(call.get32());
  return s;
}

Result<RefPtr<FileSystem>> connect(P9Transport& transport, ReadOnly read_only) {
  auto fs = TRY(make_ref<P9FileSystem>(transport, read_only));
  TRY(fs->attach());
  return RefPtr<FileSystem>(uni::move(fs));
}

}  // namespace uni::fs::p9
