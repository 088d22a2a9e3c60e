// SPDX-License-Identifier: Apache-2.0
// The arithmetic of interval timers.
#include <catch2/catch.hpp>

#include "kernel/time/alarm.hpp"

namespace uni::time {
namespace {

TEST_CASE("a timer without an interval expires once") {
  const Expiry e = expire(100, 0, 5000);
  CHECK(e.count == 1);
  CHECK(e.next == kNever);
}

TEST_CASE("missed intervals are counted and the phase is kept") {
  CHECK(expire(100, 10, 100).count == 1);
  CHECK(expire(100, 10, 100).next == 110);
  CHECK(expire(100, 10, 109).count == 1);
  CHECK(expire(100, 10, 110).count == 2);
  CHECK(expire(100, 10, 157).count == 6);
  CHECK(expire(100, 10, 157).next == 160);
}

TEST_CASE("intervals that overflow never come again") {
  CHECK(expire(100, ~u64{0} - 50, 200).next == kNever);
  CHECK(expire(~u64{0} - 10, 20, ~u64{0} - 1).next == kNever);
}

}  // namespace
}  // namespace uni::time
