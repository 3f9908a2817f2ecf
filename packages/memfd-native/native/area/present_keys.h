// The keys that had a value when a watcher began that is told only of what changes from then on. Their names must be known, because a
// key that is deleted may have lost its entry, and its name, by the time the log is read. Most of them never change: so they lie here one
// behind the other, until one is wanted.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "layout.h"

namespace area {

class PresentKeys {
 public:
  /** By entries, the lowest first. */
  void Add(uint32_t entry, const Key& key, uint64_t version) {
    keys_.push_back({version, names_.size(), entry, static_cast<uint16_t>(key.length)});
    names_.insert(names_.end(), key.bytes, key.bytes + key.length);
    ++left_;
  }

  /** Takes the one of this entry out. False: there is none. */
  bool Take(uint32_t entry, std::string* name, uint64_t* version) {
    if (left_ == 0 || !has_entries_) return false;
    const auto at = std::lower_bound(keys_.begin(), keys_.end(), entry,
                                     [](const Present& key, uint32_t wanted) { return key.entry < wanted; });
    return at != keys_.end() && at->entry == entry && TakeOut(&*at, name, version);
  }

  /** Takes the last one out, and its entry: kNoEntry when that is not known. False: there are no more. */
  bool TakeLast(uint32_t* entry, std::string* name, uint64_t* version) {
    while (!keys_.empty()) {
      Present& key = keys_.back();
      *entry = has_entries_ ? key.entry : kNoEntry;
      const bool is_there = TakeOut(&key, name, version);
      keys_.pop_back();
      if (is_there) return true;
    }
    names_ = {};
    return false;
  }

  /** They are in another area now. */
  void ForgetEntries() { has_entries_ = false; }

  uint64_t left() const { return left_; }
  uint64_t name_bytes() const { return names_.size(); }

  template <class Visit>
  void Each(Visit visit) const {
    for (const Present& key : keys_) {
      if (key.length != 0) visit(NameOf(key), has_entries_ ? key.entry : kNoEntry, key.version);
    }
  }

 private:
  struct Present {
    uint64_t version;
    uint64_t name_at;
    uint32_t entry;
    uint16_t length;  // 0: it was taken out
  };

  std::string NameOf(const Present& key) const { return std::string(names_.data() + key.name_at, key.length); }

  bool TakeOut(Present* key, std::string* name, uint64_t* version) {
    if (key->length == 0) return false;
    *name = NameOf(*key);
    *version = key->version;
    key->length = 0;
    --left_;
    return true;
  }

  std::vector<Present> keys_;
  std::vector<char> names_;
  uint64_t left_ = 0;
  bool has_entries_ = true;
};

}  // namespace area
