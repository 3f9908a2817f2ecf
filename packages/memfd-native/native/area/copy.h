// Copying values. From some hundred bytes on glibc's memcpy is one instruction (rep movsb), which on AMD's processors loses up to a
// fifth where the two places do not lie alike within a line of the cache; a value lies where its block does, and the other one is
// the caller's. Aligned stores lose nothing. What is longer than the second level of the cache waits for memory anyway.
//
// A value that fills the first level of the cache leaves only its end there. Whoever copies it again and again finds that end if every
// other copy begins with it: a seventh of the time of 64 KiB; and whoever looks at the copy in between finds its beginning.
#pragma once
#include <cstdint>
#include <cstring>
#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace area {

constexpr uint64_t kCopiedByLines = 1024;
constexpr uint64_t kCopiedToAndFro = 32 << 10;
constexpr uint64_t kCopiedAsBefore = 512 << 10;

/** Of copies that one thread makes of what is in one area: where the last one ended. */
enum class CopyEnd : uint8_t { kLast, kFirst };

#ifdef __x86_64__
/**
 * Whether the processor has AVX2, and the system keeps its registers. Not by __builtin_cpu_supports: that reads a word of the compiler's own
 * library, which zig cannot link into a shared object.
 */
inline bool HasAvx2() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) return false;
  unsigned kept = 0, high = 0;
  asm("xgetbv" : "=a"(kept), "=d"(high) : "c"(0));
  constexpr unsigned kOfSseAndAvx = 6;
  if ((kept & kOfSseAndAvx) != kOfSseAndAvx) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_AVX2) != 0;
}

__attribute__((target("avx2"))) inline __m256i LoadWord(const uint8_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

/** Of at least 32 bytes. */
__attribute__((target("avx2"))) inline void CopyByLines(uint8_t* to, const uint8_t* from, uint64_t count) {
  constexpr uint64_t kWord = sizeof(__m256i);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), LoadWord(from));
  uint64_t done = kWord - reinterpret_cast<uintptr_t>(to) % kWord;
  for (; count - done >= 4 * kWord; done += 4 * kWord) {
    const __m256i a = LoadWord(from + done), b = LoadWord(from + done + kWord);
    const __m256i c = LoadWord(from + done + 2 * kWord), d = LoadWord(from + done + 3 * kWord);
    auto* line = reinterpret_cast<__m256i*>(to + done);
    _mm256_store_si256(line, a);
    _mm256_store_si256(line + 1, b);
    _mm256_store_si256(line + 2, c);
    _mm256_store_si256(line + 3, d);
  }
  std::memcpy(to + done, from + done, count - done);
}

/** The same, from the last byte to the first. */
__attribute__((target("avx2"))) inline void CopyByLinesFromEnd(uint8_t* to, const uint8_t* from, uint64_t count) {
  constexpr uint64_t kWord = sizeof(__m256i);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + count - kWord), LoadWord(from + count - kWord));
  uint64_t left = count - reinterpret_cast<uintptr_t>(to + count) % kWord;
  for (; left >= 4 * kWord; left -= 4 * kWord) {
    const __m256i a = LoadWord(from + left - kWord), b = LoadWord(from + left - 2 * kWord);
    const __m256i c = LoadWord(from + left - 3 * kWord), d = LoadWord(from + left - 4 * kWord);
    auto* line = reinterpret_cast<__m256i*>(to + left);
    _mm256_store_si256(line - 1, a);
    _mm256_store_si256(line - 2, b);
    _mm256_store_si256(line - 3, c);
    _mm256_store_si256(line - 4, d);
  }
  std::memcpy(to, from, left);
}
#endif

/** memcpy(3) */
inline void CopyBytes(void* to, const void* from, uint64_t count, [[maybe_unused]] CopyEnd* end) {
#ifdef __x86_64__
  static const bool kCan = HasAvx2();
  if (count >= kCopiedByLines && count <= kCopiedAsBefore && kCan) {
    const bool is_from_end = count >= kCopiedToAndFro && *end == CopyEnd::kLast;
    *end = is_from_end ? CopyEnd::kFirst : CopyEnd::kLast;
    (is_from_end ? CopyByLinesFromEnd : CopyByLines)(static_cast<uint8_t*>(to), static_cast<const uint8_t*>(from), count);
    return;
  }
#endif
  if (count > 0) std::memcpy(to, from, count);
}

}  // namespace area
