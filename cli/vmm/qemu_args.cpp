// SPDX-License-Identifier: Apache-2.0
// Every option is here for a reason, and most of them for the time to the guest's first instruction: nothing that the
// kernel has no driver for is made (docs/RUN.md has the measurements).
#include "cli/vmm/qemu_args.hpp"

#include <fmt/format.h>

namespace uni::vmm {
namespace {

// microvm has 8 virtio-mmio slots with one IO-APIC and 24 with two (QEMU docs, "microvm").
constexpr std::size_t kSlotsWithOneIoapic = 8;

class Builder {
 public:
  Builder(const std::string& program, const MachineSpec& spec) : args_{program}, spec_(spec) {}

  std::vector<std::string> build() {
    machine();
    boot();
    disk();
    channels();
    network();
    shares();
    if (spec_.entropy) {
      add("-object", "rng-builtin,id=entropy");
      device("virtio-rng", "rng=entropy");
    }
    if (spec_.gdb_fd >= 0) {
      add("-chardev", fmt::format("socket,id=gdb,fd={},server=on,wait=off", spec_.gdb_fd));
      add("-gdb", "chardev:gdb");
      add("-S");
    }
    return std::move(args_);
  }

 private:
  void add(std::string a) { args_.push_back(std::move(a)); }
  void add(std::string a, std::string b) {
    add(std::move(a));
    add(std::move(b));
  }

  bool microvm() const { return spec_.machine == Machine::kMicrovm; }

  // A virtio device on the machine's bus: MMIO on microvm, modern PCI (virtio 1.x section 4.1) on q35.
  void device(std::string_view kind, std::string_view options) {
    add("-device", microvm() ? fmt::format("{}-device,{}", kind, options)
                             : fmt::format("{}-pci,disable-legacy=on,disable-modern=off,romfile=,{}", kind, options));
  }

  std::size_t virtio_devices() const {
    return 2 + spec_.shares.size() + (spec_.entropy ? 1 : 0) + (spec_.network.kind != Network::Kind::kNone ? 1 : 0);
  }

  void machine() {
    add("-nodefaults");
    add("-no-user-config");
    add("-no-reboot");  // a reset ends QEMU; nothing here boots twice
    add("-display", "none");
    if (microvm()) {
      const char* second = virtio_devices() > kSlotsWithOneIoapic ? "on" : "off";
      add("-machine", fmt::format("microvm,x-option-roms=off,isa-serial=on,acpi=on,pit=on,pic=on,rtc=on,pcie=off,"
                                  "usb=off,ioapic2={}",
                                  second));
      add("-global", "virtio-mmio.force-legacy=false");
    } else {
      add("-machine", "q35,hpet=off,vmport=off,smbus=off,sata=off,usb=off,i8042=off");
    }
    add("-accel", spec_.accel == Accel::kKvm ? "kvm" : "tcg,thread=multi");
    add("-cpu", spec_.accel == Accel::kKvm ? "host" : "max");
    add("-smp", fmt::format("{}", spec_.processors));
    add("-m", fmt::format("size={}k", spec_.memory / 1024));
  }

  void boot() {
    add("-kernel", fmt::format("/proc/self/fd/{}", spec_.kernel_fd));
    add("-initrd", fmt::format("/proc/self/fd/{}", spec_.config_fd));
    add("-chardev", fmt::format("socket,id=log,fd={}", spec_.log_fd));
    if (microvm()) {
      add("-serial", "chardev:log");
    } else {
      add("-device", "isa-serial,chardev=log");
    }
  }

  // The image is opened read only; writes go to the overlay, which has no name and dies with QEMU. What the guest
  // flushes need not reach the host's disk (no-flush): it does not outlive the machine.
  void disk() {
    add("-blockdev",
        fmt::format("driver=file,node-name=image,filename=/proc/self/fd/{},read-only=on,locking=off", spec_.image_fd));
    add("-blockdev",
        fmt::format("driver=file,node-name=scratch,filename=/proc/self/fd/{},locking=off,cache.no-flush=on,"
                    "discard=unmap",
                    spec_.overlay_fd));
    add("-blockdev", "driver=raw,node-name=base,file=image,read-only=on");
    add("-blockdev", "driver=qcow2,node-name=root,file=scratch,backing=base,cache.no-flush=on,discard=unmap");
    device("virtio-blk", "drive=root");
  }

  void channels() {
    device("virtio-serial", fmt::format("id=ports,max_ports={}", spec_.channels.size() + 1));
    for (std::size_t i = 0; i < spec_.channels.size(); ++i) {
      const Channel& channel = spec_.channels[i];
      add("-chardev", fmt::format("socket,id=port{},fd={}", i, channel.fd));
      add("-device", fmt::format("virtserialport,bus=ports.0,nr={},chardev=port{},name={}", i + 1, i, channel.name));
    }
  }

  void network() {
    if (spec_.network.kind == Network::Kind::kNone) return;
    if (spec_.network.kind == Network::Kind::kSocket) {
      add("-netdev", fmt::format("stream,id=net,server=off,addr.type=fd,addr.str={}", spec_.network.fd));
    } else {
      std::string user = "user,id=net,ipv6=off";
      for (const Publish& p : spec_.network.published) {
        user += fmt::format(",hostfwd={}:{}:{}-:{}", p.protocol == Publish::Protocol::kUdp ? "udp" : "tcp", p.address,
                            p.host, p.guest);
      }
      add("-netdev", user);
    }
    device("virtio-net", "netdev=net,mac=52:54:00:12:34:56");
  }

  void shares() {
    for (std::size_t i = 0; i < spec_.shares.size(); ++i) {
      const Share& share = spec_.shares[i];
      const char* only = share.access == Share::Access::kReadOnly ? ",readonly=on" : "";
      add("-fsdev", fmt::format("local,id=share{},path={},security_model=none,multidevs=remap{}", i,
                                option_value(share.source), only));
      device("virtio-9p", fmt::format("fsdev=share{},mount_tag={}", i, share_tag(i)));
    }
  }

  std::vector<std::string> args_;
  const MachineSpec& spec_;
};

}  // namespace

std::vector<std::string> qemu_arguments(const std::string& program, const MachineSpec& spec) {
  return Builder(program, spec).build();
}

std::string share_tag(std::size_t index) {
  return fmt::format("uni{}", index);
}

std::string option_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == ',') out += c;
  }
  return out;
}

}  // namespace uni::vmm
