// What the area's functions for JavaScript share: their arguments, the words in which numbers come and go, and their results.
#pragma once
#include <cerrno>
#include <memory>

#include "../define.h"
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
  uint32_t reserved;
  double position;
  uint32_t version[2];  // out, from here on
  uint32_t bytes;
  uint32_t type;
  uint32_t state;
  uint32_t witness_at;  // as the number of an int32 in the area
  uint32_t witness[2];
};
static_assert(sizeof(Words) == 64);

inline uint64_t Join(const uint32_t (&halves)[2]) { return halves[0] | uint64_t{halves[1]} << 32; }
inline void Split(uint64_t word, uint32_t (&halves)[2]) {
  halves[0] = static_cast<uint32_t>(word);
  halves[1] = static_cast<uint32_t>(word >> 32);
}

/** The arguments of one call; those that are missing are undefined. */
template <size_t N>
struct NodeCall {
  NodeCall(napi_env env, napi_callback_info info) : env(env) {
    size_t count = N;
    void* data;
    napi_get_cb_info(env, info, &count, argv, nullptr, &data);
    environment = static_cast<Environment*>(data);
  }
  Napi::Value operator[](size_t i) const { return Napi::Value(env, argv[i]); }

  napi_value Answer(int64_t number) const {
    napi_value value;
    napi_create_int64(env, number, &value);
    return value;
  }

  napi_env env;
  Environment* environment;
  napi_value argv[N];
};

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

inline bool ReadVersion(Napi::Value value, const char* name, uint64_t* out) {
  bool is_lossless = false;
  if (value.IsBigInt()) *out = value.As<Napi::BigInt>().Uint64Value(&is_lossless);
  if (is_lossless) return true;
  if (value.IsBigInt()) ThrowOutOfRange(value.Env(), std::string(name) + " must be from 0 to 2^64 - 1");
  else ThrowArgType(value.Env(), name, "a bigint");
  return false;
}

inline bool ReadStrings(Napi::Value value, const char* name, std::vector<std::string>* out) {
  if (!value.IsArray()) {
    ThrowArgType(value.Env(), name, "an array");
    return false;
  }
  Napi::Array array = value.As<Napi::Array>();
  const uint32_t length = array.Length();
  for (uint32_t i = 0; i < length; ++i) {
    if (!ReadArg(Napi::Value(array[i]), name, &out->emplace_back())) return false;
  }
  return true;
}

inline void Export(Napi::Object exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_env env = exports.Env();
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, &Environment::Of(exports.Env()), &function);
  exports.Set(name, function);
}

}  // namespace area
