// What a reader keeps of a key that it reads again and again, and how it tells that nothing has changed: by one word
// (docs/protocol.md, 9.5, "Cached"). The comparison itself is JavaScript's, two 32-bit loads; which word and which value it
// needs, only this says.
#pragma once
#include "reader.h"

namespace area {

/** While the word at `at` is `value`, what was read is what would be read. `at` 0: read anew each time. */
struct Witness {
  uint64_t at = 0;
  uint64_t value = 0;
};

struct CachedOutcome : Outcome {
  Witness witness;
  uint32_t state = kLive;  // of the area, before anything was read
};

/** Reads the value of an entry that was found before. That has another life: kGone, and `found` is empty. */
template <class Memory>
void ReadFound(const Reader<Memory>& reader, Found* found, Target* target, Budget* budget, CachedOutcome* answer) {
  answer->state = reader.memory.template Load32<Site::kState>(kStateAt);
  answer->witness = {};
  reader.GetInto(*found, kLatest, target, budget, answer);
  const uint64_t tx_at = reader.geometry.EntryAt(found->entry) + kTxIn;
  if (answer->code == Code::kGone) *found = Found();
  else if (answer->version != 0) answer->witness = {tx_at, answer->version};
  else if (!reader.memory.Has(Repair::kNoAbsenceByTx)) {
    answer->witness = {tx_at, reader.memory.template Load<Site::kEntryTx>(tx_at)};
  }
}

/** Reads the value of `key`; its entry was `found` the last time, if that is not empty. */
template <class Memory>
CachedOutcome ReadCached(const Reader<Memory>& reader, const Key& key, Found* found, Target* target, Budget* budget) {
  const Memory& memory = reader.memory;
  CachedOutcome answer;
  while (true) {
    if (found->entry != kNoEntry) {
      ReadFound(reader, found, target, budget, &answer);
      if (answer.code != Code::kGone) return answer;
    }
    const uint32_t state = memory.template Load32<Site::kState>(kStateAt);
    uint64_t names = memory.template Load<Site::kNames>(kNamesAt);
    const Code code = reader.Find(key, budget, found);
    if (code == Code::kValue) continue;
    if (!memory.Has(Repair::kNamesBeforeFind)) names = memory.template Load<Site::kNames>(kNamesAt);
    answer = CachedOutcome();
    answer.code = code;
    answer.state = state;
    // In an area that has moved names never changes again, and says nothing.
    if (code == Code::kAbsent && names != ~uint64_t{0}) answer.witness = {kNamesAt, names};
    return answer;
  }
}

/** Whether what was read is so still. */
template <class Memory>
bool IsUnchanged(const Memory& memory, const Witness& witness) {
  if (witness.at == 0) return false;
  return (witness.at == kNamesAt ? memory.template Load<Site::kNames>(witness.at)
                                 : memory.template Load<Site::kEntryTx>(witness.at)) == witness.value;
}

}  // namespace area
