// SPDX-License-Identifier: Apache-2.0
// Which digests are remembered: of files that have been left alone for a while, until they change.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "loader/analyze/digest.hpp"
#include "loader/analyze/digest_memory.hpp"
#include "tests/unit/scratch.hpp"

using uni::InputFile;
using uni::remembered_digest;
using uni::sha256_of;
using uni::test::Scratch;

TEST_CASE("a digest is remembered until the file changes, and never of a file that has just changed") {
  const Scratch scratch;
  const auto path = scratch.write("file", "one");
  const auto file = InputFile::open(path);
  REQUIRE(file);
  const auto fresh = sha256_of(*file);
  REQUIRE(fresh);
  CHECK(remembered_digest(*file).empty());
  ::sleep(4);
  CHECK(sha256_of(*file) == *fresh);
  CHECK(remembered_digest(*file) == *fresh);
  std::ofstream(path, std::ios::in | std::ios::binary) << "two";  // the same size
  CHECK(remembered_digest(*file).empty());
  const auto other = InputFile::open(scratch.write("other", "one"));
  REQUIRE(other);
  CHECK(remembered_digest(*other).empty());
}
