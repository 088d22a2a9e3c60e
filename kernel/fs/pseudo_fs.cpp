// SPDX-License-Identifier: Apache-2.0
// Lookup walks the rows: a directory is the prefix of some row's path. Content is made when a file is read at offset
// 0, as Linux's seq_file does, and later reads see the same snapshot.
#include "kernel/fs/pseudo_fs.hpp"

#include "kernel/fs/dentry.hpp"
#include "kernel/fs/file.hpp"
#include "kernel/time/clock.hpp"

namespace uni::fs::pseudo {
namespace {

// A text of any length, in pieces that all but the last are full: a single one of some megabytes may find no room in
// memory that is broken up.
class LongText final : public Writer {
 public:
  void write(StringView text) override { failed_ = failed_ || !append(text).ok(); }
  bool failed() const { return failed_; }

  // What there is from `at` on, as far as the cursor goes.
  Result<usize> read(IoCursor& to, u64 at) const {
    usize done = 0;
    for (; to.remaining() != 0 && at / kPiece < pieces_.size(); at = at / kPiece * kPiece + kPiece) {
      const Vector<char>& piece = pieces_[at / kPiece];
      const usize from = at % kPiece;
      if (from >= piece.size()) break;
      const usize wanted = min(piece.size() - from, to.remaining());
      const Result<usize> put = to.put(piece.data() + from, wanted);
      if (!put.ok() && done == 0) return put.error();
      done += put.ok() ? put.value() : 0;
      if (!put.ok() || put.value() < wanted) break;
    }
    return done;
  }

 private:
  static constexpr usize kPiece = 64 * kKiB;
  Result<void> append(StringView text) {
    while (!text.empty()) {
      if (pieces_.empty() || pieces_.back().size() == kPiece) TRY(pieces_.push({}));
      const usize taken = min(text.size(), kPiece - pieces_.back().size());
      TRY(pieces_.back().append(text.data(), taken));
      text = text.slice(taken);
    }
    return {};
  }
  Vector<Vector<char>> pieces_;
  bool failed_ = false;
};

class PseudoFs final : public FileSystem {
 public:
  explicit PseudoFs(const Table& t) : table(t) {}
  Result<RefPtr<Inode>> root() override;
  StringView type_name() const override { return table.type_name; }
  Result<FsStat> stat() override {
    FsStat s;
    s.type = table.magic;
    return s;
  }
  u64 device_number() const override { return table.file_size == 0 ? 20 : 21; }
  const Table& table;
};

class PseudoInode;

class PseudoFile final : public File {
 public:
  PseudoFile(PseudoInode& inode, u32 flags);
  Result<usize> read(IoCursor& to, u64 at) override;
  Result<usize> write(IoCursor& from, u64 at) override;
  bool seekable() const override { return true; }
  Result<u64> seek(i64 wanted, int whence) override;
  Result<void> truncate(u64) override { return {}; }  // O_TRUNC before a write means nothing here
  u32 poll() override;
  WaitQueue* poll_queue() override;
  Result<i64> ioctl(u32 command, u64 argument) override;

 private:
  RefPtr<PseudoInode> inode_;
  std::atomic<u64> seen_changes_{0};
  Mutex lock_;  // over content_: reads of one File may overlap
  LongText content_;
  bool made_ = false;
};

class PseudoInode final : public Inode {
 public:
  // A directory: `prefix` is the pattern of its path. Else: a row.
  PseudoInode(PseudoFs& fs, FileType type, u64 number, StringView prefix, const Row* row, const Numbers& numbers,
              bool aliased)
      : Inode(fs, type, number), prefix_(prefix), row_(row), numbers_(numbers), aliased_(aliased) {}

  const Table& table() const { return static_cast<PseudoFs&>(file_system()).table; }
  const Row* row() const { return row_; }
  const Numbers& numbers() const { return numbers_; }
  StringView prefix() const { return prefix_; }
  // What has a number comes and goes.
  bool cacheable() const override { return numbers_.count == 0 && !(prefix_.empty() && table().mark != nullptr); }

  Result<void> stat(Stat& out) override {
    out.device = file_system().device_number();
    out.inode = number();
    const u32 permissions = type() == FileType::kDirectory ? 0555 : type() == FileType::kSymlink ? 0777 : row_->mode;
    out.mode = mode_type_bits(type()) | permissions;
    out.links = type() == FileType::kDirectory ? 2 : 1;
    out.size = type() == FileType::kRegular ? table().file_size : 0;
    out.block_size = table().file_size == 0 ? 1024 : 4096;
    if (table().owner != nullptr && numbers_.count > 0) table().owner(numbers_, out.uid, out.gid);
    const u64 now = time::realtime_ns();
    out.accessed = {static_cast<i64>(now / time::kSecond), static_cast<u32>(now % time::kSecond)};
    out.modified = out.changed = out.accessed;
    return {};
  }

  Result<RefPtr<Inode>> lookup(StringView name) override;
  Result<void> read_directory(u64 offset, DirectorySink& sink) override;
  Result<usize> read_link(Span<char> out) override {
    if (type() != FileType::kSymlink) return Errno::Invalid;
    BufferWriter writer(out.data(), out.size());
    if (row_->show != nullptr)
      TRY(row_->show(writer, numbers_));
    else
      writer.write(row_->text);
    return writer.view().size();
  }
  Result<RefPtr<Dentry>> follow_magic() override {
    if (row_ == nullptr || row_->follow == nullptr) return RefPtr<Dentry>();
    return row_->follow(numbers_);
  }
  Result<RefPtr<File>> open(u32 flags) override {
    if (type() != FileType::kRegular) return RefPtr<File>();
    if (row_->open != nullptr) return row_->open(numbers_, flags);
    return RefPtr<File>(TRY(make_ref<PseudoFile>(*this, flags)));
  }
  // truncate(2) and O_TRUNC before a write mean nothing here.
  Result<void> set_size(u64) override { return {}; }

 private:
  struct Component {
    StringView name;  // pattern
    bool last;        // the row's own
  };
  // The component of `row` that is directly below this directory; empty when the row is elsewhere.
  Component below(const Row& row) const;
  bool first_of_name(usize row_index, StringView name) const;
  Result<RefPtr<Inode>> make(const Row& row, const Component& c, const Numbers& numbers);

  StringView prefix_;
  const Row* row_;
  Numbers numbers_;
  bool aliased_;
};

// "cpu<cpu>" and "cpu12": the text before "<" is literal, what follows is a decimal number without leading zeros.
bool match(StringView pattern, StringView name, StringView& kind, u64& number) {
  const usize open = pattern.find('<');
  if (open == StringView::kNotFound) {
    kind = {};
    return pattern == name;
  }
  kind = pattern.slice(open + 1, pattern.size() - open - 2);
  const StringView digits = name.slice(open);
  if (name.size() <= open || name.slice(0, open) != pattern.slice(0, open) || digits.size() > 10) return false;
  if (digits[0] == '0' && digits.size() > 1) return false;
  number = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<u64>(c - '0');
  }
  return true;
}

u64 inode_number(usize row, usize depth, const Numbers& n) {
  u64 h = row * 64 + depth + 2 + n.mark;
  for (u32 i = 0; i < n.count; ++i)
    h = (h + n.n[i] + 1) * 0x9E3779B97F4A7C15ull;
  return n.count == 0 ? h : h >> 8;
}

Numbers with(const Table& table, Numbers numbers, u64 number) {
  if (numbers.count == 0 && table.mark != nullptr) numbers.mark = table.mark(number);
  numbers.n[numbers.count++] = number;
  return numbers;
}

PseudoInode::Component PseudoInode::below(const Row& row) const {
  const usize start = prefix_.empty() ? 0 : prefix_.size() + 1;
  if (!prefix_.empty() && (row.path.size() <= start || !row.path.starts_with(prefix_) || row.path[start - 1] != '/'))
    return {};
  if (aliased_ && row.first_only) return {};
  const usize end = min(row.path.find('/', start), row.path.size());
  return {row.path.slice(start, end - start), end == row.path.size()};
}

bool PseudoInode::first_of_name(usize index, StringView name) const {
  // Rows of one directory stand together, so the row before tells.
  if (index == 0) return true;
  const Component before = below(table().rows[index - 1]);
  return before.name != name;
}

Result<RefPtr<Inode>> PseudoInode::make(const Row& row, const Component& c, const Numbers& numbers) {
  auto& fs = static_cast<PseudoFs&>(file_system());
  const usize prefix_size = static_cast<usize>(c.name.data() - row.path.data()) + c.name.size();
  FileType type = FileType::kDirectory;
  if (c.last && row.kind == RowKind::kFile) type = FileType::kRegular;
  if (c.last && row.kind == RowKind::kLink) type = FileType::kSymlink;
  const StringView prefix = c.last && !row.alias.empty() ? row.alias : row.path.slice(0, prefix_size);
  const bool aliased = aliased_ || (c.last && !row.alias.empty());
  const auto index = static_cast<usize>(&row - table().rows);
  return RefPtr<Inode>(TRY(make_ref<PseudoInode>(fs, type, inode_number(index, prefix_size, numbers), prefix,
                                                 c.last ? &row : nullptr, numbers, aliased)));
}

Result<RefPtr<Inode>> PseudoInode::lookup(StringView name) {
  if (type() != FileType::kDirectory) return Errno::NotDirectory;
  if (numbers_.mark != 0 && table().mark(numbers_.n[0]) != numbers_.mark) return Errno::NoEntry;
  for (usize i = 0; i < table().count; ++i) {
    const Row& row = table().rows[i];
    const Component c = below(row);
    if (c.name.empty()) continue;
    StringView kind;
    u64 number = 0;
    if (!match(c.name, name, kind, number)) continue;
    Numbers numbers = numbers_;
    if (!kind.empty()) {
      if (table().next_number(kind, numbers, number) != number) return Errno::NoEntry;
      numbers = with(table(), numbers, number);
    }
    return make(row, c, numbers);
  }
  return Errno::NoEntry;
}

// Offsets: 1 behind ".", 2 behind "..", then the row (from 1) in the upper half and the next number in the lower.
Result<void> PseudoInode::read_directory(u64 offset, DirectorySink& sink) {
  if (type() != FileType::kDirectory) return Errno::NotDirectory;
  if (offset == 0) {
    if (!sink.entry(".", number(), FileType::kDirectory, 1)) return {};
    offset = 1;
  }
  if (offset == 1) {
    if (!sink.entry("..", number(), FileType::kDirectory, u64{1} << 32)) return {};
    offset = u64{1} << 32;
  }
  u64 from = offset & 0xFFFFFFFF;
  for (u64 i = (offset >> 32) - 1; i < table().count; ++i, from = 0) {
    const Row& row = table().rows[i];
    const Component c = below(row);
    if (c.name.empty() || !first_of_name(i, c.name)) continue;
    const FileType kind_type = !c.last || row.kind == RowKind::kDirectory ? FileType::kDirectory
                               : row.kind == RowKind::kLink               ? FileType::kSymlink
                                                                          : FileType::kRegular;
    const usize prefix_size = static_cast<usize>(c.name.data() - row.path.data()) + c.name.size();
    const usize open = c.name.find('<');
    if (open == StringView::kNotFound) {
      if (!sink.entry(c.name, inode_number(i, prefix_size, numbers_), kind_type, (i + 2) << 32)) return {};
      continue;
    }
    const StringView kind = c.name.slice(open + 1, c.name.size() - open - 2);
    for (;;) {
      const u64 n = table().next_number(kind, numbers_, from);
      if (n > 0xFFFFFFFE) break;
      char text[64];
      BufferWriter writer(text);
      format(writer, "{}{}", c.name.slice(0, open), n);
      const Numbers numbers = with(table(), numbers_, n);
      from = n + 1;
      if (!sink.entry(writer.view(), inode_number(i, prefix_size, numbers), kind_type, (i + 1) << 32 | from)) return {};
    }
  }
  return {};
}

PseudoFile::PseudoFile(PseudoInode& inode, u32 flags) : File(FileKind::kOther, flags), inode_(&inode) {
  if (inode.row()->changes != nullptr) seen_changes_.store(inode.row()->changes(), std::memory_order_relaxed);
}

u32 PseudoFile::poll() {
  u32 ready = kPollIn | kPollRdNorm;
  const Row& row = *inode_->row();
  if (row.changes == nullptr) return ready | kPollOut | kPollWrNorm;
  const u64 now = row.changes();
  if (seen_changes_.exchange(now, std::memory_order_acq_rel) != now) ready |= kPollErr | kPollPri;
  return ready;
}

WaitQueue* PseudoFile::poll_queue() {
  const Row& row = *inode_->row();
  return row.waiting != nullptr ? &row.waiting() : nullptr;
}

Result<usize> PseudoFile::read(IoCursor& to, u64 at) {
  const Row& row = *inode_->row();
  if (row.show == nullptr) {
    const StringView rest = row.text.slice(at);
    return to.put(rest.data(), rest.size());
  }
  LockGuard guard(lock_);
  if (!made_ || at == 0) {
    LongText text;
    TRY(row.show(text, inode_->numbers()));
    if (text.failed()) return Errno::NoMemory;
    content_ = uni::move(text);
    made_ = true;
  }
  return content_.read(to, at);
}

Result<usize> PseudoFile::write(IoCursor& from, u64) {
  const Row& row = *inode_->row();
  if (row.store == nullptr) return Errno::Access;
  char text[256];
  const usize size = from.remaining();
  if (size > sizeof text) return Errno::Invalid;
  const usize n = TRY(from.take(text, size));
  StringView value(text, n);
  while (!value.empty() && (value[value.size() - 1] == '\n' || value[value.size() - 1] == ' '))
    value = value.slice(0, value.size() - 1);
  TRY(row.store(value, inode_->numbers()));
  return n;
}

Result<i64> PseudoFile::ioctl(u32 command, u64 argument) {
  const Row& row = *inode_->row();
  if (row.control == nullptr) return File::ioctl(command, argument);
  return row.control(inode_->numbers(), command, UserAddr{argument});
}

// position_lock is held.
Result<u64> PseudoFile::seek(i64 wanted, int whence) {
  i64 target = wanted;
  if (whence == 1) {
    if (__builtin_add_overflow(static_cast<i64>(position), wanted, &target)) return Errno::Overflow;
  } else if (whence != 0) {
    return Errno::Invalid;  // the size is not known
  }
  if (target < 0) return Errno::Invalid;
  position = static_cast<u64>(target);
  return u64{position};
}

Result<RefPtr<Inode>> PseudoFs::root() {
  return RefPtr<Inode>(
      TRY(make_ref<PseudoInode>(*this, FileType::kDirectory, 1, StringView(), nullptr, Numbers(), false)));
}

}  // namespace

const Numbers* numbers_of(Inode& inode, StringView type_name, StringView path) {
  if (inode.type() != FileType::kDirectory || inode.file_system().type_name() != type_name) return nullptr;
  const auto& own = static_cast<PseudoInode&>(inode);
  return own.prefix() == path ? &own.numbers() : nullptr;
}

Result<RefPtr<FileSystem>> create(const Table& table) {
  return RefPtr<FileSystem>(TRY(make_ref<PseudoFs>(table)));
}

}  // namespace uni::fs::pseudo
