// Kills the owner of an area at every store, fence, allocation and copy of its transactions, and looks at what is left, by the reader
// itself: a state that there was after some transaction, whole, for whoever reads it anew, remembers it, takes a snapshot or watches. Each
// owner is a process of its own that ends by SIGKILL. Prints one JSON line.
//
//   area-kills [--every N] [--from N] [--script NUMBER] [--without REPAIR] [--early]
//   area-kills --random N [--seed N]
//
// --every: one place of N, beginning with --from. --early: the control, an owner that commits before it publishes. --random: so many
// owners that are never idle, killed by another process whenever it comes to it.
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <set>

#include "../native/area/cached.h"
#include "../native/area/collect.h"
#include "../native/area/feed.h"
#include "kill_scripts.h"

namespace {

using namespace kills;
using area::Code;

constexpr uint64_t kTries = 256;
constexpr uint32_t kLogSize = 512;
using Reader = area::Reader<ReadMemory>;

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(2);
}

/** A memfd mapped twice: the owner's half and the readers'. */
class Memory {
 public:
  explicit Memory(uint64_t capacity) : capacity_(capacity), fd_(::memfd_create("killed", MFD_CLOEXEC)) {
    if (fd_ < 0 || ::ftruncate(fd_, static_cast<off_t>(capacity)) != 0) Fail("memfd");
    own = Map(PROT_READ | PROT_WRITE);
    read = Map(PROT_READ);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    ::munmap(own, capacity_);
    ::munmap(read, capacity_);
    ::close(fd_);
  }
  int fd() const { return fd_; }

  uint8_t* own;
  uint8_t* read;

 private:
  uint8_t* Map(int protection) const {
    void* made = ::mmap(nullptr, capacity_, protection, MAP_SHARED, fd_, 0);
    if (made == MAP_FAILED) Fail("mmap");
    return static_cast<uint8_t*>(made);
  }

  uint64_t capacity_;
  int fd_;
};

/** Everything that the values of a script can be of. */
std::vector<std::string> KeysOf(const Script& script) {
  std::set<std::string> names;
  for (const std::string& text : {std::string(script.before), std::string(script.act)}) {
    for (const char letter : text) {
      if (std::string("XYZWKJ").find(static_cast<char>(std::toupper(letter))) != std::string::npos) names.insert(NameOf(letter));
    }
  }
  for (int i = 0; i < 64; ++i) names.insert("n" + std::to_string(i));
  return {names.begin(), names.end()};
}

/** A reader that has looked before the owner was killed, and remembers. */
class Witnessing {
 public:
  Witnessing(uint8_t* memory, const area::Geometry& geometry, const std::vector<std::string>& names)
      : reader_(ReadMemory(memory), geometry), feed_(reader_, "", kTries), later_(reader_, "", kTries), names_(names), known_(names.size()) {}

  /** Of now. */
  void Look() {
    Watch(&feed_, &told_);
    if (later_.SkipPresent() != Code::kValue) trouble_ = "a watcher that does not begin";
    told_later_ = told_;
    for (size_t i = 0; i < names_.size(); ++i) known_[i].value = Read(names_[i], &known_[i].found, &known_[i].witness, &known_[i].is_there);
  }
  /** What is different from this state, to whoever looks now; empty: nothing. */
  std::string Differs(const State& state) {
    for (size_t i = 0; i < names_.size(); ++i) {
      const std::string wrong = KeyDiffers(names_[i], &known_[i], state);
      if (!wrong.empty()) return wrong + " of " + names_[i];
    }
    if (!AreKeys(state)) return "all keys";
    if (!IsSnapshot(state, true) || !IsSnapshot(state, false)) return "a snapshot";
    if (!Watch(&feed_, &told_)) return "a watcher that is not done";
    if (told_ != VersionsOf(state)) return "what a watcher knows";
    if (!Watch(&later_, &told_later_)) return "a watcher of what is new that is not done";
    return told_later_ == VersionsOf(state) ? "" : "what a watcher of what is new knows";
  }
  const std::string& trouble() const { return trouble_; }

 private:
  struct Known {
    area::Found found;
    area::Witness witness;
    bool is_there = false;
    Value value;
  };

  Value Read(const std::string& name, area::Found* found, area::Witness* witness, bool* is_there) {
    area::Key key;
    key.Set(name.data(), name.size(), reader_.geometry.epoch);
    area::Target target;
    target.data = buffer_.data();
    target.room = buffer_.size();
    area::Budget budget(target.room);
    const area::CachedOutcome outcome = area::ReadCached(reader_, key, found, &target, &budget);
    *witness = outcome.witness;
    *is_there = outcome.code == Code::kValue;
    if (outcome.code != Code::kValue && outcome.code != Code::kAbsent) trouble_ = "no answer";
    return *is_there ? ValueIn(buffer_.data(), outcome) : Value();
  }

  Value ValueIn(const uint8_t* bytes, const area::Outcome& outcome) {
    std::vector<uint32_t> words(outcome.bytes / 4);
    std::memcpy(words.data(), bytes, words.size() * 4);
    for (const uint32_t word : words) {
      if (word != words[0]) trouble_ = "a torn value";
    }
    return {words.empty() ? 0 : words[0], outcome.bytes, outcome.version};
  }

  std::string KeyDiffers(const std::string& name, Known* known, const State& state) {
    const auto at = state.find(name);
    const auto is_right = [&](bool is_there, const Value& value) {
      return is_there == (at != state.end()) && (!is_there || value == at->second);
    };
    if (area::IsUnchanged(reader_.memory, known->witness) && !is_right(known->is_there, known->value)) return "what is kept";
    area::Witness witness;
    bool is_there;
    Value value = Read(name, &known->found, &witness, &is_there);
    if (!is_right(is_there, value)) return "a handle";
    area::Found unknown;
    value = Read(name, &unknown, &witness, &is_there);
    return is_right(is_there, value) ? "" : "the value";
  }

  bool AreKeys(const State& state) {
    std::vector<std::string> keys;
    const Code code = area::Collector<ReadMemory>(reader_, kTries, reader_.geometry.capacity).Keys("", &keys);
    std::set<std::string> names(keys.begin(), keys.end());
    if (code != Code::kValue || names.size() != keys.size() || names.size() != state.size()) return false;
    for (const auto& [name, value] : state) {
      if (names.count(name) == 0) return false;
    }
    return true;
  }

  bool IsSnapshot(const State& state, bool by_prefix) {
    uint64_t version;
    std::vector<area::Copied> copies;
    area::Collector<ReadMemory> collector(reader_, kTries, reader_.geometry.capacity);
    const Code code = by_prefix ? collector.SnapshotOf("", &version, &copies) : collector.Snapshot(names_, &version, &copies);
    if (code != Code::kValue) return false;
    State seen;
    for (const area::Copied& copied : copies) {
      if (copied.outcome.code == Code::kValue) seen[copied.key] = ValueIn(copied.value.data(), copied.outcome);
    }
    return seen == state;
  }

  static bool Watch(area::Feed<ReadMemory>* feed, std::map<std::string, uint64_t>* told) {
    std::vector<area::Change> changes;
    if (feed->Poll(&changes) != Code::kValue) return false;
    for (const area::Change& change : changes) {
      if (change.has_value) (*told)[change.key] = change.version;
      else told->erase(change.key);
    }
    return true;
  }

  static std::map<std::string, uint64_t> VersionsOf(const State& state) {
    std::map<std::string, uint64_t> versions;
    for (const auto& [name, value] : state) versions[name] = value.version;
    return versions;
  }

  Reader reader_;
  area::Feed<ReadMemory> feed_;
  area::Feed<ReadMemory> later_;  // told only of what is new
  const std::vector<std::string>& names_;
  std::vector<Known> known_;
  std::map<std::string, uint64_t> told_, told_later_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(512 << 10);
  std::string trouble_;
};

struct Tally {
  uint64_t places = 0, killed = 0, inside = 0, wrong = 0;
  std::string first;

  void Note(const Script& script, uint64_t place, const std::string& trouble) {
    ++killed;
    if (trouble.empty()) return;
    ++wrong;
    if (first.empty()) first = std::string(script.name) + ", " + std::to_string(place) + ": " + trouble;
  }
};

/** One owner of a script's. */
class Trial {
 public:
  explicit Trial(const Script& script)
      : memory_(script.capacity), geometry_(area::Geometry::For(script.capacity, script.entries, kLogSize)),
        names_(KeysOf(script)), act_(Words(script.act)) {
    geometry_.base = 100;
    area::Allocator::Tuning tuning;
    tuning.spares = script.capacity < (1 << 20) ? 4 : 16;
    if (script.is_joining) tuning.join_part = 64, tuning.join_bytes = 1, tuning.distance_medium = tuning.distance_large = 0;
    writer_ = std::make_unique<Actor::Writer>(KilledMemory(memory_.own, memory_.fd()), geometry_, tuning);
    if (writer_->Begin(script.index_log2) != 0) Fail("Begin");
    actor_ = std::make_unique<Actor>(writer_.get());
    early_ = std::make_unique<Witnessing>(memory_.read, geometry_, names_);
    late_ = std::make_unique<Witnessing>(memory_.read, geometry_, names_);
    early_->Look();
    for (const std::string& action : Words(script.before)) actor_->Act(action);
    late_->Look();
  }

  /** The states that there are, each with the last number of its transaction; and how many places there are to be killed at. */
  std::vector<std::pair<State, uint64_t>> Whole(uint64_t* places) {
    std::vector<std::pair<State, uint64_t>> states{{actor_->state(), writer_->committed()}};
    fuse = {-1, 0};
    for (const std::string& action : act_) {
      actor_->Act(action);
      states.emplace_back(actor_->state(), writer_->committed());
    }
    *places = fuse.passed;
    return states;
  }

  /** Killed at that place, in another process. Answers how many actions it had finished. */
  size_t Kill(uint64_t place) {
    Progress progress;
    const pid_t child = ::fork();
    if (child < 0) Fail("fork");
    if (child == 0) {
      fuse = {static_cast<int64_t>(place), 0};
      for (const std::string& action : act_) Do(action, progress.shared);
      ::_exit(0);
    }
    AwaitKill(child);
    return progress.shared->done;
  }

  /** Killed after so long, by this process, while another one does it all again and again. */
  size_t KillAfter(unsigned microseconds, bool* was_inside) {
    Progress progress;
    const pid_t child = ::fork();
    if (child < 0) Fail("fork");
    if (child == 0) {
      for (;;) {
        for (const std::string& action : act_) Do(action, progress.shared);
      }
    }
    while (progress.shared->done == 0) ::usleep(100);
    ::usleep(microseconds);
    ::kill(child, SIGKILL);
    AwaitKill(child);
    *was_inside = progress.shared->begun != progress.shared->done;
    return progress.shared->done;
  }

  /** The states after so many actions, and one more. */
  std::vector<std::pair<State, uint64_t>> Repeated(size_t done) {
    std::vector<std::pair<State, uint64_t>> states;
    for (size_t i = 0; i <= done; ++i) {
      if (i == done) states.emplace_back(actor_->state(), writer_->committed());
      actor_->Act(act_[i % act_.size()]);
    }
    states.emplace_back(actor_->state(), writer_->committed());
    return states;
  }

  uint64_t committed() const { return __atomic_load_n(reinterpret_cast<uint64_t*>(memory_.read + area::kCommittedAt), __ATOMIC_ACQUIRE); }

  /** Empty: all is right, to all of them. */
  std::string Differs(const State& state) {
    Witnessing fresh(memory_.read, geometry_, names_);
    for (Witnessing* reader : {&fresh, late_.get(), early_.get()}) {
      const std::string wrong = reader->Differs(state);
      if (!wrong.empty() || !reader->trouble().empty()) return wrong + " " + reader->trouble();
    }
    return "";
  }

 private:
  /** What the killed one has said. */
  struct Progress {
    struct Counts {
      volatile size_t begun, done;
    };
    Progress() : shared(static_cast<Counts*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
      if (shared == MAP_FAILED) Fail("mmap");
    }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress() { ::munmap(shared, 4096); }

    Counts* shared;
  };

  void Do(const std::string& action, Progress::Counts* counts) {
    counts->begun = counts->begun + 1;
    actor_->Act(action);
    counts->done = counts->done + 1;
  }

  static void AwaitKill(pid_t child) {
    int status;
    if (::waitpid(child, &status, 0) != child || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) Fail("not killed");
  }

  Memory memory_;
  area::Geometry geometry_;
  std::vector<std::string> names_;
  std::vector<std::string> act_;
  std::unique_ptr<Actor::Writer> writer_;
  std::unique_ptr<Actor> actor_;
  std::unique_ptr<Witnessing> early_, late_;
};

void Run(const Script& script, uint64_t from, uint64_t every, Tally* tally) {
  uint64_t places;
  const auto states = Trial(script).Whole(&places);
  tally->places += places;
  for (uint64_t place = 1 + from; place <= places; place += every) {
    Trial trial(script);
    const size_t done = trial.Kill(place);
    // The one that it was in the middle of counts from its commit on. To retire has a number too, and changes no value.
    const bool is_committed = trial.committed() >= states[done + 1].second;
    tally->Note(script, place, trial.Differs(states[done + (is_committed ? 1 : 0)].first));
  }
}

/** A script that can be repeated for ever. */
bool IsEndless(const Script& script) {
  const std::string text = std::string(script.before) + ' ' + script.act;
  return text.find_first_of("nfd") == std::string::npos;  // new keys, fill, moved, closed
}

void RunRandom(uint64_t wanted, uint64_t seed, Tally* tally) {
  uint64_t random = seed * 2654435761 + 1;
  for (uint64_t round = 0; tally->killed < wanted; ++round) {
    const Script& script = kScripts[round % std::size(kScripts)];
    if (!IsEndless(script)) continue;
    random = random * 6364136223846793005 + 1442695040888963407;
    Trial trial(script);
    bool was_inside;
    const size_t done = trial.KillAfter(static_cast<unsigned>((random >> 33) % 3000), &was_inside);
    const auto states = Trial(script).Repeated(done);
    tally->Note(script, round, trial.Differs(states[trial.committed() >= states[1].second ? 1 : 0].first));
    tally->inside += was_inside;
  }
}

}  // namespace

int main(int count, char** texts) {
  uint64_t from = 0, every = 1, only = 0, at_random = 0, seed = 1;
  for (int i = 1; i < count; ++i) {
    const std::string name = texts[i];
    const auto number = [&] { return std::strtoull(i + 1 < count ? texts[++i] : "", nullptr, 10); };
    if (name == "--every") every = number();
    else if (name == "--from") from = number();
    else if (name == "--script") only = number();
    else if (name == "--random") at_random = number();
    else if (name == "--seed") seed = number();
    else if (name == "--without") kills::options.without = static_cast<int>(number());
    else if (name == "--early") kills::options.is_early = true;
    else std::fprintf(stderr, "unknown: %s\n", name.c_str()), std::exit(2);
  }
  if (every == 0) every = 1;
  Tally tally;
  uint64_t scripts = 0;
  for (const Script& script : kScripts) {
    ++scripts;
    if (at_random == 0 && (only == 0 || only == scripts)) Run(script, from, every, &tally);
  }
  if (at_random > 0) RunRandom(at_random, seed, &tally);
  std::printf("{\"scripts\": %llu, \"places\": %llu, \"killed\": %llu, \"inside\": %llu, \"wrong\": %llu, \"first\": \"%s\"}\n",
              static_cast<unsigned long long>(scripts), static_cast<unsigned long long>(tally.places),
              static_cast<unsigned long long>(tally.killed), static_cast<unsigned long long>(tally.inside),
              static_cast<unsigned long long>(tally.wrong), tally.first.c_str());
  return tally.wrong > 0 ? 1 : 0;
}
