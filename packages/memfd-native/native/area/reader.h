// A reader of an area: finding a key, reading a value (docs/protocol.md, 9.3 to 9.5). It trusts nothing that it loads: the owner
// may be hostile and change any byte at any moment. Every offset is checked in a register before it is used, no loop is without
// a bound, and what it answers of a value is a copy that was accepted after it was made.
//
// Written against a memory (LiveMemory; in the model one that answers whatever the order of the accesses allows).
#pragma once
#include "layout.h"
#include "sites.h"

namespace area {

enum class Code {
  kValue,
  kAbsent,
  kGone,     // the entry has another life: find the key again
  kBusy,     // given up: the owner was faster every time
  kDamaged,  // no owner writes this
  kConflict  // there is a value, of another version than the wanted one
};

/** Where a value is copied to: what of it begins at `position`, as much as there is room for. */
struct Target {
  uint8_t* data = nullptr;
  uint64_t room = 0;
  uint64_t position = 0;
  uint64_t wanted_version = 0;  // 0: any
  uint64_t copied = 0;          // the answer
};

struct Outcome {
  Code code = Code::kAbsent;
  uint64_t version = 0;  // 0 of an absence without a block
  uint32_t bytes = 0;    // of the whole value
  uint8_t type = kDeleted;
};

/** What bounds one call, however the owner behaves: how often it tries, how many slots it looks at, and how much it copies in vain. */
class Budget {
 public:
  /** Of a read of one key. */
  explicit Budget(uint64_t room, uint64_t tries = kTries) : Budget(tries, kSlots, 16 * room + kBytes) {}
  /** Of several keys: all the slots that one search may take, for each of them. */
  static Budget OfKeys(uint64_t tries, uint64_t keys, uint64_t bytes) { return {tries, kSlots + kSlotsOfKey * keys, bytes}; }

  bool Try() { return tries_ > 0 && tries_-- > 0; }
  bool Look() { return slots_ > 0 && slots_-- > 0; }
  bool Copy(uint64_t count) {
    if (count > bytes_) return false;
    bytes_ -= count;
    return true;
  }

  static constexpr uint64_t kBytes = 8 << 20;

 private:
  Budget(uint64_t tries, uint64_t slots, uint64_t bytes) : tries_(tries), slots_(slots), bytes_(bytes) {}

  static constexpr uint64_t kTries = 256;
  static constexpr uint64_t kSlots = 16 * kMaxProbes;
  // An owner lets no key be further from its place than three quarters of what a search may take: on average half of that.
  static constexpr uint64_t kSlotsOfKey = kMaxProbes / 2;
  uint64_t tries_;
  uint64_t slots_;
  uint64_t bytes_;
};

/** As a moment: now. No number of a transaction. */
constexpr uint64_t kLatest = ~uint64_t{0};

template <class Memory>
class Reader {
 public:
  Reader(Memory memory, const Geometry& geometry) : memory(memory), geometry(geometry) {}

  Memory memory;
  Geometry geometry;

  /** kValue: found; kAbsent: there is no such key. */
  Code Find(const Key& key, Budget* budget, Found* found) const {
    while (memory.MayTry(key.hash, 0, 0) && budget->Try()) {
      const uint64_t word = memory.template Load<Site::kIndex>(kIndexAt);
      const Index index = Index::Of(word);
      if (!geometry.IsIndex(index)) return Code::kDamaged;
      const Code code = Probe(index, key, budget, found);
      if (code == Code::kValue || code == Code::kBusy) return code;
      memory.template Fence<Site::kMissFence>();
      // An index that was replaced may be anything by now: what was seen in it says nothing.
      if (memory.template Load<Site::kIndexAgain>(kIndexAt) == word) return code;
    }
    return Code::kBusy;
  }

  /** The value of an entry at a moment: now, or when `at` was the last transaction. */
  Outcome Get(const Found& found, uint64_t at, Target* target, Budget* budget) const {
    Outcome outcome;
    GetInto(found, at, target, budget, &outcome);
    return outcome;
  }
  /** The same, where an answer that is copied would count: a word that was stored in parts is slow to load as a whole. */
  void GetInto(const Found& found, uint64_t at, Target* target, Budget* budget, Outcome* outcome) const {
    Attempt attempt{found, target, budget, 0, false, outcome};
    bool is_first = true;
    for (; memory.MayTry(found.entry, found.uid, at) && budget->Try(); is_first = false) {
      if (TryGet(attempt, at, is_first)) return;
    }
    attempt.End(Code::kBusy);
  }

  /** The key that an entry has now, and its uid. False: it has none, or it changes just now. */
  bool KeyOf(uint32_t entry, Key* key, Found* found) const {
    const uint64_t at = geometry.EntryAt(entry);
    const uint64_t uid = memory.template Load<Site::kUid>(at + kUidIn);
    if (uid == 0) return false;
    uint8_t bytes[kMaxKeyBytes];
    const uint64_t length = memory.template Load<Site::kKey>(at + kShapeIn) & 0xffff;
    if (length < 1 || length > kMaxKeyBytes) return false;
    const uint64_t from = KeyBytesAt(at, length);
    if (from == 0) return false;
    memory.template CopyOut<Site::kKey>(from, bytes, length);
    memory.template Fence<Site::kKeyFence>();
    if (memory.template Load<Site::kUidAgain>(at + kUidIn) != uid) return false;
    *found = {entry, uid};
    return key->Set(bytes, length, geometry.epoch);
  }

  /** How many entries there may be. */
  uint32_t Count() const {
    const uint32_t count = memory.template Load32<Site::kCount>(kCountAt);
    return count < geometry.max_entries ? count : geometry.max_entries;
  }

 private:
  Code Probe(const Index& index, const Key& key, Budget* budget, Found* found) const {
    const uint64_t mask = index.slots() - 1;
    const uint64_t probes = index.slots() < kMaxProbes ? index.slots() : kMaxProbes;
    bool is_damaged = false;
    for (uint64_t probe = 0; probe < probes; ++probe) {
      if (!budget->Look()) return Code::kBusy;
      const uint64_t slot = memory.template Load<Site::kSlot>(index.at + 8 * ((key.hash + probe) & mask));
      if (slot == kFreeSlot) return is_damaged ? Code::kDamaged : Code::kAbsent;
      const auto number = static_cast<uint32_t>(slot);
      if (number == kDeletedSlot || slot >> 32 != key.hash >> 32) continue;
      if (number - 1 >= geometry.max_entries) is_damaged = true;  // 0 too
      else if (HasKey(number - 1, key, found)) return Code::kValue;
    }
    // Full of deleted slots: an owner makes a new index before that.
    return probes == kMaxProbes ? Code::kDamaged : is_damaged ? Code::kDamaged : Code::kAbsent;
  }

  bool HasKey(uint32_t entry, const Key& key, Found* found) const {
    const uint64_t at = geometry.EntryAt(entry);
    const uint64_t uid = memory.template Load<Site::kUid>(at + kUidIn);
    if (uid == 0) return false;
    if ((memory.template Load<Site::kKey>(at + kShapeIn) & 0xffff) != key.length) return false;
    if (key.is_long()) {
      uint8_t bytes[kMaxKeyBytes];
      const uint64_t from = KeyBytesAt(at, key.length);
      if (from == 0) return false;
      memory.template CopyOut<Site::kKey>(from, bytes, key.length);
      if (std::memcmp(bytes, key.bytes, key.length) != 0) return false;
    } else {
      for (int i = 0; 8u * i < key.length; ++i) {
        if (memory.template Load<Site::kKey>(at + kKeyIn + 8 * i) != key.Word(i)) return false;
      }
    }
    memory.template Fence<Site::kKeyFence>();
    if (memory.template Load<Site::kUidAgain>(at + kUidIn) != uid) return false;
    *found = {entry, uid};
    return true;
  }

  /** Of an entry's key; 0 when that would lie outside. */
  uint64_t KeyBytesAt(uint64_t entry_at, uint64_t length) const {
    if (length <= kInlineKeyBytes) return entry_at + kKeyIn;
    const uint64_t block = memory.template Load<Site::kKey>(entry_at + kKeyIn);
    return geometry.IsBlock(block) && length <= geometry.RoomOf(block) ? block + kContentIn : 0;
  }

  /** To read one value: of which entry, into what, at whose cost, and what came of it. */
  struct Attempt {
    const Found& found;
    Target* target;
    Budget* budget;
    uint64_t reshaped;  // as it was when this attempt began
    bool is_past;       // behind `prev`, at a moment: a block that has gone from there does not come back
    Outcome* outcome;

    bool End(Code code, uint64_t version = 0, uint32_t bytes = 0, uint8_t type = kDeleted) {
      outcome->code = code;
      outcome->version = version;
      outcome->bytes = bytes;
      outcome->type = type;
      return true;
    }
    /** The block is another's now. */
    bool Lose() { return is_past && End(Code::kBusy); }
  };

  /** False: it must be tried again. */
  bool TryGet(Attempt& attempt, uint64_t at, bool is_first) const {
    const Found& found = attempt.found;
    const uint64_t entry = geometry.EntryAt(found.entry);
    attempt.reshaped = memory.template Load<Site::kReshaped>(kReshapedAt);
    attempt.is_past = false;
    uint64_t committed = at != kLatest ? at : memory.template Load<Site::kCommitted>(kCommittedAt);
    uint64_t block = memory.template Load<Site::kRef>(entry + kRefIn);
    if (is_first || memory.Has(Repair::kUidEachTry)) {
      if (memory.template Load<Site::kUidOfValue>(entry + kUidIn) != found.uid) return attempt.End(Code::kGone);
    }
    if (block == 0) return attempt.End(Code::kAbsent);
    if (!geometry.IsBlock(block)) return attempt.End(Code::kDamaged);
    uint64_t tx = memory.template Load<Site::kTx>(block + kBlockTxIn);
    if (tx == 0) return false;
    if (tx > committed && at == kLatest) committed = memory.template Load<Site::kCommittedAgain>(kCommittedAt);
    if (tx > committed) {
      const uint64_t prev = memory.template Load<Site::kPrev>(block + kPrevIn);
      const uint64_t owner = memory.template Load<Site::kPrev>(block + kOwnerIn);
      if (prev == 0 && !memory.Has(Repair::kOwnerBeforePrev)) return attempt.End(Code::kAbsent);
      memory.template Fence<Site::kPrevFence>();
      if (memory.template Load<Site::kTxBeforePrev>(block + kBlockTxIn) != tx || !IsOwner(owner, found) ||
          IsReshaped(attempt.reshaped)) {
        return false;
      }
      if (prev == 0) return attempt.End(Code::kAbsent);
      if (!geometry.IsBlock(prev)) return attempt.End(Code::kDamaged);
      block = prev;
      attempt.is_past = at != kLatest;
      tx = memory.template Load<Site::kPrevTx>(block + kBlockTxIn);
      if (tx == 0 || tx > committed) return attempt.Lose();
    }
    return Accept(attempt, block, tx);
  }

  /** Copies the value, and looks again whether it was one all the time. */
  bool Accept(Attempt& attempt, uint64_t block, uint64_t tx) const {
    Target* const target = attempt.target;
    const uint64_t shape = memory.template Load<Site::kValue>(block + kBlockShapeIn);
    uint64_t owner = memory.template Load<Site::kValue>(block + kOwnerIn);
    const uint32_t bytes = BytesOf(shape);
    const uint8_t type = TypeOf(shape);
    const bool is_sound = bytes <= geometry.RoomOf(block) && type <= kJson;
    const bool is_wanted = target->wanted_version == 0 || target->wanted_version == tx;
    target->copied = 0;
    if (is_sound && is_wanted && target->position < bytes) {
      const uint64_t left = bytes - target->position;
      target->copied = left < target->room ? left : target->room;
      if (!attempt.budget->Copy(target->copied)) return attempt.End(Code::kBusy);
      memory.template CopyOut<Site::kValue>(block + kContentIn + target->position, target->data, target->copied);
    }
    memory.template Fence<Site::kValueFence>();
    if (memory.template Load<Site::kTxAgain>(block + kBlockTxIn) != tx) return attempt.Lose();
    if (!memory.Has(Repair::kOwnerBeforeFence)) owner = memory.template Load<Site::kValue>(block + kOwnerIn);
    if (!IsOwner(owner, attempt.found)) return attempt.Lose();
    if (IsReshaped(attempt.reshaped)) return false;
    if (!is_sound) return attempt.End(Code::kDamaged);
    if (!is_wanted) return attempt.End(Code::kConflict, tx, bytes, type);
    return attempt.End(type == kDeleted ? Code::kAbsent : Code::kValue, tx, bytes, type);
  }

  bool IsOwner(uint64_t owner, const Found& found) const {
    if (memory.Has(Repair::kOwnerOfFind)) return owner == found.uid;
    return owner == memory.template Load<Site::kUidOfValue>(geometry.EntryAt(found.entry) + kUidIn);
  }

  bool IsReshaped(uint64_t before) const {
    return memory.template Load<Site::kReshapedAgain>(kReshapedAt) != before && memory.Has(Repair::kReshapedWord);
  }
};

}  // namespace area
