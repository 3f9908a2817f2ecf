// A watcher of all keys with a prefix: reads the change log from its cursor on, and says which keys it must look at
// (docs/protocol.md, 9.6). The last change of each key is never missed. It knows of each key the entry that gave it its last
// state: a record names an entry, and that may have been retired, and be another key's, by the time it is read.
#pragma once
#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "present_keys.h"
#include "reader.h"

namespace area {

/** A key that has changed: its version now, and whether it has a value. */
struct Change {
  std::string key;
  uint64_t version = 0;
  bool has_value = false;
};

template <class Memory>
class Feed {
 public:
  Feed(const Reader<Memory>& reader, std::string prefix, uint64_t tries)
      : reader_(&reader), prefix_(std::move(prefix)), tries_(tries) {}

  /**
   * Before the first Poll: what is there now is known, and no change. It is looked at in one go, because a key that nobody knew could lose
   * its name with its deletion. kValue; kBusy: once more, or what could not be read is told as a change; kDamaged.
   */
  Code SkipPresent() {
    const uint64_t committed = reader_->memory.template Load<Site::kCommitted>(kCommittedAt);
    const uint32_t count = reader_->Count();
    Budget budget = Budget::OfKeys(tries_ + 4 * uint64_t{count}, count, 0);
    present_ = {};
    bool was_busy = false;
    for (uint32_t entry = 0; entry < count; ++entry) {
      const Code code = SkipEntry(entry, &budget);
      if (code == Code::kDamaged) return code;
      if (code == Code::kBusy) was_busy = true;
    }
    if (was_busy) return Code::kBusy;
    BeginAt(committed);
    return Code::kValue;
  }

  /**
   * What changed since the last call; the first one, and after an overrun, compares everything, a part in each call: see `has_more`.
   * kValue, kBusy or kDamaged.
   */
  Code Poll(std::vector<Change>* changes) {
    const uint64_t committed = reader_->memory.template Load<Site::kCommitted>(kCommittedAt);
    const uint64_t keys = reader_->Count() + known();
    budget_ = Budget::OfKeys(tries_ + 4 * keys, keys, 0);
    std::vector<uint32_t> entries;
    if (comparison_.is_on || !is_begun_ || !ReadLog(committed, &entries)) return Compare(committed, changes);
    bool is_whole = true;
    for (const uint32_t entry : entries) {
      const Code code = Refresh(entry, changes);
      if (code == Code::kDamaged) return code;
      if (code == Code::kBusy) is_whole = false;
    }
    if (!is_whole) return Code::kBusy;
    cursor_ = committed;
    return Code::kValue;
  }

  /** Goes on in the area that has the values now. What is the same in it is no change. */
  void MoveTo(const Reader<Memory>& reader) {
    reader_ = &reader;
    is_begun_ = false;
    comparison_ = {};
    by_entry_.clear();
    present_.ForgetEntries();
    for (auto& [key, known] : known_) known.entry = kNoEntry;
  }

  /** The last call has done a part of what is to be compared, and there is nothing wrong. */
  bool has_more() const { return comparison_.is_on; }
  uint64_t cursor() const { return cursor_; }
  uint64_t known() const { return known_.size() + present_.left(); }

  /** What it knows, for the model. */
  template <class Visit>
  void EachKnown(Visit visit) const {
    for (const auto& [key, known] : known_) visit(key, known.entry, known.uid, known.version, known.has_value);
    present_.Each([&](const std::string& key, uint32_t entry, uint64_t version) {
      if (known_.count(key) == 0) visit(key, entry, 0, version, true);
    });
  }

 private:
  struct Known {
    uint32_t entry = kNoEntry;
    uint64_t uid = 0;
    uint64_t version = 0;
    bool has_value = false;
    uint32_t comparison = 0;  // the last one that has looked at it
  };

  /** One that was there at the beginning. An entry that changes just now is in the log. */
  Code SkipEntry(uint32_t entry, Budget* budget) {
    Key key;
    Found found;
    if (!reader_->KeyOf(entry, &key, &found) || !HasPrefix(key)) return Code::kValue;
    Target nothing;
    const Outcome outcome = reader_->Get(found, kLatest, &nothing, budget);
    if (outcome.code != Code::kValue) return outcome.code;
    present_.Add(entry, key, outcome.version);
    // An owner that says the truth has them all in its area.
    return present_.name_bytes() > 2 * reader_->geometry.capacity ? Code::kDamaged : Code::kValue;
  }

  bool HasPrefix(const Key& key) const {
    return key.length >= prefix_.size() && std::memcmp(key.bytes, prefix_.data(), prefix_.size()) == 0;
  }

  /** One that was there at the beginning is wanted, by its entry. */
  void Meet(uint32_t entry) {
    std::string name;
    uint64_t version;
    if (present_.Take(entry, &name, &version)) Remember(entry, std::move(name), version);
  }

  /** Unless something newer is known of it. */
  void Remember(uint32_t entry, std::string name, uint64_t version) {
    Known known;
    known.entry = entry;
    known.version = version;
    known.has_value = true;
    if (known_.emplace(name, known).second && entry != kNoEntry) by_entry_.emplace(entry, std::move(name));
  }

  /** The entries of the records from the cursor to `committed`, each once. False: some have been overwritten. */
  bool ReadLog(uint64_t committed, std::vector<uint32_t>* entries) const {
    if (committed < cursor_ || committed - cursor_ > reader_->geometry.log_size || cursor_ < reader_->geometry.base) {
      return false;
    }
    // A transaction has no more changes; a real log is twice as long, the model's is shorter.
    const uint32_t most = std::min(kMaxEdits, reader_->geometry.log_size);
    for (uint64_t number = cursor_ + 1; number <= committed; ++number) {
      const uint64_t record = reader_->memory.template Load<Site::kRecordRead>(reader_->geometry.RecordAt(number));
      if (static_cast<uint32_t>((record >> 32) - number) >= most) return false;
      const auto entry = static_cast<uint32_t>(record);
      if (entry < reader_->geometry.max_entries) entries->push_back(entry);
    }
    std::sort(entries->begin(), entries->end());
    entries->erase(std::unique(entries->begin(), entries->end()), entries->end());
    return true;
  }

  /** Looks at every key that may be meant by a record of this entry. */
  Code Refresh(uint32_t entry, std::vector<Change>* changes) {
    std::vector<std::string> keys;
    Meet(entry);
    if (reader_->memory.Has(Repair::kKnownByEntry)) {
      const auto [from, to] = by_entry_.equal_range(entry);
      for (auto at = from; at != to; ++at) keys.push_back(at->second);
    }
    Key key;
    Found found;
    if (reader_->KeyOf(entry, &key, &found)) {
      std::string name(reinterpret_cast<const char*>(key.bytes), key.length);
      if (HasPrefix(key) && std::find(keys.begin(), keys.end(), name) == keys.end()) keys.push_back(std::move(name));
    }
    return RefreshAll(keys, changes);
  }

  /** Everything there is, and everything that was. The cursor is of before: what comes meanwhile is in the log. */
  Code Compare(uint64_t committed, std::vector<Change>* changes) {
    if (!comparison_.is_on) BeginComparison(committed);
    const std::vector<std::string> keys = NextKeys();
    const Code code = RefreshAll(keys, changes);
    if (code == Code::kDamaged) return code;
    if (code == Code::kBusy) comparison_.was_busy = true;
    if (!IsCompared()) return Code::kBusy;
    const Comparison done = comparison_;
    comparison_ = {};
    if (done.was_busy) return Code::kBusy;
    BeginAt(done.committed);
    return Code::kValue;
  }

  /** Everything was looked at, after so much was committed. */
  void BeginAt(uint64_t committed) {
    const bool is_before = reader_->memory.Has(Repair::kCursorBefore);
    cursor_ = is_before ? committed : reader_->memory.template Load<Site::kCommitted>(kCommittedAt);
    is_begun_ = true;
  }

  void BeginComparison(uint64_t committed) {
    // Of keys that are entered from here on the log tells.
    comparison_ = {true, false, committed, 0, reader_->Count(), 0};
    ++comparisons_;
    // To make room for very many takes as long as many turns when they are there already.
    const uint64_t most = prefix_.empty() ? std::max(known(), uint64_t{comparison_.count}) : known();
    known_.reserve(most);
    by_entry_.reserve(most);
  }

  bool IsCompared() const {
    return present_.left() == 0 && comparison_.entry >= comparison_.count && comparison_.bucket >= known_.bucket_count();
  }

  /** A part of those that are to be compared: keys that are there now and were not known, then those that are known. */
  std::vector<std::string> NextKeys() {
    std::vector<std::string> keys;
    size_t met = 0;
    for (; met < kKeysAtOnce && present_.left() > 0; ++met) MeetLast();
    if (present_.left() > 0) return keys;
    uint64_t looks = 0;
    for (; comparison_.entry < comparison_.count && keys.size() + met < kKeysAtOnce && looks < kLooksAtOnce; ++looks) {
      Key key;
      Found found;
      if (!reader_->KeyOf(comparison_.entry++, &key, &found) || !HasPrefix(key)) continue;
      std::string name(reinterpret_cast<const char*>(key.bytes), key.length);
      if (known_.count(name) == 0) keys.push_back(std::move(name));
    }
    if (comparison_.entry < comparison_.count) return keys;
    // Nothing is entered behind this, so the buckets stay.
    const size_t buckets = known_.bucket_count();
    for (; comparison_.bucket < buckets && keys.size() + met < kKeysAtOnce && looks < kLooksAtOnce; ++comparison_.bucket) {
      ++looks;
      for (auto at = known_.begin(comparison_.bucket); at != known_.end(comparison_.bucket); ++at) {
        if (at->second.comparison != comparisons_) keys.push_back(at->first);
      }
    }
    return keys;
  }

  void MeetLast() {
    uint32_t entry;
    std::string name;
    uint64_t version;
    if (present_.TakeLast(&entry, &name, &version)) Remember(entry, std::move(name), version);
  }

  /** All of them, also when one is busy: what is known afterwards is not told again. */
  Code RefreshAll(const std::vector<std::string>& keys, std::vector<Change>* changes) {
    Code worst = Code::kValue;
    for (const std::string& key : keys) {
      const Code code = RefreshKey(key, changes);
      if (code == Code::kDamaged) return code;
      if (code == Code::kBusy) worst = code;
    }
    return worst;
  }

  Code RefreshKey(const std::string& name, std::vector<Change>* changes) {
    Key key;
    if (!key.Set(name.data(), name.size(), reader_->geometry.epoch)) return Code::kDamaged;
    Known now;
    Outcome outcome{Code::kGone};
    while (outcome.code == Code::kGone) {
      Found found;
      const Code code = reader_->Find(key, &budget_, &found);
      now.entry = found.entry;
      now.uid = found.uid;
      Target nothing;
      outcome = code == Code::kValue ? reader_->Get(found, kLatest, &nothing, &budget_) : Outcome{code};
    }
    if (outcome.code != Code::kValue && outcome.code != Code::kAbsent) return outcome.code;
    now.comparison = comparisons_;
    now.version = outcome.version;
    now.has_value = outcome.code == Code::kValue;
    Learn(name, now, changes);
    // An owner that says the truth has no more: each key has an entry, or its end is in the log.
    return known_.size() > 2 * uint64_t{reader_->geometry.max_entries} ? Code::kDamaged : Code::kValue;
  }

  void Learn(const std::string& name, const Known& now, std::vector<Change>* changes) {
    const auto at = known_.find(name);
    const Known before = at == known_.end() ? Known() : at->second;
    const bool is_deleted_since = !now.has_value && is_begun_ && now.version > cursor_ && now.version != before.version;
    if (now.has_value ? !before.has_value || before.version != now.version : before.has_value || is_deleted_since) {
      changes->push_back({name, now.version, now.has_value});
    }
    if (at != known_.end() && before.entry != now.entry) ForgetEntry(before.entry, name);
    if (now.entry == kNoEntry) {
      if (at != known_.end()) known_.erase(at);
      return;
    }
    if (at == known_.end() || before.entry != now.entry) by_entry_.emplace(now.entry, name);
    known_[name] = now;
  }

  void ForgetEntry(uint32_t entry, const std::string& name) {
    const auto [from, to] = by_entry_.equal_range(entry);
    for (auto at = from; at != to; ++at) {
      if (at->second == name) {
        by_entry_.erase(at);
        return;
      }
    }
  }

  /** What one call does: a few milliseconds. */
  static constexpr size_t kKeysAtOnce = 1024;
  static constexpr uint64_t kLooksAtOnce = 8 * kKeysAtOnce;

  /** One that is under way. */
  struct Comparison {
    bool is_on = false;
    bool was_busy = false;
    uint64_t committed = 0;  // before it began
    uint32_t entry = 0;      // the next one to look at
    uint32_t count = 0;      // of entries, when it began
    size_t bucket = 0;       // of those that are known, the next one
  };

  const Reader<Memory>* reader_;
  std::string prefix_;
  uint64_t tries_;
  Comparison comparison_;
  uint32_t comparisons_ = 0;
  Budget budget_{0, 0};  // of one poll
  uint64_t cursor_ = 0;
  bool is_begun_ = false;
  PresentKeys present_;
  std::unordered_map<std::string, Known> known_;
  std::unordered_multimap<uint32_t, std::string> by_entry_;
};

}  // namespace area
