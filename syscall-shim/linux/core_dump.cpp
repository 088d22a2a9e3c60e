// SPDX-License-Identifier: Apache-2.0
// core(5): whether a core file is written, where, and its memory. One PT_NOTE, then a PT_LOAD for each mapping, of
// which /proc/PID/coredump_filter and MADV_DONTDUMP choose what is really there. Holes stay holes. A file that cannot
// be written to its end stays as far as it is. Differs: a core_pattern that names a program writes nothing.
#include "syscall-shim/linux/core_dump.hpp"

#include "kernel/boot/log.hpp"
#include "kernel/fs/procfs/core_pattern.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/signal/sets.hpp"
#include "kernel/time/clock.hpp"
#include "syscall-shim/abi/core.hpp"

namespace uni::shim {
namespace {

using mm::AddressSpace;

enum Filter : u32 {
  kAnonymousPrivate = 1,
  kAnonymousShared = 2,
  kMappedPrivate = 4,
  kMappedShared = 8,
  kElfHeaders = 16
};

struct Region {
  u64 start, end;
  u32 protection;
  bool anonymous;  // what is not present is zero
  u64 size;        // in the file
};

// How much of a mapping is written (Linux's vma_dump_size).
u64 dumped_size(AddressSpace& space, const mm::Mapping& m, u32 filter) {
  const u64 whole = m.end - m.start;
  if ((m.flags & mm::kMapVdso) != 0) return whole;
  if ((m.flags & (mm::kMapDontDump | mm::kMapVvar)) != 0) return 0;
  if (m.shared()) return (filter & (m.file ? kMappedShared : kAnonymousShared)) != 0 ? whole : 0;
  const bool own = space.next_present(m.start, m.end, AddressSpace::Present::kPrivate) != m.end;
  if (own && (filter & kAnonymousPrivate) != 0) return whole;
  if (!m.file) return 0;
  if ((filter & kMappedPrivate) != 0) return whole;
  const bool first = m.object_page == 0 && (m.protection & mm::kProtRead) != 0;
  return (filter & kElfHeaders) != 0 && first ? kPageSize : 0;
}

Result<void> collect(Process& p, Vector<Region>& out) {
  bool failed = false;
  const u32 filter = p.core_filter;
  p.space->each([&](const mm::Mapping& m) {
    Region r{m.start, m.end, m.protection, !m.file, dumped_size(*p.space, m, filter)};
    if ((m.flags & (mm::kMapVdso | mm::kMapVvar)) != 0) r.anonymous = false;
    if (!out.push(r).ok()) failed = true;
  });
  if (failed) return Errno::NoMemory;
  return {};
}

bool write_region(CoreSink& sink, AddressSpace& space, const Region& r, Span<char> page) {
  const u64 end = r.start + r.size;
  for (u64 at = r.start; at < end; at += kPageSize) {
    if (r.anonymous) {
      const u64 next = space.next_present(at, end, AddressSpace::Present::kAny);
      if (!sink.skip(next - at)) return false;
      at = next;
      if (at == end) break;
    }
    const usize got = space.access(at, page.data(), kPageSize, AddressSpace::Remote::kForceRead);
    if (!(got == kPageSize ? sink.write(page.data(), kPageSize) : sink.skip(kPageSize))) return false;
    sched::preempt_point();
  }
  return true;
}

bool write_headers(CoreSink& sink, const Vector<Region>& regions, usize notes) {
  abi::CoreElfHeader h{};
  constexpr u8 kIdent[] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0};
  __builtin_memcpy(h.ident, kIdent, sizeof kIdent);
  h.type = 4;      // ET_CORE
  h.machine = 62;  // EM_X86_64
  h.version = 1;
  h.program_headers = h.header_size = sizeof h;
  h.program_header_size = sizeof(abi::CoreProgramHeader);
  h.program_header_count = static_cast<u16>(regions.size() + 1);
  if (!sink.write(&h, sizeof h)) return false;
  u64 offset = sizeof h + (regions.size() + 1) * sizeof(abi::CoreProgramHeader);
  abi::CoreProgramHeader note{4, 0, offset, 0, 0, notes, 0, 4};  // PT_NOTE
  if (!sink.write(&note, sizeof note)) return false;
  offset = page_up(offset + notes);
  for (const Region& r : regions) {
    const u32 flags = ((r.protection & mm::kProtRead) != 0 ? 4u : 0u) |
                      ((r.protection & mm::kProtWrite) != 0 ? 2u : 0u) |
                      ((r.protection & mm::kProtExec) != 0 ? 1u : 0u);
    const abi::CoreProgramHeader load{1, flags, offset, r.start, 0, r.size, r.end - r.start, kPageSize};
    if (!sink.write(&load, sizeof load)) return false;
    offset += r.size;
  }
  return true;
}

Result<void> write_core(fs::File& file, u64 limit, const signal::Info& info) {
  Process& p = Process::current();
  constexpr usize kMostRegions = 0xfffe;  // of program headers, without PN_XNUM
  Vector<Region> regions;
  TRY(collect(p, regions));
  if (regions.size() > kMostRegions) return Errno::TooBig;
  CoreNotes notes;
  TRY(prepare_notes(p, notes));
  Vector<char> page;
  TRY(page.resize(kPageSize));
  CoreSink sink(file, limit);
  bool whole =
      write_headers(sink, regions, notes_size(p, notes)) && write_notes(sink, p, notes, info) && sink.align(kPageSize);
  for (usize i = 0; whole && i < regions.size(); ++i)
    whole = write_region(sink, *p.space, regions[i], page.span());
  sink.finish();
  if (!whole) log::warn("the core file of {} is cut", Thread::current().name);
  return {};
}

// The file that the pattern names, made anew. Errors: those of open(2), Access (something else stands there).
Result<RefPtr<fs::File>> open_core(StringView path) {
  Process& p = Process::current();
  constexpr u32 kFlags = fs::kOpenCreate | fs::kOpenReadWrite | fs::kOpenNoFollow | fs::kOpenLargeFile;
  auto file = TRY(fs::open_path(*p.fs, p.credentials, path, kFlags, 0600));
  fs::Stat stat;
  TRY(file->stat(stat));
  if ((stat.mode & 0170000) != 0100000 || stat.links > 1 || stat.uid != p.credentials.fsuid) return Errno::Access;
  TRY(file->truncate(0));
  return file;
}

Result<void> dump(const signal::Info& info, u64 limit) {
  String path = TRY(String::filled(4096));
  BufferWriter text(path.data(), path.size());
  TRY(fs::procfs::write_core_name(text, info.number));
  auto file = TRY(open_core(text.view()));
  return write_core(*file, limit, info);
}

bool wants_core(const Process& p, int number, u64 limit) {
  return signal::dumps_core(number) && limit >= kPageSize && p.dumpable == 1 && p.space &&
         !fs::procfs::core_goes_to_program();
}

}  // namespace

bool CoreSink::write(const void* from, usize size) {
  const char* next = static_cast<const char*>(from);
  while (!failed_ && size > 0) {
    const usize part = at_ < limit_ ? min<u64>(size, limit_ - at_) : 0;
    IoCursor cursor = IoCursor::kernel(next, part);
    const auto done = part > 0 ? file_.write(cursor, at_) : Result<usize>(Errno::FileTooBig);
    if (!done.ok() || done.value() == 0) {
      failed_ = true;
      break;
    }
    at_ += done.value();
    next += done.value();
    size -= done.value();
  }
  return !failed_;
}

bool CoreSink::skip(u64 size) {
  if (at_ + size > limit_) failed_ = true;
  if (!failed_) at_ += size;
  return !failed_;
}

void CoreSink::finish() {
  fs::Stat stat;
  if (failed_ || !file_.stat(stat).ok() || stat.size >= at_) return;
  (void)file_.truncate(at_).ok();  // without room it stays shorter
}

void end_with_core(const signal::Info& info) {
  Process& p = Process::current();
  const u64 limit = p.limits[kLimitCore].soft;
  if (!wants_core(p, info.number, limit) || !p.begin_dump(info.number)) return p.begin_exit(info.number);
  const Result<void> done = dump(info, limit);
  if (!done.ok()) log::warn("no core file of {}: {}", Thread::current().name, errno_name(done.error()));
  p.end_dump(done.ok() ? Process::Dump::kWritten : Process::Dump::kNone);
}

}  // namespace uni::shim
