// A memory for the area's reader and writer in which a load may answer everything that C11's orders allow (views as in RC11,
// without load buffering), or that x86-64 does (TSO: every access is acquire or release).
//
// There is one writer, so its stores are one sequence, and what a message carries is a number: all stores up to there. A reader
// knows a prefix of the sequence, and of each word the newest store it has seen. A load chooses among the stores of its word
// from there on; Choices walks through all combinations by running the reader again.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <algorithm>
#include <unordered_set>
#include <utility>
#include <vector>

#include "../native/area/layout.h"
#include "../native/area/sites.h"

namespace model {

using area::Order;
using area::Repair;
using area::Site;

struct Options {
  bool is_tso = false;
  bool may_die = false;  // while a reader tries
  int without = 0;    // the number of a repair that is taken out
  int weakened = -1;  // a site whose order is relaxed
};
inline Options options;

constexpr int kNumbers[] = {
#define AREA_REPAIR(name, number, what) number,
    AREA_REPAIRS(AREA_REPAIR)
#undef AREA_REPAIR
};

inline bool HasRepair(Repair repair) { return kNumbers[static_cast<int>(repair)] != options.without; }

inline Order OrderAt(Site site) {
  return static_cast<int>(site) == options.weakened ? Order::kRelaxed : area::OrderOf(site);
}

/** One store of the writer. */
struct Store {
  uint32_t number;  // in the sequence, from 1
  uint32_t carries;  // whoever acquires it knows all stores up to there
  uint64_t value;
};

/** The writer's sequence. */
class Trace {
 public:
  explicit Trace(uint64_t bytes) : words_(bytes / 4) {}

  void Reset() {
    for (const uint32_t word : used_) words_[word].clear();
    used_.clear();
    count_ = fenced_ = 0;
  }

  void Add(uint64_t at, uint64_t value, Order order) {
    std::vector<Store>& stores = words_.at(at / 4);
    if (stores.empty()) {
      used_.push_back(static_cast<uint32_t>(at / 4));
      stores.push_back({0, 0, 0});
    }
    ++count_;
    stores.push_back({count_, options.is_tso || order == Order::kRelease ? count_ : fenced_, value});
  }
  void Fence() { fenced_ = count_; }

  uint64_t Last(uint64_t at) const {
    const std::vector<Store>& stores = words_.at(at / 4);
    return stores.empty() ? 0 : stores.back().value;
  }
  const std::vector<Store>& Of(uint64_t at) const { return words_.at(at / 4); }
  uint32_t count() const { return count_; }

 private:
  std::vector<std::vector<Store>> words_;
  std::vector<uint32_t> used_;
  uint32_t count_ = 0;
  uint32_t fenced_ = 0;
};

/** The writer's memory: remembers all. */
class TracedMemory {
 public:
  explicit TracedMemory(Trace* trace) : trace_(trace) {}
  static bool Has(Repair repair) { return HasRepair(repair); }
  int Allocate(uint64_t, uint64_t) { return 0; }

  template <Site site>
  uint64_t Load(uint64_t at) const { return trace_->Last(at); }
  template <Site site>
  uint32_t Load32(uint64_t at) const { return static_cast<uint32_t>(trace_->Last(at)); }
  template <Site site>
  void Store(uint64_t at, uint64_t value) { trace_->Add(at, value, OrderAt(site)); }
  template <Site site>
  void Store32(uint64_t at, uint32_t value) { trace_->Add(at, value, OrderAt(site)); }
  template <Site site>
  void Fence() const {
    if (OrderAt(site) == Order::kRelease) trace_->Fence();
  }
  template <Site site>
  void CopyOut(uint64_t at, void* target, uint64_t count) const {
    for (uint64_t i = 0; i < count; i += 8) {
      const uint64_t word = trace_->Last(at + i);
      std::memcpy(static_cast<uint8_t*>(target) + i, &word, count - i < 8 ? count - i : 8);
    }
  }
  template <Site site>
  void CopyIn(uint64_t at, const void* source, uint64_t count) {
    for (uint64_t i = 0; i < count; i += 8) {
      uint64_t word = 0;
      std::memcpy(&word, static_cast<const uint8_t*>(source) + i, count - i < 8 ? count - i : 8);
      trace_->Add(at + i, word, OrderAt(site));
    }
  }
  template <Site site>
  void Zero(uint64_t at, uint64_t count) {
    for (uint64_t i = 0; i < count; i += 8) trace_->Add(at + i, 0, OrderAt(site));
  }

 private:
  Trace* trace_;
};

/** Which alternative each load took, so that all combinations come one after the other. */
class Choices {
 public:
  void Restart() {
    at_ = 0;
    repeated_ = taken_.size();
  }
  /** Up to the alternative that is new, a run is the one before. */
  bool IsRepeating() const { return at_ < repeated_; }
  uint32_t Pick(uint32_t count) {
    if (at_ == taken_.size()) taken_.push_back({0, count});
    return taken_[at_++].first;
  }
  /** False: that was the last combination. */
  bool Next() {
    while (!taken_.empty() && taken_.back().first + 1 == taken_.back().second) taken_.pop_back();
    if (taken_.empty()) return false;
    ++taken_.back().first;
    return true;
  }

 private:
  std::vector<std::pair<uint32_t, uint32_t>> taken_;
  size_t at_ = 0;
  size_t repeated_ = 0;
};

/** What a reader knows. */
struct View {
  uint32_t known = 0;    // all stores up to there
  uint32_t carried = 0;  // what its next acquire fence makes known
  uint32_t newest = 0;   // the newest store that it has seen: the writer has come so far, at least
  uint32_t limit = 0;    // where the writer was killed
  uint32_t tries_after_death = 0;  // the writer died while the reader tried
  uint32_t names = 0;    // the store of that word that was loaded last
  std::vector<std::pair<uint32_t, uint32_t>> seen;  // of a word, the newest store that was seen

  uint32_t Seen(uint32_t word) const {
    for (const auto& [at, number] : seen) {
      if (at == word) return number;
    }
    return 0;
  }
  void See(uint32_t word, uint32_t number) {
    for (auto& [at, old] : seen) {
      if (at == word) {
        old = number;
        return;
      }
    }
    seen.emplace_back(word, number);
  }

  /** After a message that was sent then. */
  void Learn(uint32_t number) {
    if (number > known) known = number;
    if (number > newest) newest = number;
  }
};

/** What readers knew when they began to try. Null: each one is new. */
using Seen = std::unordered_set<uint64_t>;

/** A reader's memory. */
class ViewedMemory {
 public:
  ViewedMemory(const Trace* trace, View* view, Choices* choices, Seen** seen)
      : trace_(trace), view_(view), choices_(choices), seen_(seen) {}

  /** False: a reader that knew the same has tried, and everything that can come of it was looked at. (By a hash of 64 bits.) */
  bool MayTry(uint64_t a, uint64_t b, uint64_t c) const {
    if (*seen_ == nullptr) return true;
    if (view_->tries_after_death > 0) return ++view_->tries_after_death < 8;
    if (options.may_die) Die();
    if (choices_->IsRepeating() || view_->tries_after_death > 0) return true;
    uint64_t hash = 0x9e3779b97f4a7c15;
    const auto mix = [&](uint64_t word) {
      hash = (hash ^ word) * 0xff51afd7ed558ccd;
      hash ^= hash >> 32;
    };
    for (const uint64_t word : {a, b, c, uint64_t{view_->known}, uint64_t{view_->carried}, uint64_t{view_->newest}, uint64_t{view_->names}}) mix(word);
    std::vector<std::pair<uint32_t, uint32_t>>& seen = view_->seen;
    std::erase_if(seen, [&](const auto& each) { return each.second <= view_->known; });
    std::sort(seen.begin(), seen.end());
    for (const auto& [word, number] : seen) mix(uint64_t{word} << 32 | number);
    return (*seen_)->insert(hash).second;
  }
  static bool Has(Repair repair) { return HasRepair(repair); }

  template <Site site>
  uint64_t Load(uint64_t at) const { return Read(at, OrderAt(site)); }
  template <Site site>
  uint32_t Load32(uint64_t at) const { return static_cast<uint32_t>(Read(at, OrderAt(site))); }
  template <Site site>
  void Fence() const {
    if (OrderAt(site) == Order::kAcquire && view_->carried > view_->known) view_->known = view_->carried;
  }
  template <Site site>
  void CopyOut(uint64_t at, void* target, uint64_t count) const {
    for (uint64_t i = 0; i < count; i += 8) {
      const uint64_t word = Read(at + i, OrderAt(site));
      std::memcpy(static_cast<uint8_t*>(target) + i, &word, count - i < 8 ? count - i : 8);
    }
  }

 private:
  /** Perhaps the writer dies here, at any store that the reader may not have seen; in the end the reader sees all there is. */
  void Die() const {
    const uint32_t choice = choices_->Pick(view_->limit - view_->newest + 2);
    if (choice == 0) return;
    view_->limit = view_->newest + choice - 1;
    view_->Learn(view_->limit);
    view_->tries_after_death = 1;
  }

  uint64_t Read(uint64_t at, Order order) const {
    const std::vector<Store>& stores = trace_->Of(at);
    if (stores.empty()) return 0;
    const auto word = static_cast<uint32_t>(at / 4);
    size_t from = 0;
    while (from + 1 < stores.size() && stores[from + 1].number <= view_->known) ++from;
    if (from + 1 < stores.size()) {
      const uint32_t seen = view_->Seen(word);
      while (stores[from].number < seen) ++from;
    }
    size_t to = from;
    while (to + 1 < stores.size() && stores[to + 1].number <= view_->limit) ++to;
    const size_t which = from == to ? from : from + choices_->Pick(static_cast<uint32_t>(to - from + 1));
    const Store& store = stores[which];
    if (store.number > view_->known) view_->See(word, store.number);
    if (at == area::kNamesAt) view_->names = store.number;
    if (store.number > view_->newest) view_->newest = store.number;
    if (store.carries > view_->carried) view_->carried = store.carries;
    if ((options.is_tso || order == Order::kAcquire) && store.carries > view_->known) view_->known = store.carries;
    return store.value;
  }

  const Trace* trace_;
  View* view_;
  Choices* choices_;
  Seen** seen_;
};

}  // namespace model
