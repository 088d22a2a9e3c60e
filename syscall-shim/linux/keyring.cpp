// SPDX-License-Identifier: Apache-2.0
// Keys by number, their permissions, and how they hang together. A key that nobody refers to takes itself off the list.
#include "syscall-shim/linux/keyring.hpp"

#include "kernel/dev/random.hpp"
#include "kernel/ipc/limits.hpp"
#include "kernel/time/clock.hpp"

namespace uni::shim::keys {

namespace {
constinit SpinLock g_list_lock{Rank::kLeaf};
constinit Key* g_first = nullptr;
constinit Mutex g_lock;

constexpr unsigned kDeepest = 6;  // Linux's KEYRING_SEARCH_MAX_DEPTH
}  // namespace

Mutex& lock() {
  return g_lock;
}

Result<Type> type_named(StringView name) {
  for (const Type t : {Type::kUser, Type::kLogon, Type::kBigKey, Type::kKeyring}) {
    if (name_of(t) == name) return t;
  }
  return Errno::NoDevice;
}

StringView name_of(Type type) {
  switch (type) {
    case Type::kUser:
      return "user";
    case Type::kLogon:
      return "logon";
    case Type::kBigKey:
      return "big_key";
    default:
      return "keyring";
  }
}

Result<RefPtr<Key>> Key::create(Type type, StringView description, u32 permissions) {
  const Credentials& who = Process::current().credentials;
  auto key = TRY(make_ref<Key>());
  key->type = type;
  key->description = TRY(String::copy(description));
  key->permissions = permissions;
  key->uid = who.fsuid;
  key->gid = who.fsgid;
  for (;;) {
    const i32 number = static_cast<i32>(random::next_u64() & 0x7FFF'FFFF);
    LockGuard guard(g_list_lock);
    bool taken = number < 3;
    u32 owned = 0;
    for (const Key* k = g_first; k != nullptr; k = k->next_) {
      owned += k->uid == key->uid ? 1 : 0;
      taken = taken || k->serial == number;
    }
    const std::atomic<u64>& most = key->uid == 0 ? ipc::limits.keys_of_root : ipc::limits.keys;
    if (owned >= most.load(std::memory_order_relaxed)) return Errno::Quota;
    if (taken) continue;
    key->serial = number;
    key->next_ = g_first;
    g_first = key.get();
    return key;
  }
}

Key::~Key() {
  LockGuard guard(g_list_lock);
  Key** at = &g_first;
  while (*at != nullptr && *at != this)
    at = &(*at)->next_;
  if (*at == this) *at = next_;
}

RefPtr<Key> Key::find(i32 number) {
  LockGuard guard(g_list_lock);
  for (Key* k = g_first; k != nullptr; k = k->next_) {
    if (k->serial == number) return k->try_ref() ? RefPtr<Key>::adopt(k) : RefPtr<Key>();
  }
  return {};
}

Result<void> Key::check_alive() const {
  if (invalidated) return Errno::NoKey;
  if (revoked) return Errno::KeyRevoked;
  if (time::monotonic_ns() >= expires) return Errno::KeyExpired;
  return {};
}

Key* Key::linked(Type wanted, StringView text) const {
  for (const RefPtr<Key>& k : links) {
    if (k->type == wanted && k->description.view() == text) return k.get();
  }
  return nullptr;
}

bool Key::holds(const Key& key, unsigned at_depth) const {
  if (at_depth > kDeepest) return false;
  for (const RefPtr<Key>& k : links) {
    if (k.get() == &key || (k->is_keyring() && k->holds(key, at_depth + 1))) return true;
  }
  return false;
}

unsigned Key::depth(unsigned limit) const {
  unsigned deepest = 0;
  if (limit == 0) return 0;
  for (const RefPtr<Key>& k : links)
    deepest = max(deepest, k->is_keyring() ? 1 + k->depth(limit - 1) : 0u);
  return deepest;
}

Result<void> Key::link(Key& key) {
  if (key.is_keyring()) {
    if (&key == this || key.holds(*this, 0)) return Errno::Deadlock;
    if (key.depth(kDeepest + 1) + 1 >= kDeepest) return Errno::Loop;
  }
  for (RefPtr<Key>& k : links) {
    if (k->type == key.type && k->description.view() == key.description.view()) {
      k = RefPtr<Key>(&key);
      return {};
    }
  }
  return links.push(RefPtr<Key>(&key));
}

bool Key::unlink(const Key& key) {
  for (usize i = 0; i < links.size(); ++i) {
    if (links[i].get() != &key) continue;
    links.remove_at(i);
    return true;
  }
  return false;
}

}  // namespace uni::shim::keys
