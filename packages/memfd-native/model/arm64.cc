// What a test looks at in another processor's instructions: each place of sites.h that has an order, and the real functions around
// them. Never run.
#include "../native/area/cached.h"
#include "../native/area/owner_memory.h"
#include "../native/area/writer.h"

using namespace area;

/** `name` ends with Fence. */
constexpr bool IsFence(const char* name) {
  const char* end = name;
  while (*end != 0) ++end;
  return end - name > 5 && end[-5] == 'F' && end[-4] == 'e' && end[-3] == 'n' && end[-2] == 'c' && end[-1] == 'e';
}

template <Site site, bool is_fence>
uint64_t Access(LiveMemory& memory, uint64_t at, uint64_t value) {
  if constexpr (is_fence) memory.Fence<site>();
  else if constexpr (OrderOf(site) == Order::kRelease) memory.Store<site>(at, value);
  else return memory.Load<site>(at);
  return 0;
}

#define AREA_SITE(name, order)                                                           \
  extern "C" uint64_t site_##name(LiveMemory& memory, uint64_t at, uint64_t value) {      \
    return Access<Site::name, IsFence(#name)>(memory, at, value);                        \
  }
AREA_SITES(AREA_SITE)

extern "C" __attribute__((flatten)) Outcome reader_get(const Reader<LiveMemory>& reader, const Found& found, Target* target,
                                                      Budget* budget) {
  return reader.Get(found, kLatest, target, budget);
}
extern "C" __attribute__((flatten)) Code reader_find(const Reader<LiveMemory>& reader, const Key& key, Budget* budget,
                                                    Found* found) {
  return reader.Find(key, budget, found);
}

template class area::Heap<OwnerMemory>;
template class area::KeyTable<OwnerMemory>;
template class area::Writer<OwnerMemory>;
