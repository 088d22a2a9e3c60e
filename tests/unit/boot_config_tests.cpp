// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "cli/image/boot_config.hpp"

using uni::BootConfig;

TEST_CASE("a boot configuration comes back as it was written") {
  BootConfig config;
  config.add("version", "1");
  config.add("program", "/bin/x");
  config.add("arg", "a=b\nc");
  config.add("arg", "");
  config.add("x-future", "anything");
  const auto bytes = config.encode();
  REQUIRE(bytes);
  const auto again = BootConfig::decode(*bytes + std::string(100, '\0'));
  REQUIRE(again);
  CHECK(*again == config);
  CHECK(again->all("arg") == std::vector<std::string_view>{"a=b\nc", ""});
}

TEST_CASE("unknown, repeated and endless boot configurations are refused") {
  using namespace std::string_view_literals;
  CHECK(BootConfig::decode("colour=red\0\0"sv).error().why == "`colour`");
  CHECK_FALSE(BootConfig::decode("cwd=/\0cwd=/\0\0"sv));
  CHECK_FALSE(BootConfig::decode("cwd=/\0"sv));
  CHECK_FALSE(BootConfig::decode("cwd\0\0"sv));
  CHECK_FALSE(BootConfig::decode(""sv));
  CHECK(BootConfig::decode("\0"sv));
}

TEST_CASE("values with NUL and configurations over a MiB are not written") {
  BootConfig nul;
  nul.add("arg", std::string_view("a\0b", 3));
  CHECK_FALSE(nul.encode());
  BootConfig large;
  large.add("arg", std::string(uni::kBootConfigLimit, 'x'));
  CHECK_FALSE(large.encode());
}

TEST_CASE("set replaces, set_env replaces by name, remove removes") {
  BootConfig config;
  config.add("env", "A=1");
  config.add("env", "B=2");
  config.set_env("A=3");
  config.set_env("C=4");
  CHECK(config.all("env") == std::vector<std::string_view>{"A=3", "B=2", "C=4"});
  config.set("cwd", "/a");
  config.set("cwd", "/b");
  CHECK(config.get("cwd") == "/b");
  config.remove("env");
  CHECK(config.all("env").empty());
}
