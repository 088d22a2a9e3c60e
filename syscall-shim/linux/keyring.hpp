// SPDX-License-Identifier: Apache-2.0
// Keys and keyrings (keyrings(7)). A key lives while a keyring, or somebody who uses it, refers to it; its number finds
// it until then. All content is guarded by one Mutex, which callers hold: key operations are rare and short.
#pragma once

#include "kernel/base/own_ptr.hpp"
#include "kernel/base/vector.hpp"
#include "kernel/sched/process.hpp"
#include "kernel/sync/mutex.hpp"

namespace uni::shim::keys {

enum class Type : u8 { kUser, kLogon, kBigKey, kKeyring };

enum Permission : u32 { kView = 1, kRead = 2, kWrite = 4, kSearch = 8, kLink = 0x10, kSetAttributes = 0x20 };
inline constexpr unsigned kPossessorShift = 24, kUserShift = 16, kGroupShift = 8;

class Key : public RefCounted {
 public:
  // Puts it among the numbered. Errors: NoMemory, Quota.
  static Result<RefPtr<Key>> create(Type type, StringView description, u32 permissions);
  // The living key of that number, or null.
  static RefPtr<Key> find(i32 serial);

  // Errors: NoKey (invalidated), KeyRevoked, KeyExpired.
  Result<void> check_alive() const;
  bool is_keyring() const { return type == Type::kKeyring; }
  Key* linked(Type wanted, StringView text) const;   // directly in this keyring; borrowed
  bool holds(const Key& key, unsigned depth) const;  // anywhere below this keyring
  // Puts `key` in, in place of one of the same type and name. Errors: Deadlock (a circle), Loop (too deep), NoMemory.
  Result<void> link(Key& key);
  bool unlink(const Key& key);

  i32 serial = 0;
  Type type = Type::kUser;
  String description;
  u32 uid = 0, gid = 0, permissions = 0;
  u64 expires = ~u64{0};  // monotonic ns
  bool revoked = false, invalidated = false;
  Vector<char> payload;
  Vector<RefPtr<Key>> links;  // of a keyring

 private:
  ~Key() override;
  unsigned depth(unsigned limit) const;
  Key* next_ = nullptr;
};

// Guards keys' content and the keyrings of processes.
Mutex& lock();

// What a number of keyctl(2) names: KEY_SPEC_* of the caller, or a key. Errors: Invalid, NoKey, Access (without
// `wanted`), KeyRevoked, KeyExpired, NoMemory. Needs: lock().
enum class Make : u8 { kNo, kYes };
Result<RefPtr<Key>> look_up(i32 number, Make make, u32 wanted);
// The first key of the caller's thread, process and session keyrings. Null where there is none.
RefPtr<Key> search_process(Type type, StringView description);
// A key below a keyring that the caller may search.
RefPtr<Key> search_below(Key& keyring, Type type, StringView description, unsigned depth = 0);
bool allowed(const Key& key, u32 wanted);
// Gives the caller a session keyring of its own. An empty name: a nameless one.
Result<RefPtr<Key>> join_session(StringView name);
// Errors: NoDevice (Linux has other types; here there are four).
Result<Type> type_named(StringView name);
StringView name_of(Type type);

}  // namespace uni::shim::keys
