// SPDX-License-Identifier: Apache-2.0
// Building, sending and reading 9P messages. A message is size[4] type[1] tag[2] and its fields, little-endian.
#include "kernel/fs/p9/client.hpp"

namespace uni::fs::p9 {
namespace {
constexpr u8 kErrorReply = 7;
constexpr u16 kTag = 1;
constexpr u16 kNoTag = 0xffff;  // Tversion's
}  // namespace

Result<void> Client::start() {
  mm::Page* pages = mm::alloc_pages(4, mm::Zero::kNo);
  if (pages == nullptr) return Errno::NoMemory;
  static_assert(2 * kMessageSize == 16 * kPageSize);
  out_ = static_cast<u8*>(mm::address_of(*pages));
  in_ = out_ + kMessageSize;
  Call call(*this, kVersion);
  TRY(call.u32v(kMessageSize).text("9P2000.L").send());
  if (TRY(call.get32()) < kMessageSize) return Errno::Protocol;
  const StringView version = TRY(call.get_text());
  if (!(version == "9P2000.L")) return Errno::Protocol;
  return {};
}

Client::Call::Call(Client& client, MessageType type) : client_(client), guard_(client.lock_), type_(type) {}

Client::Call& Client::Call::put(const void* data, usize size) {
  if (size > kMessageSize - at_) {
    overflow_ = true;
  } else {
    __builtin_memcpy(client_.out_ + at_, data, size);
    at_ += size;
  }
  return *this;
}

Result<void> Client::Call::send() {
  if (overflow_) return Errno::NameTooLong;
  const u32 length = static_cast<u32>(at_);
  const u16 tag = type_ == kVersion ? kNoTag : kTag;
  __builtin_memcpy(client_.out_, &length, 4);
  client_.out_[4] = type_;
  __builtin_memcpy(client_.out_ + 5, &tag, 2);
  const usize got = TRY(client_.transport_.request({client_.out_, at_}, {client_.in_, kMessageSize}));
  u32 told = 0;
  __builtin_memcpy(&told, client_.in_, 4);
  if (got < 7 || told < 7 || told > got) return Errno::Io;
  size_ = told;
  at_ = 7;
  const u8 reply = client_.in_[4];
  if (reply == kErrorReply) {
    const u32 code = TRY(get32());
    return code != 0 && code < 134 ? Errno{static_cast<i32>(code)} : Errno::Io;
  }
  if (reply != type_ + 1) return Errno::Io;
  return {};
}

Result<Span<const u8>> Client::Call::get_bytes(usize size) {
  if (size > size_ - at_) return Errno::Io;
  const Span<const u8> b(client_.in_ + at_, size);
  at_ += size;
  return b;
}

Result<Qid> Client::Call::get_qid() {
  Qid q;
  q.type = TRY(get8());
  q.version = TRY(get32());
  q.path = TRY(get64());
  return q;
}

Result<StringView> Client::Call::get_text() {
  const u16 size = TRY(get16());
  const Span<const u8> b = TRY(get_bytes(size));
  return StringView(reinterpret_cast<const char*>(b.data()), size);
}

Fid Client::new_fid() {
  return Fid{next_fid_.fetch_add(1, std::memory_order_relaxed)};
}

void Client::clunk(Fid fid) {
  if (fid == kNoFid) return;
  Call call(*this, kClunk);
  (void)call.fid(fid).send();
}

Result<Fid> Client::walk(Fid from, StringView name, Qid* qid) {
  const Fid to = new_fid();
  Call call(*this, kWalk);
  call.fid(from).fid(to).u16v(name.empty() ? 0 : 1);
  if (!name.empty()) call.text(name);
  TRY(call.send());
  const u16 count = TRY(call.get16());
  if (count != (name.empty() ? 0 : 1)) return Errno::NoEntry;
  if (count == 1) *qid = TRY(call.get_qid());
  return to;
}

}  // namespace uni::fs::p9
