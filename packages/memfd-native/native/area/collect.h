// Several keys at once: all of them, and snapshots (docs/protocol.md, 9.5). Everything is private copies.
#pragma once
#include <string>
#include <vector>

#include "reader.h"

namespace area {

/** A key's value as it was copied. */
struct Copied {
  std::string key;
  std::vector<uint8_t> value;
  Outcome outcome;
};

template <class Memory>
class Collector {
 public:
  /** `tries`: of one read, and of a whole snapshot. `max_value`: longer ones are damage. */
  Collector(const Reader<Memory>& reader, uint64_t tries, uint64_t max_value)
      : reader_(reader), tries_(tries), max_value_(max_value) {}

  /** The keys that begin with `prefix` and have a value, in no order; kBusy or kDamaged: not all could be looked at. */
  Code Keys(const std::string& prefix, std::vector<std::string>* keys) const {
    return KeysAt(0, reader_.Count(), prefix, keys);
  }

  /** Of them, those whose entries are from `entry` on and before `end`. */
  Code KeysAt(uint32_t entry, uint32_t end, const std::string& prefix, std::vector<std::string>* keys) const {
    Code worst = Code::kValue;
    Budget budget(0, tries_ + (end - entry) / 8);  // of all: a call has an end also if each entry wants all tries
    for (; entry < end; ++entry) {
      Key key;
      Found found;
      if (!reader_.KeyOf(entry, &key, &found) || !HasPrefix(key, prefix)) continue;
      Target nothing;
      Budget one(0, 2);  // almost always enough: the common budget is for what is tried again
      Outcome outcome = reader_.Get(found, kLatest, &nothing, &one);
      if (outcome.code == Code::kBusy) outcome = reader_.Get(found, kLatest, &nothing, &budget);
      if (outcome.code == Code::kBusy || outcome.code == Code::kDamaged) worst = outcome.code;
      if (outcome.code == Code::kValue || !reader_.memory.Has(Repair::kKeysByGet)) {
        keys->emplace_back(reinterpret_cast<const char*>(key.bytes), key.length);
      }
    }
    return worst;
  }

  /** The values of `keys` at one moment, absent ones with kAbsent. Or kBusy, kDamaged. */
  Code Snapshot(const std::vector<std::string>& keys, uint64_t* version, std::vector<Copied>* values) {
    Begin(keys.size());
    for (uint64_t round = 0; round < tries_ && steps_ > 0; ++round) {
      const uint64_t retired = reader_.memory.template Load<Site::kRetired>(kRetiredAt);
      *version = reader_.memory.template Load<Site::kCommitted>(kCommittedAt);
      values->clear();
      const Code code = CopyEach(keys, *version, values);
      if (code == Code::kDamaged) return code;
      if (code == Code::kValue && IsWhole(retired)) return code;
    }
    return Code::kBusy;
  }

  /** Of all keys that begin with `prefix` and have a value then. */
  Code SnapshotOf(const std::string& prefix, uint64_t* version, std::vector<Copied>* values) {
    Begin(reader_.Count());
    for (uint64_t round = 0; round < tries_ && steps_ > 0; ++round) {
      const uint64_t retired = reader_.memory.template Load<Site::kRetired>(kRetiredAt);
      *version = reader_.memory.template Load<Site::kCommitted>(kCommittedAt);
      values->clear();
      const Code code = CopyAll(prefix, *version, values);
      if (code == Code::kDamaged) return code;
      if (code == Code::kValue && IsWhole(retired)) return code;
    }
    return Code::kBusy;
  }

 private:
  // What bounds a call, however the owner behaves. True values lie beside each other: of one moment they are no more than the heap.
  static constexpr uint64_t kRounds = 16;
  static constexpr uint64_t kMoreSteps = 4096;
  static constexpr uint64_t kFailures = 32;  // for each round there may be

  void Begin(uint64_t keys) {
    const uint64_t heap = reader_.geometry.capacity - reader_.geometry.heap_at;
    steps_ = kRounds * keys + kMoreSteps;
    bytes_ = 2 * heap + Budget::kBytes;
    // A search and two reads for each key of each round, and some that fail.
    const uint64_t rounds = tries_ < kRounds ? tries_ : kRounds;
    budget_ = Budget::OfKeys(3 * rounds * keys + kFailures * (tries_ - 1), kRounds * keys, bytes_);
  }

  /** False: the call has taken long enough. */
  bool Step() { return steps_ > 0 && steps_-- > 0; }

  static bool HasPrefix(const Key& key, const std::string& prefix) {
    return key.length >= prefix.size() && std::memcmp(key.bytes, prefix.data(), prefix.size()) == 0;
  }

  /** A key that was retired, or whose entry is another's now, may have had a value at that moment. */
  bool IsWhole(uint64_t retired) const {
    reader_.memory.template Fence<Site::kSnapshotFence>();
    return reader_.memory.template Load<Site::kRetiredAgain>(kRetiredAt) == retired ||
           !reader_.memory.Has(Repair::kRetiredWord);
  }

  Code CopyEach(const std::vector<std::string>& keys, uint64_t at, std::vector<Copied>* values) {
    for (const std::string& name : keys) {
      if (!Step()) return Code::kBusy;
      Key key;
      if (!key.Set(name.data(), name.size(), reader_.geometry.epoch)) return Code::kDamaged;
      Found found;
      Copied copied;
      copied.key = name;
      copied.outcome.code = reader_.Find(key, &budget_, &found);
      if (copied.outcome.code == Code::kValue) copied.outcome.code = Copy(found, at, &copied);
      if (copied.outcome.code != Code::kValue && copied.outcome.code != Code::kAbsent) return copied.outcome.code;
      values->push_back(std::move(copied));
    }
    return Code::kValue;
  }

  Code CopyAll(const std::string& prefix, uint64_t at, std::vector<Copied>* values) {
    const uint32_t count = reader_.Count();
    for (uint32_t entry = 0; entry < count; ++entry) {
      if (!Step()) return Code::kBusy;
      Key key;
      Found found;
      if (!reader_.KeyOf(entry, &key, &found) || !HasPrefix(key, prefix)) continue;
      Copied copied;
      copied.key.assign(reinterpret_cast<const char*>(key.bytes), key.length);
      const Code code = Copy(found, at, &copied);
      if (code != Code::kValue && code != Code::kAbsent) return code;
      if (code == Code::kValue) values->push_back(std::move(copied));
    }
    return Code::kValue;
  }

  /** First its length, then all of it: of one moment both. */
  Code Copy(const Found& found, uint64_t at, Copied* copied) {
    Target target;
    copied->outcome = reader_.Get(found, at, &target, &budget_);
    if (copied->outcome.code != Code::kValue) return copied->outcome.code;
    if (copied->outcome.bytes > max_value_) return Code::kDamaged;
    if (copied->outcome.bytes > bytes_) return Code::kBusy;
    bytes_ -= copied->outcome.bytes;
    copied->value.resize(copied->outcome.bytes);
    target.data = copied->value.data();
    target.room = copied->value.size();
    target.wanted_version = copied->outcome.version;
    const Outcome outcome = reader_.Get(found, at, &target, &budget_);
    const bool is_same = outcome.code == Code::kValue && target.copied == copied->outcome.bytes;
    return is_same ? Code::kValue : outcome.code == Code::kDamaged ? Code::kDamaged : Code::kBusy;
  }

  const Reader<Memory>& reader_;
  uint64_t tries_;
  uint64_t max_value_;
  uint64_t steps_ = 0;
  uint64_t bytes_ = 0;
  Budget budget_{0, 0};  // of one snapshot
};

}  // namespace area
