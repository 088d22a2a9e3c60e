// SPDX-License-Identifier: Apache-2.0
// Extended attributes (ext4 layout, "Extended Attributes"): those behind the inode's fields are read and removed there;
// what is set goes into the attribute block, which is rebuilt with each change, its entries sorted as the format asks.
// Values in inodes of their own (ea_inode) are refused with the feature.
#include "kernel/fs/ext4/xattr.hpp"

#include "kernel/fs/ext4/inode.hpp"

namespace uni::fs::ext4 {
namespace {

struct Prefix {
  u8 index;
  StringView text;
  bool whole;  // the prefix is the whole name
};
constexpr Prefix kPrefixes[] = {
    {1, "user.", false},
    {2, "system.posix_acl_access", true},
    {3, "system.posix_acl_default", true},
    {4, "trusted.", false},
    {6, "security.", false},
};

constexpr int kCreateOnly = 1, kReplaceOnly = 2;  // XATTR_CREATE, XATTR_REPLACE

XattrArea block_area(const BufferRef& buffer, u32 block_size) {
  return {buffer.data() + sizeof(XattrHeader), buffer.data(), buffer.data() + block_size};
}

// The attributes in the inode itself: behind a magic number, behind its fields.
XattrArea inode_area(Ext4Inode& inode) {
  const u32 size = inode.ext4().geometry().inode_size;
  if (size <= kGoodOldInodeSize) return {};
  u8* const bytes = reinterpret_cast<u8*>(&inode.raw());
  const usize at = usize{kGoodOldInodeSize} + inode.raw().extra_size;
  if (inode.raw().extra_size == 0 || at + 8 > size) return {};
  u32 magic;
  __builtin_memcpy(&magic, bytes + at, 4);
  if (magic != kXattrMagic) return {};
  return {bytes + at + 4, bytes + at + 4, bytes + size};
}

Result<BufferRef> attribute_block(Ext4Inode& inode) {
  if (inode.xattr_block() == 0) return BufferRef();
  return inode.ext4().buffers().read(inode.xattr_block(), {BlockKind::kXattr});
}

u32 entry_hash(const XattrEntry& e, const u8* base) {
  u32 hash = 0;
  const auto* name = reinterpret_cast<const i8*>(&e + 1);
  for (u8 i = 0; i < e.name_length; ++i)
    hash = (hash << 5) ^ (hash >> 27) ^ static_cast<u32>(name[i]);
  for (u32 i = 0; i < (e.value_size + 3) / 4; ++i) {
    u32 word;
    __builtin_memcpy(&word, base + e.value_offset + i * 4, 4);
    hash = (hash << 16) ^ (hash >> 16) ^ word;
  }
  return hash;
}

bool sorts_before(u8 index, StringView name, const XattrEntry& e) {
  if (index != e.name_index) return index < e.name_index;
  if (name.size() != e.name_length) return name.size() < e.name_length;
  return __builtin_memcmp(name.data(), &e + 1, name.size()) < 0;
}

// Builds an attribute block from another one's entries less `drop`, plus `name` with `value` where `add` is set.
class Builder {
 public:
  Builder(u8* block, u32 size) : block_(block), next_(sizeof(XattrHeader)), values_(size) {}
  bool add(u8 index, StringView name, Span<const char> value) {
    const usize entry = (sizeof(XattrEntry) + name.size() + 3) & ~usize{3};
    const usize stored = (value.size() + 3) & ~usize{3};
    // Four zero bytes end the entries.
    if (next_ + entry + 4 + stored > values_) return false;
    values_ -= stored;
    auto& e = *reinterpret_cast<XattrEntry*>(block_ + next_);
    e = {static_cast<u8>(name.size()),   index, static_cast<u16>(stored != 0 ? values_ : 0), 0,
         static_cast<u32>(value.size()), 0};
    __builtin_memcpy(&e + 1, name.data(), name.size());
    __builtin_memcpy(block_ + values_, value.data(), value.size());
    e.hash = entry_hash(e, block_);
    block_hash_ = (block_hash_ << 16) ^ (block_hash_ >> 16) ^ e.hash;
    next_ += entry;
    return true;
  }
  void finish() {
    auto& h = *reinterpret_cast<XattrHeader*>(block_);
    h = {kXattrMagic, 1, 1, block_hash_, 0, {}};
  }
  bool empty() const { return next_ == sizeof(XattrHeader); }

 private:
  u8* block_;
  usize next_;    // where the next entry goes
  usize values_;  // values grow down from the end
  u32 block_hash_ = 0;
};

// Takes an entry of the inode's own area out; its value's bytes stay unused until all are rewritten.
Result<bool> drop_from_inode(Ext4Inode& inode, const XattrName& name) {
  const XattrArea area = inode_area(inode);
  if (area.first == nullptr) return false;
  u8* found = nullptr;
  usize bytes = 0;
  u8* end = area.first;
  const bool sound = each_xattr(area, [&](XattrEntry& e, StringView text, Span<const char>) {
    const usize n = (sizeof(XattrEntry) + e.name_length + 3) & ~usize{3};
    if (e.name_index == name.index && text == name.rest) {
      found = reinterpret_cast<u8*>(&e);
      bytes = n;
    }
    end = reinterpret_cast<u8*>(&e) + n;
    return false;
  });
  if (!sound) return inode.ext4().corrupt("attributes of inode", inode.ino());
  if (found == nullptr) return false;
  __builtin_memmove(found, found + bytes, static_cast<usize>(end - found) - bytes);
  __builtin_memset(end - bytes, 0, bytes);
  inode.changed();
  return true;
}

// Rewrites the attribute block without `name`, and with it anew where `value` is not null.
Result<void> rewrite_block(Ext4Inode& inode, const XattrName& name, const Span<const char>* value) {
  Ext4& fs = inode.ext4();
  const u32 size = fs.block_size();
  const BufferRef old = TRY(attribute_block(inode));
  mm::Page* page = mm::alloc_page(mm::Zero::kYes);
  if (page == nullptr) return Errno::NoMemory;
  ScopeGuard free_page([&] { mm::put_page(*page); });
  u8* const fresh = static_cast<u8*>(mm::address_of(*page));
  Builder builder(fresh, size);
  bool pending = value != nullptr, fits = true;
  const auto put_new = [&] {
    pending = false;
    fits = fits && builder.add(name.index, name.rest, *value);
  };
  if (old) {
    const bool sound = each_xattr(block_area(old, size), [&](XattrEntry& e, StringView text, Span<const char> v) {
      if (e.name_index == name.index && text == name.rest) return false;
      if (pending && sorts_before(name.index, name.rest, e)) put_new();
      fits = fits && builder.add(e.name_index, text, v);
      return false;
    });
    if (!sound) return fs.corrupt("attribute block", old->block);
  }
  if (pending) put_new();
  if (!fits) return Errno::NoSpace;
  builder.finish();
  if (builder.empty()) {
    inode.release_xattr_block();
    return {};
  }
  if (old && old.at<XattrHeader>(0)->reference_count == 1) {
    __builtin_memcpy(old.data(), fresh, size);
    old.changed();
    return {};
  }
  const Ext4::Run run = TRY(fs.allocate_blocks(fs.goal_for(inode.ino()), 1));
  auto made = fs.buffers().create(run.first, {BlockKind::kXattr});
  if (!made.ok()) {
    fs.free_blocks(run.first, 1).take();
    return made.error();
  }
  __builtin_memcpy(made.value().data(), fresh, size);
  made.value().changed();
  inode.release_xattr_block();
  inode.set_xattr_block(run.first);
  inode.add_blocks(1);
  return {};
}

}  // namespace

Result<XattrName> split_name(StringView name) {
  for (const Prefix& p : kPrefixes) {
    if (p.whole ? name == p.text : name.starts_with(p.text) && name.size() > p.text.size())
      return XattrName{p.index, name.slice(p.text.size())};
  }
  return Errno::NotSupported;
}

StringView prefix_of(u8 index) {
  for (const Prefix& p : kPrefixes) {
    if (p.index == index) return p.text;
  }
  return {};
}

// The block may be shared by several inodes; its last user frees it.
void Ext4Inode::release_xattr_block() {
  const u64 block = xattr_block();
  if (block == 0) return;
  set_xattr_block(0);
  add_blocks(-1);
  auto buffer = fs_.buffers().read(block, {BlockKind::kXattr});
  if (!buffer.ok()) return;
  auto* h = buffer.value().at<XattrHeader>(0);
  if (h->reference_count > 1) {
    --h->reference_count;
    buffer.value().changed();
    return;
  }
  buffer.value().reset();
  fs_.buffers().forget(block);
  fs_.free_blocks(block, 1).take();
}

Result<usize> Ext4Inode::get_xattr(StringView name, Span<char> out) {
  const XattrName wanted = TRY(split_name(name));
  LockGuard guard(map_lock);
  const BufferRef block = TRY(attribute_block(*this));
  Errno error = Errno::NoData;
  usize length = 0;
  const auto look = [&](XattrEntry& e, StringView text, Span<const char> value) {
    if (e.name_index != wanted.index || text != wanted.rest) return false;
    length = value.size();
    error = Errno{};
    if (!out.empty()) {
      if (value.size() > out.size())
        error = Errno::Range;
      else
        __builtin_memcpy(out.data(), value.data(), value.size());
    }
    return true;
  };
  const XattrArea own = inode_area(*this);
  bool sound = own.first == nullptr || each_xattr(own, look);
  if (error == Errno::NoData && block) sound = each_xattr(block_area(block, fs_.block_size()), look) && sound;
  if (error == Errno::NoData && !sound) return fs_.corrupt("attributes of inode", ino());
  if (error != Errno{}) return error;
  return length;
}

Result<usize> Ext4Inode::list_xattr(Span<char> out) {
  LockGuard guard(map_lock);
  const BufferRef block = TRY(attribute_block(*this));
  usize length = 0;
  const auto add = [&](XattrEntry& e, StringView text, Span<const char>) {
    const StringView prefix = prefix_of(e.name_index);
    if (prefix.empty()) return false;
    const usize n = prefix.size() + text.size() + 1;
    if (length + n <= out.size()) {
      __builtin_memcpy(out.data() + length, prefix.data(), prefix.size());
      __builtin_memcpy(out.data() + length + prefix.size(), text.data(), text.size());
      out[length + n - 1] = '\0';
    }
    length += n;
    return false;
  };
  const XattrArea own = inode_area(*this);
  bool sound = own.first == nullptr || each_xattr(own, add);
  if (block) sound = each_xattr(block_area(block, fs_.block_size()), add) && sound;
  if (!sound) return fs_.corrupt("attributes of inode", ino());
  if (!out.empty() && length > out.size()) return Errno::Range;
  return length;
}

Result<void> Ext4Inode::set_xattr(StringView name, Span<const char> value, int flags) {
  if (fs_.read_only()) return Errno::ReadOnlyFs;
  const XattrName wanted = TRY(split_name(name));
  if (wanted.rest.size() > 255) return Errno::Range;
  const auto there = get_xattr(name, {});
  if (!there.ok() && there.error() != Errno::NoData) return there.error();
  if (there.ok() && (flags & kCreateOnly) != 0) return Errno::Exists;
  if (!there.ok() && (flags & kReplaceOnly) != 0) return Errno::NoData;
  LockGuard guard(map_lock);
  TRY(rewrite_block(*this, wanted, &value));
  // The inode's own entry would hide the new value.
  TRY(drop_from_inode(*this, wanted));
  touch(false);
  return {};
}

Result<void> Ext4Inode::remove_xattr(StringView name) {
  if (fs_.read_only()) return Errno::ReadOnlyFs;
  const XattrName wanted = TRY(split_name(name));
  TRY(get_xattr(name, {}));
  LockGuard guard(map_lock);
  if (!TRY(drop_from_inode(*this, wanted))) TRY(rewrite_block(*this, wanted, nullptr));
  touch(false);
  return {};
}

}  // namespace uni::fs::ext4
