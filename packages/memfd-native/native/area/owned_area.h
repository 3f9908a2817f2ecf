// An owner's area as functions for JavaScript have it: a handle of the one writable mapping there will ever be.
#pragma once
#include "node_call.h"
#include "owner_memory.h"
#include "writer.h"

namespace area {

struct OwnedArea {
  MappedMemory memory;
  unique_fd fd;
  Writer<OwnerMemory> writer;

  OwnedArea(MappedMemory mapped, unique_fd owned, const Geometry& geometry, const Allocator::Tuning& tuning)
      : memory(std::move(mapped)), fd(std::move(owned)), writer(OwnerMemory(memory.data(), fd.get()), geometry, tuning) {}
};

/** The area of a call's handle. Throws ERR_CLOSED and answers null when it is closed. */
template <size_t N>
OwnedArea* AreaOf(const FastCall<N>& call) {
  return OpenArea(call, call.environment->owned_areas);
}

}  // namespace area
