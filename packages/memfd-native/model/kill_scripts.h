// What an owner does when it is killed: scripts of transactions, and how they are carried out.
#pragma once
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "../native/area/writer.h"
#include "killed_memory.h"

namespace kills {

/**
 * Actions, in words. A transaction: changes with a + between them. A change: an upper-case letter puts its key, a lower-case one
 * deletes it; a digit says how large the value is. `n20`: twenty new keys. `^X2`: X in parts; `~X2`: the same, given up. `r`: the key
 * that was deleted first is retired. `i`: a new index. `fill`: as many keys as there is room for. `moved`, `closed`: the end.
 */
struct Script {
  const char* name;
  const char* before;  // carried out whole
  const char* act;     // in here the owner is killed
  uint64_t capacity = 1 << 20;
  uint32_t entries = 64;
  int index_log2 = 6;
  bool is_joining = false;  // free blocks are joined as early as can be
};

inline const Script kScripts[] = {
    {"a key is put", "X", "X X Y X Y X"},
    {"a new key is put", "X", "Y Z W K"},
    {"keys are deleted and put again", "X Y", "x X y y x Y X"},
    {"transactions", "X Y", "X+Y+Z X+y Y+x+z X+Y+Z x+y+z"},
    {"the same key twice", "X", "X+X X+x x+X Y+Y+y"},
    {"retired, and its place used again", "X Y", "x r Z y r X K r x r W"},
    {"long keys", "K X", "K k r J X k K j r Y"},
    {"a new index", "X Y Z", "i X i x i"},
    {"an index that grows", "X", "Y n6 Z n12 x r", 1 << 20, 64, 2},
    {"large values", "X3 Y2", "X3 X3 X3 Y3 x y X2 X1"},
    {"the heap grows", "X3", "Y3 X3 Y3 X4 Y4 Z4", 4 << 20},
    {"free blocks are joined and cut", "X2 Y2 Z1 W1", "X1 Y3 X2 y Z3 w X1 x Y1 Z2", 1 << 20, 64, 6, true},
    {"values in parts", "X2", "^X3 ~X3 ^Y2 ~Y4 ^X2 ^X1"},
    {"a full area", "X2 Y2 fill", "x X1 y r X2 Y1", 160 << 10},
    {"a full table of keys", "n60 X Y Z", "x y r Z r W", 1 << 20, 63},
    {"a log that has come around", "X Y many", "X Y X+Y x r"},
    {"moved", "X Y Z3", "X moved"},
    {"closed", "X Y z", "Y closed"},
};

/** A word of its value, all of which are the same. */
struct Value {
  uint32_t number = 0;
  uint32_t bytes = 0;
  uint64_t version = 0;
  bool operator==(const Value& other) const {
    return number == other.number && bytes == other.bytes && version == other.version;
  }
};
using State = std::map<std::string, Value>;

constexpr uint32_t kSizes[] = {16, 40, 5000, 70'000, 300'000};

inline std::string NameOf(char letter) {
  const char upper = static_cast<char>(std::toupper(letter));
  if (upper == 'K' || upper == 'J') return std::string(40, upper);
  return std::string(1, upper);
}

inline std::vector<std::string> Words(const std::string& text, char between = ' ') {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, between);) words.push_back(word);
  return words;
}

/** Carries actions out, and knows what must be there after each. */
class Actor {
 public:
  using Writer = area::Writer<KilledMemory>;

  explicit Actor(Writer* writer) : writer_(writer) {}

  /** What there is: without an action that was not carried out. */
  const State& state() const { return state_; }

  void Act(const std::string& action) {
    ++number_;
    if (action == "r") writer_->Retire(1);
    else if (action == "i") writer_->Rebuild();
    else if (action == "moved") writer_->MarkMoved();
    else if (action == "closed") writer_->MarkClosed();
    else if (action == "fill") Fill();
    else if (action == "many") Repeat(600);
    else if (action[0] == 'n') PutNew(std::atoi(action.c_str() + 1));
    else if (action[0] == '^' || action[0] == '~') InParts(action.substr(1), action[0] == '^');
    else Commit(Words(action, '+'));
  }

 private:
  void Commit(const std::vector<std::string>& changes) {
    std::vector<area::Edit> edits(changes.size());
    State after = state_;
    if (changes.size() == 1 && std::isupper(changes[0][0])) return Put(&edits[0], changes[0]);
    for (size_t i = 0; i < changes.size(); ++i) {
      const char letter = changes[i][0];
      const std::string name = NameOf(letter);
      Set(&edits[i].key, name);
      if (std::islower(letter)) after.erase(name);
      else {
        const uint32_t bytes = SizeIn(changes[i]);
        edits[i].block = Fill(bytes, number_ * 100 + static_cast<uint32_t>(i));
        if (edits[i].block == 0) return GiveUp(edits);
        after[name] = {number_ * 100 + static_cast<uint32_t>(i), bytes, kNewVersion};
      }
    }
    End(edits, std::move(after));
  }

  void Put(area::Edit* edit, const std::string& change) {
    const uint32_t bytes = SizeIn(change);
    const std::vector<uint32_t> words(bytes / 4, number_ * 100);
    Set(&edit->key, NameOf(change[0]));
    uint64_t version = 0;
    if (writer_->Put(edit, area::kBytes, words.data(), bytes, &version) == 0) state_[NameOf(change[0])] = {number_ * 100, bytes, version};
  }

  void PutNew(int count, uint32_t bytes = kSizes[0]) {
    std::vector<area::Edit> edits(static_cast<size_t>(count));
    State after = state_;
    for (area::Edit& edit : edits) {
      const std::string name = "n" + std::to_string(new_keys_++);
      Set(&edit.key, name);
      edit.block = Fill(bytes, number_);
      if (edit.block == 0) return GiveUp(edits);
      after[name] = {number_, bytes, kNewVersion};
    }
    End(edits, std::move(after));
  }

  void InParts(const std::string& change, bool is_wanted) {
    const uint32_t bytes = SizeIn(change);
    std::vector<area::Edit> edits(1);
    Set(&edits[0].key, NameOf(change[0]));
    edits[0].block = Fill(bytes, number_, 3);
    if (edits[0].block == 0) return;
    if (!is_wanted) return writer_->Abandon(edits[0].block);
    State after = state_;
    after[NameOf(change[0])] = {number_, bytes, kNewVersion};
    End(edits, std::move(after));
  }

  void Fill() {
    for (size_t before = 0; state_.size() != before;) {
      before = state_.size();
      PutNew(1, kSizes[2]);
    }
  }
  void Repeat(int times) {
    for (int i = 0; i < times; ++i, ++number_) Commit({i % 2 == 0 ? "X" : "Y"});
  }

  void End(std::vector<area::Edit>& edits, State after) {
    uint64_t version = 0;
    if (writer_->Commit(edits.data(), edits.size(), &version) != 0) return GiveUp(edits);
    for (auto& [name, value] : after) {
      if (value.version == kNewVersion) value.version = version;
    }
    state_ = std::move(after);
  }
  void GiveUp(const std::vector<area::Edit>& edits) {
    for (const area::Edit& edit : edits) {
      if (edit.block != 0) writer_->Abandon(edit.block);
    }
  }

  uint64_t Fill(uint32_t bytes, uint32_t number, int parts = 1) {
    const uint64_t block = writer_->Reserve(bytes, area::kBytes);
    const std::vector<uint32_t> words(bytes / 4, number);
    const uint32_t part = bytes / 4 / static_cast<uint32_t>(parts) * 4;
    for (uint32_t at = 0; block != 0 && at < bytes; at += part) {
      writer_->Write(block, at, words.data(), bytes - at < part ? bytes - at : part);
    }
    return block;
  }

  static uint32_t SizeIn(const std::string& change) { return kSizes[change.size() > 1 ? change[1] - '0' : 0]; }
  void Set(area::Key* key, const std::string& name) const {
    key->Set(name.data(), name.size(), writer_->geometry().epoch);
  }

  static constexpr uint64_t kNewVersion = ~uint64_t{0};
  Writer* writer_;
  State state_;
  uint32_t number_ = 0;
  int new_keys_ = 0;
};

}  // namespace kills
