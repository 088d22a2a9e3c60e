// SPDX-License-Identifier: Apache-2.0
// Which keyrings belong to whom: a thread's, a process's and a session's own, and each user's two. What a process has
// is found by its number and time of start; a session keyring that it did not join is its parent's, as after fork(2),
// else the user's.
#include "kernel/base/format.hpp"
#include "kernel/time/clock.hpp"
#include "syscall-shim/linux/keyring.hpp"

namespace uni::shim::keys {

namespace {

constexpr u32 kOwnPermissions = 0x3F1F0000;    // possessor all, user all but setattr (Linux's default of keyrings)
constexpr u32 kNamedPermissions = 0x3F130000;  // of a session keyring: possessor all, user view, read, link
constexpr unsigned kMostAncestors = 64;

enum class Of : u8 { kThread, kProcess, kSession, kUser, kUserSession };
struct Belonging {
  Of of;
  u32 owner;  // thread, process or user
  u64 since;  // the process's start, for numbers come again
  RefPtr<Key> keyring;
};
constinit Vector<Belonging> g_belongings;

RefPtr<Key> find(Of of, u32 owner, u64 since) {
  for (const Belonging& b : g_belongings) {
    if (b.of == of && b.owner == owner && b.since == since) return b.keyring;
  }
  return {};
}

// Drops what belonged to threads and processes that are gone.
void sweep() {
  for (usize i = g_belongings.size(); i-- > 0;) {
    const Belonging& b = g_belongings[i];
    bool gone = false;
    if (b.of == Of::kThread) {
      gone = !Process::find_thread(Tid{b.owner});
    } else if (b.of == Of::kProcess || b.of == Of::kSession) {
      const RefPtr<Process> p = Process::find(Pid{b.owner});
      gone = !p || p->started_ns != b.since;
    }
    if (gone) g_belongings.remove_at(i);
  }
}

Result<RefPtr<Key>> give(Of of, u32 owner, u64 since, RefPtr<Key> keyring) {
  sweep();
  for (Belonging& b : g_belongings) {
    if (b.of == of && b.owner == owner && b.since == since) {
      b.keyring = keyring;
      return keyring;
    }
  }
  TRY(g_belongings.push(Belonging{of, owner, since, keyring}));
  return keyring;
}

Result<RefPtr<Key>> own(Of of, u32 owner, u64 since, StringView name, Make make) {
  RefPtr<Key> found = find(of, owner, since);
  if (found) return found;
  if (make == Make::kNo) return Errno::NoKey;
  return give(of, owner, since, TRY(Key::create(Type::kKeyring, name, kOwnPermissions)));
}

Result<RefPtr<Key>> of_user(Of of) {
  const u32 uid = Process::current().credentials.uid;
  RefPtr<Key> found = find(of, uid, 0);
  if (found) return found;
  char text[32];
  BufferWriter name(text);
  format(name, of == Of::kUser ? "_uid.{}" : "_uid_ses.{}", uid);
  RefPtr<Key> made = TRY(Key::create(Type::kKeyring, name.view(), kOwnPermissions));
  made->uid = uid;
  if (of == Of::kUserSession) {
    const RefPtr<Key> of_all = TRY(of_user(Of::kUser));
    TRY(made->link(*of_all));
  }
  return give(of, uid, 0, move(made));
}

RefPtr<Key> joined_session() {
  RefPtr<Process> at(&Process::current());
  for (unsigned i = 0; i < kMostAncestors && at; ++i) {
    RefPtr<Key> found = find(Of::kSession, raw(at->pid()), at->started_ns);
    if (found) return found;
    at = Process::find(at->parent_pid());
  }
  return {};
}

// The keyrings that make the caller possess what lies below them, in the order of search.
struct Roots {
  RefPtr<Key> at[3];
};
Roots roots() {
  const Process& process = Process::current();
  Roots r{{find(Of::kThread, raw(Thread::current().tid()), 0),
           find(Of::kProcess, raw(process.pid()), process.started_ns), joined_session()}};
  if (!r.at[2]) r.at[2] = find(Of::kUserSession, process.credentials.uid, 0);
  return r;
}

bool possessed(const Key& key) {
  const Roots r = roots();
  for (const RefPtr<Key>& root : r.at) {
    if (root && (root.get() == &key || root->holds(key, 0))) return true;
  }
  return false;
}

}  // namespace

bool allowed(const Key& key, u32 wanted) {
  const Credentials& who = Process::current().credentials;
  u32 granted = key.permissions;
  bool in_group = who.fsgid == key.gid;
  for (const u32 group : who.groups)
    in_group = in_group || group == key.gid;
  if (key.uid == who.fsuid)
    granted = key.permissions >> kUserShift;
  else if (in_group)
    granted = key.permissions >> kGroupShift;
  if ((granted & wanted) == wanted) return true;
  return possessed(key) && ((granted | key.permissions >> kPossessorShift) & wanted) == wanted;
}

Result<RefPtr<Key>> look_up(i32 number, Make make, u32 wanted) {
  const Process& process = Process::current();
  RefPtr<Key> key;
  switch (number) {
    case -1:
      key = TRY(own(Of::kThread, raw(Thread::current().tid()), 0, "_tid", make));
      break;
    case -2:
      key = TRY(own(Of::kProcess, raw(process.pid()), process.started_ns, "_pid", make));
      break;
    case -3:
      key = joined_session();
      if (!key) key = TRY(of_user(Of::kUserSession));
      break;
    case -4:
      key = TRY(of_user(Of::kUser));
      break;
    case -5:
      key = TRY(of_user(Of::kUserSession));
      break;
    case -7:
    case -8:
      return Errno::NoKey;  // nobody waits for a key to be made
    default:
      if (number < 1) return Errno::Invalid;
      key = Key::find(number);
      if (!key) return Errno::NoKey;
  }
  if (key->invalidated) return Errno::NoKey;
  if (wanted == 0) return key;
  TRY(key->check_alive());
  if (!allowed(*key, wanted)) return Errno::Access;
  return key;
}

RefPtr<Key> search_below(Key& keyring, Type type, StringView description, unsigned depth) {
  if (depth > 6 || !keyring.check_alive().ok()) return {};
  if (Key* found = keyring.linked(type, description); found != nullptr && found->check_alive().ok())
    return RefPtr<Key>(found);
  for (const RefPtr<Key>& k : keyring.links) {
    if (!k->is_keyring() || !allowed(*k, kSearch)) continue;
    RefPtr<Key> found = search_below(*k, type, description, depth + 1);
    if (found) return found;
  }
  return {};
}

RefPtr<Key> search_process(Type type, StringView description) {
  const Roots r = roots();
  for (const RefPtr<Key>& root : r.at) {
    if (!root) continue;
    RefPtr<Key> found = search_below(*root, type, description);
    if (found && allowed(*found, kSearch)) return found;
  }
  return {};
}

Result<RefPtr<Key>> join_session(StringView name) {
  const Process& process = Process::current();
  RefPtr<Key> keyring;
  if (!name.empty()) {
    for (const Belonging& b : g_belongings) {
      if (b.of == Of::kSession && b.keyring->description.view() == name && allowed(*b.keyring, kSearch))
        keyring = b.keyring;
    }
  }
  if (!keyring)
    keyring = TRY(Key::create(Type::kKeyring, name.empty() ? StringView("_ses") : name,
                              name.empty() ? kNamedPermissions : kOwnPermissions));
  return give(Of::kSession, raw(process.pid()), process.started_ns, move(keyring));
}

}  // namespace uni::shim::keys
