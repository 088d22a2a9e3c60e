// SPDX-License-Identifier: Apache-2.0
// Finds the virtio devices: those that the command line or ACPI names, then those on PCI. A device that does not start
// is reported and left alone; the kernel goes on without it.
#include "kernel/boot/log.hpp"
#include "kernel/dev/acpi/facts.hpp"
#include "kernel/dev/console/console.hpp"
#include "kernel/dev/devices.hpp"
#include "kernel/dev/virtio/block.hpp"
#include "kernel/dev/virtio/net.hpp"
#include "kernel/dev/virtio/p9.hpp"
#include "kernel/dev/virtio/rng.hpp"

namespace uni::dev {
namespace {

using virtio::DeviceType;
using virtio::Transport;

void start(OwnPtr<Transport> transport) {
  const DeviceType type = transport->type();
  Result<void> done;
  switch (type) {
    case DeviceType::kBlock:
      done = virtio::start_block(uni::move(transport));
      break;
    case DeviceType::kConsole:
      done = console::Console::start(uni::move(transport));
      break;
    case DeviceType::kRandom:
      done = virtio::start_rng(uni::move(transport));
      break;
    case DeviceType::kNet:
      done = virtio::note_net(uni::move(transport));
      break;
    case DeviceType::k9p:
      done = virtio::start_p9(uni::move(transport));
      break;
    default:
      log::info("virtio device of type {}: no driver", type);
      return;
  }
  if (!done.ok()) log::warn("virtio device of type {} does not start: {}", type, done.error());
}

void open_slot(u64 address, u32 gsi, arch::Trigger trigger) {
  auto transport = virtio::open_mmio(address, gsi, trigger);
  if (transport.ok() && transport.value()) start(transport.take());
}

// A number in C's notation at *at, which is moved behind it. False where there is none.
bool parse_number(StringView text, usize* at, u64* out) {
  u64 base = 10;
  if (text.slice(*at).starts_with("0x")) {
    base = 16;
    *at += 2;
  }
  const usize start = *at;
  u64 value = 0;
  for (; *at < text.size(); ++*at) {
    const char c = text[*at];
    const char lower = static_cast<char>(c | 0x20);
    u64 digit = 0;
    if (c >= '0' && c <= '9')
      digit = static_cast<u64>(c - '0');
    else if (base == 16 && lower >= 'a' && lower <= 'f')
      digit = static_cast<u64>(lower - 'a') + 10;
    else
      break;
    if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value)) return false;
  }
  *out = value;
  return *at != start;
}

// virtio_mmio.device=SIZE[KMG]@ADDRESS:IRQ[:ID], as Linux takes it.
bool parse_device(StringView text, u64* address, u64* irq) {
  usize at = 0;
  u64 size = 0;
  if (!parse_number(text, &at, &size)) return false;
  if (at < text.size() && (text[at] == 'K' || text[at] == 'M' || text[at] == 'G')) ++at;
  if (at >= text.size() || text[at++] != '@' || !parse_number(text, &at, address)) return false;
  return at < text.size() && text[at++] == ':' && parse_number(text, &at, irq) && *irq < 1024;
}

bool probe_command_line(StringView line) {
  static constexpr StringView kKey = "virtio_mmio.device=";
  bool any = false;
  for (usize at = 0; at < line.size();) {
    usize end = line.find(' ', at);
    if (end == StringView::kNotFound) end = line.size();
    const StringView word = line.slice(at, end - at);
    at = end + 1;
    if (!word.starts_with(kKey)) continue;
    u64 address = 0, irq = 0;
    if (!parse_device(word.slice(kKey.size()), &address, &irq)) {
      log::warn("`{}` is not understood", word);
      continue;
    }
    any = true;
    open_slot(address, static_cast<u32>(irq), arch::Trigger::kEdgeHigh);
  }
  return any;
}

}  // namespace

void probe(StringView command_line) {
  if (!probe_command_line(command_line)) {
    acpi::VirtioMmio device;
    for (usize at = 0; acpi::next_virtio_mmio(acpi::facts().dsdt, &at, &device);) {
      open_slot(device.address, device.gsi, device.edge ? arch::Trigger::kEdgeHigh : arch::Trigger::kLevelHigh);
    }
  }
  virtio::scan_pci(start);
}

}  // namespace uni::dev
