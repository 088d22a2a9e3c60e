// SPDX-License-Identifier: Apache-2.0
// The names of flags and constants here serve people who read traces; the handlers do not use them.
#include "syscall-shim/entry/trace_args.hpp"

#include "kernel/signal/signal.hpp"
#include "syscall-shim/abi/poll.hpp"
#include "syscall-shim/abi/time.hpp"

namespace uni::shim {

namespace {

constexpr usize kMostText = 32;   // strace's -s
constexpr usize kMostPath = 200;  // of a path, which strace shows whole

struct Name {
  u32 value;
  const char* text;
};

constexpr Name kOpenModes[] = {{0, "O_RDONLY"}, {1, "O_WRONLY"}, {2, "O_RDWR"}};
// Larger combinations first: their bits are taken off before the smaller are looked at.
constexpr Name kOpenFlags[] = {{0x410000, "O_TMPFILE"},  {0x101000, "O_SYNC"},    {0x40, "O_CREAT"},
                               {0x80, "O_EXCL"},         {0x100, "O_NOCTTY"},     {0x200, "O_TRUNC"},
                               {0x400, "O_APPEND"},      {0x800, "O_NONBLOCK"},   {0x1000, "O_DSYNC"},
                               {0x2000, "O_ASYNC"},      {0x4000, "O_DIRECT"},    {0x8000, "O_LARGEFILE"},
                               {0x10000, "O_DIRECTORY"}, {0x20000, "O_NOFOLLOW"}, {0x40000, "O_NOATIME"},
                               {0x80000, "O_CLOEXEC"},   {0x200000, "O_PATH"}};
constexpr Name kProtection[] = {
    {1, "PROT_READ"}, {2, "PROT_WRITE"}, {4, "PROT_EXEC"}, {0x1000000, "PROT_GROWSDOWN"}, {0x2000000, "PROT_GROWSUP"}};
constexpr Name kMapFlags[] = {
    {3, "MAP_SHARED_VALIDATE"},       {1, "MAP_SHARED"},      {2, "MAP_PRIVATE"},        {0x10, "MAP_FIXED"},
    {0x20, "MAP_ANONYMOUS"},          {0x40, "MAP_32BIT"},    {0x100, "MAP_GROWSDOWN"},  {0x800, "MAP_DENYWRITE"},
    {0x1000, "MAP_EXECUTABLE"},       {0x2000, "MAP_LOCKED"}, {0x4000, "MAP_NORESERVE"}, {0x8000, "MAP_POPULATE"},
    {0x10000, "MAP_NONBLOCK"},        {0x20000, "MAP_STACK"}, {0x40000, "MAP_HUGETLB"},  {0x80000, "MAP_SYNC"},
    {0x100000, "MAP_FIXED_NOREPLACE"}};
constexpr Name kClocks[] = {{0, "CLOCK_REALTIME"},          {1, "CLOCK_MONOTONIC"},     {2, "CLOCK_PROCESS_CPUTIME_ID"},
                            {3, "CLOCK_THREAD_CPUTIME_ID"}, {4, "CLOCK_MONOTONIC_RAW"}, {5, "CLOCK_REALTIME_COARSE"},
                            {6, "CLOCK_MONOTONIC_COARSE"},  {7, "CLOCK_BOOTTIME"},      {8, "CLOCK_REALTIME_ALARM"},
                            {9, "CLOCK_BOOTTIME_ALARM"},    {11, "CLOCK_TAI"}};
constexpr Name kFutex[] = {{0, "FUTEX_WAIT"},         {1, "FUTEX_WAKE"},       {3, "FUTEX_REQUEUE"},
                           {4, "FUTEX_CMP_REQUEUE"},  {5, "FUTEX_WAKE_OP"},    {6, "FUTEX_LOCK_PI"},
                           {7, "FUTEX_UNLOCK_PI"},    {8, "FUTEX_TRYLOCK_PI"}, {9, "FUTEX_WAIT_BITSET"},
                           {10, "FUTEX_WAKE_BITSET"}, {13, "FUTEX_LOCK_PI2"}};
constexpr Name kFcntl[] = {{0, "F_DUPFD"},         {1, "F_GETFD"},
                           {2, "F_SETFD"},         {3, "F_GETFL"},
                           {4, "F_SETFL"},         {5, "F_GETLK"},
                           {6, "F_SETLK"},         {7, "F_SETLKW"},
                           {8, "F_SETOWN"},        {9, "F_GETOWN"},
                           {36, "F_OFD_GETLK"},    {37, "F_OFD_SETLK"},
                           {38, "F_OFD_SETLKW"},   {1030, "F_DUPFD_CLOEXEC"},
                           {1031, "F_SETPIPE_SZ"}, {1032, "F_GETPIPE_SZ"},
                           {1033, "F_ADD_SEALS"},  {1034, "F_GET_SEALS"}};
constexpr Name kEpollOperations[] = {{1, "EPOLL_CTL_ADD"}, {2, "EPOLL_CTL_DEL"}, {3, "EPOLL_CTL_MOD"}};
constexpr Name kEpollEvents[] = {{0x1, "EPOLLIN"},
                                 {0x2, "EPOLLPRI"},
                                 {0x4, "EPOLLOUT"},
                                 {0x8, "EPOLLERR"},
                                 {0x10, "EPOLLHUP"},
                                 {0x40, "EPOLLRDNORM"},
                                 {0x80, "EPOLLRDBAND"},
                                 {0x100, "EPOLLWRNORM"},
                                 {0x200, "EPOLLWRBAND"},
                                 {0x2000, "EPOLLRDHUP"},
                                 {1u << 28, "EPOLLEXCLUSIVE"},
                                 {1u << 29, "EPOLLWAKEUP"},
                                 {1u << 30, "EPOLLONESHOT"},
                                 {1u << 31, "EPOLLET"}};
constexpr Name kDomains[] = {{0, "AF_UNSPEC"}, {1, "AF_UNIX"},     {2, "AF_INET"},
                             {10, "AF_INET6"}, {16, "AF_NETLINK"}, {17, "AF_PACKET"}};
constexpr Name kSocketTypes[] = {{1, "SOCK_STREAM"}, {2, "SOCK_DGRAM"}, {3, "SOCK_RAW"}, {5, "SOCK_SEQPACKET"}};
constexpr Name kSocketFlags[] = {{0x80000, "SOCK_CLOEXEC"}, {0x800, "SOCK_NONBLOCK"}};
constexpr Name kAdvice[] = {
    {0, "MADV_NORMAL"},   {1, "MADV_RANDOM"},      {2, "MADV_SEQUENTIAL"},     {3, "MADV_WILLNEED"},
    {4, "MADV_DONTNEED"}, {8, "MADV_FREE"},        {9, "MADV_REMOVE"},         {10, "MADV_DONTFORK"},
    {11, "MADV_DOFORK"},  {14, "MADV_HUGEPAGE"},   {15, "MADV_NOHUGEPAGE"},    {16, "MADV_DONTDUMP"},
    {17, "MADV_DODUMP"},  {18, "MADV_WIPEONFORK"}, {22, "MADV_POPULATE_READ"}, {23, "MADV_POPULATE_WRITE"}};
constexpr Name kHow[] = {{0, "SIG_BLOCK"}, {1, "SIG_UNBLOCK"}, {2, "SIG_SETMASK"}};
constexpr Name kLimits[] = {
    {0, "RLIMIT_CPU"},       {1, "RLIMIT_FSIZE"}, {2, "RLIMIT_DATA"},    {3, "RLIMIT_STACK"},
    {4, "RLIMIT_CORE"},      {5, "RLIMIT_RSS"},   {6, "RLIMIT_NPROC"},   {7, "RLIMIT_NOFILE"},
    {8, "RLIMIT_MEMLOCK"},   {9, "RLIMIT_AS"},    {10, "RLIMIT_LOCKS"},  {11, "RLIMIT_SIGPENDING"},
    {12, "RLIMIT_MSGQUEUE"}, {13, "RLIMIT_NICE"}, {14, "RLIMIT_RTPRIO"}, {15, "RLIMIT_RTTIME"}};
constexpr Name kAtFlags[] = {{0x100, "AT_SYMLINK_NOFOLLOW"},
                             {0x200, "AT_REMOVEDIR"},
                             {0x400, "AT_SYMLINK_FOLLOW"},
                             {0x800, "AT_NO_AUTOMOUNT"},
                             {0x1000, "AT_EMPTY_PATH"}};
constexpr Name kWhence[] = {{0, "SEEK_SET"}, {1, "SEEK_CUR"}, {2, "SEEK_END"}, {3, "SEEK_DATA"}, {4, "SEEK_HOLE"}};

void write_name(Writer& out, Span<const Name> names, u32 value) {
  for (const Name& n : names) {
    if (n.value == value) return out.write(n.text);
  }
  format(out, "{:#x}", value);
}

// `zero` stands where no bit is set; null: nothing, because something was written before.
void write_flags(Writer& out, Span<const Name> names, u32 value, const char* zero) {
  const char* separator = zero == nullptr ? "|" : "";
  if (value == 0 && zero != nullptr) return out.write(zero);
  for (const Name& n : names) {
    if (n.value == 0 || (value & n.value) != n.value) continue;
    format(out, "{}{}", separator, n.text);
    separator = "|";
    value &= ~n.value;
  }
  if (value != 0) format(out, "{}{:#x}", separator, value);
}

// Bytes of the program in quotes, C escapes for what is not printable.
void write_text(Writer& out, const char* text, usize size, bool cut) {
  out.write("\"");
  for (usize i = 0; i < size; ++i) {
    const char c = text[i];
    switch (c) {
      case '\n':
        out.write("\\n");
        break;
      case '\r':
        out.write("\\r");
        break;
      case '\t':
        out.write("\\t");
        break;
      case '"':
        out.write("\\\"");
        break;
      case '\\':
        out.write("\\\\");
        break;
      default:
        if (c >= ' ' && c < 0x7f) {
          out.write({&c, 1});
        } else {
          const bool digit_follows = i + 1 < size && text[i + 1] >= '0' && text[i + 1] <= '7';
          if (digit_follows)
            format(out, "\\{:03o}", static_cast<u8>(c));
          else
            format(out, "\\{:o}", static_cast<u8>(c));
        }
    }
  }
  out.write(cut ? "\"..." : "\"");
}

void write_pointer(Writer& out, u64 value) {
  if (value == 0)
    out.write("NULL");
  else
    format(out, "{:#x}", value);
}

void write_buffer(Writer& out, u64 at, i64 size) {
  char text[kMostText];
  if (at == 0 || size < 0) return write_pointer(out, at);
  const usize wanted = static_cast<usize>(min<i64>(size, kMostText));
  const usize got = copy_from_user_partial(text, UserAddr{at}, wanted);
  if (got < wanted) return write_pointer(out, at);
  write_text(out, text, got, static_cast<u64>(size) > got);
}

void write_string(Writer& out, u64 at) {
  char text[kMostPath];
  if (at == 0) return out.write("NULL");
  const auto length = copy_string_from_user(text, UserAddr{at}, sizeof text);
  if (length.ok()) return write_text(out, text, length.value(), false);
  if (length.error() != Errno::NameTooLong) return write_pointer(out, at);
  const usize got = copy_from_user_partial(text, UserAddr{at}, sizeof text);
  write_text(out, text, got, true);
}

void write_timespec(Writer& out, u64 at) {
  abi::Timespec value;
  if (at == 0 || !copy_from_user(&value, UserAddr{at}, sizeof value).ok()) return write_pointer(out, at);
  format(out, "{}tv_sec={}, tv_nsec={}}", "{", value.tv_sec, value.tv_nsec);
}

void write_pair(Writer& out, u64 at, i64 result) {
  i32 pair[2];
  if (result < 0 || !copy_from_user(pair, UserAddr{at}, sizeof pair).ok()) return write_pointer(out, at);
  format(out, "[{}, {}]", pair[0], pair[1]);
}

void write_epoll_event(Writer& out, u64 at) {
  abi::EpollEvent event;
  if (at == 0 || !copy_from_user(&event, UserAddr{at}, sizeof event).ok()) return write_pointer(out, at);
  out.write("{events=");
  write_flags(out, kEpollEvents, event.events, "0");
  const u64 data = event.data;
  format(out, ", data={:#x}", data);
  out.write("}");
}

void write_futex(Writer& out, u32 operation) {
  constexpr u32 kPrivate = 128, kRealtime = 256;
  write_name(out, kFutex, operation & ~(kPrivate | kRealtime));
  if ((operation & kPrivate) != 0) out.write("_PRIVATE");
  if ((operation & kRealtime) != 0) out.write("|FUTEX_CLOCK_REALTIME");
}

}  // namespace

void write_signal(Writer& out, int number) {
  char name[16];
  if (number == 0) return out.write("0");
  out.write(signal::name_of(number, Span<char>(name)));
}

void write_signal_set(Writer& out, u64 set) {
  const bool inverted = __builtin_popcountll(set) > 48;
  if (inverted) set = ~set;
  out.write(inverted ? "~[" : "[");
  const char* separator = "";
  for (int number = 1; number <= signal::kCount; ++number) {
    if ((set & signal::bit(number)) == 0) continue;
    char name[16];
    format(out, "{}{}", separator, signal::name_of(number, Span<char>(name)).slice(3));
    separator = " ";
  }
  out.write("]");
}

void write_argument(Writer& out, char kind, u64 value, u64 next, i64 result) {
  const u32 low = static_cast<u32>(value);
  switch (kind) {
    case 'd':
    case 'f':
      return format(out, "{}", static_cast<i32>(low));
    case 'a':
      if (static_cast<i32>(low) == -100) return out.write("AT_FDCWD");
      return format(out, "{}", static_cast<i32>(low));
    case 'u':
      return format(out, "{}", value);
    case 'o':
      return low == 0 ? out.write("0") : format(out, "0{:o}", low);
    case 'p':
      return write_pointer(out, value);
    case 's':
      return write_string(out, value);
    case 'w':
      return write_buffer(out, value, static_cast<i64>(next));
    case 'r':
      return write_buffer(out, value, result);
    case 'i':
      return write_pair(out, value, result);
    case 't':
      return write_timespec(out, value);
    case 'k': {
      u64 set = 0;
      if (value == 0 || !copy_from_user(&set, UserAddr{value}, sizeof set).ok()) return write_pointer(out, value);
      return write_signal_set(out, set);
    }
    case 'S':
      return write_signal(out, static_cast<i32>(low));
    case 'O':
      write_name(out, kOpenModes, low & 3);
      return write_flags(out, kOpenFlags, low & ~3u, nullptr);
    case 'G':
      return write_flags(out, kOpenFlags, low, "0");
    case 'P':
      return write_flags(out, kProtection, low, "PROT_NONE");
    case 'M':
      return write_flags(out, kMapFlags, low, "0");
    case 'C':
      return write_name(out, kClocks, low);
    case 'F':
      return write_futex(out, low);
    case 'c':
      return write_name(out, kFcntl, low);
    case 'e':
      return write_name(out, kEpollOperations, low);
    case 'E':
      return write_epoll_event(out, value);
    case 'D':
      return write_name(out, kDomains, low);
    case 'T':
      write_name(out, kSocketTypes, low & 0xf);
      return write_flags(out, kSocketFlags, low & ~0xfu, nullptr);
    case 'm':
      return write_name(out, kAdvice, low);
    case 'n':
      return write_name(out, kHow, low);
    case 'L':
      return write_name(out, kLimits, low);
    case 'A':
      return write_flags(out, kAtFlags, low, "0");
    case 'l':
      return write_name(out, kWhence, low);
    default:
      return format(out, "{:#x}", value);
  }
}

}  // namespace uni::shim
