// A reader's area of this environment: the calls that attach it (area_attach.cc) and read it (area_reader.cc), and its feeds
// (area_feed.cc), share the mapping.
#pragma once
#include <cstdint>

#include "../mapped_memory.h"
#include "live_memory.h"
#include "reader.h"

namespace area {

/** A mapping that feeds hold too; closed, it has no memory. */
struct AttachedArea {
  MappedMemory memory;
  Reader<LiveMemory> reader;
};

/** So often something is read again that its owner changes meanwhile. */
constexpr uint64_t kTries = 256;

}  // namespace area
