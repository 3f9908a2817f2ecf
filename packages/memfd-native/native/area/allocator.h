// Which bytes of the heap are whose: the owner's private knowledge, nothing of it is in the area. Blocks are of size classes,
// four to a doubling. A block that is given back goes to the end of its class's queue and is taken again from the front, so that
// a slow reader finds it as it was for as long as possible. When the queues hold too much, all that is free is joined and cut
// anew; then stale readers must be told (`reshaped` in the header), which is the caller's.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "block_queue.h"
#include "layout.h"

namespace area {

class Allocator {
 public:
  /** How the memory is used; the model has less of everything. */
  struct Tuning {
    /** Blocks that wait in a queue before the first is taken again: of up to 4 KiB, 1 MiB, and larger ones. */
    size_t distance_small = 64;
    /** Of the small ones so many bytes at most, but a few blocks in any case: what waits is of no use. */
    uint64_t waiting_small = 8 << 10;
    size_t least_small = 4;
    size_t distance_medium = 3;
    size_t distance_large = 1;
    /** Queues may hold one part in so many of the heap, and so many bytes, before they are joined. */
    uint64_t join_part = 16;
    uint64_t join_bytes = 64 << 10;
    /** Blocks kept for deletes in a full area. */
    size_t spares = 64;
  };

  Allocator(uint64_t from, uint64_t to, const Tuning& tuning) : begin_(from), end_(from), limit_(to), tuning_(tuning) {}

  /** What a block with this content takes. */
  static uint64_t SizeFor(uint64_t bytes) { return SizeOfClass(ClassOf(kBlockBytes + bytes)); }

  /**
   * A block for so many bytes of content; 0 when there is no room. `join` is called before memory is used with other
   * boundaries than it was; `grow(end)` before the heap is used up to there, and answers whether it may be.
   */
  template <class Join, class Grow>
  uint64_t Take(uint64_t bytes, Join join, Grow grow) {
    const size_t queue = ClassOf(kBlockBytes + bytes);
    const uint64_t size = SizeOfClass(queue);
    if (queue < queues_.size() && HasWaited(queues_[queue].size(), size)) return Dequeue(queue, size);
    return TakeOther(queue, size, join, grow);
  }

  /** Gives a block with this much content back. */
  void Give(uint64_t at, uint64_t bytes) {
    const size_t queue = ClassOf(kBlockBytes + bytes);
    const uint64_t size = SizeOfClass(queue);
    queues_[queue].Push(at);
    queued_ += size;
    used_ -= size;
  }

  /** Whether what Take answered last was given back as it is: with the header of the block that it was. */
  bool took_block() const { return took_block_; }
  uint64_t used() const { return used_; }
  uint64_t free() const { return end_ - begin_ - used_; }
  /** Up to where the heap was ever in use. */
  uint64_t end() const { return end_; }
  uint64_t joins() const { return joins_; }

 private:
  /** As Take, of a size of which no block has waited long enough. */
  template <class Join, class Grow>
  [[gnu::noinline]] uint64_t TakeOther(size_t queue, uint64_t size, Join join, Grow grow) {
    took_block_ = false;
    if (queue >= queues_.size()) queues_.resize(queue + 1);
    if (uint64_t at = Cut(size)) return at;
    if (IsJoiningDue(queue, size)) {
      if (uint64_t at = JoinAndCut(size, join)) return at;
    }
    if (size <= limit_ - end_ && grow(end_ + size)) {
      end_ += size;
      used_ += size;
      return end_ - size;
    }
    if (uint64_t at = CutTail(size, grow)) return at;
    if (!queues_[queue].empty()) return Dequeue(queue, size);
    if (queued_ == 0) return 0;
    if (uint64_t at = JoinAndCut(size, join)) return at;
    return CutTail(size, grow);
  }

  static size_t ClassOf(uint64_t size) {
    if (size <= kSmallest) return 0;
    const int log2 = 63 - __builtin_clzll(size - 1);
    const uint64_t quarter = uint64_t{1} << (log2 - 2);
    const uint64_t quarters = (size - (uint64_t{1} << log2) + quarter - 1) / quarter;
    return static_cast<size_t>(log2 - kSmallestLog2) * 4 + quarters;
  }

  static uint64_t SizeOfClass(size_t number) {
    if (number == 0) return kSmallest;
    const auto log2 = kSmallestLog2 + static_cast<int>((number - 1) / 4);
    return (uint64_t{1} << log2) + ((number - 1) % 4 + 1) * (uint64_t{1} << (log2 - 2));
  }

  /** Whether, where so many blocks wait, the first of them has waited long enough. */
  bool HasWaited(size_t count, uint64_t size) const {
    if (size > (1 << 20)) return count > tuning_.distance_large;
    if (size > 4096 + 1024) return count > tuning_.distance_medium;
    return count > tuning_.distance_small || (count > tuning_.least_small && count * size > tuning_.waiting_small);
  }

  uint64_t Dequeue(size_t queue, uint64_t size) {
    const uint64_t at = queues_[queue].Pop();
    took_block_ = true;
    queued_ -= size;
    used_ += size;
    return at;
  }

  /** What waits in the class's own queue will be taken from there: a value that changes again and again goes round in its blocks. */
  bool IsJoiningDue(size_t queue, uint64_t size) const {
    const uint64_t others = queued_ - queues_[queue].size() * size;
    return others >= tuning_.join_bytes && others >= size && others >= (end_ - begin_) / tuning_.join_part;
  }

  /** From the smallest free piece that is large enough. */
  uint64_t Cut(uint64_t size) {
    const auto fit = by_size_.lower_bound({size, 0});
    if (fit == by_size_.end()) return 0;
    const auto [length, at] = *fit;
    by_size_.erase(fit);
    pieces_.erase(at);
    if (length > size) AddPiece(at + size, length - size);
    used_ += size;
    return at;
  }

  /** From a piece that is last in the heap, and what lies beyond it. */
  template <class Grow>
  uint64_t CutTail(uint64_t size, Grow grow) {
    if (pieces_.empty()) return 0;
    const auto [at, length] = *pieces_.rbegin();
    if (at + length != end_ || size > limit_ - at || !grow(at + size)) return 0;
    by_size_.erase({length, at});
    pieces_.erase(at);
    end_ = at + size;
    used_ += size;
    return at;
  }

  template <class Join>
  uint64_t JoinAndCut(uint64_t size, Join join) {
    join();
    ++joins_;
    std::vector<std::pair<uint64_t, uint64_t>> all(pieces_.begin(), pieces_.end());
    for (size_t number = 0; number < queues_.size(); ++number) {
      while (!queues_[number].empty()) all.emplace_back(queues_[number].Pop(), SizeOfClass(number));
    }
    std::sort(all.begin(), all.end());
    queued_ = 0;
    pieces_.clear();
    by_size_.clear();
    for (size_t i = 0; i < all.size();) {
      const uint64_t from = all[i].first;
      uint64_t to = from;
      for (; i < all.size() && all[i].first == to; ++i) to += all[i].second;
      AddPiece(from, to - from);
    }
    return Cut(size);
  }

  void AddPiece(uint64_t at, uint64_t length) {
    pieces_.emplace(at, length);
    by_size_.emplace(length, at);
  }

  static constexpr int kSmallestLog2 = 6;
  static constexpr uint64_t kSmallest = 1 << kSmallestLog2;

  uint64_t begin_, end_, limit_;
  Tuning tuning_;
  uint64_t used_ = 0;
  uint64_t queued_ = 0;
  bool took_block_ = false;
  uint64_t joins_ = 0;
  std::vector<BlockQueue> queues_;
  std::map<uint64_t, uint64_t> pieces_;
  std::set<std::pair<uint64_t, uint64_t>> by_size_;
};

}  // namespace area
