// SPDX-License-Identifier: Apache-2.0
// What /proc/cpuinfo says of the processor, from CPUID (SDM volume 2, CPUID; Linux's flag names).
#include "kernel/arch/cpu.hpp"
#include "kernel/arch/x86_64/cpu_local.hpp"
#include "kernel/base/format.hpp"

namespace uni::arch {
namespace {

struct Flag {
  u32 leaf;
  u8 reg;  // 0 eax, 1 ebx, 2 ecx, 3 edx
  u8 bit;
  const char* name;
};
constexpr u32 kExt = 0x80000001;
// clang-format off
constexpr Flag kFlags[] = {
    {1,3,0,"fpu"},{1,3,1,"vme"},{1,3,2,"de"},{1,3,3,"pse"},{1,3,4,"tsc"},{1,3,5,"msr"},{1,3,6,"pae"},{1,3,7,"mce"},{1,3,8,"cx8"},
    {1,3,9,"apic"},{1,3,11,"sep"},{1,3,12,"mtrr"},{1,3,13,"pge"},{1,3,14,"mca"},{1,3,15,"cmov"},{1,3,16,"pat"},{1,3,17,"pse36"},
    {1,3,19,"clflush"},{1,3,23,"mmx"},{1,3,24,"fxsr"},{1,3,25,"sse"},{1,3,26,"sse2"},{1,3,28,"ht"},
    {kExt,3,11,"syscall"},{kExt,3,20,"nx"},{kExt,3,26,"pdpe1gb"},{kExt,3,27,"rdtscp"},{kExt,3,29,"lm"},
    {1,2,0,"pni"},{1,2,1,"pclmulqdq"},{1,2,9,"ssse3"},{1,2,12,"fma"},{1,2,13,"cx16"},{1,2,17,"pcid"},{1,2,19,"sse4_1"},
    {1,2,20,"sse4_2"},{1,2,21,"x2apic"},{1,2,22,"movbe"},{1,2,23,"popcnt"},{1,2,24,"tsc_deadline_timer"},{1,2,25,"aes"},
    {1,2,26,"xsave"},{1,2,28,"avx"},{1,2,29,"f16c"},{1,2,30,"rdrand"},{1,2,31,"hypervisor"},
    {kExt,2,0,"lahf_lm"},{kExt,2,5,"abm"},{kExt,2,6,"sse4a"},{kExt,2,8,"3dnowprefetch"},
    {7,1,0,"fsgsbase"},{7,1,3,"bmi1"},{7,1,5,"avx2"},{7,1,7,"smep"},{7,1,8,"bmi2"},{7,1,9,"erms"},{7,1,10,"invpcid"},
    {7,1,16,"avx512f"},{7,1,17,"avx512dq"},{7,1,18,"rdseed"},{7,1,19,"adx"},{7,1,20,"smap"},{7,1,23,"clflushopt"},{7,1,24,"clwb"},
    {7,1,28,"avx512cd"},{7,1,29,"sha_ni"},{7,1,30,"avx512bw"},{7,1,31,"avx512vl"},
    {7,2,1,"avx512vbmi"},{7,2,2,"umip"},{7,2,3,"pku"},{7,2,9,"vaes"},{7,2,10,"vpclmulqdq"},{7,2,22,"rdpid"},{7,3,4,"fsrm"},
};
// clang-format on

CpuInfo collect() {
  CpuInfo i{};
  const CpuidResult zero = cpuid(0);
  __builtin_memcpy(i.vendor, &zero.ebx, 4);
  __builtin_memcpy(i.vendor + 4, &zero.edx, 4);
  __builtin_memcpy(i.vendor + 8, &zero.ecx, 4);
  if (cpuid(0x80000000).eax >= 0x80000004) {
    for (u32 n = 0; n < 3; ++n) {
      const CpuidResult b = cpuid(0x80000002 + n);
      __builtin_memcpy(i.brand + 16 * n, &b, 16);
    }
  }
  const u32 signature = cpuid(1).eax;
  i.stepping = signature & 15;
  i.model = (signature >> 4 & 15) | (signature >> 12 & 0xf0);
  i.family = (signature >> 8 & 15) + (signature >> 20 & 0xff);
  BufferWriter out(i.flags, sizeof i.flags - 1);
  bool first = true;
  for (const Flag& f : kFlags) {
    if (f.leaf == 7 && zero.eax < 7) continue;
    const CpuidResult r = cpuid(f.leaf);
    const u32 regs[4] = {r.eax, r.ebx, r.ecx, r.edx};
    if ((regs[f.reg] >> f.bit & 1) == 0) continue;
    if (!first) out.write(" ");
    out.write(f.name);
    first = false;
  }
  return i;
}

CpuInfo info;
bool collected = false;

}  // namespace

const CpuInfo& cpu_info() {
  // Two processors that collect at once write the same bytes.
  if (!collected) {
    info = collect();
    collected = true;
  }
  return info;
}

}  // namespace uni::arch
