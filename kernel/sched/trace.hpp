// SPDX-License-Identifier: Apache-2.0
// Tracing of threads by other threads (ptrace(2); docs/PTRACE.md): who traces whom, stops, and what ends them.
// Locking: all of a Tracee is under process_tree_lock(), but the atomics and what is said to be the thread's own.
// Lifetime: a Tracee lives as long as its thread; while it is traced the tracer's list holds the thread.
#pragma once

#include "kernel/sched/process.hpp"
#include "kernel/sched/tracee.hpp"

namespace uni::trace {

// The record of a thread that is traced now, or null. Without the lock the answer may be old at once.
inline Tracee* of(const Thread& thread) {
  Tracee* t = thread.tracee.load(std::memory_order_acquire);
  return t != nullptr && t->tracer.load(std::memory_order_relaxed) != nullptr ? t : nullptr;
}

// --- the tracer's side; none of these blocks, but attach(), until what stands still has noticed ---

// May the current thread look into the process (ptrace(2), "Ptrace access mode checking")? kReal: by its real ids
// (ptrace, process_vm_readv); kFile: by its file-system ids (/proc).
enum class Ids : u8 { kReal, kFile };
bool may_access(Process& target, Ids ids);

// PTRACE_ATTACH and PTRACE_SEIZE. Errors: NotPermitted, NoMemory.
Result<void> attach(Thread& target, bool seize, u32 options);
// PTRACE_TRACEME. Errors: NotPermitted, NoMemory.
Result<void> trace_me();
// Gives a new thread, not started yet, to the tracer of its maker (PTRACE_O_TRACECLONE and its kin, CLONE_PTRACE).
// Does nothing where the maker is not traced any more or memory is out.
void inherit(Thread& maker, Thread& child);

// Calls action(Tracee&) under the lock where the current thread traces `tid` and it is stopped. Errors: NoProcess.
Result<Tracee*> stopped_locked(Thread& thread, bool may_listen);
template <typename F>
Result<i64> with_stopped(Thread& thread, F action) {
  LockGuard guard(process_tree_lock());
  return action(*TRY(stopped_locked(thread, false)));
}
// Lets it go on with a signal (0: none). Needs the lock, a stopped tracee.
void resume(Tracee& tracee, Resume how, bool step, int signal);
// PTRACE_DETACH: as resume(), and it is not traced any more. Needs no lock. Errors: NoProcess.
Result<void> detach(Thread& thread, int signal);
// PTRACE_INTERRUPT, PTRACE_LISTEN. Errors: NoProcess, Io.
Result<void> interrupt(Thread& thread);
Result<void> listen(Thread& thread);
// The current thread ends and has left Process::threads: what it traces is let go, or killed with kExitKill.
void tracer_ends(Thread& tracer);

// --- the tracee's side: the current thread; these block until the tracer lets it go on ---

// Signal-delivery stop. Gives false where the signal is to be forgotten; *info may be another one afterwards.
bool signal_stop(Thread& thread, signal::Info* info);
// A group stop or PTRACE_EVENT_STOP that is due. Gives whether it stopped.
bool stop_where_due(Thread& thread);
// Stops for an event that the tracer has asked for; does nothing otherwise.
void event_stop(Thread& thread, Event event, u64 message);
bool wants(const Thread& thread, Event event);
// Has the tracer set the option?
bool has_option(const Thread& thread, u32 option);
// System-call stops: does the tracer want them, and the stop itself. `message`: 1 at entry, 2 at exit.
bool wants_calls(const Thread& thread);
bool emulates_calls(const Thread& thread);
bool steps(const Thread& thread);
void call_stop(Thread& thread, u64 message);
// A step that ended at a call: SIGTRAP.
void step_stop(Thread& thread);
// A step that ended at the first instruction of a handler.
void handler_stop(Thread& thread);
// execve(2) has replaced the program: debug registers go; without kOnExec a SIGTRAP comes.
void executed(Thread& thread, u32 old_tid);
// Does a set-user-ID file count for the thread? Not under a tracer that could not have given itself the same.
bool may_gain_privileges(const Thread& thread);
// PTRACE_EVENT_EXIT.
void exit_stop(Thread& thread, int status);
// The thread has left its process. Gives true where its tracer will reap it (and its number).
bool thread_ended(Thread& thread, int status);
// The process's leader that has ended gives its place to another thread (execve): nobody waits for it.
void forget(Thread& thread);

// --- for signals, exits and waits ---

// SIGCONT has ended a group stop. Needs: Process::lock.
void group_continued(Process& process);
// SIGKILL of a process that is already ending. Needs no lock below kProcess.
void release_exit_stops(Process& process);
// Takes a tracee out of its tracer's list. Needs the lock; the caller drops the reference after it.
RefPtr<Thread> unlink(Tracee& tracee);

}  // namespace uni::trace
