// SPDX-License-Identifier: Apache-2.0
// Work on independent items on all processors that this process may use.
#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace uni {

// Processors of this process's mask (sched_getaffinity(2)), at least 1.
inline unsigned usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int count = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return static_cast<unsigned>(std::max(1, count));
}

// Calls `work(index)` once for each index below `count`, in any order and from several threads. `work` must not throw.
template <typename Work>
void for_each_parallel(std::size_t count, Work work) {
  std::atomic<std::size_t> next{0};
  const auto loop = [&] {
    for (std::size_t i = next++; i < count; i = next++)
      work(i);
  };
  std::vector<std::thread> threads;
  const std::size_t wanted = std::min<std::size_t>(usable_processors(), count);
  for (std::size_t i = 1; i < wanted; ++i)
    threads.emplace_back(loop);
  loop();
  for (std::thread& t : threads)
    t.join();
}

}  // namespace uni
