// SPDX-License-Identifier: Apache-2.0
// A context of io_setup(2): what has ended waits in it until io_getevents(2) takes it. Contexts belong to the address
// space and are found by a number that is an address of it.
#pragma once

#include "kernel/fs/eventfd.hpp"
#include "kernel/mm/address_space.hpp"
#include "kernel/sched/deferred.hpp"
#include "syscall-shim/abi/aio.hpp"

namespace uni::shim {

class AioContext;

// A poll that waits: the only request that does not end within io_submit.
class AioPoll final : public RefCounted, public sched::Deferred {
 public:
  AioPoll(AioContext& context, RefPtr<fs::File> file, u32 wanted, const abi::Iocb& request, UserAddr object,
          RefPtr<fs::File> eventfd);
  void run_deferred() override;
  // Ends with what the file shows now; false where that is nothing. `forced`: ends in any case.
  bool try_finish(bool forced);

  struct FileWaiter : Waiter {
    explicit FileWaiter(AioPoll& poll) : Waiter(on_wake), owner(poll) {}
    static bool on_wake(Waiter& waiter, u32 events);
    AioPoll& owner;
  };
  ListNode node;  // in the context's polls
  FileWaiter waiter;
  const UserAddr object;

 private:
  friend class AioContext;
  RefPtr<AioContext> context_;  // given up when it ends
  RefPtr<fs::File> file_, eventfd_;
  u32 wanted_;
  u64 data_;
  std::atomic<bool> done_{false}, due_{false};
};

class AioContext final : public RefCounted {
 public:
  // Errors: Invalid, Again (more than aio-max-nr), NoMemory.
  static Result<RefPtr<AioContext>> create(u32 events, UserAddr id, u64 id_size);

  UserAddr id() const { return id_; }
  u64 id_size() const { return id_size_; }
  // A place for one more result. Errors: Again.
  Result<void> reserve();
  void unreserve();
  // Fills a reserved place and tells who waits, and the eventfd.
  void finish(u64 data, UserAddr object, i64 result, fs::File* eventfd);
  void add_poll(AioPoll& poll);
  // Cancels a waiting poll. Errors: Invalid (there is none).
  Result<void> cancel(UserAddr object);
  // Ends all polls; nothing is found in it afterwards.
  void close();
  // Takes events out, `least` to `most`, to user memory. Errors: Invalid (closed), Fault, Interrupted.
  Result<i64> take(i64 least, i64 most, UserPtr<abi::IoEvent> to, u64 deadline);

  ~AioContext() override;

 private:
  friend class AioPoll;
  template <typename T, typename... Args>
  friend Result<RefPtr<T>> uni::make_ref(Args&&... args);
  AioContext(UserAddr id, u64 id_size, u32 counted) : id_(id), id_size_(id_size), counted_(counted) {}
  usize take_batch(abi::IoEvent* out, usize most);

  const UserAddr id_;
  const u64 id_size_;
  const u32 counted_;  // against aio-max-nr
  SpinLock lock_{Rank::kPipe};
  Vector<abi::IoEvent> ring_;
  usize first_ = 0, count_ = 0, reserved_ = 0;
  bool closed_ = false;
  List<AioPoll, &AioPoll::node> polls_;
  WaitQueue queue_;
};

// The contexts of an address space.
class AioTable final : public RefCounted {
 public:
  static Result<AioTable*> of(mm::AddressSpace& space);
  Result<void> add(RefPtr<AioContext> context);
  // Errors: Invalid.
  Result<RefPtr<AioContext>> find(UserAddr id, bool remove = false);
  ~AioTable() override;

 private:
  SpinLock lock_{Rank::kFileTable};
  Vector<RefPtr<AioContext>> contexts_;
};

}  // namespace uni::shim
