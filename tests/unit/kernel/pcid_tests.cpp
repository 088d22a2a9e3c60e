// SPDX-License-Identifier: Apache-2.0
// Process-context identifiers: what a processor keeps of an address space that it left.
#include "kernel/arch/x86_64/pcid.hpp"

#include <catch2/catch.hpp>

using uni::arch::PcidSlots;

TEST_CASE("A space that comes back unchanged keeps its translations") {
  PcidSlots slots;
  const auto first = slots.load({7, 3});
  CHECK(!first.keep);
  CHECK(first.pcid != 0);
  slots.load({8, 0});
  const auto again = slots.load({7, 3});
  CHECK(again.keep);
  CHECK(again.pcid == first.pcid);
}

TEST_CASE("An invalidation while the space was not loaded empties it") {
  PcidSlots slots;
  slots.load({7, 3});
  slots.load({8, 0});
  slots.invalidated({7, 4});  // not the loaded one: nothing was done for it
  CHECK(!slots.load({7, 4}).keep);
}

TEST_CASE("An invalidation of the loaded space is counted in turn only") {
  PcidSlots slots;
  slots.load({7, 3});
  slots.invalidated({7, 4});
  slots.load({8, 0});
  CHECK(slots.load({7, 4}).keep);
  slots.invalidated({7, 6});  // before the fifth
  slots.invalidated({7, 5});
  slots.load({8, 0});
  CHECK(!slots.load({7, 6}).keep);
}

TEST_CASE("Identifiers are few, and one that is given away is emptied") {
  PcidSlots slots;
  const auto first = slots.load({1, 0});
  for (uni::u64 space = 2; space < 100; ++space) {
    const auto choice = slots.load({space, 0});
    CHECK(!choice.keep);
    CHECK(choice.pcid >= 1);
    CHECK(choice.pcid <= 6);
  }
  CHECK(!slots.load({1, 0}).keep);
  CHECK(first.pcid <= 6);
}

TEST_CASE("With the kernel's tables loaded no space is") {
  PcidSlots slots;
  slots.load({1, 0});
  CHECK(slots.is_loaded(1));
  slots.unload();
  CHECK(!slots.is_loaded(1));
  slots.invalidated({1, 1});
  CHECK(!slots.load({1, 1}).keep);
}
