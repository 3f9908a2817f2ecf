// What a transaction will take: the entries of new keys, the blocks of deletions. Everything that can fail is here; nobody sees
// any of it before the writer publishes it, and then nothing can fail any more.
#pragma once
#include <cerrno>
#include <cstring>
#include <vector>

#include "key_table.h"

namespace area {

/** One change: the block that was reserved for the new value, or 0 to delete the key. */
struct Edit {
  Key key;
  uint64_t block = 0;
  Found before = {};  // where the key was when it was last changed
};

/** A change as it will be made. */
struct Planned {
  Edit* edit;
  uint32_t entry;
  bool is_new;
  bool is_delete;  // its block is ours
  uint64_t old;    // the block of before, 0 none
};

template <class Memory>
class Plan {
 public:
  /** `spares`: so many blocks are kept for deletions. */
  Plan(Memory& memory, Heap<Memory>& heap, KeyTable<Memory>& table, size_t spares)
      : memory_(memory), heap_(heap), table_(table), spares_wanted_(spares) {}

  /** 0, or a negative errno as Writer::Commit: then nothing of it is left. Else it lasts until End. */
  int Make(Edit* edits, size_t count) {
    const int error = TakeAll(edits, count);
    if (error != 0) Undo();
    return error;
  }

  /** What is to be published, a key once. */
  std::vector<Planned>& changes() { return changes_; }
  /** Blocks of edits that a later one of the same key overrides. */
  const std::vector<uint64_t>& overridden() const { return overridden_; }

  /** The keys that were not there: as yet without a value. */
  void EnterNewKeys() {
    size_t which = 0;
    for (const Planned& planned : changes_) {
      if (planned.is_new) table_.Publish(planned.entry, planned.edit->key, which++);
    }
    table_.EndPublishing();
  }

  /** It was carried out. */
  void End() {
    changes_.clear();
    overridden_.clear();
  }

  void KeepSpares() {
    while (spares_.size() < spares_wanted_) {
      const uint64_t block = heap_.New(0, kDeleted);
      if (block == 0) return;
      spares_.push_back(block);
    }
  }

  bool HasValue(uint32_t entry) const {
    const uint64_t block = table_.RefOf(entry);
    return block != 0 && heap_.TypeIn(block) != kDeleted;
  }

 private:
  int TakeAll(Edit* edits, size_t count) {
    size_t new_keys = 0;
    for (size_t i = 0; i < count; ++i) {
      if (IsOverridden(edits, i, count)) {
        if (edits[i].block != 0) overridden_.push_back(edits[i].block);
        continue;
      }
      const uint32_t entry = table_.Find(edits[i].key, edits[i].before);
      const bool is_delete = edits[i].block == 0;
      if (is_delete && (entry == kNoEntry || !HasValue(entry))) continue;
      changes_.push_back({&edits[i], entry, entry == kNoEntry, is_delete, 0});
      new_keys += entry == kNoEntry;
    }
    if (new_keys > 0) {
      const int error = TakeNew(new_keys);
      if (error != 0) return error;
    }
    for (Planned& planned : changes_) {
      if (!planned.is_delete) continue;
      planned.edit->block = NewDelete();
      if (planned.edit->block == 0) return -ENOSPC;
    }
    return 0;
  }

  /** Also where the area is full: to delete must always be possible. */
  uint64_t NewDelete() {
    const uint64_t block = heap_.New(0, kDeleted);
    if (block != 0 || spares_.empty()) return block;
    const uint64_t spare = spares_.back();
    spares_.pop_back();
    return spare;
  }

  int TakeNew(size_t count) {
    int error = table_.Prepare(count);
    for (size_t i = 0; error == 0 && i < changes_.size(); ++i) {
      if (changes_[i].is_new) error = table_.CheckProbes(changes_[i].edit->key);
    }
    for (size_t i = 0; error == 0 && i < changes_.size(); ++i) {
      if (!changes_[i].is_new) continue;
      const int64_t entry = table_.Take(changes_[i].edit->key);
      if (entry < 0) return static_cast<int>(entry);
      changes_[i].entry = static_cast<uint32_t>(entry);
    }
    return error;
  }

  bool IsOverridden(const Edit* edits, size_t which, size_t count) const {
    if (!memory_.Has(Repair::kMergeDuplicates)) return false;
    for (size_t i = which + 1; i < count; ++i) {
      const bool is_same = edits[i].key.hash == edits[which].key.hash && edits[i].key.length == edits[which].key.length &&
                           std::memcmp(edits[i].key.bytes, edits[which].key.bytes, edits[i].key.length) == 0;
      if (is_same) return true;
    }
    return false;
  }

  void Undo() {
    for (size_t i = changes_.size(); i-- > 0;) {
      if (changes_[i].is_new && changes_[i].entry != kNoEntry) table_.Untake(changes_[i].entry);
      if (!changes_[i].is_delete || changes_[i].edit->block == 0) continue;
      heap_.FreeWiped(changes_[i].edit->block);
      changes_[i].edit->block = 0;
    }
    table_.EndPublishing();
    End();
  }

  Memory& memory_;
  Heap<Memory>& heap_;
  KeyTable<Memory>& table_;
  size_t spares_wanted_;
  std::vector<Planned> changes_;
  std::vector<uint64_t> overridden_;
  std::vector<uint64_t> spares_;
};

}  // namespace area
