// The blocks of an area, as its owner makes and wipes them (docs/protocol.md, 9.2: steps 1 and 6, joining).
#pragma once
#include <unordered_map>

#include "allocator.h"
#include "sites.h"

namespace area {

template <class Memory>
class Heap {
 public:
  Heap(Memory& memory, const Geometry& geometry, const Allocator::Tuning& tuning)
      : memory_(memory), allocator_(geometry.heap_at, geometry.capacity, tuning), grown_(geometry.heap_at),
        geometry_(geometry) {}

  /** A block that no reader takes for a value yet. 0: the area is full, or the machine. */
  uint64_t New(uint32_t bytes, Type type) {
    const uint64_t at = allocator_.Take(bytes, [this] { Join(); }, [this](uint64_t end) { return Grow(end); });
    if (at == 0) return 0;
    const Old old = allocator_.took_block() ? OldIn(at) : Old();
    memory_.template Store<Site::kClearTx>(at + kBlockTxIn, 0);
    // What held the block before must be out of every reader's reach when the first new byte is in it.
    if (type != kIndexBlock) memory_.template Fence<Site::kClearFence>();
    else if (memory_.Has(Repair::kFenceBeforeIndex)) memory_.template Fence<Site::kIndexClearFence>();
    if (old.is_unwiped) CutOld(at, old, bytes);
    memory_.template Store<Site::kBody>(at + kBlockShapeIn, ShapeOf(bytes, type));
    return at;
  }

  void Write(uint64_t block, uint64_t position, const void* data, uint64_t count) {
    memory_.template CopyIn<Site::kBody>(block + kContentIn + position, data, count);
  }

  void SetOwner(uint64_t block, uint64_t uid, uint64_t prev) {
    memory_.template Store<Site::kBody>(block + kOwnerIn, uid);
    memory_.template Store<Site::kBody>(block + kPrevIn, prev);
  }

  uint32_t BytesIn(uint64_t block) const { return BytesOf(ShapeIn(block)); }
  uint8_t TypeIn(uint64_t block) const { return TypeOf(ShapeIn(block)); }

  /** Nobody can reach it any more but readers that are late. Its content is wiped, at the latest by WipeOf its owner. */
  void Free(uint64_t block) {
    const uint32_t bytes = BytesIn(block);
    if (bytes <= kWipedAtOnce && TypeIn(block) != kIndexBlock) Wipe(block, bytes);
    else if (TypeIn(block) < kKeyBlock) Remember(block);
    allocator_.Give(block, bytes);
  }

  /** As Free, of what shall not be read any more. */
  void FreeWiped(uint64_t block) {
    const uint32_t bytes = BytesIn(block);
    Wipe(block, bytes);
    allocator_.Give(block, bytes);
  }

  /** Wipes what is left of older values of an entry's. */
  void WipeOf(uint64_t uid) {
    const auto [from, to] = unwiped_.equal_range(uid);
    for (auto at = from; at != to; ++at) Wipe(at->second, BytesIn(at->second));
    unwiped_.erase(from, to);
  }

  /** Has so much of it allocated, ahead of its use. False: the machine has no more. */
  bool Prepare(uint64_t bytes) {
    const uint64_t most = geometry_.capacity - geometry_.heap_at;
    const uint64_t end = geometry_.heap_at + (bytes < most ? Geometry::Up(bytes, kHeaderBytes) : most);
    return end <= grown_ || GrowTo(end);
  }

  const Allocator& allocator() const { return allocator_; }
  uint64_t allocated() const { return grown_ - geometry_.heap_at; }

 private:
  /** To wipe less than this costs nothing to speak of; larger values are wiped when their key is deleted. */
  static constexpr uint32_t kWipedAtOnce = 4096;
  /** It grows by one part in so many, which nobody uses yet. */
  static constexpr uint64_t kStepPart = 8;
  static constexpr uint64_t kMinStep = 256 << 10;
  static constexpr uint64_t kMaxStep = 64 << 20;

  /** What a free block still has: it is unwiped if its tx is no 0. */
  struct Old {
    bool is_unwiped = false;
    uint64_t uid = 0;
    uint32_t bytes = 0;
  };

  uint64_t ShapeIn(uint64_t block) const { return memory_.template Load<Site::kOwn>(block + kBlockShapeIn); }

  void Wipe(uint64_t block, uint64_t bytes) {
    if (memory_.Has(Repair::kTxBeforeWipe)) {
      memory_.template Store<Site::kWipeTx>(block + kBlockTxIn, 0);
      memory_.template Fence<Site::kWipeFence>();
    }
    if (bytes > 0) memory_.template Zero<Site::kBody>(block + kContentIn, bytes);
  }

  Old OldIn(uint64_t block) const {
    const uint64_t tx = memory_.template Load<Site::kOwn>(block + kBlockTxIn);
    return {tx != 0, memory_.template Load<Site::kOwn>(block + kOwnerIn), BytesIn(block)};
  }

  /** In the node of the one that was forgotten last: a value that goes round in its blocks needs no other. */
  [[gnu::noinline]] void Remember(uint64_t block) {
    const uint64_t uid = memory_.template Load<Site::kOwn>(block + kOwnerIn);
    if (spare_.empty()) {
      unwiped_.emplace(uid, block);
      return;
    }
    spare_.key() = uid;
    spare_.mapped() = block;
    unwiped_.insert(std::move(spare_));
  }

  /** Of an older value, what the new one will not write over. */
  [[gnu::noinline]] void CutOld(uint64_t block, const Old& old, uint64_t bytes) {
    const auto [from, to] = unwiped_.equal_range(old.uid);
    for (auto at = from; at != to; ++at) {
      if (at->second != block) continue;
      spare_ = unwiped_.extract(at);
      break;
    }
    if (old.bytes > bytes) memory_.template Zero<Site::kBody>(block + kContentIn + bytes, old.bytes - bytes);
  }

  /** From here on a reader that knows a block of before knows nothing. */
  void Join() {
    for (const auto& [uid, block] : unwiped_) Wipe(block, BytesIn(block));
    unwiped_.clear();
    if (!memory_.Has(Repair::kReshapedWord)) return;
    const uint64_t reshaped = memory_.template Load<Site::kOwn>(kReshapedAt);
    memory_.template Store<Site::kReshape>(kReshapedAt, reshaped + 1);
    memory_.template Fence<Site::kReshapeFence>();
  }

  bool Grow(uint64_t end) {
    if (end <= grown_) return true;
    const uint64_t part = (grown_ - geometry_.heap_at) / kStepPart;
    const uint64_t step = part < kMinStep ? kMinStep : part > kMaxStep ? kMaxStep : part;
    const uint64_t wished = Geometry::Up(end > grown_ + step ? end : grown_ + step, kHeaderBytes);
    return GrowTo(wished < geometry_.capacity ? wished : geometry_.capacity) ||
           GrowTo(Geometry::Up(end, kHeaderBytes) < geometry_.capacity ? Geometry::Up(end, kHeaderBytes) : geometry_.capacity);
  }

  bool GrowTo(uint64_t end) {
    if (memory_.Allocate(grown_, end - grown_) != 0) return false;
    grown_ = end;
    return true;
  }

  Memory& memory_;
  Allocator allocator_;
  uint64_t grown_;
  const Geometry& geometry_;
  /** Free blocks with an older value in them, by the uid of its entry. */
  std::unordered_multimap<uint64_t, uint64_t> unwiped_;
  typename std::unordered_multimap<uint64_t, uint64_t>::node_type spare_;
};

}  // namespace area
