// SPDX-License-Identifier: Apache-2.0
// Handlers of the process family: identity, credentials, limits, usage, children.
#pragma once

#include "kernel/mm/user_access.hpp"
#include "syscall-shim/abi/process.hpp"
#include "syscall-shim/abi/signal.hpp"

namespace uni {
struct ResourceUsage;
}

namespace uni::shim {

Result<i64> sys_getpid();
Result<i64> sys_getppid();
Result<i64> sys_getpgid(i32 pid);
Result<i64> sys_getpgrp();
Result<i64> sys_getsid(i32 pid);
Result<i64> sys_setpgid(i32 pid, i32 group);
Result<i64> sys_setsid();

Result<i64> sys_getuid();
Result<i64> sys_geteuid();
Result<i64> sys_getgid();
Result<i64> sys_getegid();
Result<i64> sys_setuid(u32 uid);
Result<i64> sys_setgid(u32 gid);
Result<i64> sys_setreuid(u32 real, u32 effective);
Result<i64> sys_setregid(u32 real, u32 effective);
Result<i64> sys_setresuid(u32 real, u32 effective, u32 saved);
Result<i64> sys_setresgid(u32 real, u32 effective, u32 saved);
Result<i64> sys_getresuid(UserPtr<u32> real, UserPtr<u32> effective, UserPtr<u32> saved);
Result<i64> sys_getresgid(UserPtr<u32> real, UserPtr<u32> effective, UserPtr<u32> saved);
Result<i64> sys_setfsuid(u32 uid);
Result<i64> sys_setfsgid(u32 gid);
Result<i64> sys_getgroups(i32 count, UserPtr<u32> groups);
Result<i64> sys_setgroups(i32 count, UserPtr<u32> groups);
Result<i64> sys_capget(UserPtr<abi::CapHeader> header, UserPtr<abi::CapData> data);
Result<i64> sys_capset(UserPtr<abi::CapHeader> header, UserPtr<abi::CapData> data);

Result<i64> sys_prctl(i32 option, u64 a, u64 b, u64 c, u64 d);
Result<i64> sys_personality(u32 persona);
Result<i64> sys_getrlimit(u32 kind, UserPtr<abi::Rlimit> out);
Result<i64> sys_setrlimit(u32 kind, UserPtr<abi::Rlimit> value);
Result<i64> sys_prlimit64(i32 pid, u32 kind, UserPtr<abi::Rlimit> value, UserPtr<abi::Rlimit> old);
Result<i64> sys_getrusage(i32 who, UserPtr<abi::Rusage> out);

Result<i64> sys_wait4(i32 pid, UserPtr<i32> status, i32 options, UserPtr<abi::Rusage> usage);
Result<i64> sys_waitid(i32 kind, i32 id, UserPtr<abi::SigInfo> info, i32 options, UserPtr<abi::Rusage> usage);
Result<i64> sys_fork();
Result<i64> sys_vfork();
Result<i64> sys_execve(UserPtr<char> path, UserPtr<u64> arguments, UserPtr<u64> environment);
Result<i64> sys_execveat(i32 directory, UserPtr<char> path, UserPtr<u64> arguments, UserPtr<u64> environment,
                         i32 flags);
Result<i64> sys_pidfd_open(i32 pid, u32 flags);
Result<i64> sys_pidfd_getfd(i32 pidfd, i32 target, u32 flags);
Result<i64> sys_kcmp(i32 first, i32 second, i32 type, u64 a, u64 b);

abi::Rusage to_rusage(const ResourceUsage& usage);

// seccomp.cpp
Result<i64> sys_seccomp(u32 operation, u32 flags, UserAddr argument);

// landlock.cpp
Result<i64> sys_landlock_create_ruleset(UserAddr attributes, u64 size, u32 flags);
Result<i64> sys_landlock_add_rule(i32 ruleset_fd, u32 type, UserAddr rule, u32 flags);
Result<i64> sys_landlock_restrict_self(i32 ruleset_fd, u32 flags);

}  // namespace uni::shim
