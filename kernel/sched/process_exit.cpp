// SPDX-License-Identifier: Apache-2.0
// The end of a process: what it held goes first, so that a parent that has waited finds it gone; then it is a zombie.
// The end of the image's program is the end of the machine: what still runs is killed, as in a container.
#include "kernel/sched/process_exit.hpp"

#include "kernel/base/format.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/dev/tty/job_control.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/ipc/object.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/children.hpp"
#include "kernel/sched/trace.hpp"
#include "kernel/time/posix_timers.hpp"

namespace uni {
namespace {

u32 kill_others(const Process& survivor) {
  u32 left = 0;
  Process::for_each([&](Process& p) {
    if (&p == &survivor || &p == Process::init() || p.life.load() != Process::Life::kAlive) return;
    if (p.exiting()) trace::release_exit_stops(p);
    p.begin_exit(signal::kKill);
    ++left;
  });
  return left;
}

// Tells the host what goes on behind the back of a program that says it is done: most likely a server that has put
// itself in the background.
void report_left(const Process& program) {
  u32 left = 0;
  char name[sizeof(Thread::name)] = {};
  Process::for_each([&](const Process& p) {
    if (&p == &program || &p == Process::init() || p.life.load() != Process::Life::kAlive || p.exiting()) return;
    if (left++ == 0 && p.leader != nullptr) __builtin_memcpy(name, p.leader->name, sizeof name - 1);
  });
  if (left == 0) return;
  char line[32 + 3 * sizeof name];
  BufferWriter out(line);
  format(out, "left-running {} ", left);
  dev::write_control_word(out, {name, __builtin_strlen(name)});
  dev::control_send(out.view());
}

[[noreturn]] void end_machine(Process& program, int status) {
  if (status == 0) report_left(program);
  constexpr u64 kPatience = 2 * time::kSecond;
  if (const u32 left = kill_others(program); left != 0) {
    log::info("the program has ended: {} more processes end with it", left);
    (void)process_gone_queue().wait([&] { return kill_others(program) == 0; }, time::deadline_after(kPatience),
                                    Sleep::kUninterruptible);
  }
  // The program's files are closed while the machine still works: sockets say goodbye, volumes are written.
  program.files = {};
  if ((status & 0x7f) != 0) boot::shut_down_killed(status & 0x7f);
  boot::shut_down_exited((status >> 8) & 0xff);
}

// What is not shared goes with the last reference, which is dropped without the lock: taking a space apart takes long.
void release_memory(Process& p) {
  RefPtr<mm::AddressSpace> space;
  RefPtr<fs::File> executable;
  {
    LockGuard guard(p.lock);
    uni::swap(space, p.space);
    uni::swap(executable, p.executable_file);
  }
  if (space) p.dead_usage.peak_resident_pages = space->usage().peak_resident;
}

}  // namespace

void Process::finish_exit(Process& p) {
  time::release_timers(p);
  if (&p == Process::program()) end_machine(p, p.exit_status());
  RefPtr<fs::FileTable> files;
  RefPtr<fs::FsContext> context;
  {
    LockGuard guard(p.lock);
    uni::swap(files, p.files);
    uni::swap(context, p.fs);
  }
  files = {};
  context = {};
  ipc::process_exit(p);
  dev::job_control::process_ends(p);
  release_memory(p);
  p.open_vfork_gate();
  become_zombie(p);
}

void Process::wait_for_dump(Thread& thread) {
  arch::fpu_park();
  thread.parked = true;
  dump_queue.wake_all();
  (void)dump_queue.wait([&] { return !dumping.load(); }, time::kNever, Sleep::kUninterruptible);
  thread.parked = false;
}

bool Process::begin_dump(int number) {
  constexpr u64 kPatience = 10 * time::kSecond;
  Thread& self = Thread::current();
  if (exiting() || dumping.exchange(true)) return false;
  begin_exit(number);
  const auto still = [&] {
    LockGuard guard(lock);
    for (const Thread& t : threads) {
      if (&t != &self && (!t.parked.load() || t.on_cpu.load())) return false;
    }
    return true;
  };
  // A thread that has announced itself is off its processor soon, and says nothing then: so it is looked at again.
  constexpr u64 kGlance = time::kMillisecond;
  const u64 deadline = time::deadline_after(kPatience);
  while (!still() && time::monotonic_ns() < deadline)
    (void)dump_queue.wait(still, time::deadline_after(kGlance), Sleep::kUninterruptible);
  // What it writes with must not take it for one that ends.
  self.must_exit = false;
  self.attention = false;
  return true;
}

void Process::end_dump(Dump dump) {
  constexpr int kCoreFlag = 0x80;
  Thread& self = Thread::current();
  if (dump == Dump::kWritten) exit_status_ |= kCoreFlag;
  self.must_exit = true;
  self.attention = true;
  dumping = false;
  dump_queue.wake_all();
}

void Process::open_vfork_gate() {
  RefPtr<VforkGate> gate;
  {
    LockGuard guard(lock);
    uni::swap(gate, vfork_gate);
  }
  if (!gate) return;
  gate->open.store(true, std::memory_order_release);
  gate->queue.wake_all();
}

}  // namespace uni
