// SPDX-License-Identifier: Apache-2.0
// RSDP, XSDT or RSDT, MADT, FADT, MCFG and two byte patterns of the DSDT. It has no AML interpreter: QEMU's and the
// firmwares' \_S5 and virtio-mmio objects are constants, and are found by their encoding (ACPI 6.5, 20.2).
#include "kernel/dev/acpi/tables.hpp"

namespace uni::dev::acpi {
namespace {

constexpr usize kHeaderSize = 36;      // DESCRIPTION_HEADER (5.2.6)
constexpr usize kMostBytes = 1 << 20;  // no real table is larger

// Little-endian numbers out of a table; beyond its end they are 0, as for a field that an older revision lacks.
class Bytes {
 public:
  explicit Bytes(Span<const u8> bytes) : bytes_(bytes) {}
  usize size() const { return bytes_.size(); }
  u8 get8(usize at) const { return static_cast<u8>(get(at, 1)); }
  u16 get16(usize at) const { return static_cast<u16>(get(at, 2)); }
  u32 get32(usize at) const { return static_cast<u32>(get(at, 4)); }
  u64 get64(usize at) const { return get(at, 8); }
  Register get_register(usize at) const { return {get8(at), get64(at + 4)}; }

 private:
  u64 get(usize at, usize width) const {
    if (at > bytes_.size() || width > bytes_.size() - at) return 0;
    u64 value = 0;
    __builtin_memcpy(&value, bytes_.data() + at, width);
    return value;
  }
  Span<const u8> bytes_;
};

bool sums_to_zero(const u8* data, usize size) {
  u8 sum = 0;
  for (usize i = 0; i < size; ++i)
    sum = static_cast<u8>(sum + data[i]);
  return sum == 0;
}

// The whole table at `address`, header included; empty where it is not sound.
Span<const u8> table_at(Memory& memory, u64 address) {
  const u8* header = address == 0 ? nullptr : memory.at(address, kHeaderSize);
  if (header == nullptr) return {};
  const usize size = Bytes({header, kHeaderSize}).get32(4);
  if (size < kHeaderSize || size > kMostBytes) return {};
  const u8* all = memory.at(address, size);
  if (all == nullptr || !sums_to_zero(all, size)) return {};
  return {all, size};
}

bool has_signature(Span<const u8> table, const char* signature) {
  return table.size() >= kHeaderSize && __builtin_memcmp(table.data(), signature, 4) == 0;
}

constexpr usize kRsdpSize1 = 20, kRsdpSize2 = 36;

// The root table behind an RSDP; *wide says whether its entries have 64 bits.
Span<const u8> root_at(Memory& memory, u64 rsdp, bool* wide) {
  const u8* p = memory.at(rsdp, kRsdpSize1);
  if (p == nullptr || __builtin_memcmp(p, "RSD PTR ", 8) != 0 || !sums_to_zero(p, kRsdpSize1)) return {};
  const u32 rsdt = Bytes({p, kRsdpSize1}).get32(16);
  if (p[15] >= 2) {
    const u8* q = memory.at(rsdp, kRsdpSize2);
    if (q != nullptr && sums_to_zero(q, kRsdpSize2)) {
      const Span<const u8> xsdt = table_at(memory, Bytes({q, kRsdpSize2}).get64(24));
      *wide = true;
      if (has_signature(xsdt, "XSDT")) return xsdt;
    }
  }
  *wide = false;
  const Span<const u8> table = table_at(memory, rsdt);
  return has_signature(table, "RSDT") ? table : Span<const u8>();
}

u64 find_rsdp(Memory& memory) {
  constexpr u64 kStart = 0xe0000, kEnd = 0x100000;
  for (u64 at = kStart; at < kEnd; at += 16) {
    const u8* p = memory.at(at, kRsdpSize1);
    if (p != nullptr && p[0] == 'R' && __builtin_memcmp(p, "RSD PTR ", 8) == 0 && sums_to_zero(p, kRsdpSize1)) {
      return at;
    }
  }
  return 0;
}

void add_processor(Tables& out, u32 apic_id, u32 flags) {
  if ((flags & 1) == 0 || out.processor_count == kMostProcessors) return;
  for (usize i = 0; i < out.processor_count; ++i) {
    if (out.processors[i].apic_id == apic_id) return;
  }
  out.processors[out.processor_count++] = {apic_id};
}

// 5.2.12. Interrupt overrides give polarity in bits 0-1 and trigger in bits 2-3 of the MPS flags (1.5: ISA's default is
// high, edge).
void read_madt(Span<const u8> table, Tables& out) {
  usize at = kHeaderSize + 8;
  while (at + 2 <= table.size()) {
    const usize size = table[at + 1];
    if (size < 2 || size > table.size() - at) return;
    const Bytes entry(table.slice(at, size));
    at += size;
    switch (entry.get8(0)) {
      case 0:
        add_processor(out, entry.get8(3), entry.get32(4));
        break;
      case 1:
        if (size >= 12 && out.io_apic_count < kMostIoApics) {
          out.io_apics[out.io_apic_count++] = {entry.get32(4), entry.get32(8)};
        }
        break;
      case 2:
        if (size >= 10 && out.override_count < kMostOverrides) {
          const u16 flags = entry.get16(8);
          out.overrides[out.override_count++] = {entry.get8(3), entry.get32(4), (flags & 3) == 3, (flags & 12) == 12};
        }
        break;
      case 9:
        add_processor(out, entry.get32(4), entry.get32(8));
        break;
      default:
        break;
    }
  }
}

// 5.2.9. Only the registers that power-off and reset need.
void read_fadt(Memory& memory, Span<const u8> table, Tables& out) {
  const Bytes fadt(table);
  const u32 flags = fadt.get32(112);
  out.hardware_reduced = (flags & (1u << 20)) != 0;
  if ((flags & (1u << 10)) != 0) {
    out.reset = fadt.get_register(116);
    out.reset_value = fadt.get8(128);
  }
  if (out.hardware_reduced) out.sleep_control = fadt.get_register(244);
  out.pm1a_control = fadt.get_register(172);
  if (out.pm1a_control.address == 0) out.pm1a_control = {Register::kPort, fadt.get32(64)};
  out.pm1b_control = fadt.get_register(184);
  if (out.pm1b_control.address == 0) out.pm1b_control = {Register::kPort, fadt.get32(68)};
  Span<const u8> dsdt = table_at(memory, fadt.get64(140));
  if (!has_signature(dsdt, "DSDT")) dsdt = table_at(memory, fadt.get32(40));
  if (has_signature(dsdt, "DSDT")) out.dsdt = dsdt.slice(kHeaderSize);
}

// PCI firmware specification 3.3, 4.1.2.
void read_mcfg(Span<const u8> table, Tables& out) {
  const Bytes mcfg(table);
  for (usize at = kHeaderSize + 8; at + 16 <= mcfg.size(); at += 16) {
    if (mcfg.get16(at + 8) != 0) continue;
    out.ecam = mcfg.get64(at);
    out.ecam_first_bus = mcfg.get8(at + 10);
    out.ecam_last_bus = mcfg.get8(at + 11);
    return;
  }
}

// The index of `pattern` in `aml` at or behind `from`; aml.size() where it is not.
usize find_bytes(Span<const u8> aml, const char* pattern, usize size, usize from) {
  const u8 first = static_cast<u8>(pattern[0]);
  for (usize i = from; i + size <= aml.size(); ++i) {
    if (aml.data()[i] == first && __builtin_memcmp(aml.data() + i, pattern, size) == 0) return i;
  }
  return aml.size();
}

}  // namespace

void read_tables(Memory& memory, u64 rsdp, Tables& out) {
  if (rsdp == 0) rsdp = find_rsdp(memory);
  if (rsdp == 0) return;
  bool wide = false;
  const Span<const u8> root = root_at(memory, rsdp, &wide);
  if (root.empty()) return;
  out.found = true;
  const usize step = wide ? 8 : 4;
  for (usize at = kHeaderSize; at + step <= root.size(); at += step) {
    const u64 address = wide ? Bytes(root).get64(at) : Bytes(root).get32(at);
    // The signature is looked at before the checksum, so that tables of no interest cost nothing.
    const u8* header = address == 0 ? nullptr : memory.at(address, kHeaderSize);
    if (header == nullptr) continue;
    const Span<const u8> name(header, kHeaderSize);
    if (has_signature(name, "APIC"))
      read_madt(table_at(memory, address), out);
    else if (has_signature(name, "FACP"))
      read_fadt(memory, table_at(memory, address), out);
    else if (has_signature(name, "MCFG"))
      read_mcfg(table_at(memory, address), out);
  }
}

bool find_s5(Span<const u8> aml, u8* sleep_type) {
  // NameOp "_S5_" PackageOp PkgLength NumElements Integer...; the package is short, so PkgLength is one byte.
  const usize at = find_bytes(aml, "_S5_\x12", 5, 0);
  const Bytes b(aml);
  if (at + 9 > aml.size()) return false;
  const usize value = at + 7;
  switch (b.get8(value)) {
    case 0x00:  // ZeroOp
    case 0x01:  // OneOp
      *sleep_type = b.get8(value);
      return true;
    case 0x0a:  // BytePrefix
      *sleep_type = b.get8(value + 1) & 7;
      return true;
    default:
      return false;
  }
}

bool next_virtio_mmio(Span<const u8> aml, usize* position, VirtioMmio* out) {
  static constexpr char kHid[] = "LNRO0005";
  while (*position < aml.size()) {
    const usize at = find_bytes(aml, kHid, sizeof kHid, *position);
    if (at == aml.size()) break;
    *position = at + sizeof kHid;
    // The device's resources lie within its few other objects, before the next device.
    const Span<const u8> rest = aml.slice(*position, 96);
    const usize memory = find_bytes(rest, "\x86\x09\x00", 3, 0);               // Memory32Fixed (6.4.3.4)
    const usize interrupt = find_bytes(rest, "\x89\x06\x00", 3, memory + 12);  // extended interrupt (6.4.3.6)
    if (interrupt + 9 > rest.size()) continue;
    const Bytes b(rest);
    const u8 flags = b.get8(interrupt + 3);
    *out = {b.get32(memory + 4), b.get32(interrupt + 5), (flags & 2) != 0};
    if (out->address != 0) return true;
  }
  *position = aml.size();
  return false;
}

}  // namespace uni::dev::acpi
