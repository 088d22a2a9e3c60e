// SPDX-License-Identifier: Apache-2.0
// User and group ids and capabilities (credentials(7), capabilities(7)). A change of user ids moves the capability sets
// as "Effect of user ID changes on capabilities" says.
#include "kernel/sched/process.hpp"
#include "syscall-shim/linux/process.hpp"

namespace uni::shim {

namespace {

constexpr u32 kUnchanged = ~u32{0};
constexpr u64 kAllCapabilities = (u64{1} << (abi::kCapLast + 1)) - 1;
// CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, LINUX_IMMUTABLE, MKNOD, MAC_OVERRIDE: those of the fsuid.
constexpr u64 kFileCapabilities = 0x1f | (1 << 9) | (1 << 27) | (u64{1} << 32);

Credentials& mine() {
  return Process::current().credentials;
}

bool is_user(const Credentials& c, u32 uid) {
  return uid == c.uid || uid == c.euid || uid == c.suid;
}
bool is_group(const Credentials& c, u32 gid) {
  return gid == c.gid || gid == c.egid || gid == c.sgid;
}

struct Ids {
  u32 real, effective, saved;
};

// Needs: the process's lock.
void change_users(Process& process, Ids ids) {
  Credentials& c = process.credentials;
  const bool had_root = c.uid == 0 || c.euid == 0 || c.suid == 0;
  const bool was_root = c.euid == 0;
  const bool file_root = c.fsuid == 0;
  const struct { u32 euid, fsuid; } before{c.euid, c.fsuid};
  c.uid = ids.real;
  c.euid = c.fsuid = ids.effective;
  // What it holds now may be of another user (prctl(2), PR_SET_DUMPABLE).
  if (before.euid != c.euid || before.fsuid != c.fsuid) process.dumpable = 0;
  c.suid = ids.saved;
  if ((process.secure_bits & kSecureNoSetuidFixup) != 0) return;
  const bool has_root = c.uid == 0 || c.euid == 0 || c.suid == 0;
  if (had_root && !has_root) {
    if ((process.secure_bits & kSecureKeepCaps) == 0) c.cap_permitted = c.cap_effective = 0;
    c.cap_ambient = 0;
  }
  if (was_root && c.euid != 0) c.cap_effective = 0;
  if (!was_root && c.euid == 0) c.cap_effective = c.cap_permitted;
  if (was_root == (c.euid == 0) && file_root != (c.fsuid == 0)) {
    if (file_root)
      c.cap_effective &= ~kFileCapabilities;
    else
      c.cap_effective |= c.cap_permitted & kFileCapabilities;
  }
}

Result<i64> write_ids(Ids ids, UserPtr<u32> real, UserPtr<u32> effective, UserPtr<u32> saved) {
  TRY(real.write(ids.real));
  TRY(effective.write(ids.effective));
  TRY(saved.write(ids.saved));
  return 0;
}

}  // namespace

Result<i64> sys_getuid() {
  return i64{mine().uid};
}
Result<i64> sys_geteuid() {
  return i64{mine().euid};
}
Result<i64> sys_getgid() {
  return i64{mine().gid};
}
Result<i64> sys_getegid() {
  return i64{mine().egid};
}

// setuid(2).
Result<i64> sys_setuid(u32 uid) {
  if (uid == kUnchanged) return Errno::Invalid;
  Process& process = Process::current();
  LockGuard guard(process.lock);
  const Credentials& c = process.credentials;
  if (c.capable(abi::kCapSetuid)) {
    change_users(process, {uid, uid, uid});
  } else if (uid == c.uid || uid == c.suid) {
    change_users(process, {c.uid, uid, c.suid});
  } else {
    return Errno::NotPermitted;
  }
  return 0;
}

// setgid(2).
Result<i64> sys_setgid(u32 gid) {
  if (gid == kUnchanged) return Errno::Invalid;
  Process& process = Process::current();
  LockGuard guard(process.lock);
  Credentials& c = process.credentials;
  if (c.capable(abi::kCapSetgid)) {
    c.gid = c.egid = c.sgid = c.fsgid = gid;
  } else if (gid == c.gid || gid == c.sgid) {
    c.egid = c.fsgid = gid;
  } else {
    return Errno::NotPermitted;
  }
  return 0;
}

// setreuid(2).
Result<i64> sys_setreuid(u32 real, u32 effective) {
  Process& process = Process::current();
  LockGuard guard(process.lock);
  const Credentials& c = process.credentials;
  if (!c.capable(abi::kCapSetuid)) {
    if (real != kUnchanged && real != c.uid && real != c.euid) return Errno::NotPermitted;
    if (effective != kUnchanged && !is_user(c, effective)) return Errno::NotPermitted;
  }
  Ids ids{real == kUnchanged ? c.uid : real, effective == kUnchanged ? c.euid : effective, c.suid};
  if (real != kUnchanged || (effective != kUnchanged && effective != c.uid)) ids.saved = ids.effective;
  change_users(process, ids);
  return 0;
}

// setregid(2).
Result<i64> sys_setregid(u32 real, u32 effective) {
  Process& process = Process::current();
  LockGuard guard(process.lock);
  Credentials& c = process.credentials;
  if (!c.capable(abi::kCapSetgid)) {
    if (real != kUnchanged && real != c.gid && real != c.egid) return Errno::NotPermitted;
    if (effective != kUnchanged && !is_group(c, effective)) return Errno::NotPermitted;
  }
  const bool save = real != kUnchanged || (effective != kUnchanged && effective != c.gid);
  if (real != kUnchanged) c.gid = real;
  if (effective != kUnchanged) c.egid = effective;
  if (save) c.sgid = c.egid;
  c.fsgid = c.egid;
  return 0;
}

// setresuid(2).
Result<i64> sys_setresuid(u32 real, u32 effective, u32 saved) {
  Process& process = Process::current();
  LockGuard guard(process.lock);
  const Credentials& c = process.credentials;
  if (!c.capable(abi::kCapSetuid)) {
    for (const u32 id : {real, effective, saved}) {
      if (id != kUnchanged && !is_user(c, id)) return Errno::NotPermitted;
    }
  }
  change_users(process, {real == kUnchanged ? c.uid : real, effective == kUnchanged ? c.euid : effective,
                         saved == kUnchanged ? c.suid : saved});
  return 0;
}

// setresgid(2).
Result<i64> sys_setresgid(u32 real, u32 effective, u32 saved) {
  Process& process = Process::current();
  LockGuard guard(process.lock);
  Credentials& c = process.credentials;
  if (!c.capable(abi::kCapSetgid)) {
    for (const u32 id : {real, effective, saved}) {
      if (id != kUnchanged && !is_group(c, id)) return Errno::NotPermitted;
    }
  }
  if (real != kUnchanged) c.gid = real;
  if (effective != kUnchanged) c.egid = effective;
  if (saved != kUnchanged) c.sgid = saved;
  c.fsgid = c.egid;
  return 0;
}

// getresuid(2), getresgid(2).
Result<i64> sys_getresuid(UserPtr<u32> real, UserPtr<u32> effective, UserPtr<u32> saved) {
  const Credentials& c = mine();
  return write_ids({c.uid, c.euid, c.suid}, real, effective, saved);
}
Result<i64> sys_getresgid(UserPtr<u32> real, UserPtr<u32> effective, UserPtr<u32> saved) {
  const Credentials& c = mine();
  return write_ids({c.gid, c.egid, c.sgid}, real, effective, saved);
}

// setfsuid(2): gives the old one, whether it changed or not.
Result<i64> sys_setfsuid(u32 uid) {
  Process& process = Process::current();
  LockGuard guard(process.lock);
  Credentials& c = process.credentials;
  const u32 old = c.fsuid;
  if (uid == kUnchanged || (!is_user(c, uid) && uid != c.fsuid && !c.capable(abi::kCapSetuid))) return i64{old};
  c.fsuid = uid;
  if ((process.secure_bits & kSecureNoSetuidFixup) != 0) return i64{old};
  if (old == 0 && uid != 0) c.cap_effective &= ~kFileCapabilities;
  if (old != 0 && uid == 0) c.cap_effective |= c.cap_permitted & kFileCapabilities;
  return i64{old};
}

// setfsgid(2).
Result<i64> sys_setfsgid(u32 gid) {
  Process& process = Process::current();
  LockGuard guard(process.lock);
  Credentials& c = process.credentials;
  const u32 old = c.fsgid;
  if (gid != kUnchanged && (is_group(c, gid) || gid == c.fsgid || c.capable(abi::kCapSetgid))) c.fsgid = gid;
  return i64{old};
}

// getgroups(2).
Result<i64> sys_getgroups(i32 count, UserPtr<u32> groups) {
  if (count < 0) return Errno::Invalid;
  const Vector<u32>& have = mine().groups;
  if (count == 0) return static_cast<i64>(have.size());
  if (static_cast<usize>(count) < have.size()) return Errno::Invalid;
  TRY(copy_to_user(groups.address(), have.data(), have.size() * sizeof(u32)));
  return static_cast<i64>(have.size());
}

// setgroups(2).
Result<i64> sys_setgroups(i32 count, UserPtr<u32> groups) {
  constexpr i32 kMostGroups = 65536;  // NGROUPS_MAX
  if (!mine().capable(abi::kCapSetgid)) return Errno::NotPermitted;
  if (count < 0 || count > kMostGroups) return Errno::Invalid;
  Vector<u32> wanted;
  TRY(wanted.resize(static_cast<usize>(count)));
  TRY(copy_from_user(wanted.data(), groups.address(), wanted.size() * sizeof(u32)));
  Process& process = Process::current();
  LockGuard guard(process.lock);
  process.credentials.groups = move(wanted);
  return 0;
}

// capget(2).
Result<i64> sys_capget(UserPtr<abi::CapHeader> header, UserPtr<abi::CapData> data) {
  abi::CapHeader h = TRY(header.read());
  const bool known = h.version == abi::kCapVersion1 || h.version == abi::kCapVersion2 || h.version == abi::kCapVersion3;
  if (!known) {
    h.version = abi::kCapVersion3;
    TRY(header.write(h));
    if (!data) return 0;
    return Errno::Invalid;
  }
  if (h.pid < 0) return Errno::Invalid;
  RefPtr<Process> target =
      h.pid == 0 ? RefPtr<Process>(&Process::current()) : Process::find(Pid{static_cast<u32>(h.pid)});
  if (!target) {
    RefPtr<Thread> thread = Process::find_thread(Tid{static_cast<u32>(h.pid)});
    if (!thread) return Errno::NoProcess;
    target = RefPtr<Process>(&thread->process());
  }
  if (!data) return 0;
  const Credentials& c = target->credentials;
  auto half = [](u64 set, unsigned shift) { return static_cast<u32>((set & kAllCapabilities) >> shift); };
  const usize halves = h.version == abi::kCapVersion1 ? 1 : 2;
  for (usize i = 0; i < halves; ++i) {
    const unsigned shift = static_cast<unsigned>(i) * 32;
    TRY((data + i).write({half(c.cap_effective, shift), half(c.cap_permitted, shift), half(c.cap_inheritable, shift)}));
  }
  return 0;
}

// capset(2).
Result<i64> sys_capset(UserPtr<abi::CapHeader> header, UserPtr<abi::CapData> data) {
  abi::CapHeader h = TRY(header.read());
  if (h.version != abi::kCapVersion1 && h.version != abi::kCapVersion2 && h.version != abi::kCapVersion3) {
    h.version = abi::kCapVersion3;
    TRY(header.write(h));
    return Errno::Invalid;
  }
  Process& process = Process::current();
  if (h.pid != 0 && static_cast<u32>(h.pid) != raw(process.pid()) &&
      static_cast<u32>(h.pid) != raw(Thread::current().tid()))
    return Errno::NotPermitted;
  u64 effective = 0, permitted = 0, inheritable = 0;
  const usize halves = h.version == abi::kCapVersion1 ? 1 : 2;
  for (usize i = 0; i < halves; ++i) {
    const abi::CapData d = TRY((data + i).read());
    effective |= u64{d.effective} << (i * 32);
    permitted |= u64{d.permitted} << (i * 32);
    inheritable |= u64{d.inheritable} << (i * 32);
  }
  effective &= kAllCapabilities;
  permitted &= kAllCapabilities;
  inheritable &= kAllCapabilities;
  LockGuard guard(process.lock);
  Credentials& c = process.credentials;
  const u64 may_inherit = c.cap_inheritable | (c.capable(abi::kCapSetpcap) ? c.cap_bounding : c.cap_permitted);
  if ((inheritable & ~may_inherit) != 0 || (permitted & ~c.cap_permitted) != 0 || (effective & ~permitted) != 0)
    return Errno::NotPermitted;
  c.cap_effective = effective;
  c.cap_permitted = permitted;
  c.cap_inheritable = inheritable;
  c.cap_ambient &= permitted & inheritable;
  return 0;
}

}  // namespace uni::shim
