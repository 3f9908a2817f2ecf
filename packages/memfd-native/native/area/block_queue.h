// Free blocks of one size: the first that came is the first that goes. Every put takes one and gives one, so it is a ring that
// allocates nothing as long as it does not become longer.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

namespace area {

class BlockQueue {
 public:
  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }

  void Push(uint64_t block) {
    if (count_ == ring_.size()) Grow();
    ring_[Place(count_++)] = block;
  }

  /** Of one that is not empty. */
  uint64_t Pop() {
    const uint64_t block = ring_[first_];
    first_ = Place(1);
    --count_;
    return block;
  }

 private:
  size_t Place(size_t i) const { return (first_ + i) & (ring_.size() - 1); }

  [[gnu::noinline]] void Grow() {
    std::vector<uint64_t> larger(ring_.empty() ? 8 : 2 * ring_.size());
    for (size_t i = 0; i < count_; ++i) larger[i] = ring_[Place(i)];
    ring_ = std::move(larger);
    first_ = 0;
  }

  std::vector<uint64_t> ring_;  // a power of two, or empty
  size_t first_ = 0;
  size_t count_ = 0;
};

}  // namespace area
