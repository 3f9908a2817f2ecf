// Every place where the area's protocol touches a shared word, by name, with the order it needs. The one table of orders:
// docs/protocol.md section 9 in the words of C++. The model (packages/memfd-native/model) takes the places from here, weakens
// them one at a time, and takes the repairs out one at a time.
#pragma once

namespace area {

enum class Order { kRelaxed, kAcquire, kRelease };

// clang-format off
#define AREA_SITES(X)                                                                                  \
  /* the owner: a block */                                                                             \
  X(kClearTx, kRelaxed) X(kClearFence, kRelease) X(kBody, kRelaxed)                                    \
  X(kPublishTx, kRelease) X(kPublishRef, kRelease) X(kPublishEntryTx, kRelease)                        \
  X(kRecord, kRelaxed) X(kCommit, kRelease)                                                            \
  X(kWipeTx, kRelaxed) X(kWipeFence, kRelease)                                                         \
  /* the owner: a new key */                                                                           \
  X(kReuseFence, kRelease) X(kResetRef, kRelaxed) X(kEntryBody, kRelaxed) X(kNewUid, kRelease)         \
  X(kNewCount, kRelease) X(kNewSlot, kRelease) X(kNewName, kRelease)                                   \
  /* the owner: retiring, the index, joining of blocks, the end */                                     \
  X(kRetire, kRelaxed) X(kRetireFence, kRelease) X(kRetireEntryTx, kRelease) X(kRetireCommit, kRelease)\
  X(kDropSlot, kRelease) X(kDropUid, kRelease) X(kDropFence, kRelease)                                 \
  X(kIndexClearFence, kRelease) X(kIndexSlots, kRelaxed) X(kNewIndex, kRelease)                        \
  X(kReshape, kRelease) X(kReshapeFence, kRelease)                                                     \
  X(kNewState, kRelease) X(kStampTx, kRelease) X(kStampNames, kRelease) X(kInform, kRelaxed)           \
  /* what the owner reads of its own */                                                                \
  X(kOwn, kRelaxed)                                                                                    \
  /* a reader: finding */                                                                              \
  X(kIndex, kAcquire) X(kSlot, kAcquire) X(kUid, kAcquire) X(kKey, kRelaxed) X(kKeyFence, kAcquire)    \
  X(kUidAgain, kRelaxed) X(kMissFence, kAcquire) X(kIndexAgain, kRelaxed)                              \
  /* a reader: a value */                                                                              \
  X(kReshaped, kAcquire) X(kCommitted, kAcquire) X(kRef, kAcquire) X(kUidOfValue, kAcquire)            \
  X(kTx, kAcquire) X(kCommittedAgain, kAcquire) X(kPrev, kRelaxed) X(kPrevFence, kAcquire)             \
  X(kTxBeforePrev, kAcquire) X(kPrevTx, kAcquire) X(kValue, kRelaxed) X(kValueFence, kAcquire)         \
  X(kTxAgain, kAcquire) X(kReshapedAgain, kRelaxed)                                                    \
  /* a reader: what it keeps, several keys, all keys, the log */                                       \
  X(kEntryTx, kRelaxed) X(kNames, kAcquire) X(kState, kAcquire)                                        \
  X(kRetired, kAcquire) X(kSnapshotFence, kAcquire) X(kRetiredAgain, kRelaxed)                         \
  X(kCount, kAcquire) X(kRecordRead, kRelaxed) X(kInformation, kRelaxed)
// clang-format on

enum class Site {
#define AREA_SITE(name, order) name,
  AREA_SITES(AREA_SITE)
#undef AREA_SITE
};

constexpr Order kOrders[] = {
#define AREA_SITE(name, order) Order::order,
    AREA_SITES(AREA_SITE)
#undef AREA_SITE
};

constexpr Order OrderOf(Site site) { return kOrders[static_cast<int>(site)]; }

// What a model check of the first protocol found missing, by its number there (1 to 17), and what was added here. A memory
// answers whether it is in: always, but in the model.
#define AREA_REPAIRS(X)                                                                     \
  X(kOwnerBeforeFence, 1, "the owner word is read before the second look at tx")            \
  X(kOwnerOfFind, 2, "the owner word is compared with the uid that find answered")          \
  X(kOwnerBeforePrev, 3, "the owner word is looked at before prev is believed")             \
  X(kTxBeforeWipe, 4, "tx is 0 before a block is wiped")                                    \
  X(kIndexGeneration, 5, "the index word has a generation")                                 \
  X(kFenceBeforeIndex, 6, "a release fence lies before the first store into an index")      \
  X(kNamesAfterSlot, 7, "names is counted after the slot is stored")                        \
  X(kRetireStamps, 8, "retiring is a transaction that stamps the entry")                    \
  X(kNoAbsenceByTx, 9, "an absence without a block is not kept by the entry's tx")          \
  X(kUidEachTry, 10, "the uid is looked at in every try")                                   \
  X(kRefReset, 11, "ref is 0 before an entry's new uid")                                    \
  X(kRetiredWord, 12, "a snapshot begins anew when entries were retired meanwhile")         \
  X(kKeysByGet, 13, "all keys are those that have a committed value")                       \
  X(kNumberEachChange, 14, "each change has a number and a record of its own")              \
  X(kCursorBefore, 15, "after an overrun the cursor is what was committed before comparing") \
  X(kKnownByEntry, 16, "a record concerns the keys that the watcher knows by the entry, too") \
  X(kMergeDuplicates, 17, "a key is once in a transaction")                                 \
  X(kReshapedWord, 18, "a read begins anew when blocks were joined or cut meanwhile")       \
  X(kNamesBeforeFind, 19, "names is read before find")

enum class Repair {
#define AREA_REPAIR(name, number, what) name,
  AREA_REPAIRS(AREA_REPAIR)
#undef AREA_REPAIR
};

}  // namespace area
