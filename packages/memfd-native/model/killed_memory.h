// The memory of a real area whose owner is killed, by SIGKILL, at a counted place: before a store, a fence or an allocation, and in the
// middle of what is copied or wiped. The processor and the kernel are the real ones; the orders of a weaker processor are the model's.
#pragma once
#include <csignal>
#include <cstdint>

#include <unistd.h>

#include "../native/area/owner_memory.h"

namespace kills {

using area::Repair;
using area::Site;

struct Options {
  int without = 0;        // a repair that is taken out
  bool is_early = false;  // commits before anything is published: a control
};
inline Options options;

/** Of this process: so many places more, then it is killed. Below 0: never. What was passed is counted. */
struct Fuse {
  int64_t left = -1;
  uint64_t passed = 0;

  void Point() {
    ++passed;
    if (left > 0 && --left == 0) ::kill(::getpid(), SIGKILL);
  }
};
inline Fuse fuse;

inline bool IsIn(Repair repair) { return static_cast<int>(repair) + 1 != options.without; }

class ReadMemory : public area::LiveMemory {
 public:
  using LiveMemory::LiveMemory;
  static bool Has(Repair repair) { return IsIn(repair); }
};

class KilledMemory : public area::OwnerMemory {
 public:
  using OwnerMemory::OwnerMemory;
  static bool Has(Repair repair) { return IsIn(repair); }

  template <Site site>
  void Store(uint64_t at, uint64_t value) {
    if (site == Site::kPublishTx && options.is_early) OwnerMemory::Store<Site::kCommit>(area::kCommittedAt, value);
    fuse.Point();
    OwnerMemory::Store<site>(at, value);
  }
  template <Site site>
  void Store32(uint64_t at, uint32_t value) {
    fuse.Point();
    OwnerMemory::Store32<site>(at, value);
  }
  template <Site site>
  void Fence() const {
    fuse.Point();
    OwnerMemory::Fence<site>();
  }
  template <Site site>
  void CopyIn(uint64_t at, const void* source, uint64_t count) {
    const uint64_t half = count / 2;
    fuse.Point();
    OwnerMemory::CopyIn<site>(at, source, half);
    fuse.Point();
    OwnerMemory::CopyIn<site>(at + half, static_cast<const uint8_t*>(source) + half, count - half);
  }
  template <Site site>
  void Zero(uint64_t at, uint64_t count) {
    fuse.Point();
    OwnerMemory::Zero<site>(at, count / 2);
    fuse.Point();
    OwnerMemory::Zero<site>(at + count / 2, count - count / 2);
  }
  int Allocate(uint64_t from, uint64_t count) {
    fuse.Point();
    return OwnerMemory::Allocate(from, count);
  }
};

}  // namespace kills
