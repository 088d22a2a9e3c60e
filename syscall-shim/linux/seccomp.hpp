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

}  // namespace uni::shim
