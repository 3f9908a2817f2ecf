// Where everything lies in an area: docs/protocol.md, section 9.1. Numbers only; nothing here touches memory.
#pragma once
#include <cstdint>
#include <cstring>

namespace area {

constexpr uint64_t kMagic = 0x414552414356534d;  // "MSVCAREA"
constexpr uint32_t kLayout = 1;
constexpr uint32_t kHeaderBytes = 4096;
constexpr uint64_t kMaxCapacity = uint64_t{1} << 40;  // what the index word can point to
constexpr uint32_t kMaxEntries = 1u << 24;
constexpr uint32_t kMinLogSize = 512;  // twice the largest transaction: a watcher tells an overrun by it
constexpr uint32_t kMaxLogSize = 1u << 20;
constexpr uint32_t kMaxKeyBytes = 512;
constexpr uint32_t kMaxEdits = 256;
constexpr uint32_t kMaxProbes = 1024;

/** Offsets in the header: constant fields, then words. */
enum : uint64_t {
  kMagicAt = 0,
  kLayoutAt = 8,
  kHeaderBytesAt = 12,
  kCapacityAt = 16,
  kEntriesAtAt = 24,
  kMaxEntriesAt = 32,
  kLogSizeAt = 36,
  kHeapAtAt = 40,
  kLogAtAt = 48,
  kEpochAt = 56,
  kBaseAt = 64,
  kCommittedAt = 128,
  kReshapedAt = 136,
  kIndexAt = 144,
  kNamesAt = 152,
  kRetiredAt = 160,
  kCountAt = 168,
  kStateAt = 172,
  kLiveKeysAt = 176,
  kReplicaStateAt = 192,
  kAppliedAt = 200,
  kContactAt = 208,
};

enum State : uint32_t { kLive = 0, kMoved = 1, kClosed = 2 };

constexpr uint64_t kEntryBytes = 64;
/** Offsets in an entry. */
enum : uint64_t { kRefIn = 0, kTxIn = 8, kUidIn = 16, kHashIn = 24, kShapeIn = 32, kKeyIn = 40 };
constexpr uint32_t kInlineKeyBytes = 24;

constexpr uint64_t kBlockBytes = 32;
constexpr uint64_t kBlockAlign = 16;
/** Offsets in a block. */
enum : uint64_t { kBlockTxIn = 0, kPrevIn = 8, kOwnerIn = 16, kBlockShapeIn = 24, kContentIn = 32 };

enum Type : uint8_t { kDeleted = 0, kBytes = 1, kJson = 2, kKeyBlock = 3, kIndexBlock = 4 };

constexpr uint64_t ShapeOf(uint32_t bytes, Type type) { return bytes | uint64_t{type} << 32; }
constexpr uint32_t BytesOf(uint64_t shape) { return static_cast<uint32_t>(shape); }
constexpr uint8_t TypeOf(uint64_t shape) { return static_cast<uint8_t>(shape >> 32); }

constexpr uint64_t kFreeSlot = 0;
constexpr uint64_t kDeletedSlot = 0xffffffff;
constexpr uint64_t SlotOf(uint64_t hash, uint32_t entry) { return (hash >> 32) << 32 | (entry + uint64_t{1}); }

constexpr uint32_t kNoEntry = 0xffffffff;
/** A key's entry, in one life of it. */
struct Found {
  uint32_t entry = kNoEntry;
  uint64_t uid = 0;
};

constexpr uint64_t RecordOf(uint64_t transaction, uint32_t entry) { return transaction << 32 | entry; }

/** The index word: where the slots are, and how many. */
struct Index {
  static constexpr int kMinLog2 = 2;
  static constexpr int kMaxLog2 = 25;
  static constexpr uint64_t kGenerations = 1 << 22;

  uint64_t at = 0;
  uint64_t generation = 0;
  int log2 = 0;

  static constexpr Index Of(uint64_t word) {
    return {(word >> 28) * kBlockAlign, word >> 6 & (kGenerations - 1), static_cast<int>(word & 63)};
  }
  constexpr uint64_t word() const {
    return at / kBlockAlign << 28 | (generation & (kGenerations - 1)) << 6 | static_cast<uint64_t>(log2);
  }
  constexpr uint64_t slots() const { return uint64_t{1} << log2; }
};

/** The constant fields, copied once: never read again from memory that its owner may change. */
struct Geometry {
  uint64_t capacity = 0;
  uint64_t entries_at = 0;
  uint64_t heap_at = 0;
  uint64_t log_at = 0;
  uint64_t epoch = 0;
  uint64_t base = 0;
  uint32_t max_entries = 0;
  uint32_t log_size = 0;

  /** An area of this capacity. Its heap is empty if it does not fit: IsSound() says so. */
  static constexpr Geometry For(uint64_t capacity, uint32_t max_entries, uint32_t log_size) {
    Geometry made;
    made.capacity = capacity;
    made.max_entries = max_entries;
    made.log_size = log_size;
    made.log_at = kHeaderBytes;
    made.entries_at = Up(made.log_at + uint64_t{8} * log_size, 64);
    made.heap_at = Up(made.entries_at + kEntryBytes * max_entries, kHeaderBytes);
    return made;
  }

  constexpr bool IsSound(uint64_t size) const {
    return capacity <= size && capacity <= kMaxCapacity && max_entries >= 1 && max_entries <= kMaxEntries &&
           log_size >= kMinLogSize && log_size <= kMaxLogSize && (log_size & (log_size - 1)) == 0 && AreOffsetsSound();
  }
  /** As far as memory safety goes. Every offset is compared before it is added to. */
  constexpr bool AreOffsetsSound() const {
    return capacity >= 64 && heap_at <= capacity - 64 && entries_at <= heap_at && log_at <= heap_at &&
           (heap_at | entries_at | log_at) % 64 == 0 && log_at >= kHeaderBytes && entries_at >= kHeaderBytes &&
           uint64_t{8} * log_size <= heap_at - log_at && kEntryBytes * max_entries <= heap_at - entries_at;
  }

  constexpr uint64_t EntryAt(uint32_t entry) const { return entries_at + kEntryBytes * entry; }
  constexpr uint64_t RecordAt(uint64_t number) const { return log_at + 8 * (number & (log_size - 1)); }
  constexpr bool IsBlock(uint64_t at) const {
    return at % kBlockAlign == 0 && at >= heap_at && at <= capacity - kBlockBytes;
  }
  /** Of a block that IsBlock(). */
  constexpr uint64_t RoomOf(uint64_t block) const { return capacity - kBlockBytes - block; }
  constexpr bool IsIndex(const Index& index) const {
    return index.log2 >= Index::kMinLog2 && index.log2 <= Index::kMaxLog2 && index.at >= heap_at &&
           index.at <= capacity && index.slots() * 8 <= capacity - index.at;
  }

  static constexpr uint64_t Up(uint64_t number, uint64_t multiple) {
    return (number + multiple - 1) / multiple * multiple;
  }
};

/** A key as it is compared: its hash, and its first bytes as the words of an entry. */
struct Key {
  uint8_t bytes[kMaxKeyBytes];
  uint32_t length = 0;
  uint64_t hash = 0;

  /** False when it is too long or empty. What lies beyond the length is zeros. */
  bool Set(const void* data, size_t size, uint64_t epoch) {
    if (size < 1 || size > kMaxKeyBytes) return false;
    length = static_cast<uint32_t>(size);
    std::memcpy(bytes, data, size);
    if (size < kInlineKeyBytes) std::memset(bytes + size, 0, kInlineKeyBytes - size);
    hash = 0xcbf29ce484222325 ^ epoch;
    for (size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
    return true;
  }
  bool is_long() const { return length > kInlineKeyBytes; }
  uint64_t Word(int i) const {
    uint64_t word;
    std::memcpy(&word, bytes + 8 * i, sizeof(word));
    return word;
  }
};

}  // namespace area
