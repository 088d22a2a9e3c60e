// SPDX-License-Identifier: Apache-2.0
// Handlers of the mm family: mappings and advice.
#pragma once

#include "kernel/mm/user_access.hpp"

namespace uni::shim {

Result<i64> sys_mmap(u64 address, u64 length, u32 protection, u32 flags, i32 fd, u64 offset);
Result<i64> sys_munmap(u64 address, u64 length);
Result<i64> sys_mprotect(u64 address, u64 length, u32 protection);
Result<i64> sys_pkey_mprotect(u64 address, u64 length, u32 protection, i32 key);
Result<i64> sys_pkey_alloc(u64 flags, u64 rights);
Result<i64> sys_pkey_free(i32 key);
Result<i64> sys_remap_file_pages(u64 address, u64 length, u32 protection, u64 page, u32 flags);
Result<i64> sys_process_mrelease(i32 fd, u32 flags);
Result<i64> sys_process_madvise(i32 fd, UserPtr<IoSegment> segments, u64 count, i32 advice, u32 flags);
// May `bytes` more be locked (RLIMIT_MEMLOCK)? Errors: NotPermitted where nothing may, else `too_many`.
Result<void> may_lock_more(u64 bytes, Errno too_many);
// Errors: NotPermitted (mseal).
Result<void> may_change(u64 start, u64 length);
Result<void> may_discard(u64 start, u64 length);
Result<i64> sys_mseal(u64 address, u64 length, u64 flags);
Result<i64> sys_mremap(u64 old_address, u64 old_length, u64 new_length, u32 flags, u64 new_address);
Result<i64> sys_brk(u64 wanted);
Result<i64> sys_madvise(u64 address, u64 length, i32 advice);
Result<i64> sys_msync(u64 address, u64 length, u32 flags);
Result<i64> sys_mincore(u64 address, u64 length, UserPtr<u8> out);
Result<i64> sys_mlock(u64 address, u64 length);
Result<i64> sys_mlock2(u64 address, u64 length, u32 flags);
Result<i64> sys_munlock(u64 address, u64 length);
Result<i64> sys_mlockall(u32 flags);
Result<i64> sys_munlockall();
Result<i64> sys_membarrier(i32 command, u32 flags, i32 cpu);
Result<i64> sys_get_mempolicy(UserPtr<i32> mode, UserPtr<u64> mask, u64 max_node, u64 address, u64 flags);
Result<i64> sys_set_mempolicy(i32 mode, UserPtr<u64> mask, u64 max_node);
Result<i64> sys_mbind(u64 address, u64 length, u64 mode, UserPtr<u64> mask, u64 max_node, u32 flags);
Result<i64> sys_set_mempolicy_home_node(u64 address, u64 length, u64 node, u64 flags);
Result<i64> sys_move_pages(i32 pid, u64 count, UserPtr<u64> pages, UserPtr<i32> nodes, UserPtr<i32> status, u32 flags);
Result<i64> sys_migrate_pages(i32 pid, u64 max_node, UserPtr<u64> old_nodes, UserPtr<u64> new_nodes);
Result<i64> sys_process_vm_readv(i32 pid, UserPtr<IoSegment> local, u64 local_count, UserPtr<IoSegment> remote,
                                 u64 remote_count, u64 flags);
Result<i64> sys_process_vm_writev(i32 pid, UserPtr<IoSegment> local, u64 local_count, UserPtr<IoSegment> remote,
                                  u64 remote_count, u64 flags);

}  // namespace uni::shim
