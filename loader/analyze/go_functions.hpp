// SPDX-License-Identifier: Apache-2.0
// The functions of a Go program from the table that its own run-time system needs (.gopclntab, Go's debug/gosym): there
// in a stripped program too.
#pragma once

#include <vector>

#include "loader/analyze/elf_image.hpp"

namespace uni {

// Names and beginnings, in the table's order. `table` is its address, `text` the address of Go's code where the table
// does not state it. The formats of Go 1.2, 1.16, 1.18 and 1.20 with eight-byte pointers; of another one, or where the
// table is damaged, nothing or less. The names lie in the image's bytes.
std::vector<ImageSymbol> go_functions(const ElfImage& image, std::uint64_t table, std::uint64_t text);

}  // namespace uni
