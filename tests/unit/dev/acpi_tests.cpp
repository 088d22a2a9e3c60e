// SPDX-License-Identifier: Apache-2.0
// ACPI tables made here byte by byte, as the specification lays them out.
#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kernel/dev/acpi/tables.hpp"

using namespace uni;
namespace acpi = uni::dev::acpi;

namespace {

using Bytes = std::string;
constexpr u64 kBase = 0xe0000;

Bytes number(u64 value, usize width) {
  return Bytes(reinterpret_cast<const char*>(&value), width);
}

void fix(Bytes& table, usize size, usize at) {
  table[at] = 0;
  u8 sum = 0;
  for (usize i = 0; i < size; ++i)
    sum = static_cast<u8>(sum + static_cast<u8>(table[i]));
  table[at] = static_cast<char>(-sum);
}

Bytes table(const char* signature, const Bytes& body) {
  Bytes t = signature + number(36 + body.size(), 4) + Bytes(28, '\0') + body;
  fix(t, t.size(), 9);
  return t;
}

// A memory that holds nothing but the tables: an access outside is refused, and the copy has the exact size, so that a
// sanitizer sees every step over the end.
class Image final : public acpi::Memory {
 public:
  u64 add(const Bytes& bytes) {
    const u64 at = kBase + bytes_.size();
    bytes_ += bytes;
    bytes_.resize((bytes_.size() + 15) & ~usize{15});
    return at;
  }
  const u8* at(u64 address, usize size) override {
    if (address < kBase || address - kBase > bytes_.size() || size > bytes_.size() - (address - kBase)) return nullptr;
    copies_.push_back(std::make_unique<u8[]>(size));
    std::memcpy(copies_.back().get(), bytes_.data() + (address - kBase), size);
    return copies_.back().get();
  }
  Bytes bytes_ = Bytes(64, '\0');  // the RSDP's place

 private:
  std::vector<std::unique_ptr<u8[]>> copies_;
};

void put_rsdp(Image& image, u64 xsdt, u64 rsdt) {
  Bytes r = "RSD PTR " + Bytes(7, '\0') + number(xsdt != 0 ? 2 : 0, 1) + number(rsdt, 4) + number(36, 4) +
            number(xsdt, 8) + Bytes(4, '\0');
  fix(r, 20, 8);
  fix(r, 36, 32);
  image.bytes_.replace(0, r.size(), r);
}

const Bytes kVirtioDevice = Bytes("\x0dLNRO0005\0", 10) + Bytes("\x08_UID\x0a\x07\x08_CRS\x11", 13) +
                            Bytes("\x86\x09\x00\x01", 4) + number(0xfeb00e00, 4) + number(512, 4) +
                            Bytes("\x89\x06\x00\x01\x01", 5) + number(21, 4) + Bytes("\x79\x00", 2);

Bytes fadt(u64 dsdt) {
  Bytes body(268 - 36, '\0');
  auto put = [&](usize at, const Bytes& b) { body.replace(at - 36, b.size(), b); };
  put(40, number(dsdt, 4));
  put(64, number(0x604, 4));
  put(112, number(1u << 20 | 1u << 10, 4));
  put(116, Bytes("\x01\x08\x00\x01", 4) + number(0xcf9, 8));
  put(128, number(6, 1));
  put(244, Bytes("\x00\x08\x00\x01", 4) + number(0xfea00200, 8));
  return table("FACP", body);
}

void build(Image& image, bool wide) {
  const Bytes madt = number(0xfee00000, 4) + number(1, 4) + Bytes("\x00\x08\x00\x00", 4) + number(1, 4) +
                     Bytes("\x00\x08\x01\x02", 4) + number(1, 4) + Bytes("\x00\x08\x02\x04", 4) + number(0, 4) +
                     Bytes("\x09\x10\x00\x00", 4) + number(300, 4) + number(1, 4) + number(3, 4) +
                     Bytes("\x01\x0c\x00\x00", 4) + number(0xfec00000, 4) + number(0, 4) +
                     Bytes("\x02\x0a\x00\x00", 4) + number(2, 4) + number(0, 2) + Bytes("\x02\x0a\x00\x09", 4) +
                     number(9, 4) + number(0xf, 2);
  const u64 dsdt = image.add(table("DSDT", "\x08_S5_\x12\x06\x04\x0a\x05" + kVirtioDevice + kVirtioDevice));
  const u64 tables[] = {image.add(table("APIC", madt)), image.add(fadt(dsdt)), image.add(table("SSDT", "x")),
                        image.add(table("MCFG", Bytes(8, '\0') + number(0xb0000000, 8) + number(0, 2) + number(0, 1) +
                                                    number(255, 1) + Bytes(4, '\0')))};
  Bytes list;
  for (const u64 t : tables)
    list += number(t, wide ? 8 : 4);
  const u64 root = image.add(table(wide ? "XSDT" : "RSDT", list));
  put_rsdp(image, wide ? root : 0, wide ? 0 : root);
}

}  // namespace

TEST_CASE("ACPI tables give the machine's facts") {
  for (const bool wide : {false, true}) {
    Image image;
    build(image, wide);
    auto t = std::make_unique<acpi::Tables>();
    acpi::read_tables(image, kBase, *t);
    REQUIRE(t->found);
    REQUIRE(t->processor_count == 3);
    CHECK(t->processors[0].apic_id == 0);
    CHECK(t->processors[1].apic_id == 2);
    CHECK(t->processors[2].apic_id == 300);
    REQUIRE(t->io_apic_count == 1);
    CHECK(t->io_apics[0].address == 0xfec00000);
    REQUIRE(t->override_count == 2);
    CHECK(t->overrides[0].gsi == 2);
    CHECK_FALSE(t->overrides[0].level);
    CHECK(t->overrides[1].level);
    CHECK(t->overrides[1].active_low);
    CHECK(t->hardware_reduced);
    CHECK(t->sleep_control.address == 0xfea00200);
    CHECK(t->reset.address == 0xcf9);
    CHECK(t->reset_value == 6);
    CHECK(t->pm1a_control.address == 0x604);
    CHECK(t->ecam == 0xb0000000);
    CHECK(t->ecam_last_bus == 255);
    u8 type = 0;
    REQUIRE(acpi::find_s5(t->dsdt, &type));
    CHECK(type == 5);
    usize at = 0;
    acpi::VirtioMmio device;
    for (int i = 0; i < 2; ++i) {
      REQUIRE(acpi::next_virtio_mmio(t->dsdt, &at, &device));
      CHECK(device.address == 0xfeb00e00);
      CHECK(device.gsi == 21);
      CHECK_FALSE(device.edge);
    }
    CHECK_FALSE(acpi::next_virtio_mmio(t->dsdt, &at, &device));
  }
}

TEST_CASE("the RSDP is found in the BIOS area") {
  Image image;
  build(image, true);
  image.bytes_.resize(0x20000);
  auto t = std::make_unique<acpi::Tables>();
  acpi::read_tables(image, 0, *t);
  CHECK(t->found);
}

TEST_CASE("a table with a wrong checksum is as good as absent") {
  Image image;
  build(image, true);
  const usize madt = image.bytes_.find("APIC");
  image.bytes_[madt + 50] = static_cast<char>(image.bytes_[madt + 50] + 1);
  auto t = std::make_unique<acpi::Tables>();
  acpi::read_tables(image, kBase, *t);
  CHECK(t->found);
  CHECK(t->processor_count == 0);
  CHECK(t->hardware_reduced);
}

TEST_CASE("any one damaged byte, and any cut, is survived") {
  Image whole;
  build(whole, true);
  for (usize i = 0; i < whole.bytes_.size(); ++i) {
    Image image;
    image.bytes_ = whole.bytes_;
    image.bytes_[i] = static_cast<char>(image.bytes_[i] ^ 0xff);
    auto t = std::make_unique<acpi::Tables>();
    acpi::read_tables(image, kBase, *t);
    image.bytes_ = whole.bytes_.substr(0, i);
    acpi::read_tables(image, kBase, *t);
  }
  SUCCEED();
}
