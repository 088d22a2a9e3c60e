// SPDX-License-Identifier: Apache-2.0
// Handlers of the sysinfo family: the system's names, figures and randomness.
#pragma once

#include "kernel/mm/user_access.hpp"
#include "syscall-shim/abi/sysinfo.hpp"

namespace uni::shim {

Result<i64> sys_uname(UserPtr<abi::Utsname> out);
Result<i64> sys_sysinfo(UserPtr<abi::Sysinfo> out);
Result<i64> sys_getrandom(UserPtr<u8> out, u64 size, u32 flags);
Result<i64> sys_sethostname(UserPtr<char> name, i32 size);
Result<i64> sys_setdomainname(UserPtr<char> name, i32 size);
Result<i64> sys_syslog(i32 action, UserPtr<char> buffer, i32 size);
Result<i64> sys_reboot(u32 magic, u32 magic2, u32 command, UserPtr<char> argument);
// lsm.cpp
Result<i64> sys_lsm_list_modules(UserPtr<u64> ids, UserPtr<u32> size, u32 flags);
Result<i64> sys_lsm_get_self_attr(u32 attribute, UserPtr<abi::LsmContext> context, UserPtr<u32> size, u32 flags);
Result<i64> sys_lsm_set_self_attr(u32 attribute, UserPtr<abi::LsmContext> context, u32 size, u32 flags);
// keys.cpp, keyctl.cpp
Result<i64> sys_add_key(UserPtr<char> type, UserPtr<char> description, UserPtr<char> payload, u64 size, i32 keyring);
Result<i64> sys_request_key(UserPtr<char> type, UserPtr<char> description, UserPtr<char> callout, i32 keyring);
Result<i64> sys_keyctl(i32 operation, u64 a, u64 b, u64 c, u64 d);

// The release that uname(2) and /proc/version give.
inline constexpr const char* kRelease = "6.12.0-uni";

}  // namespace uni::shim
