// A watcher of all keys with a prefix: reads the change log from its cursor on, and says which keys it must look at
// (docs/protocol.md, 9.6). The last change of each key is never missed. What it knows of them is in KnownKeys.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "known_keys.h"
#include "reader.h"

namespace area {

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
    known_.BeginPresent();
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
    const uint64_t keys = reader_->Count() + known_.count();
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
    known_.ForgetEntries();
  }

  /**
   * Before the first Poll, of an area that has taken keys over from another one: what is the same as `other` knows it is no change. Of keys
   * that are in neither, both say that they have gone. Of more keys than an honest owner has it knows nothing then: they are told once more.
   */
  void TakeKnown(const Feed& other) {
    known_.AddFrom(other.known_);
    if (known_.seen() > kMostForeign * reader_->geometry.max_entries) known_ = KnownKeys();
    foreign_ = known_.seen();
  }

  /** The last call has done a part of what is to be compared, and there is nothing wrong. */
  bool has_more() const { return comparison_.is_on; }
  uint64_t cursor() const { return cursor_; }
  uint64_t known() const { return known_.count(); }

  /** What it knows, for the model. */
  template <class Visit>
  void EachKnown(Visit visit) const {
    known_.Each(visit);
  }

 private:
  /** One that was there at the beginning. An entry that changes just now is in the log. */
  Code SkipEntry(uint32_t entry, Budget* budget) {
    Key key;
    Found found;
    if (!reader_->KeyOf(entry, &key, &found) || !HasPrefix(key)) return Code::kValue;
    Target nothing;
    const Outcome outcome = reader_->Get(found, kLatest, &nothing, budget);
    if (outcome.code != Code::kValue) return outcome.code;
    known_.AddPresent(entry, key, outcome.version);
    // An owner that says the truth has them all in its area.
    return known_.present_bytes() > 2 * reader_->geometry.capacity ? Code::kDamaged : Code::kValue;
  }

  bool HasPrefix(const Key& key) const {
    return key.length >= prefix_.size() && std::memcmp(key.bytes, prefix_.data(), prefix_.size()) == 0;
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
    known_.Meet(entry);
    if (reader_->memory.Has(Repair::kKnownByEntry)) keys = known_.NamesOf(entry);
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
    // Two, so that one poll is enough where there is little to compare.
    for (int part = 0; part < 2 && !IsCompared(); ++part) {
      const Code code = RefreshAll(NextKeys(), changes);
      if (code == Code::kDamaged) return code;
      if (code == Code::kBusy) comparison_.was_busy = true;
    }
    if (!IsCompared()) return Code::kBusy;
    const Comparison done = comparison_;
    comparison_ = {};
    if (done.was_busy) return Code::kBusy;
    BeginAt(done.committed);
    foreign_ = 0;
    // What came since it began is in the log, and its notice may have been answered by an earlier part.
    return done.committed == committed ? Code::kValue : Code::kBusy;
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
    known_.Reserve(prefix_.empty() ? std::max(known(), uint64_t{comparison_.count}) : known());
  }

  bool IsCompared() const {
    return known_.present() == 0 && comparison_.entry >= comparison_.count && comparison_.bucket >= known_.buckets();
  }

  /** A part of those that are to be compared: keys that are there now and were not known, then those that are known. */
  std::vector<std::string> NextKeys() {
    std::vector<std::string> keys;
    size_t met = 0;
    for (; met < kKeysAtOnce && known_.present() > 0; ++met) known_.MeetLast();
    if (known_.present() > 0) return keys;
    uint64_t looks = 0;
    for (; comparison_.entry < comparison_.count && keys.size() + met < kKeysAtOnce && looks < kLooksAtOnce; ++looks) {
      Key key;
      Found found;
      if (!reader_->KeyOf(comparison_.entry++, &key, &found) || !HasPrefix(key)) continue;
      std::string name(reinterpret_cast<const char*>(key.bytes), key.length);
      if (!known_.HasSeen(name)) keys.push_back(std::move(name));
    }
    // Those that were not known are entered before the others are looked at: from here on the buckets stay.
    if (comparison_.entry < comparison_.count || !keys.empty()) return keys;
    const size_t buckets = known_.buckets();
    for (; comparison_.bucket < buckets && keys.size() + met < kKeysAtOnce && looks < kLooksAtOnce; ++comparison_.bucket) {
      ++looks;
      known_.EachIn(comparison_.bucket, [&](const std::string& name, const Known& known) {
        if (known.comparison != comparisons_) keys.push_back(name);
      });
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
    now.comparison = comparisons_;
    now.version = outcome.version;
    now.has_value = outcome.code == Code::kValue;
    known_.Learn(name, now, is_begun_ ? cursor_ : ~uint64_t{0}, changes);
    // An owner that says the truth has no more: each key has an entry, or its end is in the log.
    return known_.seen() > foreign_ + 2 * uint64_t{reader_->geometry.max_entries} ? Code::kDamaged : Code::kValue;
  }

  /** As many areas as a store may have, and had, each as full as this one. */
  static constexpr uint64_t kMostForeign = 64;
  /** In one part; a poll does two: a few milliseconds. */
  static constexpr size_t kKeysAtOnce = 512;
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
  KnownKeys known_;
  uint64_t foreign_ = 0;  // that it knew from other areas
};

}  // namespace area
