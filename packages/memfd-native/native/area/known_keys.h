// What a watcher knows of keys, and what of it has changed. Of each key it knows the entry that gave it its last state: a record names
// an entry, and that may have been retired, and be another key's, by the time it is read.
#pragma once
#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "present_keys.h"

namespace area {

/** A key that has changed: its version now, and whether it has a value. */
struct Change {
  std::string key;
  uint64_t version = 0;
  bool has_value = false;
};

/** A key as it was seen last. */
struct Known {
  uint32_t entry = kNoEntry;
  uint64_t uid = 0;
  uint64_t version = 0;
  bool has_value = false;
  uint32_t comparison = 0;  // the last one that has looked at it
};

class KnownKeys {
 public:
  /** Of keys: known by what was seen of them, or there at the beginning. */
  uint64_t count() const { return by_name_.size() + present_.left(); }
  uint64_t seen() const { return by_name_.size(); }
  bool HasSeen(const std::string& name) const { return by_name_.count(name) != 0; }

  /** To make room for very many takes as long as many turns when they are there already. */
  void Reserve(uint64_t keys) {
    by_name_.reserve(keys);
    by_entry_.reserve(keys);
  }

  /** It knows none of those that are there at the beginning. */
  void BeginPresent() { present_ = {}; }
  /** One that was there at the beginning: by entries, the lowest first. */
  void AddPresent(uint32_t entry, const Key& key, uint64_t version) { present_.Add(entry, key, version); }
  uint64_t present_bytes() const { return present_.name_bytes(); }
  uint64_t present() const { return present_.left(); }

  /** One that was there at the beginning is wanted, by its entry. */
  void Meet(uint32_t entry) {
    std::string name;
    uint64_t version;
    if (present_.Take(entry, &name, &version)) Remember(entry, std::move(name), version);
  }

  /** Any of those that were there at the beginning is wanted. */
  void MeetLast() {
    uint32_t entry;
    std::string name;
    uint64_t version;
    if (present_.TakeLast(&entry, &name, &version)) Remember(entry, std::move(name), version);
  }

  /** The keys to which this entry gave their last state. */
  std::vector<std::string> NamesOf(uint32_t entry) const {
    std::vector<std::string> names;
    const auto [from, to] = by_entry_.equal_range(entry);
    for (auto at = from; at != to; ++at) names.push_back(at->second);
    return names;
  }

  /** Those that were seen are in buckets, which stay while none is added. */
  size_t buckets() const { return by_name_.bucket_count(); }
  template <class Visit>
  void EachIn(size_t bucket, Visit visit) const {
    for (auto at = by_name_.begin(bucket); at != by_name_.end(bucket); ++at) visit(at->first, at->second);
  }

  /** A key is seen to be so. Adds a change where it was not; the end of one that nobody knew is one if it came behind `cursor`. */
  void Learn(const std::string& name, const Known& now, uint64_t cursor, std::vector<Change>* changes) {
    const auto at = by_name_.find(name);
    const Known before = at == by_name_.end() ? Known() : at->second;
    const bool is_deleted_since = !now.has_value && now.version > cursor && now.version != before.version;
    if (now.has_value ? !before.has_value || before.version != now.version : before.has_value || is_deleted_since) {
      changes->push_back({name, now.version, now.has_value});
    }
    if (at != by_name_.end() && before.entry != now.entry) ForgetEntry(before.entry, name);
    if (now.entry == kNoEntry) {
      if (at != by_name_.end()) by_name_.erase(at);
      return;
    }
    if (at == by_name_.end() || before.entry != now.entry) by_entry_.emplace(now.entry, name);
    by_name_[name] = now;
  }

  /** They are in another area now. */
  void ForgetEntries() {
    by_entry_.clear();
    present_.ForgetEntries();
    for (auto& [name, known] : by_name_) known.entry = kNoEntry;
  }

  /** What another watcher knows of keys, in another area, and this one does not. */
  void AddFrom(const KnownKeys& other) {
    for (const auto& [name, known] : other.by_name_) AddNewer(name, known);
    other.present_.Each([&](const std::string& name, uint32_t, uint64_t version) {
      Known known;
      known.version = version;
      known.has_value = true;
      AddNewer(name, known);
    });
  }

  /** For the model. */
  template <class Visit>
  void Each(Visit visit) const {
    for (const auto& [name, known] : by_name_) visit(name, known.entry, known.uid, known.version, known.has_value);
    present_.Each([&](const std::string& name, uint32_t entry, uint64_t version) {
      if (!HasSeen(name)) visit(name, entry, 0, version, true);
    });
  }

 private:
  /** Unless something newer is known of it. */
  void Remember(uint32_t entry, std::string name, uint64_t version) {
    Known known;
    known.entry = entry;
    known.version = version;
    known.has_value = true;
    if (by_name_.emplace(name, known).second && entry != kNoEntry) by_entry_.emplace(entry, std::move(name));
  }

  void AddNewer(const std::string& name, Known known) {
    known.entry = kNoEntry;
    known.comparison = 0;
    Known& mine = by_name_.try_emplace(name, known).first->second;
    if (mine.version < known.version) mine = known;
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

  PresentKeys present_;
  std::unordered_map<std::string, Known> by_name_;
  std::unordered_multimap<uint32_t, std::string> by_entry_;
};

}  // namespace area
