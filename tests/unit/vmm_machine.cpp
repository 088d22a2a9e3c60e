// SPDX-License-Identifier: Apache-2.0
// What QEMU is told, and the throw-away layer over the image.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cli/vmm/overlay.hpp"
#include "cli/vmm/qemu_args.hpp"

namespace uni::vmm {
namespace {

std::string joined(const MachineSpec& spec) {
  std::string text;
  for (const std::string& arg : qemu_arguments("qemu", spec))
    text += arg + " ";
  return text;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("microvm has modern MMIO devices and nothing else") {
  MachineSpec spec;
  spec.channels = {{"uni.control", 7}};
  const std::string text = joined(spec);
  CHECK(has(text, "-machine microvm,"));
  CHECK(has(text, "virtio-mmio.force-legacy=false"));
  CHECK(has(text, "virtio-blk-device,drive=root"));
  CHECK(has(text, "-chardev socket,id=port0,fd=7"));
  CHECK(has(text, "name=uni.control"));
  CHECK_FALSE(has(text, "-pci"));
  CHECK_FALSE(has(text, "-netdev"));
  CHECK_FALSE(has(text, "virtio-rng"));
}

TEST_CASE("q35 has modern PCI devices") {
  MachineSpec spec;
  spec.machine = Machine::kQ35;
  spec.entropy = true;
  const std::string text = joined(spec);
  CHECK(has(text, "-machine q35,"));
  CHECK(has(text, "virtio-blk-pci,disable-legacy=on,disable-modern=off"));
  CHECK(has(text, "virtio-rng-pci"));
}

TEST_CASE("more devices than the first slots hold bring the second IO-APIC") {
  MachineSpec spec;
  CHECK(has(joined(spec), "ioapic2=off"));
  for (int i = 0; i < 7; ++i)
    spec.shares.push_back({"/tmp", "/s" + std::to_string(i), Share::Access::kReadOnly});
  CHECK(has(joined(spec), "ioapic2=on"));
}

TEST_CASE("published ports become forwards of the user network") {
  MachineSpec spec;
  spec.network.kind = Network::Kind::kUser;
  spec.network.published = {{"127.0.0.1", 8080, 80, Publish::Protocol::kTcp},
                            {"0.0.0.0", 53, 54, Publish::Protocol::kUdp}};
  CHECK(has(joined(spec), "hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:0.0.0.0:53-:54"));
}

TEST_CASE("a comma in a path does not end an option") {
  MachineSpec spec;
  spec.shares = {{"/tmp/a,readonly=off", "/data", Share::Access::kReadOnly}};
  const std::string text = joined(spec);
  CHECK(has(text, "path=/tmp/a,,readonly=off,"));
  CHECK(has(text, "readonly=on"));
}

TEST_CASE("an empty overlay is a qcow2 file of the image's size") {
  const std::string bytes = empty_qcow2(std::uint64_t{3} << 30);
  CHECK(bytes.substr(0, 4) == "QFI\xfb");
  CHECK(static_cast<unsigned char>(bytes[28]) == 0xc0);  // 3 GiB, big-endian, bytes 24 to 31
  CHECK(static_cast<unsigned char>(bytes[39]) == 6);     // six L2 tables of 512 MiB
}

}  // namespace
}  // namespace uni::vmm
