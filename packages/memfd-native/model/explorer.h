// Runs the readers of an area over a history, in every way that the memory allows, and judges what they answer: each answer must
// be true of some moment between what the reader knew when it began and what it has seen when it ended; and once the writer is
// dead, at whichever store, exactly true of the last commit.
#pragma once
#include <set>
#include <sstream>
#include <unordered_set>

#include "../native/area/cached.h"
#include "../native/area/collect.h"
#include "../native/area/feed.h"
#include "history.h"

namespace model {

constexpr uint64_t kTries = 3;

struct Tally {
  uint64_t scripts = 0;
  uint64_t executions = 0;
  uint64_t states = 0;
  uint64_t violations = 0;
  std::string first;
};

class Explorer {
 public:
  using Reader = area::Reader<ViewedMemory>;

  Explorer(const History& history, const std::vector<std::string>& keys, Tally* tally)
      : history_(history), keys_(keys), tally_(tally), reader_(ViewedMemory(&history.trace(), &view_, &choices_, &seen_), history.geometry()) {}

  /** `what`: which readers. `script`: for the report. */
  void Run(const std::string& what, const std::string& script) {
    script_ = script;
    options.may_die = Has(what, 'd');
    const size_t commits = history_.commits().size();
    for (size_t from = 0; from < commits && !IsDone(); ++from) {
      if (Has(what, 'g')) {
        for (const std::string& key : keys_) Cached(key, from, Has(what, 'c'));
      }
      if (Has(what, 's')) Snapshots(from);
      if (Has(what, 'k')) AllKeys(from);
      if (Has(what, 'w')) Watch(from, false);
      if (Has(what, 'n')) Watch(from, true);
    }
  }

  bool stop_at_first = true;

 private:
  static bool Has(const std::string& what, char letter) { return what.find(letter) != std::string::npos; }
  bool IsDone() const { return stop_at_first && tally_->violations > 0; }

  View ViewOf(size_t commit) const {
    View view;
    view.limit = history_.trace().count();
    view.Learn(history_.commits()[commit].number);
    return view;
  }

  /**
   * Runs `body` once for each combination of what its loads can answer, from this view on. One read remembers nothing from one try to the
   * next but what MayTry is told: so it may try for ever.
   */
  template <class Body>
  void Each(const View& from, bool is_one_read, Body body) {
    Choices outer;
    Seen seen;
    Seen* outer_seen = seen_;
    std::swap(outer, choices_);
    do {
      seen_ = is_one_read ? &seen : nullptr;
      choices_.Restart();
      view_ = from;
      ++tally_->executions;
      body();
    } while (choices_.Next() && !IsDone());
    std::swap(outer, choices_);
    seen_ = outer_seen;
  }

  /** The one way it goes when the writer died after store `number` and the reader has learnt of all of it. */
  template <class Body>
  void After(const View& from, uint32_t number, Body body) {
    view_ = from;
    view_.limit = number;
    view_.Learn(number);
    Choices outer;
    Seen* outer_seen = std::exchange(seen_, nullptr);
    std::swap(outer, choices_);
    body();
    std::swap(outer, choices_);
    seen_ = outer_seen;
  }

  void Report(const std::string& what) {
    ++tally_->violations;
    if (tally_->first.empty()) tally_->first = script_ + ": " + what;
  }

  // --- one key, cached ---

  struct Kept {
    area::Found found;
    area::Witness witness;
    bool is_there = false;
    uint64_t version = 0;
    std::vector<uint64_t> words;
  };

  struct Answer {
    area::Code code;
    Kept kept;
  };

  Answer ReadKey(const std::string& name, const area::Found& found) {
    area::Key key;
    key.Set(name.data(), name.size(), history_.geometry().epoch);
    uint64_t words[8] = {};
    area::Target target{reinterpret_cast<uint8_t*>(words), sizeof(words), 0, 0, 0};
    area::Budget budget(64, seen_ != nullptr ? 1000 : 2 * kTries);
    Answer answer;
    answer.kept.found = found;
    const area::CachedOutcome outcome = area::ReadCached(reader_, key, &answer.kept.found, &target, &budget);
    answer.code = outcome.code;
    answer.kept.is_there = outcome.code == area::Code::kValue;
    answer.kept.version = outcome.version;
    answer.kept.witness = outcome.witness;
    if (answer.kept.is_there) answer.kept.words.assign(words, words + target.copied / 8);
    return answer;
  }

  bool IsTrue(const std::string& name, const Kept& kept, size_t commit) const {
    const State& state = history_.commits()[commit].state;
    const auto at = state.find(name);
    if (at == state.end() || !at->second.is_there) return !kept.is_there;
    return kept.is_there && kept.version == at->second.version && kept.words == at->second.words;
  }

  /** The first commit of these of which it is true; one more than the last when of none. */
  size_t FirstTrue(const std::string& name, const Kept& kept, size_t from, size_t to) const {
    while (from <= to && !IsTrue(name, kept, from)) ++from;
    return from;
  }

  std::string Text(const std::string& name, const Kept& kept) const {
    std::ostringstream text;
    text << name << (kept.is_there ? " = " + std::to_string(kept.words.empty() ? 0 : kept.words[0]) : " absent");
    if (!kept.words.empty() && kept.words.back() != kept.words[0]) text << " (torn)";
    text << ", version " << kept.version;
    return text.str();
  }

  void Cached(const std::string& name, size_t from, bool again) {
    std::unordered_set<std::string> states;
    Each(ViewOf(from), true, [&] {
      const Answer answer = ReadKey(name, area::Found());
      if (answer.code == area::Code::kBusy && view_.tries_after_death == 0) return;
      if (answer.code == area::Code::kBusy) return Report(name + ": stuck, dead at store " + std::to_string(view_.limit));
      const size_t to = history_.CommitAt(view_.newest);
      const size_t is = FirstTrue(name, answer.kept, from, to);
      if (answer.code == area::Code::kDamaged || is > to) {
        Report("knowing commit " + std::to_string(from) + ", seen store " + std::to_string(view_.newest) + ": " +
               Text(name, answer.kept) + (answer.code == area::Code::kDamaged ? ", damaged" : ""));
        return;
      }
      const View view = view_;
      if (view.tries_after_death > 0 || !states.insert(Fingerprint(answer.kept, view)).second) return;
      ++tally_->states;
      AfterDeath(name, answer.kept, view);
      if (again) Again(name, answer.kept, view, is);
    });
  }

  static void WriteSeen(const View& view, std::ostringstream* text) {
    std::vector<std::pair<uint32_t, uint32_t>> seen = view.seen;
    std::sort(seen.begin(), seen.end());
    for (const auto& [word, number] : seen) {
      if (number > view.known) *text << ' ' << word << ':' << number;
    }
  }

  static std::string Fingerprint(const Kept& kept, const View& view) {
    std::ostringstream text;
    text << kept.found.entry << ' ' << kept.found.uid << ' ' << kept.witness.at << ' ' << kept.witness.value << ' '
         << kept.version << ' ' << kept.is_there << '|' << view.known << ' ' << view.carried << ' ' << view.newest;
    WriteSeen(view, &text);
    return text.str();
  }

  /** The writer dies at any store from now on; then the reader reads again. */
  void AfterDeath(const std::string& name, const Kept& kept, const View& view) {
    for (uint32_t number = view.newest; number <= history_.trace().count() && !IsDone(); ++number) {
      const size_t commit = history_.CommitAt(number);
      After(view, number, [&] {
        const bool is_unchanged = area::IsUnchanged(reader_.memory, kept.witness);
        const Answer answer = is_unchanged ? Answer{area::Code::kValue, kept} : ReadKey(name, kept.found);
        const bool is_answer = is_unchanged || answer.code == area::Code::kValue || answer.code == area::Code::kAbsent;
        if (is_answer && IsTrue(name, answer.kept, commit)) return;
        Report("dead after store " + std::to_string(number) + (is_unchanged ? ", unchanged: " : ", read again: ") +
               Text(name, answer.kept) + (is_answer ? "" : ", stuck"));
      });
    }
  }

  /** Reads again while the writer goes on, having learnt of any later commit. */
  void Again(const std::string& name, const Kept& kept, const View& view, size_t is) {
    for (size_t learnt = is; learnt < history_.commits().size() && !IsDone(); ++learnt) {
      View from = view;
      from.Learn(history_.commits()[learnt].number);
      Each(from, true, [&] {
        const bool is_unchanged = area::IsUnchanged(reader_.memory, kept.witness);
        const Answer answer = is_unchanged ? Answer{area::Code::kValue, kept} : ReadKey(name, kept.found);
        if (answer.code == area::Code::kBusy && view_.tries_after_death == 0) return;
        if (answer.code == area::Code::kBusy) return Report(name + ": stuck again, dead at store " + std::to_string(view_.limit));
        const size_t to = history_.CommitAt(view_.newest);
        if (FirstTrue(name, answer.kept, learnt, to) <= to && answer.code != area::Code::kDamaged) return;
        Report("after " + Text(name, kept) + " and commit " + std::to_string(learnt) +
               (is_unchanged ? ", unchanged: " : ", read again: ") + Text(name, answer.kept));
      });
    }
  }

  // --- several keys ---

  static Kept KeptOf(const area::Copied& copied) {
    Kept kept;
    kept.is_there = copied.outcome.code == area::Code::kValue;
    kept.version = copied.outcome.version;
    kept.words.resize(copied.value.size() / 8);
    if (kept.is_there) std::memcpy(kept.words.data(), copied.value.data(), copied.value.size());
    return kept;
  }

  void Snapshots(size_t from) {
    std::vector<std::string> keys(keys_.begin(), keys_.begin() + (keys_.size() < 3 ? keys_.size() : 3));
    Each(ViewOf(from), false, [&] {
      uint64_t version = 0;
      std::vector<area::Copied> values;
      const area::Code code = area::Collector<ViewedMemory>(reader_, 1, 1 << 20).Snapshot(keys, &version, &values);
      if (code == area::Code::kBusy) return;
      const size_t to = history_.CommitAt(view_.newest);
      for (size_t commit = from; commit <= to && code == area::Code::kValue; ++commit) {
        bool is_true = true;
        for (const area::Copied& copied : values) is_true = is_true && IsTrue(copied.key, KeptOf(copied), commit);
        if (is_true) return;
      }
      std::string text = "snapshot, knowing commit " + std::to_string(from) + ":";
      for (const area::Copied& copied : values) text += " " + Text(copied.key, KeptOf(copied));
      Report(text);
    });
  }

  void AllKeys(size_t from) {
    Each(ViewOf(from), false, [&] {
      std::vector<std::string> found;
      if (area::Collector<ViewedMemory>(reader_, kTries, 1 << 20).Keys("", &found) != area::Code::kValue) return;
      JudgeKeys(found, from, history_.CommitAt(view_.newest));
    });
    const View view = ViewOf(from);
    for (uint32_t number = view.newest; number <= history_.trace().count() && !IsDone(); ++number) {
      After(view, number, [&] {
        std::vector<std::string> found;
        area::Collector<ViewedMemory>(reader_, kTries, 1 << 20).Keys("", &found);
        JudgeKeys(found, history_.CommitAt(number), history_.CommitAt(number));
      });
    }
  }

  /** What was there all the time is in it; what is in it was there at some time. */
  void JudgeKeys(const std::vector<std::string>& found, size_t from, size_t to) {
    for (const std::string& key : keys_) {
      size_t times = 0;
      for (size_t commit = from; commit <= to; ++commit) {
        const auto at = history_.commits()[commit].state.find(key);
        times += at != history_.commits()[commit].state.end() && at->second.is_there;
      }
      const auto count = std::count(found.begin(), found.end(), key);
      // A key that is deleted and put into another entry meanwhile may be met twice.
      if (times == to - from + 1 ? count == 1 || (count == 2 && from < to) : times == 0 ? count == 0 : true) continue;
      Report("keys between commits " + std::to_string(from) + " and " + std::to_string(to) + ": " + key + " " +
             std::to_string(count) + " times");
    }
  }

  // --- the log ---

  /** `from_now`: one that is told only of what is new. */
  void Watch(size_t from, bool from_now) {
    using Feed = area::Feed<ViewedMemory>;
    std::unordered_set<std::string> firsts, seconds;
    Each(ViewOf(from), false, [&] {
      Feed first(reader_, "", 2 * kTries);
      std::vector<area::Change> changes;
      if (from_now) first.SkipPresent();
      else first.Poll(&changes);
      const View view = view_;
      if (!firsts.insert(Fingerprint(first, view)).second) return;
      for (size_t learnt = from; learnt < history_.commits().size() && !IsDone(); ++learnt) {
        View then = view;
        then.Learn(history_.commits()[learnt].number);
        Each(then, false, [&] {
          Feed second = first;
          second.Poll(&changes);
          const View last = view_;
          if (!seconds.insert(Fingerprint(second, last)).second) return;
          ++tally_->states;
          for (uint32_t number = last.newest; number <= history_.trace().count() && !IsDone(); ++number) JudgeFeed(second, last, number);
        });
      }
    });
  }

  void JudgeFeed(const area::Feed<ViewedMemory>& feed, const View& view, uint32_t number) {
    After(view, number, [&] {
      area::Feed<ViewedMemory> last = feed;
      std::vector<area::Change> changes;
      const area::Code code = last.Poll(&changes);
      State known;
      last.EachKnown([&](const std::string& key, uint32_t, uint64_t, uint64_t version, bool has_value) {
        known[key] = {has_value, version, {}};
      });
      for (const std::string& key : keys_) {
        const State& state = history_.commits()[history_.CommitAt(number)].state;
        const auto is = state.find(key);
        const bool is_there = is != state.end() && is->second.is_there;
        const Value& knows = known[key];
        if (code == area::Code::kValue && knows.is_there == is_there && (!is_there || knows.version == is->second.version)) continue;
        Report("the watcher, writer dead after store " + std::to_string(number) + ": " + key +
               (knows.is_there ? " version " + std::to_string(knows.version) : " absent") +
               (code == area::Code::kValue ? "" : ", stuck"));
      }
    });
  }

  static std::string Fingerprint(const area::Feed<ViewedMemory>& feed, const View& view) {
    std::map<std::string, std::string> known;
    feed.EachKnown([&](const std::string& key, uint32_t entry, uint64_t uid, uint64_t version, bool has_value) {
      known[key] = std::to_string(entry) + ' ' + std::to_string(uid) + ' ' + std::to_string(version) + ' ' + std::to_string(has_value);
    });
    std::ostringstream text;
    for (const auto& [key, value] : known) text << key << ' ' << value << ';';
    text << feed.cursor() << '|' << view.known << ' ' << view.carried << ' ' << view.newest;
    WriteSeen(view, &text);
    return text.str();
  }

  const History& history_;
  const std::vector<std::string>& keys_;
  Tally* tally_;
  View view_;
  Choices choices_;
  Seen* seen_ = nullptr;
  Reader reader_;
  std::string script_;
};

}  // namespace model
