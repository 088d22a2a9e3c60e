// SPDX-License-Identifier: Apache-2.0
// Core files (core(5)): an ELF file of what a process was when a signal ended it.
#pragma once

#include "kernel/arch/trap_frame.hpp"
#include "kernel/sched/process.hpp"

namespace uni::shim {

// Ends the current process by the signal, with a core file where its action is one and nothing forbids it. The caller
// then leaves with exit_thread(). May block.
void end_with_core(const signal::Info& info);

// Where bytes of the file go, and how far: RLIMIT_CORE cuts it.
class CoreSink {
 public:
  CoreSink(fs::File& file, u64 limit) : file_(file), limit_(limit) {}
  // Appends; gives false from the first failure on (the disk is full, the limit is reached).
  bool write(const void* from, usize size);
  // A hole, or what makes the next byte's place a multiple of `to`.
  bool skip(u64 size);
  bool align(u64 to) { return skip((to - at_ % to) % to); }
  u64 at() const { return at_; }
  // The file's size, where it ends in a hole.
  void finish();

 private:
  fs::File& file_;
  u64 limit_;
  u64 at_ = 0;
  bool failed_ = false;
};

// The notes (core_notes.cpp): registers of every thread that stands still, names, the auxiliary vector, mapped files.
struct CoreNotes {
  Vector<char> files;  // NT_FILE's content
  usize threads = 0;
};
Result<void> prepare_notes(Process& process, CoreNotes& notes);
usize notes_size(const Process& process, const CoreNotes& notes);
bool write_notes(CoreSink& sink, Process& process, const CoreNotes& notes, const signal::Info& info);

}  // namespace uni::shim
