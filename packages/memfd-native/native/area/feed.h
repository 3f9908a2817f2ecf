// A watcher of all keys with a prefix: reads the change log from its cursor on, and says which keys it must look at
// (docs/protocol.md, 9.6). The last change of each key is never missed. It knows of each key the entry that gave it its last
// state: a record names an entry, and that may have been retired, and be another key's, by the time it is read.
#pragma once
#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

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
   * What changed since the last call; the first one, and after an overrun, compares everything, a part in each call: see `has_more`.
   * kValue, kBusy or kDamaged.
   */
  Code Poll(std::vector<Change>* changes) {
    const uint64_t committed = reader_->memory.template Load<Site::kCommitted>(kCommittedAt);
    const uint64_t keys = uint64_t{reader_->Count()} + known_.size();
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
    for (auto& [key, known] : known_) known.entry = kNoEntry;
  }

  /** The last call has done a part of what is to be compared, and there is nothing wrong. */
  bool has_more() const { return comparison_.is_on; }
  uint64_t cursor() const { return cursor_; }
  size_t known() const { return known_.size(); }

  /** What it knows, for the model. */
  template <class Visit>
  void EachKnown(Visit visit) const {
    for (const auto& [key, known] : known_) visit(key, known.entry, known.uid, known.version, known.has_value);
  }

 private:
  struct Known {
    uint32_t entry = kNoEntry;
    uint64_t uid = 0;
    uint64_t version = 0;
    bool has_value = false;
  };

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
    if (reader_->memory.Has(Repair::kKnownByEntry)) {
      const auto [from, to] = by_entry_.equal_range(entry);
      for (auto at = from; at != to; ++at) keys.push_back(at->second);
    }
    Key key;
    Found found;
    if (reader_->KeyOf(entry, &key, &found)) {
      std::string name(reinterpret_cast<const char*>(key.bytes), key.length);
      if (name.compare(0, prefix_.size(), prefix_) == 0 && std::find(keys.begin(), keys.end(), name) == keys.end()) {
        keys.push_back(std::move(name));
      }
    }
    return RefreshAll(keys, changes);
  }

  /** Everything there is, and everything that was. The cursor is of before: what comes meanwhile is in the log. */
  Code Compare(uint64_t committed, std::vector<Change>* changes) {
    if (!comparison_.is_on) {
      // Of keys that are entered from here on the log tells.
      comparison_ = {true, false, committed, 0, reader_->Count(), {}};
      for (const auto& [key, known] : known_) comparison_.rest.push_back(key);
    }
    const std::vector<std::string> keys = NextKeys();
    const Code code = RefreshAll(keys, changes);
    if (code == Code::kDamaged) return code;
    if (code == Code::kBusy) comparison_.was_busy = true;
    if (comparison_.entry < comparison_.count || !comparison_.rest.empty()) return Code::kBusy;
    const Comparison done = std::move(comparison_);
    comparison_ = {};
    if (done.was_busy) return Code::kBusy;
    if (!reader_->memory.Has(Repair::kCursorBefore)) {
      committed = reader_->memory.template Load<Site::kCommitted>(kCommittedAt);
    } else {
      committed = done.committed;
    }
    cursor_ = committed;
    is_begun_ = true;
    return Code::kValue;
  }

  /** A part of those that are to be compared: keys that are there now and were not known, then those that were known at its beginning. */
  std::vector<std::string> NextKeys() {
    std::vector<std::string> keys;
    const uint32_t count = comparison_.count;
    for (uint64_t looks = 0; comparison_.entry < count && keys.size() < kKeysAtOnce && looks < kLooksAtOnce; ++looks) {
      Key key;
      Found found;
      if (!reader_->KeyOf(comparison_.entry++, &key, &found)) continue;
      std::string name(reinterpret_cast<const char*>(key.bytes), key.length);
      if (name.compare(0, prefix_.size(), prefix_) == 0 && known_.count(name) == 0) keys.push_back(std::move(name));
    }
    while (comparison_.entry >= count && keys.size() < kKeysAtOnce && !comparison_.rest.empty()) {
      keys.push_back(std::move(comparison_.rest.back()));
      comparison_.rest.pop_back();
    }
    return keys;
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
  static constexpr size_t kKeysAtOnce = 4096;
  static constexpr uint64_t kLooksAtOnce = 8 * kKeysAtOnce;

  /** One that is under way. */
  struct Comparison {
    bool is_on = false;
    bool was_busy = false;
    uint64_t committed = 0;         // before it began
    uint32_t entry = 0;             // the next one to look at
    uint32_t count = 0;             // of entries, when it began
    std::vector<std::string> rest;  // of those that were known when it began
  };

  const Reader<Memory>* reader_;
  std::string prefix_;
  uint64_t tries_;
  Comparison comparison_;
  Budget budget_{0, 0};  // of one poll
  uint64_t cursor_ = 0;
  bool is_begun_ = false;
  std::unordered_map<std::string, Known> known_;
  std::unordered_multimap<uint32_t, std::string> by_entry_;
};

}  // namespace area
