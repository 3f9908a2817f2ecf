// Reads an area while another thread changes its bytes at random all the time, among them offsets near the ends, indexes, lengths, whole
// pages. --unchecked is the control: a reader whose bounds lie so far away that no offset is beyond them. Prints one JSON line: what the
// reads answered, and the longest in CPU time of its thread.
//
//   area-damage CALLS SEED [--unchecked]
#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "../native/area/cached.h"
#include "../native/area/collect.h"
#include "../native/area/live_memory.h"
#include "../native/area/writer.h"

namespace {

using namespace area;

constexpr uint64_t kCapacity = 4 << 20;
constexpr uint32_t kEntries = 400;
constexpr uint32_t kKeys = 200;
constexpr uint32_t kMostBytes = 1 << 20;
constexpr uint64_t kPage = 4096;

class OwnMemory : public LiveMemory {
 public:
  using LiveMemory::LiveMemory;
  int Allocate(uint64_t, uint64_t) { return 0; }
};

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2 + 1) {}
  uint64_t Below(uint64_t limit) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return (state_ >> 11) % limit;
  }

 private:
  uint64_t state_;
};

std::string NameOf(uint64_t i) { return (i % 3 == 0 ? "a key that is longer than an entry " : "k") + std::to_string(i); }

void Fill(uint8_t* memory, const Geometry& geometry) {
  Writer<OwnMemory> writer(OwnMemory(memory), geometry, Allocator::Tuning());
  if (writer.Begin(6) != 0) std::abort();
  const std::vector<uint8_t> bytes(kMostBytes, 7);
  for (uint64_t i = 0; i < kKeys; ++i) {
    const std::string name = NameOf(i);
    Edit edit;
    edit.key.Set(name.data(), name.size(), geometry.epoch);
    uint64_t version;
    const auto size = static_cast<uint32_t>(i % 100 == 99 ? kMostBytes : i * 37 % 3000);
    if (writer.Put(&edit, kBytes, bytes.data(), size, &version) != 0) std::abort();
  }
}

/** A word that a reader would stumble over if it could. */
uint64_t BadWord(Random& random, const uint8_t* memory) {
  switch (random.Below(8)) {
    case 0: return 0;
    case 1: return ~uint64_t{0};
    case 2: return kCapacity - random.Below(128);
    case 3: return random.Below(kCapacity / 16) * 16;
    case 4: return random.Below(kCapacity / 16) << 28 | random.Below(64);
    case 5: return random.Below(uint64_t{1} << 40);
    case 6: return 0xffffffff | random.Below(5) << 32;
    default: break;
  }
  uint64_t word;
  std::memcpy(&word, memory + random.Below(kCapacity / 8) * 8, sizeof(word));
  return word;
}

void DamageForever(uint8_t* memory, const std::vector<uint8_t>& pristine, uint64_t seed, const std::atomic<bool>& is_over) {
  Random random(seed);
  for (uint64_t step = 0; !is_over; ++step) {
    // Mostly in the header, the entries and the beginning of the heap, where it hurts.
    const uint64_t limit = random.Below(4) == 0 ? kCapacity : random.Below(2) == 0 ? 256 : 120'000;
    const uint64_t word = BadWord(random, memory);
    __atomic_store_n(reinterpret_cast<uint64_t*>(memory + random.Below(limit / 8) * 8), word, __ATOMIC_RELAXED);
    if (step % 20'000 == 0) std::memcpy(memory, pristine.data(), kCapacity);
    if (step % 5000 != 0) continue;
    const uint64_t page = random.Below(kCapacity / kPage) * kPage;
    for (uint64_t i = 0; i < kPage; ++i) memory[page + i] = static_cast<uint8_t>(random.Below(256));
  }
}

double CpuMs() {
  timespec now;
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

struct Answers {
  uint64_t value = 0, absent = 0, busy = 0, damaged = 0;
  double longest_ms = 0;

  void Note(Code code, double took) {
    if (took > longest_ms) longest_ms = took;
    ++(code == Code::kValue ? value : code == Code::kAbsent ? absent : code == Code::kDamaged ? damaged : busy);
  }
};

Code ReadSomething(const Reader<LiveMemory>& reader, Random& random, std::vector<Found>& known, std::vector<uint8_t>& room) {
  const uint64_t which = random.Below(100);
  if (which < 3) {
    std::vector<Copied> values;
    uint64_t version;
    return Collector<LiveMemory>(reader, 256, reader.geometry.capacity).Snapshot({NameOf(1), NameOf(2), NameOf(99)}, &version, &values);
  }
  if (which == 3) {
    std::vector<std::string> keys;
    return Collector<LiveMemory>(reader, 256, reader.geometry.capacity).Keys("", &keys);
  }
  const uint64_t i = random.Below(kKeys);
  const std::string name = NameOf(i);
  Key key;
  key.Set(name.data(), name.size(), reader.geometry.epoch);
  Target target;
  target.data = room.data();
  target.room = random.Below(room.size());
  target.position = random.Below(3) == 0 ? random.Below(kMostBytes) : 0;
  Budget budget(target.room);
  if (which < 10) known[i] = Found();
  return ReadCached(reader, key, &known[i], &target, &budget).code;
}

}  // namespace

int main(int count, char** texts) {
  if (count < 3) return 2;
  const uint64_t calls = std::strtoull(texts[1], nullptr, 10), seed = std::strtoull(texts[2], nullptr, 10);
  const bool is_unchecked = count > 3;
  // Its own pages only: what lies beyond is nobody's.
  auto* memory = static_cast<uint8_t*>(::mmap(nullptr, kCapacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (memory == MAP_FAILED) return 2;
  Geometry geometry = Geometry::For(kCapacity, kEntries, kMinLogSize);
  Fill(memory, geometry);
  const std::vector<uint8_t> pristine(memory, memory + kCapacity);
  std::atomic<bool> is_over = false;
  std::thread owner([&] { DamageForever(memory, pristine, seed + 1, is_over); });
  if (is_unchecked) geometry.capacity = uint64_t{1} << 62, geometry.heap_at = 0, geometry.max_entries = 0xfffffffe;
  const Reader<LiveMemory> reader(LiveMemory(memory), geometry);
  Random random(seed);
  std::vector<Found> known(kKeys);
  std::vector<uint8_t> room(kMostBytes);
  Answers answers;
  for (uint64_t call = 0; call < calls; ++call) {
    const double begin = CpuMs();
    const Code code = ReadSomething(reader, random, known, room);
    answers.Note(code, CpuMs() - begin);
  }
  is_over = true;
  owner.join();
  std::printf("{\"calls\": %llu, \"value\": %llu, \"absent\": %llu, \"damaged\": %llu, \"busy\": %llu, \"longestMs\": %.3f}\n",
              static_cast<unsigned long long>(calls), static_cast<unsigned long long>(answers.value),
              static_cast<unsigned long long>(answers.absent), static_cast<unsigned long long>(answers.damaged),
              static_cast<unsigned long long>(answers.busy), answers.longest_ms);
  return 0;
}
