// SPDX-License-Identifier: Apache-2.0
#include "loader/analyze/call_gates.hpp"

#include <algorithm>
#include <array>

namespace uni {
namespace {

using Names = std::span<const std::string_view>;

// pthread_mutex_lock and _unlock change the thread's priority for PTHREAD_PRIO_PROTECT.
constexpr std::array<std::string_view, 1> kCeiling{"pthread_mutexattr_setprotocol"};
// The child of posix_spawn; also of system(), which sets flags itself.
constexpr std::array<std::string_view, 1> kSpawnFlags{"posix_spawnattr_setflags"};
constexpr std::array<std::string_view, 2> kCeilingOrSpawn{"pthread_mutexattr_setprotocol", "posix_spawnattr_setflags"};
constexpr std::array<std::string_view, 5> kChdir{"posix_spawn_file_actions_addchdir_np", "ftw", "nftw", "ftw64",
                                                 "nftw64"};
constexpr std::array<std::string_view, 7> kFchdir{
    "posix_spawn_file_actions_addfchdir_np", "ftw", "nftw", "ftw64", "nftw64", "fts_open", "fts64_open"};

struct Gate {
  std::string_view callee;
  Names asked_by;
};

constexpr std::array<Gate, 11> kGates{{
    {"chdir", kChdir},
    {"fchdir", kFchdir},
    {"getpgid", kSpawnFlags},
    {"sched_get_priority_max", kCeiling},
    {"sched_get_priority_min", kCeiling},
    {"sched_getparam", kCeiling},
    {"sched_getscheduler", kCeiling},
    {"sched_setparam", kSpawnFlags},
    {"sched_setscheduler", kCeilingOrSpawn},
    {"setpgid", kSpawnFlags},
    {"setsid", kSpawnFlags},
}};

}  // namespace

Names asked_for_by(std::string_view callee) {
  const auto gate = std::ranges::find(kGates, callee, &Gate::callee);
  return gate == kGates.end() ? Names{} : gate->asked_by;
}

}  // namespace uni
