// SPDX-License-Identifier: Apache-2.0
// lsm_list_modules(2), lsm_get_self_attr(2), lsm_set_self_attr(2) (Documentation/userspace-api/lsm.rst): there are the
// modules of capabilities and of landlock, which have no attributes.
#include "syscall-shim/linux/sysinfo.hpp"

namespace uni::shim {
namespace {

constexpr u64 kModules[] = {100, 110};  // LSM_ID_CAPABILITY, LSM_ID_LANDLOCK
constexpr u32 kSingle = 1;              // LSM_FLAG_SINGLE

}  // namespace

Result<i64> sys_lsm_list_modules(UserPtr<u64> ids, UserPtr<u32> size, u32 flags) {
  if (flags != 0) return Errno::Invalid;
  const u32 room = TRY(size.read());
  TRY(size.write(sizeof kModules));
  if (room < sizeof kModules) return Errno::TooBig;
  TRY(copy_to_user(ids.address(), kModules, sizeof kModules));
  return static_cast<i64>(sizeof kModules / sizeof kModules[0]);
}

Result<i64> sys_lsm_get_self_attr(u32 attribute, UserPtr<abi::LsmContext> context, UserPtr<u32> size, u32 flags) {
  if (attribute == 0 || !size) return Errno::Invalid;
  (void)TRY(size.read());
  if (flags != 0) {
    if ((flags & ~kSingle) != 0 || !context) return Errno::Invalid;
    if (TRY(context.read()).id == 0) return Errno::Invalid;
  }
  TRY(size.write(0));
  return Errno::NotSupported;
}

Result<i64> sys_lsm_set_self_attr(u32, UserPtr<abi::LsmContext> context, u32 size, u32 flags) {
  if (flags != 0 || size < sizeof(abi::LsmContext)) return Errno::Invalid;
  if (size > kPageSize) return Errno::TooBig;
  const abi::LsmContext given = TRY(context.read());
  u64 needed = 0;
  if (size < given.length || __builtin_add_overflow(sizeof given, given.context_length, &needed) ||
      given.length < needed)
    return Errno::Invalid;
  return Errno::NotSupported;
}

}  // namespace uni::shim
