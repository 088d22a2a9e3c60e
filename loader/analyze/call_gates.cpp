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

constexpr std::array<std::string_view, 1> kCloseFrom{"posix_spawn_file_actions_addclosefrom_np"};
// pthread_create, for attributes that differ from the creator's.
constexpr std::array<std::string_view, 2> kThreadPriority{"pthread_attr_setinheritsched", "pthread_setattr_default_np"};
constexpr std::array<std::string_view, 1> kDefaultThread{"pthread_setattr_default_np"};
constexpr std::array<std::string_view, 3> kThreadAffinity{"pthread_attr_setaffinity_np", "pthread_getattr_np",
                                                          "pthread_setattr_default_np"};

template <typename Key>
struct Gate {
  Key callee;
  Names asked_by;
};

constexpr std::array<Gate<std::string_view>, 12> kCalls{{
    {"chdir", kChdir},
    {"fchdir", kFchdir},
    {"getpgid", kSpawnFlags},
    {"pthread_attr_setaffinity_np",
     kDefaultThread},  // copies of attributes: of the default ones, or of what was set before
    {"sched_get_priority_max", kCeiling},
    {"sched_get_priority_min", kCeiling},
    {"sched_getparam", kCeiling},
    {"sched_getscheduler", kCeiling},
    {"sched_setparam", kSpawnFlags},
    {"sched_setscheduler", kCeilingOrSpawn},
    {"setpgid", kSpawnFlags},
    {"setsid", kSpawnFlags},
}};

constexpr std::array<Gate<unsigned>, 7> kNumbers{{
    {117, kSpawnFlags},      // setresuid
    {119, kSpawnFlags},      // setresgid
    {143, kThreadPriority},  // sched_getparam
    {144, kThreadPriority},  // sched_setscheduler
    {145, kThreadPriority},  // sched_getscheduler
    {203, kThreadAffinity},  // sched_setaffinity
    {436, kCloseFrom},       // close_range
}};

template <typename Table, typename Key>
Names find(const Table& table, const Key& key) {
  const auto gate = std::ranges::find(table, key, [](const auto& g) { return g.callee; });
  return gate == table.end() ? Names{} : gate->asked_by;
}

}  // namespace

Names asked_for_by(std::string_view callee) {
  return find(kCalls, callee);
}

Names asked_for_by(unsigned number) {
  return find(kNumbers, number);
}

}  // namespace uni
