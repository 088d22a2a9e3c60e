// SPDX-License-Identifier: Apache-2.0
// io_uring_setup(2), io_uring_enter(2), io_uring_register(2). Refused: polling by the kernel (IORING_SETUP_SQPOLL,
// IOPOLL) and the larger entries.
#include "syscall-shim/linux/io.hpp"
#include "syscall-shim/linux/signal.hpp"
#include "syscall-shim/linux/time.hpp"
#include "syscall-shim/linux/uring.hpp"

namespace uni::shim {

namespace {

constexpr u32 kMostEntries = 32768;
constexpr u32 kFeatures = abi::kFeatSingleMmap | abi::kFeatNoDrop | abi::kFeatSubmitStable | abi::kFeatRwCurPos |
                          abi::kFeatCurPersonality | abi::kFeatFastPoll | abi::kFeatPoll32Bits | abi::kFeatExtArg |
                          abi::kFeatNativeWorkers | abi::kFeatCqeSkip | abi::kFeatLinkedFile;

u32 power_of_two(u32 value) {
  u32 power = 1;
  while (power < value)
    power *= 2;
  return power;
}

// The sizes of both rings. Errors: Invalid.
Result<void> sizes(u32 entries, abi::UringParams& params) {
  const bool clamp = (params.flags & abi::kSetupClamp) != 0;
  if (entries == 0 || (entries > kMostEntries && !clamp)) return Errno::Invalid;
  params.sq_entries = power_of_two(min(entries, kMostEntries));
  if ((params.flags & abi::kSetupCqSize) == 0) {
    params.cq_entries = params.sq_entries * 2;
    return {};
  }
  if (params.cq_entries == 0 || (params.cq_entries > kMostEntries * 2 && !clamp)) return Errno::Invalid;
  params.cq_entries = power_of_two(min(params.cq_entries, kMostEntries * 2));
  return params.cq_entries < params.sq_entries ? Result<void>(Errno::Invalid) : Result<void>();
}

Result<RefPtr<fs::File>> ring_file(i32 fd) {
  RefPtr<fs::File> file = TRY(file_of(fd));
  if (file->kind() != fs::FileKind::kUring) return Errno::NotSupported;
  return file;
}

void tell_offsets(abi::UringParams& params) {
  using Rings = abi::UringRings;
  params.sq_off = {};
  params.sq_off.head = offsetof(Rings, sq_head);
  params.sq_off.tail = offsetof(Rings, sq_tail);
  params.sq_off.ring_mask = offsetof(Rings, sq_mask);
  params.sq_off.ring_entries = offsetof(Rings, sq_entries);
  params.sq_off.flags = offsetof(Rings, sq_flags);
  params.sq_off.dropped = offsetof(Rings, sq_dropped);
  params.sq_off.array = sizeof(Rings);
  params.cq_off = {};
  params.cq_off.head = offsetof(Rings, cq_head);
  params.cq_off.tail = offsetof(Rings, cq_tail);
  params.cq_off.ring_mask = offsetof(Rings, cq_mask);
  params.cq_off.ring_entries = offsetof(Rings, cq_entries);
  params.cq_off.overflow = offsetof(Rings, cq_overflow);
  params.cq_off.cqes = static_cast<u32>(align_up(sizeof(Rings) + usize{params.sq_entries} * sizeof(u32), 64));
  params.cq_off.flags = offsetof(Rings, cq_flags);
}

struct WaitArguments {
  u64 mask = 0, mask_size = 0;
  u64 deadline = time::kNever;
};

Result<WaitArguments> read_arguments(u32 flags, UserAddr argument, u64 size) {
  WaitArguments out;
  if ((flags & abi::kEnterExtArg) == 0) {
    out.mask = raw(argument);
    out.mask_size = size;
    return out;
  }
  if (size != sizeof(abi::UringGetEvents)) return Errno::Invalid;
  const abi::UringGetEvents given = TRY(UserPtr<abi::UringGetEvents>(argument).read());
  if (given.pad != 0) return Errno::Invalid;
  out.mask = given.mask;
  out.mask_size = given.mask_size;
  if (given.timeout != 0) out.deadline = TRY(read_deadline(UserPtr<abi::Timespec>(given.timeout)));
  return out;
}

}  // namespace

// io_uring_setup(2).
Result<i64> sys_io_uring_setup(u32 entries, UserPtr<abi::UringParams> user) {
  abi::UringParams params = TRY(user.read());
  for (const u32 word : params.reserved) {
    if (word != 0) return Errno::Invalid;
  }
  constexpr u32 kKnown = abi::kSetupCqSize | abi::kSetupClamp | abi::kSetupAttachWq | abi::kSetupDisabled |
                         abi::kSetupSubmitAll | abi::kSetupCoopTaskRun | abi::kSetupTaskRunFlag |
                         abi::kSetupSingleIssuer | abi::kSetupDeferTaskRun;
  if ((params.flags & ~kKnown) != 0) return Errno::Invalid;
  const bool defers = (params.flags & abi::kSetupDeferTaskRun) != 0;
  if (defers && (params.flags & abi::kSetupSingleIssuer) == 0) return Errno::Invalid;
  if ((params.flags & abi::kSetupTaskRunFlag) != 0 && !defers && (params.flags & abi::kSetupCoopTaskRun) == 0)
    return Errno::Invalid;
  TRY(sizes(entries, params));
  if ((params.flags & abi::kSetupAttachWq) != 0) {
    Result<RefPtr<fs::File>> other = ring_file(static_cast<i32>(params.wq_fd));
    if (!other.ok()) return other.error() == Errno::NotSupported ? Errno::Invalid : Errno::NoDeviceOrAddress;
  }
  RefPtr<Uring> ring = TRY(Uring::create(params.sq_entries, params.cq_entries, params.flags));
  params.features = kFeatures;
  tell_offsets(params);
  RefPtr<fs::File> file = TRY(make_ref<UringFile>(uni::move(ring)));
  TRY(user.write(params));
  Process::current().exit_hook.store(end_rings_of, std::memory_order_release);
  return TRY(Process::current().files->install(uni::move(file), true));
}

// io_uring_enter(2).
Result<i64> sys_io_uring_enter(i32 fd, u32 to_submit, u32 least, u32 flags, UserAddr argument, u64 size) {
  constexpr u32 kKnown = abi::kEnterGetEvents | abi::kEnterSqWakeup | abi::kEnterSqWait | abi::kEnterExtArg;
  if ((flags & ~kKnown) != 0) return Errno::Invalid;
  const RefPtr<fs::File> file = TRY(ring_file(fd));
  Uring& ring = static_cast<UringFile&>(*file).ring();
  if ((ring.flags() & abi::kSetupDisabled) != 0) return Errno::BadFdState;
  // Requests work on the memory of the process that made the ring.
  if (!ring.owned_by_caller()) return Errno::Exists;
  u32 submitted = 0;
  if (to_submit != 0) {
    submitted = TRY(ring.submit(to_submit));
    if (submitted != to_submit) return i64{submitted};
  }
  if ((flags & abi::kEnterGetEvents) == 0) return i64{submitted};
  const auto outcome = [&](Errno error) { return submitted != 0 ? Result<i64>(i64{submitted}) : Result<i64>(error); };
  const Result<WaitArguments> arguments = read_arguments(flags, argument, size);
  if (!arguments.ok()) return outcome(arguments.error());
  TemporaryMask temporary;
  const Result<void> masked = temporary.apply(UserPtr<u64>(arguments.value().mask), arguments.value().mask_size);
  if (!masked.ok()) return outcome(masked.error());
  const Result<void> waited = ring.wait(least, arguments.value().deadline);
  if (waited.ok()) return i64{submitted};
  if (waited.error() == Errno::Interrupted) temporary.keep_for_handler();
  return outcome(waited.error());
}

// io_uring_register(2).
Result<i64> sys_io_uring_register(i32 fd, u32 operation, UserAddr argument, u32 count) {
  const RefPtr<fs::File> file = TRY(ring_file(fd));
  Uring& ring = static_cast<UringFile&>(*file).ring();
  if (!ring.owned_by_caller()) return Errno::Exists;
  return ring.register_call(operation, argument, count);
}

}  // namespace uni::shim
