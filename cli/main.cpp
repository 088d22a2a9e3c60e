// SPDX-License-Identifier: Apache-2.0
// The program with every verb, `uni-tools`. What the user calls is the launcher (launcher.cpp), which becomes this one
// for everything but running an image.
#include "cli/commands/command_line.hpp"
#include "cli/commands/run_cache.hpp"

int main(int argc, char** argv) {
  return uni::command_line(argc, argv, uni::add_verbs, uni::cached_image);
}
