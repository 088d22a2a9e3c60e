// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "cli/image/gpt.hpp"
#include "cli/image/layout.hpp"

namespace gpt = uni::gpt;

namespace {

gpt::Table sample() {
  gpt::Table table;
  table.disk = gpt::guid("00112233-4455-6677-8899-aabbccddeeff");
  table.disk_size = std::uint64_t{8} << 20;
  table.partitions.push_back(
      {"uni-kernel", gpt::guid(uni::layout::kKernelType), gpt::guid(uni::layout::kRootType), 1U << 20, 1U << 20});
  return table;
}

}  // namespace

TEST_CASE("a GUID's first three fields are little-endian on disk") {
  const auto g = gpt::guid("00112233-4455-6677-8899-aabbccddeeff");
  CHECK(g == gpt::Guid{0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff});
  CHECK(gpt::guid("0011") == gpt::Guid{});
}

TEST_CASE("a partition table comes back as it was written") {
  const auto table = gpt::decode_front(gpt::encode_front(sample()));
  REQUIRE(table);
  CHECK(table->disk_size == sample().disk_size);
  REQUIRE(table->partitions.size() == 1);
  CHECK(table->partitions[0].name == "uni-kernel");
  CHECK(table->partitions[0].offset == 1U << 20);
  CHECK(table->partitions[0].size == 1U << 20);
}

TEST_CASE("a change of any byte of the header or of an entry is seen") {
  const auto good = gpt::encode_front(sample());
  for (std::size_t at = 512; at < 512 + 92; ++at) {
    auto bytes = good;
    bytes[at] ^= 0x10;
    CHECK_FALSE(gpt::decode_front(bytes));
  }
  for (std::size_t at = 1024; at < 1024 + 256; ++at) {
    auto bytes = good;
    bytes[at] ^= 0x01;
    CHECK_FALSE(gpt::decode_front(bytes));
  }
}

TEST_CASE("a partition outside the disk is refused") {
  auto table = sample();
  table.partitions[0].size = std::uint64_t{8} << 20;
  CHECK_FALSE(gpt::decode_front(gpt::encode_front(table)));
}
