// SPDX-License-Identifier: Apache-2.0
// Loads a program as Linux's binfmt_elf does: PT_LOAD segments as private file mappings, the rest of the last page
// cleared, an anonymous tail for bss, the interpreter at the top of the mapping area, then the stack with argv, envp
// and the auxiliary vector (System V x86-64 psABI, 3.4.1). Addresses are random: PIE base, mapping area, stack, heap.
#include "loader/exec/exec.hpp"

#include "kernel/arch/cpu.hpp"
#include "kernel/arch/fpu.hpp"
#include "kernel/dev/random.hpp"
#include "kernel/fs/inode_file.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/activate.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/trace.hpp"
#include "kernel/security/landlock.hpp"
#include "kernel/time/posix_timers.hpp"
#include "loader/elf/elf.hpp"
#include "loader/exec/vdso.hpp"

namespace uni::exec {
namespace {

constexpr u64 kStackTop = kUserEnd;
constexpr u64 kPieBase = 0x5555'5555'4000;

// A random distance below so many pages; none where the program wants the same addresses each time (personality(2)).
u64 random_distance(u64 pages) {
  constexpr u32 kNoRandom = 0x0040000;  // ADDR_NO_RANDOMIZE
  return (Process::current().personality & kNoRandom) != 0 ? 0 : random::below(pages) << kPageShift;
}

struct Program {
  RefPtr<fs::File> file;
  elf::Header header{};
  Vector<elf::Segment> segments;
  String interpreter;
  u64 low = ~u64{0}, high = 0;  // of the load segments
  bool executable_stack = false;
};

Result<void> read_exactly(fs::File& file, u64 offset, void* to, usize size) {
  usize done = 0;
  while (done < size) {
    IoCursor cursor = IoCursor::kernel(static_cast<char*>(to) + done, size - done);
    const usize n = TRY(file.read(cursor, offset + done));
    if (n == 0) return Errno::NoExec;
    done += n;
  }
  return {};
}

// Opens what execve may execute. Reading it is the kernel's affair, so execute permission is enough (execve(2)).
Result<RefPtr<fs::File>> open_executable(fs::Dentry& found) {
  fs::Inode* inode = found.inode();
  if (inode == nullptr) return Errno::NoEntry;
  if (inode->type() != fs::FileType::kRegular) return Errno::Access;
  if (found.mount() != nullptr && found.mount()->has(fs::kMountNoExec)) return Errno::Access;
  const Process& process = Process::current();
  TRY(fs::check_access(*inode, process.credentials, 1));
  fs::Stat stat;
  TRY(inode->stat(stat));
  if ((stat.mode & 0111) == 0) return Errno::Access;
  TRY(landlock::check(found, landlock::kExecute));
  const Credentials kernel;
  RefPtr<fs::File> file = TRY(fs::open_dentry(found, kernel, fs::kOpenReadOnly));
  TRY(fs::deny_write(*file));
  return file;
}

Result<RefPtr<fs::Dentry>> find(StringView path) {
  Process& process = Process::current();
  return fs::lookup({*process.fs, process.credentials}, path, fs::kFollow);
}

constexpr usize kScriptLine = 256;  // Linux's BINPRM_BUF_SIZE

// "#! INTERPRETER [ARGUMENT]" (execve(2), "Interpreter scripts"). Gives false where the file is no script.
struct Script {
  String interpreter;
  String argument;
  bool has_argument = false;
};
Result<bool> parse_script(fs::File& file, Script& out) {
  char line[kScriptLine] = {};
  IoCursor cursor = IoCursor::kernel(line, sizeof line);
  const usize n = TRY(file.read(cursor, 0));
  if (n < 2 || line[0] != '#' || line[1] != '!') return false;
  usize end = 2;
  while (end < n && line[end] != '\n' && line[end] != '\0')
    ++end;
  const bool cut = end == sizeof line;
  const auto blank = [&](usize i) { return line[i] == ' ' || line[i] == '\t'; };
  usize stop = end;
  while (stop > 2 && blank(stop - 1))
    --stop;
  usize from = 2;
  while (from < stop && blank(from))
    ++from;
  usize to = from;
  while (to < stop && !blank(to))
    ++to;
  if (from == to || (cut && to == end)) return Errno::NoExec;
  out.interpreter = TRY(String::copy({line + from, to - from}));
  while (to < stop && blank(to))
    ++to;
  out.has_argument = to < stop;
  if (out.has_argument) out.argument = TRY(String::copy({line + to, stop - to}));
  return true;
}

// argv becomes: interpreter, its argument, the script, and what followed argv[0].
Result<void> put_before(Arguments& args, Script& script, StringView name) {
  Vector<String> made;
  TRY(push_copy(made, script.interpreter.view()));
  if (script.has_argument) TRY(made.push(move(script.argument)));
  TRY(push_copy(made, name));
  for (usize i = 1; i < args.arguments.size(); ++i)
    TRY(made.push(move(args.arguments[i])));
  args.arguments = move(made);
  return {};
}

Result<void> read_program(Program& out, bool is_interpreter) {
  u8 start[elf::kHeaderSize];
  TRY(read_exactly(*out.file, 0, start, sizeof start));
  out.header = TRY(elf::parse_header(Span<const u8>(start, sizeof start)));
  Vector<u8> table;
  TRY(table.resize(out.header.program_header_count * elf::kSegmentSize));
  TRY(read_exactly(*out.file, out.header.program_header_offset, table.data(), table.size()));
  for (usize i = 0; i < out.header.program_header_count; ++i) {
    const elf::Segment s = TRY(elf::parse_segment(Span<const u8>(table.data(), table.size()), i));
    if (s.type == elf::kLoad && s.memory_size != 0) {
      if (out.low != ~u64{0} && s.address < out.low) return Errno::NoExec;  // must ascend
      out.low = min(out.low, page_down(s.address));
      out.high = max(out.high, page_up(s.address + s.memory_size));
    }
    if (s.type == elf::kGnuStack) out.executable_stack = (s.flags & elf::kExecute) != 0;
    if (s.type == elf::kInterpreter && !is_interpreter) {
      if (s.file_size < 2 || s.file_size > 4096 || !out.interpreter.empty()) return Errno::NoExec;
      auto name = TRY(String::filled(s.file_size));
      TRY(read_exactly(*out.file, s.offset, name.data(), s.file_size));
      if (name.data()[s.file_size - 1] != '\0') return Errno::NoExec;
      out.interpreter = TRY(String::copy(StringView(name.data())));
    }
    TRY(out.segments.push(s));
  }
  if (out.high == 0) return Errno::NoExec;
  return {};
}

u32 protection_of(const elf::Segment& s) {
  u32 p = 0;
  if ((s.flags & elf::kRead) != 0) p |= mm::kProtRead;
  if ((s.flags & elf::kWrite) != 0) p |= mm::kProtWrite;
  if ((s.flags & elf::kExecute) != 0) p |= mm::kProtExec;
  return p;
}

Result<void> map_segments(mm::AddressSpace& space, const Program& program, u64 bias) {
  auto object = TRY(program.file->vm_object());
  for (const elf::Segment& s : program.segments) {
    if (s.type != elf::kLoad || s.memory_size == 0) continue;
    const u64 start = page_down(s.address) + bias;
    const u64 file_end = s.address + bias + s.file_size;
    const u64 memory_end = s.address + bias + s.memory_size;
    if (s.file_size != 0) {
      mm::MapRequest r;
      r.address = start;
      r.length = page_up(file_end) - start;
      r.protection = protection_of(s);
      r.fixed = true;
      r.object = object;
      r.object_page = s.offset >> kPageShift;
      r.file = program.file;
      TRY(space.map(move(r)));
      if (memory_end > file_end && (s.flags & elf::kWrite) != 0 && (file_end & (kPageSize - 1)) != 0)
        TRY(clear_user(UserAddr{file_end}, page_up(file_end) - file_end));
    }
    const u64 anonymous = s.file_size == 0 ? start : page_up(file_end);
    if (page_up(memory_end) > anonymous) {
      mm::MapRequest r;
      r.address = anonymous;
      r.length = page_up(memory_end) - anonymous;
      r.protection = protection_of(s);
      r.fixed = true;
      TRY(space.map(move(r)));
    }
  }
  return {};
}

// Reserves the whole range of a position-independent image in one piece, then gives its bias.
Result<u64> place(mm::AddressSpace& space, const Program& program, u64 wanted) {
  mm::MapRequest r;
  r.address = wanted;
  r.length = program.high - program.low;
  r.fixed = wanted != 0;
  r.flags = mm::kMapNoReserve;
  const u64 base = TRY(space.map(move(r)));
  TRY(space.unmap(base, program.high - program.low));
  return base - program.low;
}

struct AuxEntry {
  u64 type, value;
};
enum Aux : u64 {
  kAtNull = 0,
  kAtPhdr = 3,
  kAtPhent = 4,
  kAtPhnum = 5,
  kAtPageSize = 6,
  kAtBase = 7,
  kAtFlags = 8,
  kAtEntry = 9,
  kAtUid = 11,
  kAtEuid = 12,
  kAtGid = 13,
  kAtEgid = 14,
  kAtPlatform = 15,
  kAtHwcap = 16,
  kAtClockTick = 17,
  kAtSecure = 23,
  kAtRandom = 25,
  kAtHwcap2 = 26,
  kAtExecFn = 31,
  kAtSysinfoEhdr = 33,
  kAtMinSigStack = 51,
};

// Lays strings down from the top of the stack.
class StackBuilder {
 public:
  explicit StackBuilder(u64 top) : at_(top) {}
  Result<u64> push_bytes(const void* data, usize size) {
    at_ -= size;
    TRY(copy_to_user(UserAddr{at_}, data, size));
    return at_;
  }
  Result<u64> push_string(StringView s) {
    TRY(push_bytes("", 1));
    return push_bytes(s.data(), s.size());
  }
  u64 at() const { return at_; }
  void align(u64 to) { at_ = align_down(at_, to); }

 private:
  u64 at_;
};

Result<void> build_stack(Process& process, const Program& program, const Arguments& args, StringView path,
                         u64 stack_top, u64 bias, u64 interpreter_base, bool secure, TrapFrame& frame) {
  StackBuilder stack(stack_top - 16);
  const u64 exec_name = TRY(stack.push_string(path));
  Vector<u64> pointers;
  // Strings stand in ascending order, as /proc/self/cmdline and setproctitle implementations expect.
  usize total = 0;
  for (const String& s : args.arguments)
    total += s.size() + 1;
  for (const String& s : args.environment)
    total += s.size() + 1;
  u64 at = stack.at() - total;
  stack = StackBuilder(at);
  process.arg_start = at;
  for (const String& s : args.arguments) {
    TRY(pointers.push(at));
    TRY(copy_to_user(UserAddr{at}, s.c_str(), s.size() + 1));
    at += s.size() + 1;
  }
  TRY(pointers.push(0));
  process.arg_end = process.env_start = at;
  for (const String& s : args.environment) {
    TRY(pointers.push(at));
    TRY(copy_to_user(UserAddr{at}, s.c_str(), s.size() + 1));
    at += s.size() + 1;
  }
  TRY(pointers.push(0));
  process.env_end = at;
  stack.align(16);
  u8 random_bytes[16];
  random::fill(random_bytes, sizeof random_bytes);
  const u64 random_at = TRY(stack.push_bytes(random_bytes, sizeof random_bytes));
  const u64 platform = TRY(stack.push_string("x86_64"));

  const Credentials& c = process.credentials;
  const u64 phdr = [&] {
    for (const elf::Segment& s : program.segments) {
      if (s.type == elf::kLoad && program.header.program_header_offset >= s.offset &&
          program.header.program_header_offset < s.offset + s.file_size)
        return program.header.program_header_offset - s.offset + s.address + bias;
    }
    return u64{0};
  }();
  const AuxEntry aux[] = {
      {kAtSysinfoEhdr, process.space->vdso_address},
      {kAtMinSigStack, 768 + arch::fpu_area_size()},
      {kAtHwcap, arch::hwcap()},
      {kAtPageSize, kPageSize},
      {kAtClockTick, 100},
      {kAtPhdr, phdr},
      {kAtPhent, elf::kSegmentSize},
      {kAtPhnum, program.header.program_header_count},
      {kAtBase, interpreter_base},
      {kAtFlags, 0},
      {kAtEntry, program.header.entry + bias},
      {kAtUid, c.uid},
      {kAtEuid, c.euid},
      {kAtGid, c.gid},
      {kAtEgid, c.egid},
      {kAtSecure, secure ? 1u : 0u},
      {kAtRandom, random_at},
      {kAtHwcap2, arch::hwcap2()},
      {kAtExecFn, exec_name},
      {kAtPlatform, platform},
      {kAtNull, 0},
  };
  process.auxv.clear();
  for (const AuxEntry& a : aux) {
    TRY(process.auxv.push(a.type));
    TRY(process.auxv.push(a.value));
  }
  const usize words = 1 + pointers.size() + process.auxv.size();
  u64 sp = align_down(stack.at() - words * 8, 16);
  const u64 argc = args.arguments.size();
  TRY(copy_to_user(UserAddr{sp}, &argc, 8));
  TRY(copy_to_user(UserAddr{sp + 8}, pointers.data(), pointers.size() * 8));
  TRY(copy_to_user(UserAddr{sp + 8 + pointers.size() * 8}, process.auxv.data(), process.auxv.size() * 8));
  frame.rsp = sp;
  return {};
}

// What a set-user-ID or set-group-ID file makes of the credentials, and what execve makes of capabilities
// (execve(2), capabilities(7) "Transformation of capabilities during execve()").
struct NewCredentials {
  u32 euid = 0, egid = 0;
  u64 permitted = 0, effective = 0, ambient = 0;
  bool secure = false;
};
Result<NewCredentials> credentials_after(const Process& process, fs::File& file) {
  const Credentials& c = process.credentials;
  fs::Stat stat;
  TRY(file.stat(stat));
  NewCredentials n;
  n.euid = c.euid;
  n.egid = c.egid;
  const fs::Mount* mount = file.dentry() != nullptr ? file.dentry()->mount() : nullptr;
  const bool no_suid = mount != nullptr && mount->has(fs::kMountNoSuid);
  if (!no_suid && !process.no_new_privileges && trace::may_gain_privileges(Thread::current())) {
    if ((stat.mode & 04000) != 0) n.euid = stat.uid;
    if ((stat.mode & 02010) == 02010) n.egid = stat.gid;
  }
  n.secure = n.euid != c.uid || n.egid != c.gid;
  n.ambient = n.euid != c.euid || n.egid != c.egid ? 0 : c.cap_ambient;
  if ((process.secure_bits & kSecureNoRoot) == 0 && (c.uid == 0 || n.euid == 0)) {
    n.permitted = c.cap_inheritable | c.cap_bounding;
    n.effective = n.euid == 0 ? n.permitted : n.ambient;
  } else {
    n.permitted = n.effective = n.ambient;
  }
  return n;
}

void apply(Process& process, const NewCredentials& n) {
  LockGuard guard(process.lock);
  Credentials& c = process.credentials;
  process.dumpable = n.secure ? 0 : 1;
  if (n.euid != c.euid || n.egid != c.egid) process.parent_death_signal = 0;
  c.euid = c.suid = c.fsuid = n.euid;
  c.egid = c.sgid = c.fsgid = n.egid;
  c.cap_permitted = n.permitted;
  c.cap_effective = n.effective;
  c.cap_ambient = n.ambient;
  process.secure_bits &= ~u32{kSecureKeepCaps};
}

// The thread is named after the program (prctl(2), PR_GET_NAME).
void name_thread(StringView path) {
  usize slash = 0;
  for (usize i = 0; i < path.size(); ++i) {
    if (path[i] == '/') slash = i + 1;
  }
  const StringView base = path.slice(slash, sizeof(Thread::name) - 1);
  Thread& t = Thread::current();
  for (usize i = 0; i < sizeof t.name; ++i)
    t.name[i] = i < base.size() ? base[i] : '\0';
}

// What belongs to the old program goes (execve(2), "Effect on process attributes").
void leave_old_program(Process& process, RefPtr<mm::AddressSpace> space) {
  {
    LockGuard guard(process.lock);
    uni::swap(process.space, space);
  }
  mm::activate(*process.space);
  space = {};
  process.open_vfork_gate();
  arch::set_user_tls(0);
  Thread& self = Thread::current();
  self.gs_base = 0;
  self.rseq_address = 0;
  self.robust_list = self.clear_child_tid = 0;
  time::release_posix_timers(process);
  signal::reset_for_exec(self);
  process.files->close_all_on_exec();
  LockGuard guard(process_tree_lock());
  process.exit_signal = signal::kChld;
}

Result<void> enter(Process& process, const Program& program, const Program& interpreter, const Arguments& args,
                   StringView name, RefPtr<mm::AddressSpace> fresh, u64 stack_top, usize bytes,
                   const NewCredentials& credentials, TrapFrame& frame) {
  leave_old_program(process, move(fresh));
  apply(process, credentials);
  mm::AddressSpace* space = process.space.get();

  mm::MapRequest s;
  const u64 initial = page_up(bytes + 132 * kKiB);
  s.address = page_up(stack_top) - initial;
  s.length = initial;
  s.fixed = true;
  s.protection = mm::kProtRead | mm::kProtWrite | (program.executable_stack ? u32{mm::kProtExec} : 0);
  s.flags = mm::kMapGrowsDown | mm::kMapStack;
  TRY(space->map(move(s)));

  u64 bias = 0;
  if (program.header.type == elf::Type::kShared) {
    // A program with an interpreter goes to the PIE area; an interpreter run by itself (ld.so ./prog) to the mapping
    // area.
    const u64 wanted =
        program.interpreter.empty() && program.segments.size() == 0 ? 0 : kPieBase + random_distance(u64{1} << 28);
    bias = TRY(place(*space, program, wanted));
  }
  TRY(map_segments(*space, program, bias));
  u64 entry = program.header.entry + bias;
  u64 interpreter_base = 0;
  if (interpreter.file) {
    const u64 interpreter_bias = TRY(place(*space, interpreter, 0));
    TRY(map_segments(*space, interpreter, interpreter_bias));
    interpreter_base = interpreter_bias + interpreter.low;
    entry = interpreter.header.entry + interpreter_bias;
  }
  space->break_start = space->break_end = program.high + bias + random_distance(u64{1} << 13);
  TRY(map_vdso(*space));

  frame = {};
  TRY(build_stack(process, program, args, name, stack_top, bias, interpreter_base, credentials.secure, frame));
  frame.rip = entry;
  frame.cs = 0x33;
  frame.ss = 0x2b;
  frame.rflags = 0x202;
  frame.orig_rax = ~u64{0};
  arch::fpu_reset();
  name_thread(name);
  return {};
}

}  // namespace

Result<void> load(StringView path, Arguments& args, TrapFrame& frame, String* failed_path) {
  *failed_path = TRY(String::copy(path));
  auto found = TRY(find(path));
  return load(move(found), path, args, frame, failed_path);
}

Result<void> load(RefPtr<fs::Dentry> found, StringView name, Arguments& args, TrapFrame& frame, String* failed_path) {
  Process& process = Process::current();
  Program program, interpreter;
  *failed_path = TRY(String::copy(name));
  program.file = TRY(open_executable(*found));
  String interpreter_name = TRY(String::copy(name));
  for (int depth = 0;; ++depth) {
    Script line;
    if (!TRY(parse_script(*program.file, line))) break;
    constexpr int kDeepest = 5;
    if (depth == kDeepest) return Errno::Loop;
    TRY(put_before(args, line, interpreter_name.view()));
    interpreter_name = move(line.interpreter);
    *failed_path = TRY(String::copy(interpreter_name.view()));
    const RefPtr<fs::Dentry> next = TRY(find(interpreter_name.view()));
    program.file = TRY(open_executable(*next));
  }
  TRY(read_program(program, false));
  if (!program.interpreter.empty()) {
    *failed_path = TRY(String::copy(program.interpreter.view()));
    const RefPtr<fs::Dentry> linker = TRY(find(program.interpreter.view()));
    interpreter.file = TRY(open_executable(*linker));
    TRY(read_program(interpreter, true));
    *failed_path = TRY(String::copy(name));
  }
  usize bytes = 0;
  for (const String& s : args.arguments)
    bytes += s.size() + 9;
  for (const String& s : args.environment)
    bytes += s.size() + 9;
  const u64 stack_limit = min<u64>(process.limits[kLimitStack].soft, 1 * kGiB);
  if (bytes > max<u64>(stack_limit / 4, 128 * kKiB) || bytes > 6 * kMiB) return Errno::TooBig;
  String shown = TRY(String::filled(4096));
  const StringView whole = TRY(fs::path_of(*program.file->dentry(), nullptr, shown.span()));
  String executable = TRY(String::copy(whole));
  const NewCredentials credentials = TRY(credentials_after(process, *program.file));

  auto space = TRY(mm::AddressSpace::create());
  // The stack lies below a random offset from the top; mappings begin below the most that it may grow to.
  const u64 stack_top = kStackTop - random_distance(u64{1} << 22);
  space->mmap_top = page_down(stack_top - max<u64>(stack_limit, 128 * kMiB) - kMiB) - random_distance(u64{1} << 28);
  if (program.header.type == elf::Type::kExecutable && program.high > space->mmap_top) return Errno::NoExec;
  TRY(process.unshare_files());
  TRY(process.become_only_thread());

  // The point of no return: from here on failures end the process.
  const auto entered =
      enter(process, program, interpreter, args, name, move(space), stack_top, bytes, credentials, frame);
  if (!entered.ok()) {
    if (&process == Process::program() && !process.executed) return entered.error();  // the boot says why
    process.begin_exit(signal::kKill);
    return Errno::RestartNoIntr;
  }
  process.executable = move(executable);
  {
    LockGuard guard(process.lock);
    uni::swap(process.executable_file, program.file);
  }
  process.executed = true;
  return {};
}

}  // namespace uni::exec
