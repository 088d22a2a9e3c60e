// SPDX-License-Identifier: Apache-2.0
// The boot, in order. The only file that knows every subsystem. What can wait until a program needs it waits (network,
// random device).
#include "kernel/arch/x86_64/apic.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/arch/x86_64/early.hpp"
#include "kernel/arch/x86_64/start.hpp"
#include "kernel/boot/boot_info.hpp"
#include "kernel/boot/log.hpp"
#include "kernel/dev/block.hpp"
#include "kernel/dev/devices.hpp"
#include "kernel/dev/random.hpp"
#include "kernel/dev/serial_port.hpp"
#include "kernel/fs/devfs.hpp"
#include "kernel/fs/ext4/ext4.hpp"
#include "kernel/fs/p9/p9.hpp"
#include "kernel/fs/partition.hpp"
#include "kernel/fs/procfs/procfs.hpp"
#include "kernel/fs/sysfs/cgroup.hpp"
#include "kernel/fs/sysfs/sysfs.hpp"
#include "kernel/fs/vfs.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/net/proc_net.hpp"
#include "kernel/net/resolver_file.hpp"
#include "kernel/sched/bandwidth.hpp"
#include "kernel/sched/run_queue.hpp"
#include "kernel/sched/thread_access.hpp"
#include "kernel/time/timer_queue.hpp"
#include "loader/exec/exec.hpp"
#include "syscall-shim/entry/allow_list.hpp"
#include "syscall-shim/entry/trace.hpp"
#include "syscall-shim/linux/signal.hpp"

namespace uni::boot {
namespace {

Info boot_info;
BootConfig boot_config;

void read_info() {
  const arch::EarlyMemory& early = arch::early_memory;
  for (usize i = 0; i < early.count; ++i)
    boot_info.memory[i] = {early.ranges[i].start, early.ranges[i].size, early.ranges[i].usable};
  boot_info.memory_count = early.count;
  boot_info.rsdp = early.rsdp;
  if (early.command_line != 0) {
    const auto* text = static_cast<const char*>(mm::phys_to_virt(mm::PhysAddr{early.command_line}));
    usize n = 0;
    while (n < 4096 && text[n] != '\0')
      ++n;
    boot_info.command_line = {text, n};
  }
  if (early.module_size != 0) {
    boot_info.module = {static_cast<const char*>(mm::phys_to_virt(mm::PhysAddr{early.module})), early.module_size};
  }
}

void mix_seed(StringView seed) {
  random::add_entropy(seed.data(), seed.size());
  for (int i = 0; i < 4; ++i) {
    u64 word = arch::read_cycle_counter();
    u64 r = 0;
    if (arch::hardware_random(&r)) word ^= r;
    random::add_entropy(&word, sizeof word);
  }
}

// Says why the program cannot start, to the host and on the log, and powers off. 126 and 127 are the shell's words for
// it.
[[noreturn]] void refuse(const char* what, Errno error, StringView path) {
  char line[512];
  BufferWriter out(line);
  format(out, "refused {} ", errno_name(error));
  dev::write_control_word(out, path);
  dev::control_send(out.view());
  log::error("{}: {}: {}", what, path, errno_name(error));
  shut_down_exited(error == Errno::NoEntry ? 127 : 126);
}

Result<void> mount_root() {
  dev::BlockDevice* disk = dev::disk(0);
  if (disk == nullptr) return Errno::NoDevice;
  const fs::Partition part = TRY(fs::find_partition(*disk, "uni-root"));
  auto root = TRY(fs::ext4::mount(*disk, part.offset, part.size));
  return fs::init_root(move(root));
}

void mount_pseudo(StringView path, Result<RefPtr<fs::FileSystem>> made, StringView source) {
  if (!made.ok()) return;
  const auto mounted = fs::mount_at(path, made.take(), source);
  if (!mounted.ok()) log::warn("cannot mount {} on {}: {}", source, path, mounted.error());
}

// Makes the directories of `path` that are not there, so that a mount finds its place.
void make_directories(StringView path) {
  auto context = fs::FsContext::create_root();
  if (!context.ok()) return;
  const Credentials root;
  for (usize i = 1; i <= path.size(); ++i) {
    if (i < path.size() && path[i] != '/') continue;
    // What exists is fine; what cannot be made shows as the mount's own error.
    (void)fs::make_directory({*context.value(), root}, path.slice(0, i), 0755).ok();
  }
}

// One `mount=` record: `9p:TAG:DST:ro|rw` or `tmpfs:DST`.
void mount_record(StringView record) {
  const usize colon = record.find(':');
  const StringView kind = record.slice(0, colon);
  Result<void> done = Errno::Invalid;
  StringView target;
  if (kind == "tmpfs" && colon != StringView::kNotFound) {
    target = record.slice(colon + 1);
    make_directories(target);
    auto made = fs::make_tmpfs(0, 01777);
    done = made.ok() ? fs::mount_at(target, made.take(), "tmpfs") : Result<void>(made.error());
  } else if (kind == "9p") {
    const StringView rest = record.slice(colon + 1);
    const usize second = rest.find(':');
    const StringView tag = rest.slice(0, second);
    StringView tail = rest.slice(second + 1);
    const bool read_only = tail.size() > 3 && tail.slice(tail.size() - 3) == ":ro";
    if (tail.size() > 3) target = tail.slice(0, tail.size() - 3);
    make_directories(target);
    done = fs::p9::mount_tag(tag, target, read_only);
  }
  if (!done.ok()) {
    log::error("cannot mount {}: {}", record, done.error());
    refuse("mount", done.error(), target);
  }
}

Result<void> install_stdio(Process& process) {
  const bool tty = config().get(BootKey::stdio, "ports") == "tty";
  struct Wanted {
    const char* port;
    u32 flags;
  };
  const Wanted wanted[3] = {{tty ? "uni.tty" : "uni.stdin", tty ? u32{fs::kOpenReadWrite} : u32{fs::kOpenReadOnly}},
                            {tty ? "uni.tty" : "uni.stdout", tty ? u32{fs::kOpenReadWrite} : u32{fs::kOpenWriteOnly}},
                            {tty ? "uni.tty" : "uni.stderr", tty ? u32{fs::kOpenReadWrite} : u32{fs::kOpenWriteOnly}}};
  RefPtr<fs::File> terminal;
  for (int fd = 0; fd < 3; ++fd) {
    RefPtr<fs::File> file = terminal;
    if (!file) {
      auto opened = dev::open_port(wanted[fd].port, wanted[fd].flags);
      // Without the port (another launcher) the descriptor is /dev/null, as a daemon's.
      file = opened.ok() ? opened.take()
                         : TRY(fs::open_path(*process.fs, process.credentials, "/dev/null", fs::kOpenReadWrite, 0));
      if (tty) terminal = file;
    }
    TRY(process.files->install_at(fd, move(file), false));
  }
  return {};
}

u64 decimal_or(BootKey key, u64 otherwise) {
  const auto v = parse_decimal(config().get(key));
  return v.ok() ? v.value() : otherwise;
}

// Runs as the first thread of the program's process, in the kernel, until the program is loaded.
void start_program(void*) {
  Process& process = Process::current();
  const StringView program = config().get(BootKey::program);
  if (program.empty()) refuse("no program in the boot configuration", Errno::Invalid, "program");
  exec::Arguments args;
  auto fill = [&]() -> Result<void> {
    Errno failed{};
    auto add = [&](Vector<String>& to) {
      return [&to, &failed](StringView v) {
        auto s = String::copy(v);
        if (!s.ok() || !to.push(s.take()).ok()) failed = Errno::NoMemory;
      };
    };
    config().each(BootKey::arg, add(args.arguments));
    config().each(BootKey::env, add(args.environment));
    if (args.arguments.empty()) add(args.arguments)(program);
    if (failed != Errno{}) return failed;
    process.files = TRY(fs::FileTable::create());
    process.files->set_limit(static_cast<u32>(process.limits[kLimitFiles].soft));
    process.fs = TRY(fs::FsContext::create_root());
    return install_stdio(process);
  };
  if (const auto filled = fill(); !filled.ok()) refuse("start", filled.error(), program);
  const StringView cwd = config().get(BootKey::cwd, "/");
  const auto directory = fs::lookup({*process.fs, process.credentials}, cwd, fs::kFollow | fs::kMustBeDirectory);
  if (!directory.ok()) refuse("working directory", directory.error(), cwd);
  process.fs->set_cwd(directory.value());
  net::write_resolver_file();
  Credentials& c = process.credentials;
  c.uid = c.euid = c.suid = c.fsuid = static_cast<u32>(decimal_or(BootKey::uid, 0));
  c.gid = c.egid = c.sgid = c.fsgid = static_cast<u32>(decimal_or(BootKey::gid, 0));
  if (c.uid != 0) c.cap_permitted = c.cap_effective = 0;

  dev::control_send("ready");
  String failed;
  TrapFrame& frame = ThreadAccess::start_frame(Thread::current());
  const auto loaded = exec::load(program, args, frame, &failed);
  if (!loaded.ok()) refuse("exec", loaded.error(), failed.view());
}

void init_thread(void*) {
  dev::probe(info().command_line);
  if (const auto mounted = mount_root(); !mounted.ok()) refuse("root file system", mounted.error(), "uni-root");
  mount_pseudo("/dev", fs::devfs::create(), "devtmpfs");
  mount_pseudo("/proc", fs::procfs::create(), "proc");
  net::provide_proc_net();
  mount_pseudo("/sys", fs::sysfs::create(), "sysfs");
  mount_pseudo("/sys/fs/cgroup", fs::cgroupfs::create(), "cgroup2");
  config().each(BootKey::mount, mount_record);
  dev::control_on_line(shim::control_line);
  if (const u64 cpu = limit("cpu"); cpu != ~u64{0}) sched::bandwidth::set(cpu);
  arch::start_other_cpus();
  auto start = []() -> Result<void> {
    TRY(ProcessAccess::create_init());
    auto process = TRY(ProcessAccess::create(nullptr));
    process->signals = TRY(make_ref<signal::SignalState>());
    auto thread = TRY(Thread::create_user(*process, TrapFrame{}));
    ThreadAccess::set_kernel_entry(*thread, start_program, nullptr);
    TRY(ThreadAccess::publish(*thread, Process::init()));
    thread->start();
    return {};
  };
  if (const auto started = start(); !started.ok()) refuse("start", started.error(), "init");
  while (true)
    (void)sched::sleep_until(time::kNever, Sleep::kUninterruptible);
}

}  // namespace

const Info& info() {
  return boot_info;
}
const BootConfig& config() {
  return boot_config;
}

u64 limit(StringView name) {
  u64 most = ~u64{0};
  config().each(BootKey::limit, [&](StringView text) {
    if (text.size() <= name.size() || text[name.size()] != ':' || !(text.slice(0, name.size()) == name)) return;
    const auto value = parse_decimal(text.slice(name.size() + 1));
    if (value.ok()) most = value.value();
  });
  return most;
}

[[noreturn]] void kernel_main() {
  read_info();
  StringView bad_key;
  auto parsed = BootConfig::parse(boot_info.module, &bad_key);
  if (parsed.ok()) boot_config = parsed.take();
  log::set_verbose(boot_config.get(BootKey::log) == "verbose");
  shim::trace_init();
  mix_seed(boot_config.get(BootKey::seed));
  dev::acpi_init(boot_info.rsdp);
  arch::apic_init();
  time::init_clock(decimal_or(BootKey::time, 0));
  time::init_cpu_timers(0);
  arch::fpu_init();
  if (!sched::init_cpu(0).ok()) PANIC("no memory for the scheduler");
  if (!parsed.ok()) {
    log::error("bad boot configuration at `{}`: {}", bad_key, parsed.error());
    dev::power_off();
    PANIC("cannot power off");
  }
  if (!shim::apply_allow_list()) {
    log::error("bad boot configuration at `syscalls`");
    dev::power_off();
    PANIC("cannot power off");
  }
  log::info("memory {} MiB, TSC {} kHz", mm::memory_stats().total_pages / 256, arch::tsc_khz());
  auto init = Thread::create_kernel("init", init_thread, nullptr);
  if (!init.ok()) PANIC("no memory for the first thread");
  init.value()->start();
  sched::idle_loop();
}

}  // namespace uni::boot
