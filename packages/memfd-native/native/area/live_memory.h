// The memory of a real area, as the reader and the writer are written for it: words in one access with the order of their
// place, bytes by memcpy. The model has another one (packages/memfd-native/model/view_memory.h).
#pragma once
#include <cstdint>
#include <cstring>

#include "copy.h"
#include "sites.h"

namespace area {

class LiveMemory {
 public:
  explicit LiveMemory(uint8_t* base) : base_(base) {}

  /** All repairs are in. */
  static constexpr bool Has(Repair) { return true; }
  /** Called before each try, with what the reader remembers then: the model has seen enough when nothing is new. */
  static constexpr bool MayTry(uint64_t, uint64_t, uint64_t) { return true; }

  // SAFETY (all): whoever calls has checked that `at` is aligned and that all of it lies within the mapping. Other processes
  // store to it, or load from it, at any time.
  template <Site site>
  uint64_t Load(uint64_t at) const {
    static_assert(OrderOf(site) != Order::kRelease);
    return __atomic_load_n(reinterpret_cast<const uint64_t*>(base_ + at), Builtin(OrderOf(site)));
  }
  template <Site site>
  uint32_t Load32(uint64_t at) const {
    static_assert(OrderOf(site) != Order::kRelease);
    return __atomic_load_n(reinterpret_cast<const uint32_t*>(base_ + at), Builtin(OrderOf(site)));
  }
  template <Site site>
  void Store(uint64_t at, uint64_t value) {
    static_assert(OrderOf(site) != Order::kAcquire);
    __atomic_store_n(reinterpret_cast<uint64_t*>(base_ + at), value, Builtin(OrderOf(site)));
  }
  template <Site site>
  void Store32(uint64_t at, uint32_t value) {
    static_assert(OrderOf(site) != Order::kAcquire);
    __atomic_store_n(reinterpret_cast<uint32_t*>(base_ + at), value, Builtin(OrderOf(site)));
  }
  template <Site site>
  void Fence() const {
    static_assert(OrderOf(site) != Order::kRelaxed);
    __atomic_thread_fence(Builtin(OrderOf(site)));
  }
  /** Bytes that may change meanwhile: what was copied counts only after the fence and the second look that follow. */
  template <Site>
  void CopyOut(uint64_t at, void* target, uint64_t count) const {
    CopyBytes(target, base_ + at, count, &end_);
  }
  template <Site>
  void CopyIn(uint64_t at, const void* source, uint64_t count) {
    CopyBytes(base_ + at, source, count, &end_);
  }
  template <Site>
  void Zero(uint64_t at, uint64_t count) {
    std::memset(base_ + at, 0, count);
  }

 private:
  static constexpr int Builtin(Order order) {
    return order == Order::kRelaxed ? __ATOMIC_RELAXED : order == Order::kAcquire ? __ATOMIC_ACQUIRE : __ATOMIC_RELEASE;
  }

  uint8_t* base_;
  /** Of whichever copy was the last; a thread has a memory of its own. */
  mutable CopyEnd end_ = CopyEnd::kLast;
};

}  // namespace area
