// SPDX-License-Identifier: Apache-2.0
// add_key(2), request_key(2).
#include "syscall-shim/linux/keys.hpp"

#include "syscall-shim/linux/sysinfo.hpp"

namespace uni::shim {

namespace keys {

namespace {
constexpr usize kMostDescription = 4096;
constexpr usize kMostUserPayload = 32767;
}  // namespace

Result<void> TypeName::read(UserPtr<char> from) {
  const Result<usize> length = copy_string_from_user(text, from.address(), sizeof text);
  if (!length.ok()) return length.error() == Errno::NameTooLong ? Errno::Invalid : length.error();
  size = length.value();
  if (size == 0) return Errno::Invalid;
  if (text[0] == '.') return Errno::NotPermitted;
  return {};
}

Result<String> read_description(UserPtr<char> from) {
  Vector<char> buffer;
  TRY(buffer.resize(kMostDescription));
  const Result<usize> length = copy_string_from_user(buffer.data(), from.address(), buffer.size());
  if (!length.ok()) return length.error() == Errno::NameTooLong ? Errno::Invalid : length.error();
  return String::copy({buffer.data(), length.value()});
}

Result<Vector<char>> read_payload(UserPtr<char> from, usize size) {
  Vector<char> bytes;
  TRY(bytes.resize(size));
  if (size != 0) TRY(copy_from_user(bytes.data(), from.address(), size));
  return bytes;
}

Result<void> check_payload(Type type, usize size) {
  if (type == Type::kKeyring) return size == 0 ? Result<void>() : Errno::Invalid;
  if (size == 0 || (type != Type::kBigKey && size > kMostUserPayload)) return Errno::Invalid;
  return {};
}

}  // namespace keys

using namespace keys;

namespace {

// Linux's default: the possessor may do all; the owner may see it, and what the type allows him.
u32 default_permissions(Type type) {
  u32 of_user = kView;
  u32 of_possessor = kView | kSearch | kLink | kSetAttributes;
  if (type == Type::kUser || type == Type::kBigKey || type == Type::kKeyring) of_possessor |= kRead;
  of_possessor |= kWrite;
  return of_possessor << kPossessorShift | of_user << kUserShift;
}

Result<RefPtr<Key>> keyring_to_write(i32 number) {
  RefPtr<Key> keyring = TRY(look_up(number, Make::kYes, kWrite));
  if (!keyring->is_keyring()) return Errno::NotDirectory;
  return keyring;
}

}  // namespace

// add_key(2): a key of that type and name in the keyring is changed, else one is made.
Result<i64> sys_add_key(UserPtr<char> type_name, UserPtr<char> name, UserPtr<char> payload, u64 size, i32 keyring) {
  if (size > kMostPayload) return Errno::Invalid;
  TypeName type_text;
  TRY(type_text.read(type_name));
  String description;
  if (name) description = TRY(read_description(name));
  if (description.view().starts_with(".") && type_text.view() == "keyring"_sv) return Errno::NotPermitted;
  Vector<char> content = TRY(read_payload(payload, size));
  LockGuard guard(lock());
  RefPtr<Key> to = TRY(look_up(keyring, Make::kYes, kWrite));
  const Type type = TRY(type_named(type_text.view()));
  if (!to->is_keyring()) return Errno::NotDirectory;
  TRY(check_payload(type, size));
  if (description.empty()) return Errno::Invalid;
  if (type == Type::kLogon) {
    const usize colon = description.view().find(':');
    if (colon == StringView::kNotFound || colon == 0) return Errno::Invalid;  // "service:name"
  }
  Key* old = type == Type::kKeyring ? nullptr : to->linked(type, description.view());
  if (old != nullptr && !old->revoked && !old->invalidated) {
    if (!allowed(*old, kWrite)) return Errno::Access;
    old->payload = move(content);
    old->expires = ~u64{0};
    return i64{old->serial};
  }
  RefPtr<Key> fresh = TRY(Key::create(type, description.view(), default_permissions(type)));
  fresh->payload = move(content);
  TRY(to->link(*fresh));
  return i64{fresh->serial};
}

// request_key(2). There is no /sbin/request-key to make a key that is not found.
Result<i64> sys_request_key(UserPtr<char> type_name, UserPtr<char> name, UserPtr<char> callout, i32 keyring) {
  TypeName type_text;
  TRY(type_text.read(type_name));
  const String description = TRY(read_description(name));
  if (callout) TRY(read_description(callout));
  LockGuard guard(lock());
  RefPtr<Key> to;
  if (keyring != 0) to = TRY(keyring_to_write(keyring));
  const Result<Type> type = type_named(type_text.view());
  if (!type.ok()) return Errno::NoKey;
  RefPtr<Key> found = search_process(type.value(), description.view());
  if (!found) {
    if (callout && type.value() == Type::kKeyring) return Errno::NotPermitted;  // keyrings are only added
    return Errno::NoKey;
  }
  if (to) TRY(to->link(*found));
  return i64{found->serial};
}

}  // namespace uni::shim
