// Loads and stores of memory that another process may be reading and writing at the same time: aligned words in one
// access, which cannot tear. All else is memcpy and may be seen half-way.
#pragma once
#include <cstdint>
#include <cstring>

template <typename Word>
bool IsWord(const uint8_t* place, size_t count) {
  return count == sizeof(Word) && reinterpret_cast<uintptr_t>(place) % sizeof(Word) == 0;
}

// SAFETY (both): `place` is aligned for Word and lies within a live mapping; the other side is ordinary memory.
template <typename Word>
Word LoadWord(const uint8_t* place) {
  return __atomic_load_n(reinterpret_cast<const Word*>(place), __ATOMIC_ACQUIRE);
}
template <typename Word>
void StoreWord(uint8_t* place, Word word) {
  __atomic_store_n(reinterpret_cast<Word*>(place), word, __ATOMIC_RELEASE);
}

template <typename Word>
void CopyWordOut(const uint8_t* place, uint8_t* target) {
  const Word word = LoadWord<Word>(place);
  std::memcpy(target, &word, sizeof(word));
}
template <typename Word>
void CopyWordIn(uint8_t* place, const uint8_t* source) {
  Word word;
  std::memcpy(&word, source, sizeof(word));
  StoreWord(place, word);
}

inline void CopyOut(const uint8_t* place, uint8_t* target, size_t count) {
  if (IsWord<uint32_t>(place, count)) return CopyWordOut<uint32_t>(place, target);
  if (IsWord<uint64_t>(place, count)) return CopyWordOut<uint64_t>(place, target);
  if (count > 0) std::memcpy(target, place, count);
}

inline void CopyIn(uint8_t* place, const uint8_t* source, size_t count) {
  if (IsWord<uint32_t>(place, count)) return CopyWordIn<uint32_t>(place, source);
  if (IsWord<uint64_t>(place, count)) return CopyWordIn<uint64_t>(place, source);
  if (count > 0) std::memcpy(place, source, count);
}

/** Little-endian is the order of every machine this runs on (x86-64, arm64). */
template <bool BigEndian>
uint32_t InOrder(uint32_t word) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  return BigEndian ? __builtin_bswap32(word) : word;
}
