// SPDX-License-Identifier: Apache-2.0
// ACPI tables of any content: the input is the memory from 0xe0000 on. Checksums are made right on the way, so that the
// fuzzer gets behind them.
#include "kernel/dev/acpi/tables.hpp"

#include <cstring>
#include <memory>
#include <vector>

namespace {

using namespace uni;

constexpr u64 kBase = 0xe0000;

class Input final : public dev::acpi::Memory {
 public:
  Input(const u8* data, usize size) : data_(data), size_(size) {}
  const u8* at(u64 address, usize size) override {
    if (address < kBase || address - kBase > size_ || size > size_ - (address - kBase)) return nullptr;
    auto copy = std::make_unique<u8[]>(size);
    std::memcpy(copy.get(), data_ + (address - kBase), size);
    u8 sum = 0;
    for (usize i = 0; i < size; ++i)
      sum = static_cast<u8>(sum + copy[i]);
    if (size >= 20) copy[size >= 36 ? 9 : 8] = static_cast<u8>(copy[size >= 36 ? 9 : 8] - sum);
    copies_.push_back(std::move(copy));
    return copies_.back().get();
  }

 private:
  const u8* data_;
  usize size_;
  std::vector<std::unique_ptr<u8[]>> copies_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input memory(data, size);
  const auto tables = std::make_unique<dev::acpi::Tables>();
  dev::acpi::read_tables(memory, kBase, *tables);
  u8 type = 0;
  (void)dev::acpi::find_s5(tables->dsdt, &type);
  dev::acpi::VirtioMmio device;
  for (usize at = 0; dev::acpi::next_virtio_mmio(tables->dsdt, &at, &device);) {
  }
  return 0;
}
