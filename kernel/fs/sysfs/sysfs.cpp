// SPDX-License-Identifier: Apache-2.0
// The table of /sys. The machine has one NUMA node, and each processor is a package of its own. Rows of one directory
// stand together.
#include "kernel/fs/sysfs/sysfs.hpp"

#include "kernel/fs/pseudo_fs.hpp"
#include "kernel/mm/page.hpp"
#include "kernel/sched/thread.hpp"

namespace uni::fs::sysfs {
namespace {

using pseudo::Numbers;
using pseudo::Row;
using pseudo::RowKind;

u64 next_number(StringView kind, const Numbers&, u64 from) {
  (void)kind;  // only "cpu"
  return from < sched::cpu_count() ? from : ~u64{0};
}

Result<void> show_all_mask(Writer& out, const Numbers&) {
  const unsigned cpus = sched::cpu_count();
  format(out, "{:x}\n", cpus >= 64 ? ~u64{0} : (u64{1} << cpus) - 1);
  return {};
}

Result<void> show_own_mask(Writer& out, const Numbers& numbers) {
  format(out, "{:x}\n", u64{1} << numbers.last());
  return {};
}

Result<void> show_own_number(Writer& out, const Numbers& numbers) {
  format(out, "{}\n", numbers.last());
  return {};
}

Result<void> show_node_memory(Writer& out, const Numbers&) {
  const mm::MemoryStats m = mm::memory_stats();
  const auto line = [&](StringView name, u64 pages) { format(out, "Node 0 {:14} {:>8} kB\n", name, pages * 4); };
  line("MemTotal:", m.total_pages);
  line("MemFree:", m.free_pages);
  line("MemUsed:", m.total_pages - min(m.total_pages, m.free_pages));
  line("FilePages:", m.cached_pages);
  line("Slab:", m.kernel_pages);
  return {};
}

constexpr Row directory(StringView path) {
  Row r{path};
  r.kind = RowKind::kDirectory;
  return r;
}

constexpr Row kRows[] = {
    Row::made("devices/system/cpu/online", show_cpus),
    Row::made("devices/system/cpu/possible", show_cpus),
    Row::made("devices/system/cpu/present", show_cpus),
    Row::fixed("devices/system/cpu/offline", "\n"),
    Row::fixed("devices/system/cpu/isolated", "\n"),
    Row::fixed("devices/system/cpu/kernel_max", "63\n"),
    Row::fixed("devices/system/cpu/cpu<cpu>/online", "1\n"),
    Row::made("devices/system/cpu/cpu<cpu>/topology/physical_package_id", show_own_number),
    Row::fixed("devices/system/cpu/cpu<cpu>/topology/core_id", "0\n"),
    Row::fixed("devices/system/cpu/cpu<cpu>/topology/die_id", "0\n"),
    Row::made("devices/system/cpu/cpu<cpu>/topology/thread_siblings", show_own_mask),
    Row::made("devices/system/cpu/cpu<cpu>/topology/thread_siblings_list", show_own_number),
    Row::made("devices/system/cpu/cpu<cpu>/topology/core_siblings", show_own_mask),
    Row::made("devices/system/cpu/cpu<cpu>/topology/core_siblings_list", show_own_number),
    Row::made("devices/system/cpu/cpu<cpu>/topology/core_cpus", show_own_mask),
    Row::made("devices/system/cpu/cpu<cpu>/topology/core_cpus_list", show_own_number),
    Row::made("devices/system/cpu/cpu<cpu>/topology/package_cpus", show_own_mask),
    Row::made("devices/system/cpu/cpu<cpu>/topology/package_cpus_list", show_own_number),
    Row::fixed("devices/system/node/online", "0\n"),
    Row::fixed("devices/system/node/possible", "0\n"),
    Row::fixed("devices/system/node/has_cpu", "0\n"),
    Row::fixed("devices/system/node/has_memory", "0\n"),
    Row::fixed("devices/system/node/has_normal_memory", "0\n"),
    Row::made("devices/system/node/node0/cpulist", show_cpus),
    Row::made("devices/system/node/node0/cpumap", show_all_mask),
    Row::fixed("devices/system/node/node0/distance", "10\n"),
    Row::made("devices/system/node/node0/meminfo", show_node_memory),
    directory("devices/system/node/node0/cpu<cpu>"),
    Row::fixed("devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"),
    Row::fixed("devices/system/clocksource/clocksource0/available_clocksource", "tsc \n"),
    Row::fixed("kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"),
    Row::fixed("kernel/mm/transparent_hugepage/defrag", "always defer defer+madvise [madvise] never\n"),
    Row::fixed("kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152\n"),
    Row::fixed("kernel/mm/transparent_hugepage/shmem_enabled", "always within_size advise [never] deny force\n"),
    Row::fixed("kernel/mm/transparent_hugepage/use_zero_page", "0\n"),
    Row::fixed("kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0\n"),
    Row::fixed("kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0\n"),
    directory("fs/cgroup"),
    directory("class/net"),
    directory("class/block"),
    directory("block"),
    directory("bus"),
    directory("module"),
};

constexpr pseudo::Table kTable = {kRows,  sizeof kRows / sizeof kRows[0], "sysfs", 0x62656572, 4096, next_number,
                                  nullptr};

}  // namespace

Result<void> show_cpus(Writer& out, const pseudo::Numbers&) {
  const unsigned cpus = sched::cpu_count();
  if (cpus == 1)
    out.write("0\n");
  else
    format(out, "0-{}\n", cpus - 1);
  return {};
}

Result<RefPtr<FileSystem>> create() {
  return pseudo::create(kTable);
}

}  // namespace uni::fs::sysfs
