// Objects that JavaScript names by a number. A handle is a slot plus the slot's generation, so that a handle of
// something gone finds nothing, even after its slot has a new owner. 0 is never a handle.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

template <typename T>
class SlotTable {
 public:
  /** Takes `value` over. The handle fits a double: 20 bits of slot, 32 of generation. */
  int64_t Insert(T value) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const uint32_t index = free_.back();
    free_.pop_back();
    slots_[index].value = std::move(value);
    slots_[index].used = true;
    return int64_t{slots_[index].generation} << kIndexBits | index;
  }

  /** Null when the handle is stale or was never one. Valid until the next Insert. */
  T* Find(int64_t handle) {
    const size_t index = static_cast<size_t>(handle & kIndexMask);
    if (handle <= 0 || index >= slots_.size()) return nullptr;
    Slot& slot = slots_[index];
    return slot.used && slot.generation == handle >> kIndexBits ? &slot.value : nullptr;
  }

  /** Moves the object out; an empty one when the handle is stale. */
  T Take(int64_t handle) {
    T* found = Find(handle);
    if (found == nullptr) return T();
    const auto index = static_cast<uint32_t>(handle & kIndexMask);
    slots_[index].used = false;
    if (++slots_[index].generation == 0) slots_[index].generation = 1;  // or the first slot's handle would be 0
    free_.push_back(index);
    return std::exchange(*found, T());
  }

  bool Full() const { return free_.empty() && slots_.size() > kIndexMask; }

 private:
  static constexpr int kIndexBits = 20;
  static constexpr int64_t kIndexMask = (1 << kIndexBits) - 1;

  struct Slot {
    T value{};
    uint32_t generation = 1;
    bool used = false;
  };
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};
