// SPDX-License-Identifier: Apache-2.0
// Processes: creation, the list of them, the end. The end of the first process is the end of the machine.
#include "kernel/sched/process.hpp"

#include "kernel/boot/boot_info.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/thread_access.hpp"

namespace uni {
namespace {
Process* first_process = nullptr;
}

Process* Process::init() {
  return first_process;
}

RefPtr<Process> Process::find(Pid pid) {
  if (first_process != nullptr && first_process->pid() == pid) return RefPtr<Process>(first_process);
  return {};
}

Result<RefPtr<Process>> ProcessAccess::create(Process* parent) {
  auto* process = new (std::nothrow) Process();
  if (process == nullptr) return Errno::NoMemory;
  auto p = RefPtr<Process>::adopt(process);
  p->started_ns = time::monotonic_ns();
  for (Limit& l : p->limits)
    l = {kUnlimited, kUnlimited};
  p->limits[kLimitStack] = {8 * kMiB, kUnlimited};
  p->limits[kLimitCore] = {0, kUnlimited};
  p->limits[kLimitFiles] = {1024 * 1024, 1024 * 1024};
  p->limits[kLimitProcesses] = {32768, 32768};
  p->limits[kLimitLocked] = {8 * kMiB, 8 * kMiB};
  p->limits[kLimitSignals] = {8192, 8192};
  p->limits[kLimitMessageQueue] = {819200, 819200};
  p->limits[kLimitNice] = {0, 0};
  p->limits[kLimitRtPriority] = {0, 0};
  (void)parent;
  p->pid_ = Pid{1};
  p->parent_pid_ = Pid{0};
  p->group_ = Pid{1};
  p->session_ = Pid{1};
  if (first_process == nullptr) {
    first_process = p.get();
    p->ref();
  }
  return p;
}

Process::~Process() = default;

void Process::begin_exit(int wait_status) {
  bool expected = false;
  if (!exiting_.compare_exchange_strong(expected, true, std::memory_order_acq_rel)) return;
  exit_status_ = wait_status;
  LockGuard guard(lock);
  for (Thread& t : threads) {
    t.must_exit.store(true, std::memory_order_release);
    t.attention.store(true, std::memory_order_release);
    if (&t != &Thread::current()) sched::kick(t);
  }
}

void Process::finish_exit(Process& p) {
  // The program's files are closed while the machine still works: sockets say goodbye, volumes are written.
  p.files = {};
  if (&p == first_process) {
    const int status = p.exit_status_;
    if ((status & 0x7f) != 0) boot::shut_down_killed(status & 0x7f);
    boot::shut_down_exited((status >> 8) & 0xff);
  }
}

}  // namespace uni
