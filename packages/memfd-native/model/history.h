// A script of transactions as the writer carries it out: its stores, and what the area holds after each commit.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "../native/area/writer.h"
#include "view_memory.h"

namespace model {

/** How small the area is. */
struct Size {
  int blocks = 3;    // of a small value; and as many as the index needs twice
  int entries = 3;
  int log = 8;
};

struct Value {
  bool is_there = false;
  uint64_t version = 0;
  std::vector<uint64_t> words;
};
using State = std::map<std::string, Value>;

struct Commit {
  uint32_t number = 0;  // of the store that commits
  State state;
};

/**
 * The letters of a script. A word of a value is the number of its transaction, so that mixed ones show; of a large value all are 1, which
 * a reader that takes the middle of it for a block believes to be its entry's.
 */
inline const std::map<std::string, std::string> kActions = {
    {"X", "put X"}, {"Y", "put Y"}, {"Z", "put Z"}, {"XY", "put X and Y"}, {"XX", "put X twice"},
    {"x", "delete X"}, {"y", "delete Y"}, {"xY", "delete X, put Y"}, {"r", "retire the one deleted first"},
    {"i", "a new index"}, {"j", "leave numbers out"}, {"L", "put X, large"}, {"M", "put Y, large"}, {"K", "put a long key"}};

/** Names whose hashes have the same two lowest bits. */
inline std::string NameOf(char letter) {
  switch (letter) {
    case 'X': case 'x': case 'L': return "X";
    case 'Y': case 'y': case 'M': return "T";
    case 'Z': return "P";
    default: return std::string(31, 'X');
  }
}

class History {
 public:
  using Writer = area::Writer<TracedMemory>;

  explicit History(const Size& size) : size_(size), geometry_(MadeFor(size)), trace_(geometry_.capacity + 64) {}

  void Run(const std::vector<std::string>& script) {
    trace_.Reset();
    commits_.clear();
    state_.clear();
    area::Allocator::Tuning tuning;
    tuning.distance_small = tuning.distance_medium = tuning.distance_large = 0;
    tuning.join_part = 1;
    tuning.join_bytes = ~uint64_t{0};
    tuning.spares = 0;
    Writer writer(TracedMemory(&trace_), geometry_, tuning);
    if (writer.Begin(2) != 0) std::abort();
    begin_ = trace_.count();
    commits_.push_back({begin_, state_});
    for (size_t i = 0; i < script.size(); ++i) Act(&writer, script[i], 100 + i);
  }

  const Trace& trace() const { return trace_; }
  const area::Geometry& geometry() const { return geometry_; }
  const std::vector<Commit>& commits() const { return commits_; }
  uint32_t begin() const { return begin_; }

  /** Which commit was the last when so many stores were done. */
  size_t CommitAt(uint32_t number) const {
    size_t at = 0;
    while (at + 1 < commits_.size() && commits_[at + 1].number <= number) ++at;
    return at;
  }

 private:
  static area::Geometry MadeFor(const Size& size) {
    area::Geometry made = area::Geometry::For(0, size.entries, size.log);
    made.capacity = made.heap_at + 64 * (size.blocks + 2);
    while (!AllCollide(made.epoch)) ++made.epoch;
    return made;
  }

  /** Every search begins at the same slot. */
  static bool AllCollide(uint64_t epoch) {
    for (const char letter : {'X', 'Y', 'Z', 'K'}) {
      area::Key key;
      const std::string name = NameOf(letter);
      key.Set(name.data(), name.size(), epoch);
      if (key.hash % 4 != 3) return false;
    }
    return true;
  }

  void Act(Writer* writer, const std::string& action, uint64_t number) {
    if (action == "r") {
      const uint32_t before = trace_.count();
      if (writer->Retire(1) == 1) AddCommits(before);
      return;
    }
    if (action == "i") {
      writer->Rebuild();
      return;
    }
    if (action == "j") {
      const uint32_t before = trace_.count();
      if (writer->SkipTo(writer->committed() + geometry_.log_size + 1) == 0) AddCommits(before);
      return;
    }
    std::vector<area::Edit> edits;
    std::vector<std::pair<std::string, Value>> values;
    for (const char letter : action) {
      area::Edit edit;
      const std::string name = NameOf(letter);
      edit.key.Set(name.data(), name.size(), geometry_.epoch);
      Value value;
      if (letter < 'a') {
        value.is_there = true;
        value.words.assign(letter == 'L' || letter == 'M' ? 5 : 2, letter == 'L' || letter == 'M' ? 1 : number * 10 + edits.size());
        if (action.size() > 1) {
          edit.block = writer->Reserve(static_cast<uint32_t>(8 * value.words.size()), area::kBytes);
          if (edit.block == 0) break;
          writer->Write(edit.block, 0, value.words.data(), 8 * value.words.size());
        }
      }
      values.emplace_back(name, value);
      edits.push_back(edit);
    }
    uint64_t version = 0;
    const uint32_t before = trace_.count();
    if (action.size() == 1 && action[0] < 'a') {
      // As it is put: without a reservation, and of a key that is there without a plan.
      const auto& words = values[0].second.words;
      if (writer->Put(&edits[0], area::kBytes, words.data(), static_cast<uint32_t>(8 * words.size()), &version) != 0) return;
    } else if (!CommitAll(writer, &edits, action.size(), &version)) {
      return;
    }
    for (auto& [name, value] : values) {
      value.version = version;
      const auto had = state_.find(name);
      if (!value.is_there && (had == state_.end() || !had->second.is_there)) continue;
      state_[name] = value;
    }
    AddCommits(before);
  }

  /** All `count` of them, or none: then false. */
  static bool CommitAll(Writer* writer, std::vector<area::Edit>* edits, size_t count, uint64_t* version) {
    const bool is_full = edits->size() < count;
    if (!is_full && writer->Commit(edits->data(), edits->size(), version) == 0 && *version != 0) return true;
    for (const area::Edit& edit : *edits) {
      if (edit.block != 0) writer->Abandon(edit.block);
    }
    return false;
  }

  /** The store that committed, among those since. */
  void AddCommits(uint32_t before) {
    for (const Store& store : trace_.Of(area::kCommittedAt)) {
      if (store.number > before) commits_.push_back({store.number, state_});
    }
  }

  Size size_;
  area::Geometry geometry_;
  Trace trace_;
  std::vector<Commit> commits_;
  State state_;
  uint32_t begin_ = 0;
};

}  // namespace model
