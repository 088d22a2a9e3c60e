// SPDX-License-Identifier: Apache-2.0
// The notes of a core file, in Linux's order: the thread that ended the process first, with what belongs to the whole
// process, then the others. Their sizes are known before they are written, because the segments lie behind them.
#include "kernel/arch/fpu.hpp"
#include "kernel/arch/trace.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"
#include "syscall-shim/abi/core.hpp"
#include "syscall-shim/linux/core_dump.hpp"
#include "syscall-shim/linux/ptrace.hpp"
#include "syscall-shim/linux/signal.hpp"
#include "syscall-shim/linux/time.hpp"

namespace uni::shim {
namespace {

constexpr usize kFloatSize = 512, kXcr0Offset = 464;
constexpr StringView kCore = "CORE", kLinux = "LINUX";

usize padded(usize size) {
  return (size + 3) / 4 * 4;
}

usize note_size(StringView name, usize content) {
  return sizeof(abi::NoteHeader) + padded(name.size() + 1) + padded(content);
}

usize thread_size() {
  usize size = note_size(kCore, sizeof(abi::PrStatus)) + note_size(kCore, kFloatSize);
  if (arch::has_extended_state()) size += note_size(kLinux, arch::fpu_area_size());
  return size;
}

bool write_note(CoreSink& sink, StringView name, u32 type, const void* content, usize size) {
  const abi::NoteHeader header{static_cast<u32>(name.size() + 1), static_cast<u32>(size), type};
  char text[8] = {};
  __builtin_memcpy(text, name.data(), name.size());
  return sink.write(&header, sizeof header) && sink.write(text, padded(name.size() + 1)) && sink.write(content, size) &&
         sink.align(4);
}

void fill_registers(const Thread& t, u64* out) {
  UserRegisters r{};
  __builtin_memcpy(&r, t.frame, sizeof(TrapFrame));
  const bool current = &t == &Thread::current();
  const arch::UserBases bases = current ? arch::user_bases() : arch::UserBases{t.fs_base, t.gs_base};
  r.fs_base = bases.fs;
  r.gs_base = bases.gs;
  __builtin_memcpy(out, &r, sizeof r);
}

abi::PrStatus status_of(const Thread& t, const signal::Info& info) {
  const Process& p = t.process();
  abi::PrStatus s{};
  s.signal = info.number;
  s.code = info.code;
  s.error = info.error;
  s.current_signal = static_cast<i16>(info.number);
  s.pending = t.pending.set;
  s.blocked = t.blocked;
  s.pid = static_cast<i32>(raw(t.tid()));
  s.parent = static_cast<i32>(raw(p.parent_pid()));
  s.group = static_cast<i32>(raw(p.group()));
  s.session = static_cast<i32>(raw(p.session()));
  s.user = to_timeval(time::cycles_to_ns(t.user_cycles));
  s.system = to_timeval(time::cycles_to_ns(t.system_cycles));
  fill_registers(t, s.registers);
  s.float_valid = 1;
  return s;
}

// The program's arguments with blanks between them, as far as they fit.
void fill_arguments(Process& p, abi::PrPsInfo& out) {
  const usize room = sizeof out.arguments - 1;
  const usize size = min<u64>(room, p.arg_end - p.arg_start);
  const usize got = p.space->access(p.arg_start, out.arguments, size, mm::AddressSpace::Remote::kRead);
  for (usize i = 0; i + 1 < got; ++i) {
    if (out.arguments[i] == '\0') out.arguments[i] = ' ';
  }
}

abi::PrPsInfo description_of(Process& p) {
  abi::PrPsInfo d{};
  d.state_name = 'R';
  d.nice = static_cast<u8>(Thread::current().nice);
  d.uid = p.credentials.uid;
  d.gid = p.credentials.gid;
  d.pid = static_cast<i32>(raw(p.pid()));
  d.parent = static_cast<i32>(raw(p.parent_pid()));
  d.group = static_cast<i32>(raw(p.group()));
  d.session = static_cast<i32>(raw(p.session()));
  __builtin_memcpy(d.name, Thread::current().name, sizeof d.name);
  fill_arguments(p, d);
  return d;
}

bool write_vectors(CoreSink& sink, const Thread& t) {
  const usize size = arch::has_extended_state() ? arch::fpu_area_size() : kFloatSize;
  Vector<u8> area;
  if (!area.resize(size).ok()) return false;
  __builtin_memcpy(area.data(), t.fpu, size);
  __builtin_memset(area.data() + kXcr0Offset, 0, kFloatSize - kXcr0Offset);
  if (!write_note(sink, kCore, abi::kNoteFpRegSet, area.data(), kFloatSize)) return false;
  if (!arch::has_extended_state()) return true;
  const u64 features = arch::fpu_features();
  __builtin_memcpy(area.data() + kXcr0Offset, &features, sizeof features);
  return write_note(sink, kLinux, abi::kNoteX86Xstate, area.data(), size);
}

bool write_thread(CoreSink& sink, const Thread& t, const signal::Info& info) {
  const abi::PrStatus status = status_of(t, info);
  return write_note(sink, kCore, abi::kNotePrStatus, &status, sizeof status) && write_vectors(sink, t);
}

void append(Vector<char>& to, const void* from, usize size, bool* failed) {
  const usize old = to.size();
  if (*failed || !to.resize(old + size).ok()) {
    *failed = true;
    return;
  }
  __builtin_memcpy(to.data() + old, from, size);
}

}  // namespace

// NT_FILE: count, page size, then start, end and file offset in pages of each mapped file, then their names.
Result<void> prepare_notes(Process& p, CoreNotes& notes) {
  Vector<char> names, buffer;
  TRY(buffer.resize(4096));
  u64 head[2] = {0, kPageSize};
  bool failed = false;
  append(notes.files, head, sizeof head, &failed);
  p.space->each([&](const mm::Mapping& m) {
    if (!m.file || m.file->dentry() == nullptr) return;
    const auto path = fs::path_of(*m.file->dentry(), nullptr, buffer.span());
    if (!path.ok()) return;
    const u64 row[3] = {m.start, m.end, m.object_page};
    append(notes.files, row, sizeof row, &failed);
    append(names, path.value().data(), path.value().size(), &failed);
    append(names, "", 1, &failed);
    ++head[0];
  });
  append(notes.files, names.data(), names.size(), &failed);
  if (failed) return Errno::NoMemory;
  __builtin_memcpy(notes.files.data(), head, sizeof head);
  LockGuard guard(p.lock);
  notes.threads = 1;
  for (const Thread& t : p.threads)
    notes.threads += t.parked.load() ? 1u : 0u;
  return {};
}

usize notes_size(const Process& p, const CoreNotes& notes) {
  return notes.threads * thread_size() + note_size(kCore, sizeof(abi::PrPsInfo)) +
         note_size(kCore, sizeof(abi::SigInfo)) + note_size(kCore, p.auxv.size() * sizeof(u64)) +
         note_size(kCore, notes.files.size());
}

bool write_notes(CoreSink& sink, Process& p, const CoreNotes& notes, const signal::Info& info) {
  Thread& self = Thread::current();
  arch::fpu_save(self.fpu);
  const abi::PrStatus status = status_of(self, info);
  const abi::PrPsInfo description = description_of(p);
  const abi::SigInfo siginfo = to_abi(info);
  if (!write_note(sink, kCore, abi::kNotePrStatus, &status, sizeof status) ||
      !write_note(sink, kCore, abi::kNotePrPsInfo, &description, sizeof description) ||
      !write_note(sink, kCore, abi::kNoteSigInfo, &siginfo, sizeof siginfo) ||
      !write_note(sink, kCore, abi::kNoteAuxv, p.auxv.data(), p.auxv.size() * sizeof(u64)) ||
      !write_note(sink, kCore, abi::kNoteFile, notes.files.data(), notes.files.size()) || !write_vectors(sink, self))
    return false;
  // Who stands still stays in the list, so it can be walked without the lock, which writing may not hold.
  usize left = notes.threads - 1;
  for (Thread& t : p.threads) {
    if (left == 0) break;
    if (!t.parked.load()) continue;
    if (!write_thread(sink, t, info)) return false;
    --left;
  }
  return true;
}

}  // namespace uni::shim
