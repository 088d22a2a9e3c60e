// SPDX-License-Identifier: Apache-2.0
#include "kernel/fs/handle.hpp"

#include "kernel/fs/dentry_cache.hpp"

namespace uni::fs {

namespace {

// Notes the directories of a directory, and the one entry that is looked for.
class Search final : public DirectorySink {
 public:
  explicit Search(u64 wanted) : wanted_(wanted) {}
  bool entry(StringView name, u64 inode, FileType type, u64 next_offset) override {
    const bool dots = name == "."_sv || name == ".."_sv;
    if (!dots && (inode == wanted_ || type == FileType::kDirectory)) {
      auto copy = String::copy(name);
      if (!copy.ok() || !names.push(copy.take()).ok()) {
        failed = true;
        return false;
      }
      found = inode == wanted_;
    }
    offset = next_offset;
    ++seen;
    return !found;
  }
  Vector<String> names;
  u64 offset = 0;
  usize seen = 0;
  bool found = false, failed = false;

 private:
  u64 wanted_;
};

// Reads a whole directory into `search`, or up to the file that is looked for.
Result<void> read_all(Dentry& directory, Search& search) {
  for (;;) {
    const usize before = search.seen;
    LockGuard guard(directory.inode()->lock);
    TRY(directory.inode()->read_directory(search.offset, search));
    if (search.failed) return Errno::NoMemory;
    if (search.found || search.seen == before) return {};
  }
}

}  // namespace

bool has_lasting_numbers(const FileSystem& fs) {
  return fs.type_name() == "ext4"_sv || fs.type_name() == "tmpfs"_sv;
}

Result<RefPtr<Dentry>> find_number(Mount& mount, u64 number) {
  RefPtr<Dentry> root;
  {
    LockGuard guard(dentry_lock());
    root = RefPtr<Dentry>(mount.root);
  }
  if (!root) return Errno::Stale;
  if (root->inode()->number() == number) return root;
  Vector<RefPtr<Dentry>> left;
  TRY(left.push(uni::move(root)));
  while (!left.empty()) {
    const RefPtr<Dentry> directory = uni::move(left.back());
    left.pop();
    Search search(number);
    TRY(read_all(*directory, search));
    for (usize i = 0; i < search.names.size(); ++i) {
      const StringView name = search.names[i].view();
      const bool wanted = search.found && i + 1 == search.names.size();
      if (search.found && !wanted) continue;
      LockGuard guard(directory->inode()->lock);
      RefPtr<Dentry> child = TRY(DentryCache::lookup(*directory, name, hash_name(name)));
      if (child->inode() == nullptr) continue;  // it went meanwhile
      if (child->inode()->number() == number) return child;
      if (child->is_directory()) TRY(left.push(uni::move(child)));
    }
  }
  return Errno::Stale;
}

}  // namespace uni::fs
