// What the area's functions for JavaScript share: their arguments, the words in which numbers come and go, and their results.
#pragma once
#include <cerrno>
#include <memory>

#include "../define.h"
#include "../fast_call.h"
#include "reader.h"

namespace area {

/**
 * The numbers of one call, in an ArrayBuffer that JavaScript has too: as arguments they would cost more than a small read. The
 * same as in src/area-words.ts.
 */
struct Words {
  int32_t entry;  // in and out: of the key, -1 not known
  uint32_t uid[2];
  uint32_t wanted_version[2];
  int32_t room;  // of the few bytes, where those are the target, or the bytes to put that are there; -1: they are an argument
  double position;
  uint32_t version[2];  // out, the next ones, too
  uint32_t bytes;
  uint32_t type;  // in of a put
  uint32_t state;
  uint32_t witness_at;  // as the number of an int32 in the area
  uint32_t witness[2];
  double handle;  // in
  double count;   // out: what the call answers
  uint32_t key_bytes;  // in: of `key`; 0: the key is an argument
  uint32_t reserved;
  uint8_t key[64];
  double room_of[3];  // out: bytes that the heap takes, bytes that are in use, blocks that are reserved
  double key_number;  // in: of what is in `key`, never the same for another content; 0: nothing was there yet
};
static_assert(sizeof(Words) == 184);

/**
 * So many bytes of a value go between JavaScript and native code in an ArrayBuffer of their own: V8 copies to and from shared memory
 * word by word.
 */
constexpr size_t kFewBytes = sizeof(Environment::first_area_few);

inline uint64_t Join(const uint32_t (&halves)[2]) { return halves[0] | uint64_t{halves[1]} << 32; }
inline void Split(uint64_t word, uint32_t (&halves)[2]) {
  halves[0] = static_cast<uint32_t>(word);
  halves[1] = static_cast<uint32_t>(word >> 32);
}

/** The area of a call's handle, of either kind. Throws ERR_CLOSED and answers null when it is closed. */
template <size_t N, typename Area>
Area* OpenArea(const FastCall<N>& call, SlotTable<std::shared_ptr<Area>>& areas) {
  std::shared_ptr<Area>* area = FindOpen(call, areas, "the area is closed");
  return area == nullptr ? nullptr : area->get();
}

/** The same by the handle in the words. */
template <typename Area>
Area* OpenAreaOfWords(const FastCall<0>& call, SlotTable<std::shared_ptr<Area>>& areas) {
  const double handle = call.environment->area_words->handle;
  const bool is_number = handle >= 0 && handle < 9007199254740992;
  std::shared_ptr<Area>* area =
      FindOpen(call, areas, is_number ? static_cast<int64_t>(handle) : 0, "the area is closed");
  return area == nullptr ? nullptr : area->get();
}

inline int64_t ErrorOf(Code code) {
  switch (code) {
    case Code::kAbsent: return -ENOENT;
    case Code::kConflict: return -ESTALE;
    case Code::kDamaged: return -EBADMSG;
    case Code::kValue: return 0;
    default: return -EAGAIN;
  }
}

/** Throws and answers false when it is no string. `*error` is -EINVAL for one that can be no key. */
inline bool ReadKey(napi_env env, napi_value value, uint64_t epoch, Key* key, int64_t* error) {
  char text[kMaxKeyBytes + 5];  // so much more that one character too many is seen
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, text, sizeof(text), &length) != napi_ok) {
    ThrowArgType(env, "key", "a string");
    return false;
  }
  *error = key->Set(text, length, epoch) ? 0 : -EINVAL;
  return true;
}

/** The same of a call's key, which is in the words, or its first argument. */
inline bool ReadKeyOfWords(const FastCall<0>& call, uint64_t epoch, Key* key, int64_t* error) {
  const Words& words = *call.environment->area_words;
  const uint32_t length = words.key_bytes;
  if (length == 0 || length > sizeof(words.key)) return ReadKey(call.env, call.Argument(0), epoch, key, error);
  *error = key->Set(words.key, length, epoch) ? 0 : -EINVAL;
  return true;
}

inline bool ReadVersion(Napi::Value value, const char* name, uint64_t* out) {
  bool is_lossless = false;
  if (value.IsBigInt()) *out = value.As<Napi::BigInt>().Uint64Value(&is_lossless);
  if (is_lossless) return true;
  if (value.IsBigInt()) ThrowOutOfRange(value.Env(), std::string(name) + " must be from 0 to 2^64 - 1");
  else ThrowArgType(value.Env(), name, "a bigint");
  return false;
}

}  // namespace area
