// SPDX-License-Identifier: Apache-2.0
// These tests' main function is Catch2's.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
