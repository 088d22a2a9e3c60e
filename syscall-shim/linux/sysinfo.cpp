// SPDX-License-Identifier: Apache-2.0
// uname(2), sysinfo(2), getrandom(2), the host's names.
#include "syscall-shim/linux/sysinfo.hpp"

#include "kernel/boot/boot_info.hpp"
#include "kernel/boot/machine_name.hpp"
#include "kernel/dev/random.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/time/clock.hpp"
#include "syscall-shim/abi/process.hpp"

namespace uni::shim {

namespace {

void copy_text(char (&to)[boot::MachineName::kMost + 1], StringView text) {
  const usize size = min(text.size(), boot::MachineName::kMost);
  __builtin_memcpy(to, text.data(), size);
  __builtin_memset(to + size, 0, sizeof to - size);
}

Result<i64> set_name(boot::NameOf which, UserPtr<char> from, i32 size) {
  if (!Process::current().credentials.capable(abi::kCapSysAdmin)) return Errno::NotPermitted;
  if (size < 0 || static_cast<usize>(size) > boot::MachineName::kMost) return Errno::Invalid;
  char text[boot::MachineName::kMost];
  TRY(copy_from_user(text, from.address(), static_cast<usize>(size)));
  boot::set_machine_name(which, {text, static_cast<usize>(size)});
  return 0;
}

}  // namespace

// uname(2).
Result<i64> sys_uname(UserPtr<abi::Utsname> out) {
  abi::Utsname u;
  copy_text(u.sysname, "Linux");
  copy_text(u.nodename, StringView(boot::machine_name(boot::NameOf::kHost).text));
  copy_text(u.release, kRelease);
  copy_text(u.version, "#1 SMP PREEMPT_DYNAMIC");
  copy_text(u.machine, "x86_64");
  copy_text(u.domainname, StringView(boot::machine_name(boot::NameOf::kDomain).text));
  TRY(out.write(u));
  return 0;
}

// sethostname(2), setdomainname(2).
Result<i64> sys_sethostname(UserPtr<char> name, i32 size) {
  return set_name(boot::NameOf::kHost, name, size);
}
Result<i64> sys_setdomainname(UserPtr<char> name, i32 size) {
  return set_name(boot::NameOf::kDomain, name, size);
}

// sysinfo(2).
Result<i64> sys_sysinfo(UserPtr<abi::Sysinfo> out) {
  constexpr unsigned kLoadShift = 16 - 11;  // SI_LOAD_SHIFT less the kernel's own fraction
  const mm::MemoryStats memory = mm::memory_stats();
  const sched::LoadAverage load = sched::load_average();
  abi::Sysinfo s{};
  s.uptime = static_cast<i64>(time::monotonic_ns() / time::kSecond);
  s.loads[0] = load.one << kLoadShift;
  s.loads[1] = load.five << kLoadShift;
  s.loads[2] = load.fifteen << kLoadShift;
  s.totalram = memory.total_pages * kPageSize;
  s.freeram = memory.free_pages * kPageSize;
  s.bufferram = memory.cached_pages * kPageSize;
  s.procs = static_cast<u16>(Process::current().thread_count);
  s.mem_unit = 1;
  TRY(out.write(s));
  return 0;
}

// getrandom(2). The generator is seeded before the first program runs, so nothing blocks.
Result<i64> sys_getrandom(UserPtr<u8> out, u64 size, u32 flags) {
  if ((flags & ~(abi::kGrndNonblock | abi::kGrndRandom | abi::kGrndInsecure)) != 0) return Errno::Invalid;
  if ((flags & (abi::kGrndRandom | abi::kGrndInsecure)) == (abi::kGrndRandom | abi::kGrndInsecure))
    return Errno::Invalid;
  constexpr u64 kMost = 0x7fffffff;
  size = min(size, kMost);
  u8 piece[256];
  u64 done = 0;
  while (done < size) {
    const usize part = static_cast<usize>(min<u64>(size - done, sizeof piece));
    random::fill(piece, part);
    const usize copied = copy_to_user_partial(out.address() + done, piece, part);
    done += copied;
    if (copied < part) {
      if (done == 0) return Errno::Fault;
      break;
    }
    // Large requests can be interrupted (getrandom(2)).
    if (done % kPageSize == 0 && done < size) {
      sched::preempt_point();
      if (signal::pending(Thread::current())) break;
    }
  }
  return static_cast<i64>(done);
}

// syslog(2): the kernel keeps no log behind what it has written to the serial port, so it is empty.
Result<i64> sys_syslog(i32 action, UserPtr<char> buffer, i32 size) {
  enum : i32 {
    kClose = 0,
    kOpen,
    kRead,
    kReadAll,
    kReadClear,
    kClear,
    kConsoleOff,
    kConsoleOn,
    kConsoleLevel,
    kUnread,
    kBufferSize
  };
  constexpr unsigned kCapSyslog = 34;
  if (!Process::current().credentials.capable(kCapSyslog)) return Errno::NotPermitted;
  switch (action) {
    case kRead:
    case kReadAll:
    case kReadClear:
      if (!buffer || size < 0) return Errno::Invalid;
      return 0;
    case kClose:
    case kOpen:
    case kClear:
    case kUnread:
    case kBufferSize:
      return 0;
    case kConsoleOff:
    case kConsoleOn:
    case kConsoleLevel:
      return Errno::NotPermitted;
    default:
      return Errno::Invalid;
  }
}

// reboot(2). Whichever way the machine is to go, it ends: what starts it again is the host's business.
Result<i64> sys_reboot(u32 magic, u32 magic2, u32 command, UserPtr<char> argument) {
  enum : u32 { kHalt = 0xcdef0123, kPowerOff = 0x4321fedc, kRestart = 0x01234567, kRestartWith = 0xa1b2c3d4 };
  if (!Process::current().credentials.capable(abi::kCapSysBoot)) return Errno::NotPermitted;
  if (magic != 0xfee1dead ||
      (magic2 != 0x28121969 && magic2 != 0x05121996 && magic2 != 0x16041998 && magic2 != 0x20112000))
    return Errno::Invalid;
  switch (command) {
    case kRestartWith:
      (void)TRY(argument.read());
      [[fallthrough]];
    case kHalt:
    case kPowerOff:
    case kRestart:
      fs::sync_all();
      boot::shut_down_exited(0);
    default:
      return Errno::Invalid;
  }
}

}  // namespace uni::shim
