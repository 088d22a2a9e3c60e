// SPDX-License-Identifier: Apache-2.0
// io_uring(7): a ring of requests and a ring of results in memory that program and kernel share. docs/IO_URING.md has
// the design.
#pragma once

#include "kernel/fs/file.hpp"
#include "kernel/net/address.hpp"
#include "kernel/sched/process.hpp"
#include "syscall-shim/abi/io_uring.hpp"
#include "syscall-shim/linux/fs_common.hpp"

namespace uni::shim {

class Uring;
struct UringRequest;
using UringRequestPtr = RefPtr<UringRequest>;

// The pages of both rings and of the entries, as mmap shows them.
class UringMemory final : public mm::VmObject {
 public:
  static Result<RefPtr<UringMemory>> create(u32 sq_entries, u32 cq_entries);
  Result<mm::Page*> fault(u64 index, mm::Access access) override;
  // Needs: what is asked for does not cross a page.
  u8* ring(usize offset) const;
  u8* entries(usize offset) const;

 private:
  ~UringMemory() override;
  Vector<mm::Page*> rings_, entries_;
};

// What executing a request gave.
struct UringOutcome {
  bool waits = false;  // nothing yet: wait for these bits of the file, or for the timer where they are 0
  u32 bits = 0;
  i64 result = 0;  // as the completion shows it
  bool breaks_chain = false;
  static UringOutcome done(i64 value) { return {false, 0, value, value < 0}; }
  static UringOutcome failed(Errno error) { return done(-static_cast<i64>(error)); }
  // Of a transfer: what comes short breaks a chain too.
  static UringOutcome moved(usize count, usize wanted) { return {false, 0, static_cast<i64>(count), count < wanted}; }
  static UringOutcome wait(u32 poll_bits) { return {true, poll_bits, 0, false}; }
};

struct UringRequest final : RefCounted {
  // kWaiting: armed. kRunning: some thread executes it. Changed under Uring::lock_.
  enum class State : u8 { kRunning, kWaiting, kDone };

  UringRequest(Uring& owner, const abi::UringSqe& entry);
  bool has_link() const { return (sqe.flags & (abi::kSqeLink | abi::kSqeHardLink)) != 0; }
  // From a wake-up or a timer: has it looked at again.
  void kick();

  struct FileWaiter : Waiter {
    explicit FileWaiter(UringRequest& request) : Waiter(on_wake), owner(request) {}
    static bool on_wake(Waiter& waiter, u32 events);
    UringRequest& owner;
  };

  Uring& ring;
  abi::UringSqe sqe;
  ListNode node;  // in Uring::pending_ or ::deferred_
  State state = State::kRunning;
  bool pending = false;             // in pending_
  bool again = false;               // kicked while it ran; under lock_
  bool cancelled = false;           // under lock_
  std::atomic<bool> fired{false};   // its timer
  std::atomic<bool> queued{false};  // on Uring::incoming_
  UringRequest* next_incoming = nullptr;
  UringRequestPtr link;             // the next of its chain
  UringRequestPtr link_timeout;     // the LINK_TIMEOUT that watches it
  UringRequest* watched = nullptr;  // of a LINK_TIMEOUT; under lock_
  RefPtr<fs::File> file;
  FileWaiter waiter;
  time::Timer timer;
  u64 deadline = time::kNever;
  u32 target = 0;                // TIMEOUT with a count: Uring::posted_ at which it ends
  usize progress = 0;            // bytes that came so far (MSG_WAITALL)
  OwnPtr<IoVector> vector;       // readv, writev: taken once
  OwnPtr<net::Address> address;  // connect
};

class Uring final : public RefCounted {
 public:
  static Result<RefPtr<Uring>> create(u32 sq_entries, u32 cq_entries, u32 flags);

  // Takes entries and starts them; gives how many. The caller is a thread of the owner.
  Result<u32> submit(u32 most);
  // Waits until so many results are there. Errors: Interrupted, TimerExpired.
  Result<void> wait(u32 least, u64 deadline);
  // Cancels all and ends the worker: the owner closes the ring.
  void shut_down();
  bool owned_by_caller() const { return &Process::current() == owner_; }
  u32 poll();
  WaitQueue& poll_queue() { return poll_queue_; }
  RefPtr<UringMemory> memory() const { return memory_; }
  u32 sq_entries() const { return sq_entries_; }
  u32 cq_entries() const { return cq_entries_; }
  u32 flags() const { return flags_; }

  // --- uring_register.cpp ---
  Result<i64> register_call(u32 operation, UserAddr argument, u32 count);
  Result<i64> update_files(u32 first, UserPtr<i32> fds, u32 count);
  Result<i64> install_file(u32 slot_plus_one, i32 fd);  // moves a descriptor of the process into a slot
  Result<RefPtr<fs::File>> fixed_file(u32 index);
  Result<i64> clear_slot(u32 index);
  // Errors: Fault (not within the registered buffer).
  Result<void> check_fixed_buffer(u32 index, u64 address, u64 size);

  // --- uring_execute.cpp, uring_network.cpp, uring_names.cpp: one try. ---
  UringOutcome execute(UringRequest& request);

  // Posts an additional result of a request that goes on.
  void post(u64 user_data, i64 result, u32 flags) { put_result(user_data, result, flags, true); }
  // A wake-up brought something to do: wakes who does it. From interrupts too.
  void notify_work();
  void push_incoming(UringRequest& request);
  u32 posted() const { return posted_.load(std::memory_order_relaxed); }
  // Matches requests for cancellation; gives what ASYNC_CANCEL gives.
  struct Match {
    u64 user_data = 0;
    u32 flags = 0;                   // UringCancelFlag
    const fs::File* file = nullptr;  // with kCancelFd
    u8 only_op = abi::kOpLast;       // kOpLast: any
  };
  i64 cancel(const UringRequest& by, const Match& match);
  // A LINK_TIMEOUT has fired: ends what it watches. Gives its own result.
  i64 cancel_watched(UringRequest& timeout);
  void note_counted_timeout() { counted_timeouts_.fetch_add(1); }
  i64 update_timeout(u64 user_data, u64 deadline, u8 only_op);
  i64 update_poll(u64 user_data, const abi::UringSqe& change);

  ~Uring() override;

 private:
  template <typename T, typename... Args>
  friend Result<RefPtr<T>> uni::make_ref(Args&&... args);
  friend struct UringRequest;
  Uring(RefPtr<UringMemory> memory, u32 sq, u32 cq, u32 flags);
  abi::UringRings& rings() const { return *reinterpret_cast<abi::UringRings*>(memory_->ring(0)); }
  Result<UringRequestPtr> take_entry(u32 index);
  void start_chain(UringRequestPtr head);
  void run(UringRequestPtr request);
  bool arm(UringRequest& request, u32 bits);  // false: it is to be run at once
  // Ends a request; gives the next of its chain, to be run.
  UringRequestPtr complete(UringRequest& request, const UringOutcome& outcome);
  bool claim(UringRequest& request);  // kWaiting -> kRunning
  void cancel_chain(UringRequestPtr first);
  void cancel_link_timeout(UringRequest& request);
  void put_result(u64 user_data, i64 result, u32 flags, bool counts);
  void process_work();
  bool has_work() const {
    return incoming_.load(std::memory_order_seq_cst) != nullptr || deferred_ready_.load(std::memory_order_seq_cst);
  }
  void start_deferred();
  void end_counted_timeouts();
  void flush_overflow();
  u32 ready_results() const;
  Result<void> ensure_worker();
  static void worker_main(void* context);

  const RefPtr<UringMemory> memory_;
  const u32 sq_entries_, cq_entries_;
  u32 flags_;
  Process* const owner_;  // only compared: the worker keeps it alive
  Mutex submit_lock_;
  u32 sq_head_ = 0;

  SpinLock lock_{Rank::kPipe};  // states, lists, the completion ring
  List<UringRequest, &UringRequest::node> pending_, deferred_;
  u32 cq_tail_ = 0;
  struct Overflow {
    ListNode node;
    abi::UringCqe cqe;
  };
  List<Overflow, &Overflow::node> overflow_;
  u32 overflow_count_ = 0;
  u32 active_ = 0;  // started and not completed
  std::atomic<u32> counted_timeouts_{0};
  bool closing_ = false;
  std::atomic<u32> posted_{0};  // results but those of timeouts
  std::atomic<bool> deferred_ready_{false};
  std::atomic<UringRequest*> incoming_{nullptr};
  std::atomic<u32> waiting_callers_{0};
  WaitQueue poll_queue_{Rank::kWaitQueueInner};  // of the ring's descriptor
  WaitQueue caller_queue_{Rank::kWaitQueueInner}, worker_queue_{Rank::kWaitQueueInner};

  RefPtr<Thread> worker_;
  std::atomic<bool> stop_{false}, worker_ended_{false};

  Mutex register_lock_;
  Vector<RefPtr<fs::File>> files_;
  Vector<IoSegment> buffers_;
  RefPtr<fs::File> eventfd_;
  bool has_files_ = false, has_buffers_ = false;
};

// The descriptor of a ring.
class UringFile final : public fs::File {
 public:
  explicit UringFile(RefPtr<Uring> uring) : File(fs::FileKind::kUring, fs::kOpenReadWrite), ring_(uni::move(uring)) {}
  Uring& ring() { return *ring_; }
  u32 poll() override { return ring_->poll(); }
  WaitQueue* poll_queue() override { return &ring_->poll_queue(); }
  Result<RefPtr<mm::VmObject>> vm_object() override { return RefPtr<mm::VmObject>(ring_->memory()); }
  void descriptor_closed(fs::FileTable& table) override;
  usize describe(Span<char> out) override;

 private:
  ~UringFile() override;
  RefPtr<Uring> ring_;
};

// For Process::exit_hook.
void end_rings_of(Process& process);

// Pieces of execute(), by family; false where the operation is not theirs.
bool execute_network(UringRequest& request, UringOutcome* out);
bool execute_names(UringRequest& request, UringOutcome* out);
// The file that the entry names. Errors: BadFd.
Result<fs::File*> uring_file(UringRequest& request);
// A failure as a result: signals do not restart a request.
UringOutcome uring_failure(Errno error);

}  // namespace uni::shim
