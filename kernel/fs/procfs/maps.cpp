// SPDX-License-Identifier: Apache-2.0
// /proc/PID/maps, smaps and smaps_rollup.
#include "kernel/fs/procfs/rows.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"

namespace uni::fs::procfs {
namespace {

constexpr usize kNameColumn = 73;

Result<RefPtr<mm::AddressSpace>> space_of(const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  LockGuard guard(process->lock);
  if (!process->space) return Errno::NoProcess;
  return RefPtr<mm::AddressSpace>(process->space);
}

void write_name(Writer& out, const mm::Mapping& m, usize column, Span<char> buffer) {
  StringView name;
  if (m.file) {
    if (m.file->dentry() != nullptr) {
      auto path = path_of(*m.file->dentry(), nullptr, buffer);
      if (path.ok()) name = path.value();
    } else {
      name = {buffer.data(), min(m.file->describe(buffer), buffer.size())};
    }
  } else if ((m.flags & mm::kMapHeap) != 0) {
    name = "[heap]";
  } else if ((m.flags & mm::kMapStack) != 0) {
    name = "[stack]";
  } else if ((m.flags & mm::kMapVdso) != 0) {
    name = "[vdso]";
  } else if ((m.flags & mm::kMapVvar) != 0) {
    name = "[vvar]";
  } else if (m.object && m.object->observer() != nullptr) {
    name = {buffer.data(), m.object->observer()->describe(buffer)};
  } else if (m.shared()) {
    name = "/dev/zero (deleted)";
  }
  if (!name.empty()) {
    for (; column < kNameColumn; ++column)
      out.write(" ");
    out.write(name);
  }
  out.write("\n");
}

void write_mapping(Writer& out, const mm::Mapping& m, Span<char> buffer) {
  Stat st;
  Inode* inode = m.file ? m.file->inode() : nullptr;
  if (inode == nullptr || !inode->stat(st).ok()) st = Stat{};
  char text[128];
  BufferWriter line(text);
  format(line, "{:08x}-{:08x} {}{}{}{} {:08x} {:02x}:{:02x} {} ", m.start, m.end,
         (m.protection & mm::kProtRead) != 0 ? 'r' : '-', (m.protection & mm::kProtWrite) != 0 ? 'w' : '-',
         (m.protection & mm::kProtExec) != 0 ? 'x' : '-', m.shared() ? 's' : 'p',
         m.file ? m.object_page << kPageShift : 0, st.device >> 8, st.device & 0xFF, st.inode);
  out.write(line.view());
  write_name(out, m, line.view().size(), buffer);
}

struct Sums {
  u64 pages = 0, resident = 0, clean = 0, dirty = 0, anonymous = 0;
  bool shared = false;
  void add(const Sums& o) {
    pages += o.pages;
    resident += o.resident;
    clean += o.clean;
    dirty += o.dirty;
    anonymous += o.anonymous;
  }
};

void write_sums(Writer& out, const Sums& s) {
  const auto line = [&](StringView name, u64 pages) { format(out, "{:15} {:>8} kB\n", name, pages * 4); };
  line("Rss:", s.resident);
  line("Pss:", s.resident);
  line("Shared_Clean:", s.shared ? s.clean : 0);
  line("Shared_Dirty:", s.shared ? s.dirty : 0);
  line("Private_Clean:", s.shared ? 0 : s.clean);
  line("Private_Dirty:", s.shared ? 0 : s.dirty);
  line("Referenced:", s.resident);
  line("Anonymous:", s.anonymous);
  line("LazyFree:", 0);
  line("AnonHugePages:", 0);
  line("ShmemPmdMapped:", 0);
  line("FilePmdMapped:", 0);
  line("Shared_Hugetlb:", 0);
  line("Private_Hugetlb:", 0);
  line("Swap:", 0);
  line("SwapPss:", 0);
  line("Locked:", 0);
}

struct Range {
  u64 start, end;
  u32 protection, flags;
  bool file;
};

// residency() locks the space itself, so the mappings are collected first.
Result<Sums> sums_of(mm::AddressSpace& space, const Range& r) {
  Sums s;
  s.pages = (r.end - r.start) >> kPageShift;
  s.shared = (r.flags & mm::kMapShared) != 0;
  u8 present[512];
  for (u64 at = r.start; at < r.end; at += sizeof present * kPageSize) {
    const u64 length = min<u64>(r.end - at, sizeof present * kPageSize);
    if (!space.residency(at, length, present).ok()) break;  // unmapped meanwhile
    for (u64 i = 0; i < length >> kPageShift; ++i)
      s.resident += present[i] & 1u;
  }
  const bool dirty = !r.file || (r.protection & mm::kProtWrite) != 0;
  (dirty ? s.dirty : s.clean) = s.resident;
  if (!r.file) s.anonymous = s.resident;
  return s;
}

}  // namespace

Result<void> show_maps(Writer& out, const Numbers& numbers) {
  auto space = TRY(space_of(numbers));
  Vector<char> buffer;
  TRY(buffer.resize(4096));
  space->each([&](const mm::Mapping& m) { write_mapping(out, m, buffer.span()); });
  return {};
}

Result<void> show_smaps(Writer& out, const Numbers& numbers) {
  auto space = TRY(space_of(numbers));
  Vector<char> buffer;
  TRY(buffer.resize(4096));
  u64 from = 0;
  for (;;) {
    Range range{};
    space->each([&](const mm::Mapping& m) {
      if (range.end != 0 || m.start < from) return;
      range = {m.start, m.end, m.protection, m.flags, static_cast<bool>(m.file)};
      write_mapping(out, m, buffer.span());
    });
    if (range.end == 0) return {};
    from = range.end;
    format(out, "{:15} {:>8} kB\n{:15} {:>8} kB\n{:15} {:>8} kB\n", "Size:", (range.end - range.start) / kKiB,
           "KernelPageSize:", 4, "MMUPageSize:", 4);
    write_sums(out, TRY(sums_of(*space, range)));
    format(out, "THPeligible:    0\nVmFlags:{}{}{}{} mr mw me ac\n",
           (range.protection & mm::kProtRead) != 0 ? " rd" : "", (range.protection & mm::kProtWrite) != 0 ? " wr" : "",
           (range.protection & mm::kProtExec) != 0 ? " ex" : "", (range.flags & mm::kMapShared) != 0 ? " sh" : "");
  }
}

Result<void> show_smaps_rollup(Writer& out, const Numbers& numbers) {
  auto space = TRY(space_of(numbers));
  Sums total;
  u64 from = 0, first = 0;
  for (;;) {
    Range range{};
    space->each([&](const mm::Mapping& m) {
      if (range.end == 0 && m.start >= from) range = {m.start, m.end, m.protection, m.flags, static_cast<bool>(m.file)};
    });
    if (range.end == 0) break;
    if (from == 0) first = range.start;
    from = range.end;
    total.add(TRY(sums_of(*space, range)));
  }
  format(out, "{:08x}-{:08x} ---p 00000000 00:00 0                          [rollup]\n", first, from);
  write_sums(out, total);
  return {};
}

}  // namespace uni::fs::procfs
