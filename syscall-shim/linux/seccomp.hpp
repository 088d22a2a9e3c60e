// SPDX-License-Identifier: Apache-2.0
// seccomp(2): what a thread may still call. Thread::seccomp_mode and ::seccomp say what binds it.
#pragma once

#include "kernel/arch/trap_frame.hpp"
#include "kernel/mm/user_access.hpp"
#include "kernel/sched/thread.hpp"

namespace uni::shim {

// May the call go on? Otherwise *result is what the program sees. May end the process or the thread, or stop it for its
// tracer, which can change the number and the arguments in `frame`.
bool seccomp_allows(Thread& thread, TrapFrame& frame, u64 number, const u64* regs, i64* result);

// prctl(PR_SET_SECCOMP) and prctl(PR_GET_SECCOMP).
Result<i64> set_seccomp(u64 mode, UserAddr filter);
Result<i64> get_seccomp();

// ptrace(2)'s PTRACE_SECCOMP_GET_FILTER and _GET_METADATA: the instructions of a stopped tracee's filter, counted from
// the oldest, to `out` where that is not null; their number. Its flags. Errors: Access (not privileged, or bound
// itself), Invalid (no filters), NoEntry, NoProcess, Fault.
Result<i64> copy_filter(Thread& tracee, u64 index, UserAddr out);
Result<i64> copy_filter_metadata(Thread& tracee, u64 size, UserAddr out);
// May the current thread keep a tracee's filters from being asked (PTRACE_O_SUSPEND_SECCOMP)?
bool may_suspend_filters();

}  // namespace uni::shim
