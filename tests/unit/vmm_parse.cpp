// SPDX-License-Identifier: Apache-2.0
// The values of `uni run`'s flags.
#include <catch2/catch.hpp>
#include <filesystem>

#include "cli/vmm/parse.hpp"

namespace uni::vmm {
namespace {

TEST_CASE("ports are published on the loopback address by default") {
  CHECK(parse_publish("8080:80").value() == Publish{"127.0.0.1", 8080, 80, Publish::Protocol::kTcp});
  CHECK(parse_publish("53:53/udp").value() == Publish{"127.0.0.1", 53, 53, Publish::Protocol::kUdp});
  CHECK(parse_publish("0.0.0.0:1:2/tcp").value() == Publish{"0.0.0.0", 1, 2, Publish::Protocol::kTcp});
  CHECK(parse_publish("[::1]:1:2").value() == Publish{"::1", 1, 2, Publish::Protocol::kTcp});
}

TEST_CASE("malformed ports are refused with status 125") {
  for (const char* text : {"", "80", ":", "80:", ":80", "0:80", "80:0", "65536:1", "1:65536", "-1:1", "1:1/sctp",
                           "1:1/", "localhost:1:1", "1.2.3:1:1", "a:b", "1:2:3:4", "127.0.0.1,x:1:1"}) {
    CAPTURE(text);
    const auto result = parse_publish(text);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == ExitCode::kRunFailed);
    CHECK_FALSE(result.error().hint.empty());
  }
}

TEST_CASE("sizes are Docker's") {
  CHECK(parse_memory("128M").value() == 128U << 20);
  CHECK(parse_memory("128m").value() == 128U << 20);
  CHECK(parse_memory("1G").value() == 1U << 30);
  CHECK(parse_memory("8192k").value() == 8U << 20);
  CHECK(parse_memory("10485761b").value() == 10485761 + 4095);
}

TEST_CASE("senseless sizes are refused") {
  for (const char* text : {"", "M", "x", "-1M", "1M", "0", "5T", "99999999999999999999", "9999999G", "12 M", "1.5G"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_memory(text).has_value());
  }
}

TEST_CASE("a shared directory must exist and its target be absolute") {
  const std::string dir = std::filesystem::canonical(std::filesystem::temp_directory_path()).string();
  CHECK(parse_share(dir + ":/data").value() == Share{dir, "/data", Share::Access::kReadWrite});
  CHECK(parse_share(dir + ":/data:ro").value() == Share{dir, "/data", Share::Access::kReadOnly});
  CHECK(parse_share(dir + ":/data:rw").value() == Share{dir, "/data", Share::Access::kReadWrite});
  for (const std::string& text : {dir, dir + ":data", dir + ":", std::string(":/data"), std::string("/no/such:/data"),
                                  std::string("/dev/null:/data"), std::string()}) {
    CAPTURE(text);
    CHECK_FALSE(parse_share(text).has_value());
  }
}

}  // namespace
}  // namespace uni::vmm
