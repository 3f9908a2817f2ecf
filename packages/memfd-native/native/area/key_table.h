// The entries of an area and the index that finds them, as their owner makes them (docs/protocol.md, 9.2: step 2, retiring, a
// new index). The owner is the only writer, so it believes what it reads here.
#pragma once
#include <deque>
#include <vector>

#include "heap.h"

namespace area {

template <class Memory>
class KeyTable {
 public:
  KeyTable(Memory& memory, const Geometry& geometry, Heap<Memory>& heap)
      : memory_(memory), geometry_(geometry), heap_(heap), allocated_(geometry.entries_at) {}

  /** The first index. */
  int Begin(int log2) { return Build(log2); }

  /** kNoEntry: there is no such key. `before`: where it was; as long as that has the same uid it is there. */
  uint32_t Find(const Key& key, const Found& before = {}) const {
    if (before.entry < count_ && UidOf(before.entry) == before.uid) return before.entry;
    for (uint64_t probe = 0; probe < index_.slots(); ++probe) {
      const uint64_t slot = SlotAt(key.hash + probe);
      if (slot == kFreeSlot) break;
      const auto number = static_cast<uint32_t>(slot);
      if (number != kDeletedSlot && slot >> 32 == key.hash >> 32 && HasKey(number - 1, key)) return number - 1;
    }
    return kNoEntry;
  }

  /** Makes room for so many new keys. 0, -ENFILE: too many keys, -ENOSPC. */
  int Prepare(size_t count) {
    if (count > free_.size() + (geometry_.max_entries - count_)) return -ENFILE;
    if ((live_ + dead_ + count) * 10 <= index_.slots() * 7) return 0;
    const int error = Build(Log2For(live_ + count));
    // Without a new index the old one does as long as a search ends.
    return error != 0 && live_ + dead_ + count < index_.slots() * 9 / 10 ? 0 : error;
  }

  /** Whether a search for this new key ends in time, in this index or a larger one. 0, -EXFULL: too many keys like it. */
  int CheckProbes(const Key& key) {
    if (HasRoomFor(key)) return 0;
    if (index_.slots() < 8 * (live_ + 1) && Build(index_.log2 + 1) == 0 && HasRoomFor(key)) return 0;
    return -EXFULL;
  }

  /** An entry for a key, which nobody sees yet. Negative errno: there is none, or no room for the key. */
  int64_t Take(const Key& key) {
    uint64_t block = 0;
    if (key.is_long()) {
      block = heap_.New(key.length, kKeyBlock);
      if (block == 0) return -ENOSPC;
      heap_.Write(block, 0, key.bytes, key.length);
    }
    if (free_.empty() && !Allocate(count_ + taken_new_ + 1)) {
      if (block != 0) heap_.FreeWiped(block);
      return -ENOSPC;
    }
    uint32_t entry;
    if (free_.empty()) entry = count_ + taken_new_++;
    else {
      entry = free_.front();
      free_.pop_front();
    }
    key_blocks_.push_back(block);
    return entry;
  }

  /** Gives the entries back that Take answered last, newest first. */
  void Untake(uint32_t entry) {
    if (key_blocks_.back() != 0) heap_.FreeWiped(key_blocks_.back());
    key_blocks_.pop_back();
    if (entry >= count_) --taken_new_;
    else free_.push_front(entry);
  }

  /** Publishes the entries that were taken, in that order: a key without a value. */
  void Publish(uint32_t entry, const Key& key, size_t which) {
    const uint64_t at = geometry_.EntryAt(entry);
    const uint64_t block = key_blocks_[which];
    memory_.template Fence<Site::kReuseFence>();
    if (memory_.Has(Repair::kRefReset)) memory_.template Store<Site::kResetRef>(at + kRefIn, 0);
    memory_.template Store<Site::kEntryBody>(at + kHashIn, key.hash);
    memory_.template Store<Site::kEntryBody>(at + kShapeIn, key.length);
    memory_.template Store<Site::kEntryBody>(at + kKeyIn, block != 0 ? block : key.Word(0));
    memory_.template Store<Site::kEntryBody>(at + kKeyIn + 8, block != 0 ? 0 : key.Word(1));
    memory_.template Store<Site::kEntryBody>(at + kKeyIn + 16, block != 0 ? 0 : key.Word(2));
    if (block != 0) heap_.SetOwner(block, uid_ + 1, 0);
    memory_.template Store<Site::kNewUid>(at + kUidIn, ++uid_);
    if (entry >= count_) {
      count_ = entry + 1;
      memory_.template Store32<Site::kNewCount>(kCountAt, count_);
    }
    if (!memory_.Has(Repair::kNamesAfterSlot)) CountName();
    Enter(entry, key.hash);
    if (memory_.Has(Repair::kNamesAfterSlot)) CountName();
  }
  void EndPublishing() {
    key_blocks_.clear();
    taken_new_ = 0;
  }

  /** Takes the key out, after the retirement was committed. */
  void Drop(uint32_t entry) {
    const uint64_t at = geometry_.EntryAt(entry);
    const uint64_t hash = memory_.template Load<Site::kOwn>(at + kHashIn);
    for (uint64_t probe = 0;; ++probe) {
      if (SlotAt(hash + probe) != SlotOf(hash, entry)) continue;
      memory_.template Store<Site::kDropSlot>(SlotPlace(hash + probe), kDeletedSlot);
      break;
    }
    memory_.template Store<Site::kDropUid>(at + kUidIn, 0);
    memory_.template Fence<Site::kDropFence>();
    const uint64_t length = memory_.template Load<Site::kOwn>(at + kShapeIn);
    if (length > kInlineKeyBytes) heap_.FreeWiped(memory_.template Load<Site::kOwn>(at + kKeyIn));
    memory_.template Zero<Site::kEntryBody>(at + kKeyIn, kInlineKeyBytes);
    free_.push_back(entry);
    --live_;
    ++dead_;
  }

  /** A new index, without deleted slots. 0 or -ENOSPC. */
  int Rebuild() { return Build(Log2For(live_)); }

  /** The key's bytes, at most kMaxKeyBytes. Answers how many. */
  uint32_t CopyKey(uint32_t entry, uint8_t* bytes) const {
    const uint64_t at = geometry_.EntryAt(entry);
    const auto length = static_cast<uint32_t>(memory_.template Load<Site::kOwn>(at + kShapeIn));
    const bool is_long = length > kInlineKeyBytes;
    const uint64_t from = is_long ? memory_.template Load<Site::kOwn>(at + kKeyIn) + kContentIn : at + kKeyIn;
    memory_.template CopyOut<Site::kOwn>(from, bytes, length);
    return length;
  }

  /** Has so many entries allocated, and an index for them. 0 or -ENOSPC. */
  int Reserve(uint32_t keys) {
    const uint32_t count = keys < geometry_.max_entries ? keys : geometry_.max_entries;
    if (!Allocate(count)) return -ENOSPC;
    return Log2For(count) > index_.log2 ? Build(Log2For(count)) : 0;
  }

  uint64_t UidOf(uint32_t entry) const { return memory_.template Load<Site::kOwn>(geometry_.EntryAt(entry) + kUidIn); }
  uint64_t RefOf(uint32_t entry) const { return memory_.template Load<Site::kOwn>(geometry_.EntryAt(entry) + kRefIn); }
  uint32_t count() const { return count_; }
  uint32_t live() const { return live_; }

 private:
  /** How far a new key may be from its place: readers look at 1,024 slots, and a transaction brings up to 256. */
  static constexpr uint64_t kMaxDistance = kMaxProbes - kMaxEdits - 8;

  uint64_t SlotPlace(uint64_t position) const { return index_.at + 8 * (position & (index_.slots() - 1)); }
  uint64_t SlotAt(uint64_t position) const { return memory_.template Load<Site::kOwn>(SlotPlace(position)); }

  bool HasKey(uint32_t entry, const Key& key) const {
    const uint64_t at = geometry_.EntryAt(entry);
    if (memory_.template Load<Site::kOwn>(at + kHashIn) != key.hash) return false;
    if (memory_.template Load<Site::kOwn>(at + kShapeIn) != key.length) return false;
    if (!key.is_long()) {
      for (int i = 0; i < 3; ++i) {
        if (memory_.template Load<Site::kOwn>(at + kKeyIn + 8 * i) != key.Word(i)) return false;
      }
      return true;
    }
    uint8_t bytes[kMaxKeyBytes];
    CopyKey(entry, bytes);
    return std::memcmp(bytes, key.bytes, key.length) == 0;
  }

  bool HasRoomFor(const Key& key) const {
    const uint64_t most = index_.slots() < kMaxDistance ? index_.slots() : kMaxDistance;
    for (uint64_t probe = 0; probe < most; ++probe) {
      const uint64_t slot = SlotAt(key.hash + probe);
      if (slot == kFreeSlot || slot == kDeletedSlot) return true;
    }
    return false;
  }

  /** So that at most half of it is used; at least what was asked for in the beginning. */
  int Log2For(uint64_t keys) const {
    int log2 = min_log2_;
    while (log2 < Index::kMaxLog2 && keys * 2 > uint64_t{1} << log2) ++log2;
    return log2;
  }

  int Build(int log2) {
    if (log2 > Index::kMaxLog2) return -ENOSPC;
    Index made{0, memory_.Has(Repair::kIndexGeneration) ? index_.generation + 1 : index_.generation, log2};
    const uint64_t block = heap_.New(static_cast<uint32_t>(made.slots() * 8), kIndexBlock);
    if (block == 0) return -ENOSPC;
    made.at = block + kContentIn;
    std::vector<uint64_t> slots(made.slots());
    for (uint32_t entry = 0; entry < count_; ++entry) {
      if (UidOf(entry) == 0) continue;
      const uint64_t hash = memory_.template Load<Site::kOwn>(geometry_.EntryAt(entry) + kHashIn);
      uint64_t position = hash & (made.slots() - 1);
      while (slots[position] != kFreeSlot) position = (position + 1) & (made.slots() - 1);
      slots[position] = SlotOf(hash, entry);
    }
    memory_.template CopyIn<Site::kIndexSlots>(made.at, slots.data(), made.slots() * 8);
    const uint64_t old = index_.at;
    if (old == 0) min_log2_ = log2;
    index_ = made;
    memory_.template Store<Site::kNewIndex>(kIndexAt, made.word());
    dead_ = 0;
    if (old != 0) heap_.Free(old - kContentIn);
    return 0;
  }

  void Enter(uint32_t entry, uint64_t hash) {
    uint64_t probe = 0;
    while (SlotAt(hash + probe) != kFreeSlot && SlotAt(hash + probe) != kDeletedSlot) ++probe;
    if (SlotAt(hash + probe) == kDeletedSlot) --dead_;
    memory_.template Store<Site::kNewSlot>(SlotPlace(hash + probe), SlotOf(hash, entry));
    ++live_;
  }

  void CountName() {
    const uint64_t names = memory_.template Load<Site::kOwn>(kNamesAt);
    memory_.template Store<Site::kNewName>(kNamesAt, names + 1);
  }

  bool Allocate(uint32_t count) {
    const uint64_t end = geometry_.EntryAt(count);
    if (end <= allocated_) return true;
    const uint64_t wished = Geometry::Up(end + kStep, kHeaderBytes);
    const uint64_t to = wished < geometry_.heap_at ? wished : geometry_.heap_at;
    if (memory_.Allocate(allocated_, to - allocated_) != 0) return false;
    allocated_ = to;
    return true;
  }

  static constexpr uint64_t kStep = 64 << 10;

  Memory& memory_;
  const Geometry& geometry_;
  Heap<Memory>& heap_;
  uint64_t allocated_;
  Index index_;
  int min_log2_ = Index::kMinLog2;
  uint64_t uid_ = 0;
  uint32_t count_ = 0;
  uint32_t live_ = 0;
  uint32_t dead_ = 0;
  uint32_t taken_new_ = 0;
  std::deque<uint32_t> free_;
  std::vector<uint64_t> key_blocks_;
};

}  // namespace area
