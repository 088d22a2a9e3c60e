// SPDX-License-Identifier: Apache-2.0
// Controlling terminals (credentials(7), "Process group ID and session ID"): which session a terminal belongs to, which
// group is in its foreground, and what that means for the others. Everything is under process_tree_lock(), which these
// take.
#pragma once

#include "kernel/dev/tty/tty.hpp"

namespace uni {
class Process;
}

namespace uni::dev::job_control {

// May the current process read from the terminal (SIGTTIN), or change it (SIGTTOU)? A process in the background is
// stopped: RestartSys. Errors: Io (it ignores SIGTTIN, or nobody could let its group go on), RestartSys.
Result<void> check_change(Tty& tty, int signal);
// An open without O_NOCTTY: a session's leader without a terminal gets this one, where no other session has it.
void claim_on_open(Tty& tty, u32 open_flags);
// TIOCSCTTY; `steal`: its argument is 1. Errors: NotPermitted.
Result<void> claim(Tty& tty, bool steal, bool readable);
// TIOCNOTTY. Errors: NotTty.
Result<void> give_up(Tty& tty);
// TIOCGPGRP, TIOCSPGRP, TIOCGSID. Errors: NotTty, NoProcess, NotPermitted.
Result<u32> foreground(Tty& tty, Tty::Side side);
Result<void> set_foreground(Tty& tty, u32 group);
Result<u32> session(Tty& tty, Tty::Side side);

// False: there is nobody in the foreground.
bool signal_foreground(Tty& tty, int number);
// The other side has gone: the session loses the terminal, its leader gets SIGHUP and SIGCONT.
void hang_up(Tty& tty);
// The terminal of the current process, or null.
RefPtr<Tty> current();
// setsid(2): the process has a new session and no terminal. Needs process_tree_lock().
void forget(Process& process);
// The process ends: a leader's foreground group gets SIGHUP, its session loses the terminal.
void process_ends(Process& process);

}  // namespace uni::dev::job_control
