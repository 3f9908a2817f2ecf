// An owner's area as functions for JavaScript have it: a handle of the one writable mapping there will ever be.
#pragma once
#include <time.h>

#include "node_call.h"
#include "owner_memory.h"
#include "writer.h"

namespace area {

struct OwnedArea {
  MappedMemory memory;
  unique_fd fd;
  Writer<OwnerMemory> writer;
  Edit last_put;  // its key, which is often the next one's
  double last_key = 0;  // Words::key_number then
  timespec changed{};     // when a transaction was carried out last, by the kernel's last tick

  OwnedArea(MappedMemory mapped, unique_fd owned, const Geometry& geometry, const Allocator::Tuning& tuning)
      : memory(std::move(mapped)), fd(std::move(owned)), writer(OwnerMemory(memory.data(), fd.get()), geometry, tuning) {}
};

/** By the kernel's clock as of its last tick, at a fifth of the price of the exact one. clock_gettime(2) */
inline void StampChange(OwnedArea* area) { ::clock_gettime(CLOCK_REALTIME_COARSE, &area->changed); }

/** The area of a call's handle. Throws ERR_CLOSED and answers null when it is closed. */
template <size_t N>
OwnedArea* AreaOf(const FastCall<N>& call) {
  return OpenArea(call, call.environment->owned_areas);
}

}  // namespace area
