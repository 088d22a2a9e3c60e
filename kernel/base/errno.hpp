// SPDX-License-Identifier: Apache-2.0
// Error numbers as a type. Enumerators are words, because EBADF is a macro on the host. Made into -errno in one place,
// the system-call entry.
#pragma once

#include "kernel/base/types.hpp"

namespace uni {

enum class [[nodiscard]] Errno : i32{
#define ERRNO(enumerator, linux_name, number, text) enumerator = number,
#include "kernel/base/errno.def"
#undef ERRNO
    // Never seen by a program: a signal interrupted the call; signal delivery turns these into EINTR or a restart.
    RestartSys = 512,     // restarted when the handler has SA_RESTART
    RestartNoIntr = 513,  // always restarted
    RestartNoHand = 514,  // restarted only when there is no handler
    RestartBlock = 516,   // restarted through restart_syscall
};

// "EBADF" for Errno::BadFd, for strace lines and messages; "?" for numbers without a name.
constexpr const char* errno_name(Errno e) {
  switch (e) {
#define ERRNO(enumerator, linux_name, number, text) \
  case Errno::enumerator:                           \
    return #linux_name;
#include "kernel/base/errno.def"
#undef ERRNO
    case Errno::RestartSys:
      return "ERESTARTSYS";
    case Errno::RestartNoIntr:
      return "ERESTARTNOINTR";
    case Errno::RestartNoHand:
      return "ERESTARTNOHAND";
    case Errno::RestartBlock:
      return "ERESTART_RESTARTBLOCK";
  }
  return "?";
}

// "Bad file number" for Errno::BadFd, for strace lines.
constexpr const char* errno_text(Errno e) {
  switch (e) {
#define ERRNO(enumerator, linux_name, number, text) \
  case Errno::enumerator:                           \
    return text;
#include "kernel/base/errno.def"
#undef ERRNO
    default:
      return "";
  }
}

}  // namespace uni
