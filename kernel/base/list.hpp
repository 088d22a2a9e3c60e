// SPDX-License-Identifier: Apache-2.0
// Intrusive doubly linked list. An object embeds a ListNode; List<T, &T::node> links objects through it without
// allocating. Invariant: a node is on at most one list; an unlinked node points nowhere.
#pragma once

#include "kernel/base/assert.hpp"
#include "kernel/base/types.hpp"

namespace uni {

struct ListNode {
  ListNode* prev = nullptr;
  ListNode* next = nullptr;
  bool linked() const { return next != nullptr; }
  void unlink() {
    ASSERT(linked());
    prev->next = next;
    next->prev = prev;
    prev = next = nullptr;
  }
};

template <typename T, ListNode T::*kMember>
class List {
 public:
  constexpr List() { head_.prev = head_.next = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  bool empty() const { return head_.next == &head_; }
  T* front() const { return empty() ? nullptr : owner(head_.next); }
  T* back() const { return empty() ? nullptr : owner(head_.prev); }
  void push_back(T& item) { insert(head_.prev, &(item.*kMember)); }
  void push_front(T& item) { insert(&head_, &(item.*kMember)); }
  void insert_before(T& where, T& item) { insert((where.*kMember).prev, &(item.*kMember)); }
  static void remove(T& item) { (item.*kMember).unlink(); }
  T* pop_front() {
    T* item = front();
    if (item != nullptr) remove(*item);
    return item;
  }
  // The one after `item`, or null at the end.
  T* next(const T& item) const {
    ListNode* n = (item.*kMember).next;
    return n == &head_ ? nullptr : owner(n);
  }
  T* prev(const T& item) const {
    ListNode* n = (item.*kMember).prev;
    return n == &head_ ? nullptr : owner(n);
  }

  class Iterator {
   public:
    Iterator(ListNode* at) : at_(at), next_(at->next) {}
    T& operator*() const { return *owner(at_); }
    // The current item may be removed while iterating.
    Iterator& operator++() {
      at_ = next_;
      next_ = at_->next;
      return *this;
    }
    bool operator!=(const Iterator& o) const { return at_ != o.at_; }

   private:
    ListNode* at_;
    ListNode* next_;
  };
  Iterator begin() { return Iterator(head_.next); }
  Iterator end() { return Iterator(&head_); }

 private:
  static T* owner(ListNode* node) {
    // SAFETY: node is the kMember of a T; its offset does not depend on the object.
    alignas(T) static constexpr char probe[sizeof(T)]{};
    const T* t = reinterpret_cast<const T*>(&probe);
    const auto offset = reinterpret_cast<const char*>(&(t->*kMember)) - probe;
    return reinterpret_cast<T*>(reinterpret_cast<char*>(node) - offset);
  }
  static void insert(ListNode* after, ListNode* node) {
    ASSERT(!node->linked());
    node->prev = after;
    node->next = after->next;
    after->next->prev = node;
    after->next = node;
  }
  mutable ListNode head_;
};

}  // namespace uni
