// SPDX-License-Identifier: Apache-2.0
// Files of /proc about the machine.
#include "kernel/boot/boot_info.hpp"
#include "kernel/dev/random.hpp"
#include "kernel/fs/procfs/rows.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/time/clock.hpp"

namespace uni::fs::procfs {
namespace {

constexpr u64 kib(u64 pages) {
  return pages * (kPageSize / kKiB);
}

struct MemoryLine {
  StringView name;
  u64 kib;
};

// Version 4 UUID (RFC 9562, section 5.4).
void write_uuid(Writer& out, u64 high, u64 low) {
  high = (high & ~u64{0xF000}) | 0x4000;
  low = (low & ~(u64{3} << 62)) | u64{2} << 62;
  format(out, "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}\n", high >> 32, (high >> 16) & 0xFFFF, high & 0xFFFF, low >> 48,
         low & 0xFFFFFFFFFFFF);
}

void cpuid(u32 leaf, u32 subleaf, u32 (&r)[4]) {
  asm volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(subleaf));
}

struct FlagName {
  u8 word;  // 0: leaf 1 edx, 1: leaf 1 ecx, 2: 0x80000001 edx, 3: 0x80000001 ecx, 4: leaf 7 ebx, 5: leaf 7 ecx
  u8 bit;
  StringView name;
};
// Linux's names (arch/x86 cpufeatures), in its order of words.
constexpr FlagName kFlags[] = {
    {0, 0, "fpu"},
    {0, 1, "vme"},
    {0, 2, "de"},
    {0, 3, "pse"},
    {0, 4, "tsc"},
    {0, 5, "msr"},
    {0, 6, "pae"},
    {0, 7, "mce"},
    {0, 8, "cx8"},
    {0, 9, "apic"},
    {0, 11, "sep"},
    {0, 12, "mtrr"},
    {0, 13, "pge"},
    {0, 14, "mca"},
    {0, 15, "cmov"},
    {0, 16, "pat"},
    {0, 17, "pse36"},
    {0, 19, "clflush"},
    {0, 23, "mmx"},
    {0, 24, "fxsr"},
    {0, 25, "sse"},
    {0, 26, "sse2"},
    {0, 28, "ht"},
    {2, 11, "syscall"},
    {2, 20, "nx"},
    {2, 26, "pdpe1gb"},
    {2, 27, "rdtscp"},
    {2, 29, "lm"},
    {1, 0, "pni"},
    {1, 1, "pclmulqdq"},
    {1, 9, "ssse3"},
    {1, 12, "fma"},
    {1, 13, "cx16"},
    {1, 17, "pcid"},
    {1, 19, "sse4_1"},
    {1, 20, "sse4_2"},
    {1, 21, "x2apic"},
    {1, 22, "movbe"},
    {1, 23, "popcnt"},
    {1, 24, "tsc_deadline_timer"},
    {1, 25, "aes"},
    {1, 26, "xsave"},
    {1, 28, "avx"},
    {1, 29, "f16c"},
    {1, 30, "rdrand"},
    {1, 31, "hypervisor"},
    {3, 0, "lahf_lm"},
    {3, 5, "abm"},
    {3, 6, "sse4a"},
    {3, 8, "3dnowprefetch"},
    {4, 0, "fsgsbase"},
    {4, 3, "bmi1"},
    {4, 5, "avx2"},
    {4, 7, "smep"},
    {4, 8, "bmi2"},
    {4, 9, "erms"},
    {4, 10, "invpcid"},
    {4, 16, "avx512f"},
    {4, 17, "avx512dq"},
    {4, 18, "rdseed"},
    {4, 19, "adx"},
    {4, 20, "smap"},
    {4, 21, "avx512ifma"},
    {4, 23, "clflushopt"},
    {4, 24, "clwb"},
    {4, 28, "avx512cd"},
    {4, 29, "sha_ni"},
    {4, 30, "avx512bw"},
    {4, 31, "avx512vl"},
    {5, 1, "avx512vbmi"},
    {5, 2, "umip"},
    {5, 3, "pku"},
    {5, 6, "avx512_vbmi2"},
    {5, 8, "gfni"},
    {5, 9, "vaes"},
    {5, 10, "vpclmulqdq"},
    {5, 11, "avx512_vnni"},
    {5, 12, "avx512_bitalg"},
    {5, 14, "avx512_vpopcntdq"},
    {5, 16, "la57"},
    {5, 22, "rdpid"},
};

}  // namespace

u64 ticks(u64 cycles) {
  return time::cycles_to_ns(cycles) / (time::kSecond / 100);
}

Result<void> show_meminfo(Writer& out, const Numbers&) {
  const mm::MemoryStats m = mm::memory_stats();
  const u64 used = m.total_pages - min(m.total_pages, m.free_pages + m.cached_pages + m.kernel_pages);
  const MemoryLine lines[] = {
      {"MemTotal:", kib(m.total_pages)},
      {"MemFree:", kib(m.free_pages)},
      {"MemAvailable:", kib(m.free_pages + m.cached_pages)},
      {"Buffers:", 0},
      {"Cached:", kib(m.cached_pages)},
      {"SwapCached:", 0},
      {"Active:", kib(used)},
      {"Inactive:", kib(m.cached_pages)},
      {"Active(anon):", kib(used)},
      {"Inactive(anon):", 0},
      {"Active(file):", 0},
      {"Inactive(file):", kib(m.cached_pages)},
      {"Unevictable:", 0},
      {"Mlocked:", 0},
      {"SwapTotal:", 0},
      {"SwapFree:", 0},
      {"Dirty:", 0},
      {"Writeback:", 0},
      {"AnonPages:", kib(used)},
      {"Mapped:", kib(m.cached_pages)},
      {"Shmem:", 0},
      {"KReclaimable:", 0},
      {"Slab:", kib(m.kernel_pages)},
      {"SReclaimable:", 0},
      {"SUnreclaim:", kib(m.kernel_pages)},
      {"CommitLimit:", kib(m.total_pages / 2)},
      {"Committed_AS:", kib(used)},
      {"VmallocTotal:", 34359738367},
      {"VmallocUsed:", 0},
      {"AnonHugePages:", 0},
  };
  for (const MemoryLine& l : lines)
    format(out, "{:15} {:>8} kB\n", l.name, l.kib);
  out.write(
      "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\n"
      "Hugepagesize:       2048 kB\nHugetlb:               0 kB\n");
  return {};
}

Result<void> show_cpuinfo(Writer& out, const Numbers&) {
  u32 r[4], words[6] = {};
  cpuid(0, 0, r);
  const u32 highest = r[0];
  char vendor[12];
  __builtin_memcpy(vendor, &r[1], 4);
  __builtin_memcpy(vendor + 4, &r[3], 4);
  __builtin_memcpy(vendor + 8, &r[2], 4);
  cpuid(1, 0, r);
  const u32 signature = r[0];
  const u32 clflush = ((r[1] >> 8) & 0xFF) * 8;
  words[0] = r[3];
  words[1] = r[2];
  if (highest >= 7) {
    cpuid(7, 0, r);
    words[4] = r[1];
    words[5] = r[2];
  }
  cpuid(0x80000000, 0, r);
  const u32 highest_extended = r[0];
  char model_name[49] = {};
  if (highest_extended >= 0x80000001) {
    cpuid(0x80000001, 0, r);
    words[2] = r[3];
    words[3] = r[2];
  }
  if (highest_extended >= 0x80000004) {
    for (u32 i = 0; i < 3; ++i) {
      cpuid(0x80000002 + i, 0, r);
      __builtin_memcpy(model_name + i * 16, r, 16);
    }
  }
  u32 physical_bits = 36, virtual_bits = 48;
  if (highest_extended >= 0x80000008) {
    cpuid(0x80000008, 0, r);
    physical_bits = r[0] & 0xFF;
    virtual_bits = (r[0] >> 8) & 0xFF;
  }
  const u32 base_family = (signature >> 8) & 0xF;
  const u32 family = base_family == 0xF ? base_family + ((signature >> 20) & 0xFF) : base_family;
  const u32 model = ((signature >> 4) & 0xF) | (base_family >= 6 ? ((signature >> 16) & 0xF) << 4 : 0);
  StringView name(model_name);
  while (!name.empty() && name[0] == ' ')
    name = name.slice(1);
  // Cycles in a millisecond are the clock in kHz.
  const u64 per_ms =
      time::cycles_to_ns(1'000'000) == 0 ? 0 : 1'000'000 * time::kMillisecond / time::cycles_to_ns(1'000'000);
  const unsigned cpus = sched::cpu_count();
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    format(out, "processor\t: {}\nvendor_id\t: {}\ncpu family\t: {}\nmodel\t\t: {}\nmodel name\t: {}\nstepping\t: {}\n",
           cpu, StringView(vendor, 12), family, model, name, signature & 0xF);
    format(out,
           "cpu MHz\t\t: {}.{:03}\nphysical id\t: {}\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\napicid\t\t: {}\n",
           per_ms / 1000, per_ms % 1000, cpu, cpu);
    format(out,
           "initial apicid\t: {}\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: {}\nwp\t\t: yes\nflags\t\t:", cpu,
           highest);
    for (const FlagName& f : kFlags) {
      if ((words[f.word] >> f.bit & 1) != 0) format(out, " {}", f.name);
    }
    format(out,
           "\nbugs\t\t:\nbogomips\t: {}.{:02}\nclflush size\t: {}\ncache_alignment\t: {}\n"
           "address sizes\t: {} bits physical, {} bits virtual\npower management:\n\n",
           per_ms * 2 / 1000, per_ms * 2 / 10 % 100, clflush, clflush, physical_bits, virtual_bits);
  }
  return {};
}

Result<void> show_stat(Writer& out, const Numbers&) {
  const unsigned cpus = sched::cpu_count();
  const u64 up = time::monotonic_ns() / (time::kSecond / 100);
  u64 idle_sum = 0;
  for (unsigned i = 0; i < cpus; ++i)
    idle_sum += min(ticks(sched::idle_cycles(i)), up);
  format(out, "cpu  {} 0 0 {} 0 0 0 0 0 0\n", up * cpus - idle_sum, idle_sum);
  for (unsigned i = 0; i < cpus; ++i) {
    const u64 idle = min(ticks(sched::idle_cycles(i)), up);
    format(out, "cpu{} {} 0 0 {} 0 0 0 0 0 0\n", i, up - idle, idle);
  }
  u64 switches = 0;
  u32 threads = 0;
  Process::for_each([&](Process& p) {
    LockGuard guard(p.lock);
    for (Thread& t : p.threads) {
      switches += t.voluntary_switches + t.involuntary_switches;
      ++threads;
    }
  });
  format(out,
         "intr 0\nctxt {}\nbtime {}\nprocesses {}\nprocs_running 1\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n",
         switches, (time::realtime_ns() - time::monotonic_ns()) / time::kSecond, threads);
  return {};
}

Result<void> show_uptime(Writer& out, const Numbers&) {
  const u64 up = time::monotonic_ns() / (time::kSecond / 100);
  u64 idle = 0;
  for (unsigned i = 0; i < sched::cpu_count(); ++i)
    idle += ticks(sched::idle_cycles(i));
  format(out, "{}.{:02} {}.{:02}\n", up / 100, up % 100, idle / 100, idle % 100);
  return {};
}

Result<void> show_loadavg(Writer& out, const Numbers&) {
  const sched::LoadAverage l = sched::load_average();
  for (const u64 value : {l.one, l.five, l.fifteen})
    format(out, "{}.{:02} ", value >> 11, (value & 2047) * 100 >> 11);
  u32 threads = 0;
  Process::for_each([&](const Process& p) { threads += p.thread_count; });
  format(out, "1/{} {}\n", threads, raw(Thread::current().tid()));
  return {};
}

Result<void> show_version(Writer& out, const Numbers&) {
  out.write("Linux version 6.12.0-uni (uni@uni) (g++) #1 SMP PREEMPT_DYNAMIC\n");
  return {};
}

Result<void> show_cmdline(Writer& out, const Numbers&) {
  format(out, "{}\n", boot::info().command_line);
  return {};
}

Result<void> show_vmstat(Writer& out, const Numbers&) {
  const mm::MemoryStats m = mm::memory_stats();
  format(out, "nr_free_pages {}\nnr_file_pages {}\nnr_dirty 0\nnr_writeback 0\nnr_slab_unreclaimable {}\n",
         m.free_pages, m.cached_pages, m.kernel_pages);
  out.write("pswpin 0\npswpout 0\noom_kill 0\n");
  return {};
}

Result<void> show_uuid(Writer& out, const Numbers&) {
  write_uuid(out, random::next_u64(), random::next_u64());
  return {};
}

Result<void> show_boot_id(Writer& out, const Numbers&) {
  static Guarded<u64[2], Rank::kLeaf> id;
  u64 fresh[2] = {random::next_u64(), random::next_u64()};
  id.with([&](u64(&kept)[2]) {
    if (kept[0] == 0) {
      kept[0] = fresh[0] | 1;
      kept[1] = fresh[1];
    }
    fresh[0] = kept[0];
    fresh[1] = kept[1];
  });
  write_uuid(out, fresh[0], fresh[1]);
  return {};
}

Result<void> show_file_nr(Writer& out, const Numbers&) {
  u64 open = 0;
  Process::for_each([&](Process& p) {
    LockGuard guard(p.lock);
    if (p.files) open += p.files->open_count();
  });
  format(out, "{}\t0\t9223372036854775807\n", open);
  return {};
}

}  // namespace uni::fs::procfs
