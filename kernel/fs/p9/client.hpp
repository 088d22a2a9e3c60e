// SPDX-License-Identifier: Apache-2.0
// The 9P2000.L client: messages in and out, one request at a time over two buffers. Every reply is bounds-checked: a
// server that answers short or strange makes the call fail with Io, nothing else.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/fs/inode.hpp"
#include "kernel/fs/p9/transport.hpp"
#include "kernel/sync/mutex.hpp"

namespace uni::fs::p9 {

enum class Fid : u32 {};
inline constexpr Fid kNoFid{~u32{0}};
inline constexpr usize kMessageSize = 32 * kKiB;
inline constexpr usize kChunk = kMessageSize - 64;  // data bytes of one read or write

struct Qid {
  u8 type = 0;
  u32 version = 0;
  u64 path = 0;
};

enum MessageType : u8 {
  kStatFs = 8,
  kOpen = 12,
  kCreate = 14,
  kSymlinkMessage = 16,
  kMkNod = 18,
  kReadLink = 22,
  kGetAttr = 24,
  kSetAttr = 26,
  kReadDir = 40,
  kFsync = 50,
  kLink = 70,
  kMkDir = 72,
  kRenameAt = 74,
  kUnlinkAt = 76,
  kVersion = 100,
  kAttach = 104,
  kWalk = 110,
  kRead = 116,
  kWrite = 118,
  kClunk = 120,
};

class Client {
 public:
  explicit Client(P9Transport& transport) : transport_(transport) {}
  // Allocates the buffers and agrees on the dialect. Errors: NoMemory, Protocol, Io.
  Result<void> start();

  // A request being built and its reply being read. Holds the client while it lives: copy nothing to or from the
  // program's memory.
  class Call {
   public:
    Call(Client& client, MessageType type);
    Call& u8v(u8 v) { return put(&v, 1); }
    Call& u16v(u16 v) { return put(&v, 2); }
    Call& u32v(u32 v) { return put(&v, 4); }
    Call& u64v(u64 v) { return put(&v, 8); }
    Call& fid(Fid f) { return u32v(static_cast<u32>(f)); }
    Call& text(StringView s) {
      u16v(static_cast<u16>(s.size()));
      return put(s.data(), s.size());
    }
    Call& put(const void* data, usize size);
    // Sends. Errors: the server's own, Io, NameTooLong (the request did not fit).
    Result<void> send();

    Result<u8> get8() { return get<u8>(); }
    Result<u16> get16() { return get<u16>(); }
    Result<u32> get32() { return get<u32>(); }
    Result<u64> get64() { return get<u64>(); }
    Result<Qid> get_qid();
    Result<StringView> get_text();
    Result<Span<const u8>> get_bytes(usize size);

   private:
    template <typename T>
    Result<T> get() {
      const Span<const u8> b = TRY(get_bytes(sizeof(T)));
      T v;
      __builtin_memcpy(&v, b.data(), sizeof v);
      return v;
    }
    Client& client_;
    LockGuard<Mutex> guard_;
    u8 type_;
    usize at_ = 7;
    usize size_ = 0;
    bool overflow_ = false;
  };

  Fid new_fid();
  void clunk(Fid fid);
  // `from` walked by one name, or cloned (empty name), into a new fid. Errors: the server's.
  Result<Fid> walk(Fid from, StringView name, Qid* qid);

 private:
  friend class Call;
  P9Transport& transport_;
  Mutex lock_;
  u8* out_ = nullptr;
  u8* in_ = nullptr;
  std::atomic<u32> next_fid_{1};
};

}  // namespace uni::fs::p9
