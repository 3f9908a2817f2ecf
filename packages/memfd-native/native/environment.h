// The state of one environment (one thread that has loaded the addon). Node destroys it when the environment ends,
// also by worker.terminate(); whatever JavaScript still owned then is closed and unmapped here.
#pragma once
#include <napi.h>

#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>

#include "lent_memory.h"
#include "mapped_memory.h"
#include "slot_table.h"
#include "unique_fd.h"

class PollThread;
class Watcher;
namespace area {
struct AttachedArea;
struct NodeFeed;
struct OwnedArea;
struct Words;
}  // namespace area

/**
 * The descriptors that JavaScript owns: a number in here is closed by this environment and by nobody else. It takes room
 * for what is open, whatever the numbers are.
 */
class OwnedFds {
 public:
  OwnedFds() = default;
  OwnedFds(const OwnedFds&) = delete;
  OwnedFds& operator=(const OwnedFds&) = delete;
  ~OwnedFds() {
    for (const auto& [first, bits] : words_) {
      for (int i = 0; i < kBits; ++i) {
        if (bits >> i & 1) ::close(first * kBits + i);
      }
    }
  }

  /** Hands a descriptor to JavaScript. Answers its number. */
  int Own(unique_fd fd) {
    const int number = fd.release();
    if (number >= 0) words_[number / kBits] |= Bit(number);
    return number;
  }

  /** Takes a descriptor back from JavaScript; empty when it is not owned here. */
  unique_fd Take(int fd) {
    const auto word = fd < 0 ? words_.end() : words_.find(fd / kBits);
    if (word == words_.end() || (word->second & Bit(fd)) == 0) return unique_fd();
    word->second &= ~Bit(fd);
    // The lowest stays: what comes and goes there needs no memory of its own each time.
    if (word->second == 0 && word->first > 0) words_.erase(word);
    return unique_fd(fd);
  }

 private:
  static constexpr int kBits = 64;
  static uint64_t Bit(int fd) { return uint64_t{1} << (fd % kBits); }

  std::map<int, uint64_t> words_;  // by number / kBits
};

struct Environment {
  OwnedFds fds;
  LentMemory lent;
  SlotTable<MappedMemory> mappings;
  SlotTable<Watcher*> watchers;
  SlotTable<std::shared_ptr<area::AttachedArea>> areas;
  SlotTable<std::shared_ptr<area::NodeFeed>> feeds;
  SlotTable<std::shared_ptr<area::OwnedArea>> owned_areas;
  double last_put_handle = 0;               // of the area that was put to last, which is
  area::OwnedArea* last_put_area = nullptr;  // most often the next one, too
  bool polls_by_thread = false;       // the runtime has no libuv that would
  PollThread* poll_thread = nullptr;  // its own, from the first descriptor that is polled on
  area::Words* area_words = nullptr;  // of the call that comes: area/node_call.h
  unsigned char* area_few = first_area_few;  // and the bytes of its value
  const double* copy_args = first_copy_args;  // of the call that comes: see mapping.cc
  // Until JavaScript gives memory of its own for these.
  alignas(double) unsigned char first_area_words[184];
  unsigned char first_area_few[256];
  double first_copy_args[3] = {};

  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};
