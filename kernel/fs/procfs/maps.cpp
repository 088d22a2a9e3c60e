// SPDX-License-Identifier: Apache-2.0
// /proc/PID/maps, smaps and smaps_rollup.
#include "kernel/fs/procfs/rows.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"

namespace uni::fs::procfs {
namespace {

// As wide as what comes before a name.
constexpr StringView kBeforeName = "                                                                         ";

Result<RefPtr<mm::AddressSpace>> space_of(const Numbers& numbers) {
  auto process = TRY(process_of(numbers));
  LockGuard guard(process->lock);
  if (!process->space) return Errno::NoProcess;
  return RefPtr<mm::AddressSpace>(process->space);
}

StringView name_of(const mm::Mapping& m, Span<char> buffer) {
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
  return name;
}

void write_name(Writer& out, StringView name, usize column) {
  if (!name.empty()) {
    out.write(kBeforeName.slice(column));
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
  write_name(out, name_of(m, buffer), line.view().size());
}

struct Sums {
  u64 pages = 0, resident = 0, clean = 0, dirty = 0, anonymous = 0, locked = 0;
  bool shared = false;
  void add(const Sums& o) {
    pages += o.pages;
    resident += o.resident;
    clean += o.clean;
    dirty += o.dirty;
    anonymous += o.anonymous;
    locked += o.locked;
  }
};

void write_sums(Writer& out, const Sums& s) {
  const u64 shared_clean = s.shared ? s.clean : 0, shared_dirty = s.shared ? s.dirty : 0;
  format(out,
         "Rss:            {:>8} kB\n"
         "Pss:            {:>8} kB\n"
         "Shared_Clean:   {:>8} kB\n"
         "Shared_Dirty:   {:>8} kB\n"
         "Private_Clean:  {:>8} kB\n"
         "Private_Dirty:  {:>8} kB\n"
         "Referenced:     {:>8} kB\n"
         "Anonymous:      {:>8} kB\n"
         "LazyFree:              0 kB\n"
         "AnonHugePages:         0 kB\n"
         "ShmemPmdMapped:        0 kB\n"
         "FilePmdMapped:         0 kB\n"
         "Shared_Hugetlb:        0 kB\n"
         "Private_Hugetlb:       0 kB\n"
         "Swap:                  0 kB\n"
         "SwapPss:               0 kB\n"
         "Locked:         {:>8} kB\n",
         s.resident * 4, s.resident * 4, shared_clean * 4, shared_dirty * 4, (s.clean - shared_clean) * 4,
         (s.dirty - shared_dirty) * 4, s.resident * 4, s.anonymous * 4, s.locked * 4);
}

struct Range {
  u64 start, end;
  u32 protection, max_protection, flags;
  bool file;
};
Range range_of(const mm::Mapping& m) {
  return {m.start, m.end, m.protection, m.max_protection, m.flags, static_cast<bool>(m.file)};
}

// The two letters of proc(5) in Linux's order.
void write_flags(Writer& out, const Range& r) {
  const auto say = [&](bool has, StringView name) {
    if (has) out.write(name);
  };
  const auto flag = [&](u32 bit) { return (r.flags & bit) != 0; };
  out.write("VmFlags: ");
  say((r.protection & mm::kProtRead) != 0, "rd ");
  say((r.protection & mm::kProtWrite) != 0, "wr ");
  say((r.protection & mm::kProtExec) != 0, "ex ");
  say(flag(mm::kMapShared), "sh ");
  say((r.max_protection & mm::kProtRead) != 0, "mr ");
  say((r.max_protection & mm::kProtWrite) != 0, "mw ");
  say((r.max_protection & mm::kProtExec) != 0, "me ");
  say(flag(mm::kMapShared) && (r.max_protection & mm::kProtWrite) != 0, "ms ");
  say(flag(mm::kMapGrowsDown), "gd ");
  say(flag(mm::kMapLocked), "lo ");
  say(flag(mm::kMapDontFork), "dc ");
  say(!flag(mm::kMapShared | mm::kMapNoReserve) && (r.protection & mm::kProtWrite) != 0, "ac ");
  say(flag(mm::kMapNoReserve), "nr ");
  say(flag(mm::kMapWipeOnFork), "wf ");
  say(flag(mm::kMapDontDump), "dd ");
  say(flag(mm::kMapNoHuge), "nh ");
  say(flag(mm::kMapSealed), "sl ");
  out.write("\n");
}

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
  if ((r.flags & mm::kMapLocked) != 0) s.locked = s.resident;
  return s;
}

// PROCMAP_QUERY (linux/fs.h, since 6.11).
struct MapQuery {
  u64 size, query_flags, query_address;
  u64 start, end, flags, page_size, offset, inode;
  u32 device_major, device_minor;
  u32 name_size, build_id_size;
  u64 name_at, build_id_at;
};
static_assert(sizeof(MapQuery) == 104);
enum : u32 {
  kQueryProtection = 7,  // readable, writable, executable: as in Protection
  kQueryShared = 8,
  kQueryOrNext = 16,
  kQueryFile = 32,
  kQueryKnown = 63
};

// Is it the mapping that is asked for? They come in order.
bool answers(const mm::Mapping& m, const MapQuery& q) {
  if (m.end <= q.query_address) return false;
  if ((q.query_flags & kQueryOrNext) == 0 && m.start > q.query_address) return false;
  if ((q.query_flags & kQueryFile) != 0 && !m.file) return false;
  if ((q.query_flags & kQueryProtection & ~u64{m.protection}) != 0) return false;
  return (q.query_flags & kQueryShared) == 0 || m.shared();
}

StringView describe(const mm::Mapping& m, MapQuery& q, Span<char> buffer) {
  Stat st;
  Inode* inode = m.file ? m.file->inode() : nullptr;
  if (inode == nullptr || !inode->stat(st).ok()) st = Stat{};
  q.start = m.start;
  q.end = m.end;
  q.flags = (m.protection & kQueryProtection) | (m.shared() ? u64{kQueryShared} : 0);
  q.page_size = kPageSize;
  q.offset = m.file ? m.object_page << kPageShift : 0;
  q.inode = st.inode;
  q.device_major = static_cast<u32>(st.device >> 8);
  q.device_minor = static_cast<u32>(st.device & 0xFF);
  return name_of(m, buffer);
}

}  // namespace

Result<void> show_maps(Writer& out, const Numbers& numbers) {
  auto space = TRY(space_of(numbers));
  Vector<char> buffer;
  TRY(buffer.resize(4096));
  space->each([&](const mm::Mapping& m) { write_mapping(out, m, buffer.span()); });
  return {};
}

Result<i64> query_map(const Numbers& numbers, u32 command, UserAddr argument) {
  constexpr u32 kQuery = 0xC0686611;  // PROCMAP_QUERY
  if (command != kQuery) return Errno::NotTty;
  const u64 size = TRY(UserPtr<u64>(argument).read());
  if (size > kPageSize) return Errno::TooBig;
  if (size < 2 * sizeof(u64)) return Errno::Invalid;
  MapQuery q{};
  TRY(copy_from_user(&q, argument, min<u64>(size, sizeof q)));
  for (u64 at = sizeof q; at < size; ++at) {
    if (TRY(UserPtr<u8>(argument + at).read()) != 0) return Errno::TooBig;
  }
  if ((q.query_flags & ~u64{kQueryKnown}) != 0) return Errno::Invalid;
  if ((q.name_size != 0) != (q.name_at != 0) || (q.build_id_size != 0) != (q.build_id_at != 0)) return Errno::Invalid;
  auto space = TRY(space_of(numbers));
  Vector<char> buffer;
  TRY(buffer.resize(4096));
  StringView name;
  bool found = false;
  space->each([&](const mm::Mapping& m) {
    if (found || !answers(m, q)) return;
    found = true;
    name = describe(m, q, buffer.span());
  });
  if (!found) return Errno::NoEntry;
  q.build_id_size = 0;  // not looked for
  if (q.name_size != 0 && !name.empty()) {
    if (name.size() + 1 > q.name_size) return Errno::NameTooLong;
    TRY(copy_to_user(UserAddr{q.name_at}, name.data(), name.size()));
    TRY(UserPtr<char>(q.name_at + name.size()).write('\0'));
  }
  q.name_size = q.name_size == 0 || name.empty() ? 0 : static_cast<u32>(name.size() + 1);
  TRY(copy_to_user(argument, &q, min<u64>(size, sizeof q)));
  return i64{0};
}

Result<void> show_smaps(Writer& out, const Numbers& numbers) {
  auto space = TRY(space_of(numbers));
  Vector<char> buffer;
  TRY(buffer.resize(4096));
  u64 from = 0;
  for (;;) {
    Range range{};
    const bool there = space->first_above(from, [&](const mm::Mapping& m) {
      range = range_of(m);
      write_mapping(out, m, buffer.span());
    });
    if (!there) return {};
    from = range.end;
    format(out,
           "Size:           {:>8} kB\n"
           "KernelPageSize:        4 kB\n"
           "MMUPageSize:           4 kB\n",
           (range.end - range.start) / kKiB);
    write_sums(out, TRY(sums_of(*space, range)));
    out.write("THPeligible:    0\n");
    write_flags(out, range);
  }
}

Result<void> show_smaps_rollup(Writer& out, const Numbers& numbers) {
  auto space = TRY(space_of(numbers));
  Sums total;
  u64 from = 0, first = 0;
  for (;;) {
    Range range{};
    const bool there = space->first_above(from, [&](const mm::Mapping& m) { range = range_of(m); });
    if (!there) break;
    if (from == 0) first = range.start;
    from = range.end;
    total.add(TRY(sums_of(*space, range)));
  }
  format(out, "{:08x}-{:08x} ---p 00000000 00:00 0                          [rollup]\n", first, from);
  write_sums(out, total);
  return {};
}

}  // namespace uni::fs::procfs
