// SPDX-License-Identifier: Apache-2.0
// The limits of inter-process communication, with Linux's defaults; /proc/sys/kernel and /proc/sys/fs/mqueue change
// them.
#pragma once

#include <atomic>

#include "kernel/base/types.hpp"

namespace uni::ipc {

struct Limits {
  std::atomic<u64> shm_max{~u64{0} - (u64{1} << 24)};  // bytes of a segment
  std::atomic<u64> shm_all{~u64{0} - (u64{1} << 24)};  // pages of all segments
  std::atomic<u64> shm_segments{4096};
  std::atomic<u64> message_size{8192};
  std::atomic<u64> message_queue_bytes{16384};
  std::atomic<u64> message_queues{32000};
  std::atomic<u64> semaphores_a_set{32000};
  std::atomic<u64> semaphores{1024000000};
  std::atomic<u64> semaphore_operations{500};
  std::atomic<u64> semaphore_sets{32000};
  // POSIX message queues (mq_overview(7)).
  std::atomic<u64> mq_queues{256};
  std::atomic<u64> mq_messages{10}, mq_message_size{8192};
  std::atomic<u64> mq_default_messages{10}, mq_default_message_size{8192};
  // Keys that a user, and root, may own (keyrings(7)).
  std::atomic<u64> keys{200}, keys_of_root{1000000};
};
inline constinit Limits limits;

}  // namespace uni::ipc
