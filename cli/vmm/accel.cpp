// SPDX-License-Identifier: Apache-2.0
// Asks KVM itself: API version, a machine, a processor (Linux Documentation/virt/kvm/api.rst).
#include "cli/vmm/accel.hpp"

#include <cpuid.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <optional>
#include <string>

#include "cli/vmm/fd.hpp"
#include "loader/analyze/file.hpp"

namespace uni::vmm {
namespace {

constexpr unsigned kVmx = 1U << 5;
constexpr unsigned kSvm = 1U << 2;
constexpr int kApiVersion = 12;

// VMX (Intel SDM volume 3, 24.6) or SVM (AMD APM volume 2, 15.4). Without them a /dev/kvm can still be there and even
// make machines (pagetable virtual machines inside a cloud's VM), but they run no ordinary kernel.
bool processor_virtualises() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) != 0 && (c & kVmx) != 0) return true;
  return __get_cpuid(0x80000001, &a, &b, &c, &d) != 0 && (c & kSvm) != 0;
}

// Why KVM cannot be used; empty where it can.
std::optional<std::string> kvm_obstacle() {
  if (!processor_virtualises()) return "the processor offers neither VMX nor SVM here";
  const Fd device(::open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!device) return "/dev/kvm: " + errno_text(errno);
  const int version = ::ioctl(device.get(), KVM_GET_API_VERSION, 0);
  if (version != kApiVersion) return version < 0 ? "/dev/kvm: " + errno_text(errno) : "an unknown KVM version";
  const Fd machine(::ioctl(device.get(), KVM_CREATE_VM, 0));
  if (!machine) return "/dev/kvm makes no machine: " + errno_text(errno);
  const Fd processor(::ioctl(machine.get(), KVM_CREATE_VCPU, 0));
  if (!processor) return "/dev/kvm makes no processor: " + errno_text(errno);
  return std::nullopt;
}

}  // namespace

Expected<Accel> choose_accel(std::string_view choice) {
  if (choice == "tcg") return Accel::kTcg;
  const std::optional<std::string> obstacle = kvm_obstacle();
  if (!obstacle) return Accel::kKvm;
  if (choice == "auto") return Accel::kTcg;
  return fail({.what = "hardware virtualisation cannot be used",
               .where = {},
               .why = *obstacle,
               .hint = "leave `--accel` out to run without it, more slowly",
               .code = ExitCode::kRunFailed});
}

}  // namespace uni::vmm
