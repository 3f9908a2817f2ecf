// How much a reader does at most in one call, when its owner is hostile to the utmost: an index that is another one at each look, slots
// that all lead to nearly the right key, values and retirements that change in the middle of each read. Counts instead of clocks. Prints
// one JSON line: of each call the loads, and the bytes that were copied.
#include <cstdio>
#include <vector>

#include "../native/area/cached.h"
#include "../native/area/collect.h"
#include "../native/area/feed.h"
#include "../native/area/live_memory.h"

namespace {

using namespace area;

constexpr uint64_t kCapacity = 2 << 20;
constexpr uint32_t kEntries = 400;
constexpr uint32_t kValueBytes = 1 << 20;

struct Work {
  uint64_t loads = 0, bytes = 0;
};
Work work;
/** What changes between two looks. */
struct Restless {
  bool index = false, tx = false, retired = false, committed = false;
};
Restless restless;

class HostileMemory : public LiveMemory {
 public:
  using LiveMemory::LiveMemory;

  template <Site site>
  uint64_t Load(uint64_t at) const {
    ++work.loads;
    const uint64_t value = LiveMemory::Load<site>(at);
    const bool is_index = at == kIndexAt && restless.index;
    if (is_index) return value ^ (work.loads & 0xffff) << 6;  // its generation
    if (site == Site::kTxAgain && restless.tx) return value + 1;
    if (at == kRetiredAt && restless.retired) return work.loads;
    if (at == kCommittedAt && restless.committed) return value + work.loads;
    return value;
  }
  template <Site site>
  void CopyOut(uint64_t at, void* target, uint64_t count) const {
    work.bytes += count;
    LiveMemory::CopyOut<site>(at, target, count);
  }
};

std::vector<uint8_t> memory(kCapacity);

void Put(uint64_t at, uint64_t word) { std::memcpy(memory.data() + at, &word, sizeof(word)); }

/** All entries have a long key that differs in its last byte, and one large value; all slots have the tag of the key that is looked for. */
Geometry Damage(const Key& key) {
  const Geometry geometry = Geometry::For(kCapacity, kEntries, kMinLogSize);
  const uint64_t block = geometry.heap_at, keys = block + kBlockBytes + kValueBytes, slots = keys + 1024;
  Put(kCommittedAt, 1000);
  Put(kIndexAt, Index{slots, 1, 10}.word());
  Put(kCountAt, kEntries);
  Put(block + kBlockTxIn, 7);
  Put(block + kOwnerIn, 1);
  Put(block + kBlockShapeIn, ShapeOf(kValueBytes, kBytes));
  std::memcpy(memory.data() + keys + kContentIn, key.bytes, key.length);
  memory[keys + kContentIn + key.length - 1] ^= 1;
  for (uint32_t entry = 0; entry < kEntries; ++entry) {
    const uint64_t at = geometry.EntryAt(entry);
    Put(at + kRefIn, block);
    Put(at + kTxIn, 7);
    Put(at + kUidIn, 1);
    Put(at + kShapeIn, key.length);
    Put(at + kKeyIn, keys);
  }
  for (uint32_t i = 0; i < 1024; ++i) Put(slots + 8 * i, SlotOf(key.hash, i % kEntries));
  return geometry;
}

template <typename Act>
void Measure(const char* what, const Restless& how, Act act) {
  restless = how;
  work = {};
  act();
  std::printf("%s\"%s\": {\"loads\": %llu, \"bytes\": %llu}", what[0] == 'f' && what[1] == 'i' ? "{" : ", ", what,
              static_cast<unsigned long long>(work.loads), static_cast<unsigned long long>(work.bytes));
}

}  // namespace

int main() {
  const std::string name(kMaxKeyBytes, 'k');
  Key key;
  key.Set(name.data(), name.size(), 0);
  const Geometry geometry = Damage(key);
  const Reader<HostileMemory> reader(HostileMemory(memory.data()), geometry);
  std::vector<uint8_t> room(kValueBytes);
  const auto read = [&](Found found) {
    Target target;
    target.data = room.data();
    target.room = room.size();
    Budget budget(target.room);
    ReadCached(reader, key, &found, &target, &budget);
  };
  Measure("find", {.index = true}, [&] { read(Found()); });
  Measure("read", {.index = true, .tx = true}, [&] { read({0, 1}); });
  Measure("read in another life", {.index = true}, [&] { read({0, 2}); });
  const auto snapshot = [&](bool by_prefix) {
    Collector<HostileMemory> collector(reader, 256, geometry.capacity);
    std::vector<Copied> values;
    uint64_t version;
    if (by_prefix) collector.SnapshotOf("", &version, &values);
    else collector.Snapshot({name, name, name}, &version, &values);
  };
  Measure("snapshot", {.index = true, .retired = true}, [&] { snapshot(false); });
  Measure("snapshot of all", {.retired = true}, [&] { snapshot(true); });
  Measure("snapshot of all, torn", {.tx = true, .retired = true}, [&] { snapshot(true); });
  Measure("keys", {.tx = true}, [&] {
    std::vector<std::string> keys;
    Collector<HostileMemory>(reader, 256, geometry.capacity).Keys("", &keys);
  });
  Measure("watch", {.index = true, .tx = true}, [&] {
    std::vector<Change> changes;
    Feed<HostileMemory> feed(reader, "", 256);
    feed.Poll(&changes);
  });
  Measure("watch from now on", {.index = true, .tx = true}, [&] { Feed<HostileMemory>(reader, "", 256).SkipPresent(); });
  // Each key has a value of after the moment, and the one before is being written anew.
  const uint64_t block = geometry.heap_at;
  Put(block + kBlockTxIn, 2000);
  Put(block + kPrevIn, block + kBlockBytes + kValueBytes + 768);
  Measure("snapshot of a moment that is gone", {}, [&] { snapshot(true); });
  std::printf("}\n");
  return 0;
}
