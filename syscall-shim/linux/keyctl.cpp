// SPDX-License-Identifier: Apache-2.0
// keyctl(2). A number that is not below is EOPNOTSUPP, as where Linux was built without it. User memory is touched only
// while the lock is free.
#include "kernel/base/format.hpp"
#include "kernel/time/clock.hpp"
#include "syscall-shim/linux/keys.hpp"
#include "syscall-shim/linux/sysinfo.hpp"

namespace uni::shim {

using namespace keys;

namespace {

constexpr u32 kCapSysAdmin = 21;

enum Operation : i32 {
  kGetKeyringId,
  kJoinSession,
  kUpdate,
  kRevoke,
  kChown,
  kSetPermissions,
  kDescribe,
  kClear,
  kLinkKey,
  kUnlink,
  kSearchKey,
  kReadKey,
  kInstantiate,
  kNegate,
  kSetDefault,
  kSetTimeout,
  kAssumeAuthority,
  kGetSecurity,
  kReject = 19,
  kInstantiateVector,
  kInvalidate,
};

i32 number_of(u64 argument) {
  return static_cast<i32>(argument);
}

Result<RefPtr<Key>> keyring(u64 number, Make make, u32 wanted) {
  RefPtr<Key> found = TRY(look_up(number_of(number), make, wanted));
  if (!found->is_keyring()) return Errno::NotDirectory;
  return found;
}

Result<i64> join(UserPtr<char> name) {
  String text;
  if (name) text = TRY(read_description(name));
  if (text.view().starts_with(".")) return Errno::NotPermitted;
  LockGuard guard(lock());
  return i64 {
    TRY(join_session(text.view()))
    ->serial
  };
}

Result<i64> update(u64 number, UserPtr<char> payload, u64 size) {
  if (size > kPageSize) return Errno::Invalid;
  Vector<char> content = TRY(read_payload(payload, size));
  LockGuard guard(lock());
  RefPtr<Key> key = TRY(look_up(number_of(number), Make::kNo, kWrite));
  if (key->is_keyring()) return Errno::NotSupported;
  TRY(check_payload(key->type, size));
  key->payload = move(content);
  key->expires = ~u64{0};
  return 0;
}

// Needs write or setattr.
Result<i64> revoke(u64 number) {
  LockGuard guard(lock());
  Result<RefPtr<Key>> writable = look_up(number_of(number), Make::kNo, kWrite);
  RefPtr<Key> key;
  if (writable.ok())
    key = writable.take();
  else if (writable.error() != Errno::Access)
    return writable.error();
  else
    key = TRY(look_up(number_of(number), Make::kNo, kSetAttributes));
  key->revoked = true;
  key->links.clear();
  return 0;
}

Result<i64> change_owner(u64 number, u32 uid, u32 gid) {
  LockGuard guard(lock());
  const Credentials& who = Process::current().credentials;
  if (uid == ~u32{0} && gid == ~u32{0}) return 0;
  RefPtr<Key> key = TRY(look_up(number_of(number), Make::kNo, kSetAttributes));
  if (!who.capable(kCapSysAdmin)) {
    if (uid != ~u32{0} && uid != key->uid) return Errno::Access;
    bool member = gid == ~u32{0} || gid == key->gid || gid == who.fsgid;
    for (const u32 group : who.groups)
      member = member || group == gid;
    if (!member) return Errno::Access;
  }
  if (uid != ~u32{0}) key->uid = uid;
  if (gid != ~u32{0}) key->gid = gid;
  return 0;
}

Result<i64> set_permissions(u64 number, u32 permissions) {
  if ((permissions & ~0x3F3F3F3Fu) != 0) return Errno::Invalid;
  LockGuard guard(lock());
  const Credentials& who = Process::current().credentials;
  RefPtr<Key> key = TRY(look_up(number_of(number), Make::kNo, kSetAttributes));
  if (key->uid != who.fsuid && !who.capable(kCapSysAdmin)) return Errno::Access;
  key->permissions = permissions;
  return 0;
}

// "type;uid;gid;permissions;name"; the length with its NUL, whether or not it fits.
Result<i64> describe(u64 number, UserPtr<char> to, u64 size) {
  Vector<char> text;
  usize length = 0;
  {
    LockGuard guard(lock());
    RefPtr<Key> key = TRY(look_up(number_of(number), Make::kNo, kView));
    TRY(text.resize(key->description.size() + 64));
    BufferWriter out(text.data(), text.size());
    format(out, "{};{};{};{:08x};{}", name_of(key->type), key->uid, key->gid, key->permissions,
           key->description.view());
    length = out.view().size();
  }
  text[length] = 0;
  if (to && size >= length + 1) TRY(copy_to_user(to.address(), text.data(), length + 1));
  return static_cast<i64>(length + 1);
}

// The length; the content where all of it fits.
Result<i64> read_key(u64 number, UserPtr<char> to, u64 size) {
  Vector<char> content;
  {
    LockGuard guard(lock());
    Result<RefPtr<Key>> found = look_up(number_of(number), Make::kNo, 0);
    if (!found.ok()) return Errno::NoKey;
    RefPtr<Key> key = found.take();
    if (!allowed(*key, kRead) && !allowed(*key, kSearch)) return Errno::Access;
    TRY(key->check_alive());
    if (key->type == Type::kLogon) return Errno::NotSupported;  // only the kernel reads it
    if (key->is_keyring()) {
      TRY(content.resize(key->links.size() * sizeof(i32)));
      for (usize i = 0; i < key->links.size(); ++i)
        __builtin_memcpy(content.data() + i * sizeof(i32), &key->links[i]->serial, sizeof(i32));
    } else {
      TRY(content.resize(key->payload.size()));
      __builtin_memcpy(content.data(), key->payload.data(), content.size());
    }
  }
  if (to && size >= content.size() && !content.empty()) TRY(copy_to_user(to.address(), content.data(), content.size()));
  return static_cast<i64>(content.size());
}

Result<i64> search(u64 number, UserPtr<char> type_name, UserPtr<char> name, u64 destination) {
  TypeName type_text;
  TRY(type_text.read(type_name));
  const String description = TRY(read_description(name));
  LockGuard guard(lock());
  RefPtr<Key> from = TRY(keyring(number, Make::kNo, kSearch));
  RefPtr<Key> to;
  if (number_of(destination) != 0) to = TRY(keyring(destination, Make::kYes, kWrite));
  const Result<Type> type = type_named(type_text.view());
  if (!type.ok()) return Errno::NoKey;
  RefPtr<Key> found = search_below(*from, type.value(), description.view());
  if (!found) return Errno::NoKey;
  if (to) {
    if (!allowed(*found, kLink)) return Errno::Access;
    TRY(to->link(*found));
  }
  return i64{found->serial};
}

Result<i64> change_links(i32 operation, u64 number, u64 ring) {
  LockGuard guard(lock());
  RefPtr<Key> to = TRY(keyring(ring, operation == kLinkKey ? Make::kYes : Make::kNo, kWrite));
  RefPtr<Key> key = TRY(look_up(number_of(number), Make::kYes, operation == kLinkKey ? u32{kLink} : 0u));
  if (operation == kLinkKey) {
    TRY(to->link(*key));
    return 0;
  }
  return to->unlink(*key) ? Result<i64>(0) : Errno::NoEntry;
}

Result<i64> change(i32 operation, u64 number, u64 argument) {
  LockGuard guard(lock());
  switch (operation) {
    case kGetKeyringId:
      return i64 {
        TRY(look_up(number_of(number), number_of(argument) != 0 ? Make::kYes : Make::kNo, kSearch))
        ->serial
      };
    case kClear:
      TRY(keyring(number, Make::kYes, kWrite))
      ->links.clear();
      return 0;
    case kSetTimeout: {
      RefPtr<Key> key = TRY(look_up(number_of(number), Make::kNo, kSetAttributes));
      const u32 seconds = static_cast<u32>(argument);
      key->expires = seconds == 0 ? ~u64{0} : time::monotonic_ns() + seconds * time::kSecond;
      return 0;
    }
    default: {
      RefPtr<Key> key = TRY(look_up(number_of(number), Make::kNo, kSearch));
      key->invalidated = true;
      key->links.clear();
      return 0;
    }
  }
}

}  // namespace

Result<i64> sys_keyctl(i32 operation, u64 a, u64 b, u64 c, u64 d) {
  switch (operation) {
    case kJoinSession:
      return join(UserPtr<char>(a));
    case kUpdate:
      return update(a, UserPtr<char>(b), c);
    case kRevoke:
      return revoke(a);
    case kChown:
      return change_owner(a, static_cast<u32>(b), static_cast<u32>(c));
    case kSetPermissions:
      return set_permissions(a, static_cast<u32>(b));
    case kDescribe:
      return describe(a, UserPtr<char>(b), c);
    case kLinkKey:
    case kUnlink:
      return change_links(operation, a, b);
    case kSearchKey:
      return search(a, UserPtr<char>(b), UserPtr<char>(c), d);
    case kReadKey:
      return read_key(a, UserPtr<char>(b), c);
    case kGetKeyringId:
    case kClear:
    case kSetTimeout:
    case kInvalidate:
      return change(operation, a, b);
    case kInstantiate:
    case kNegate:
    case kReject:
    case kInstantiateVector:
      return Errno::NotPermitted;  // no key waits for its content
    default:
      return Errno::NotSupported;
  }
}

}  // namespace uni::shim
