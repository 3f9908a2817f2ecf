// Declares native functions: `Define<Ftruncate, "fd", "size">(exports, "ftruncate")` exports a C++ function whose
// parameters are read and checked by their types before it runs, and whose result is turned into JavaScript's.
// A wrong type throws TypeError (ERR_INVALID_ARG_TYPE), a number out of range RangeError (ERR_OUT_OF_RANGE).
//
// Parameters: int (int32), unsigned (32 bits, of either sign: what `|` made), int64_t (safe integers), bool,
// std::string (UTF-8), std::vector<int> (an array), Bytes, Napi::Function; a leading Napi::Env is handed in. Results: int64_t (>= 0, or a negative
// errno), unique_fd (owned by JavaScript from then on; empty: the errno), Napi::Value.
//
// A thread that is being terminated can be told nothing any more: every Node-API call fails, and what should be thrown
// is dropped (NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS; without it node-addon-api aborts the process).
#pragma once
#include <napi.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "environment.h"

/** What a system call answered, or the negative errno it left. */
inline int64_t ResultOf(int64_t result) { return result < 0 ? -errno : result; }

/** The negative errno of the call that has just failed, as a JavaScript value. */
inline Napi::Value Errno(Napi::Env env) { return Napi::Number::New(env, -errno); }

/** Runs a system call again that a signal interrupted. Never for close(2). */
template <typename Call>
auto Retry(Call call) {
  decltype(call()) result;
  do result = call();
  while (result < 0 && errno == EINTR);
  return result;
}

/** A borrowed Uint8Array; valid while JavaScript does not run, so it comes after any array, whose reading may run some. */
struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

/** A string as a template argument. */
template <size_t N>
struct FixedString {
  char text[N];
  constexpr FixedString(const char (&from)[N]) { std::copy_n(from, N, text); }
};

inline void ThrowArgType(napi_env env, const std::string& name, const char* rule) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", (name + " must be " + rule).c_str());
}
inline void ThrowOutOfRange(napi_env env, const std::string& message) {
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", message.c_str());
}

/** Each overload answers false after it has thrown. */
inline bool ReadInteger(Napi::Value value, const char* name, double min, double max, double* out) {
  if (!value.IsNumber()) {
    ThrowArgType(value.Env(), name, "a number");
    return false;
  }
  *out = value.As<Napi::Number>().DoubleValue();
  if (*out >= min && *out <= max && std::trunc(*out) == *out) return true;
  ThrowOutOfRange(value.Env(), std::string(name) + " must be an integer from " + std::to_string(std::llround(min)) +
                                   " to " + std::to_string(std::llround(max)));
  return false;
}

inline bool ReadArg(Napi::Value value, const char* name, int* out) {
  double number;
  if (!ReadInteger(value, name, INT32_MIN, INT32_MAX, &number)) return false;
  *out = static_cast<int>(number);
  return true;
}

inline bool ReadArg(Napi::Value value, const char* name, unsigned* out) {
  double number;
  if (!ReadInteger(value, name, INT32_MIN, UINT32_MAX, &number)) return false;
  *out = static_cast<unsigned>(static_cast<int64_t>(number));
  return true;
}

inline bool ReadArg(Napi::Value value, const char* name, int64_t* out) {
  constexpr double kMaxSafeInteger = 9007199254740991;
  double number;
  if (!ReadInteger(value, name, -kMaxSafeInteger, kMaxSafeInteger, &number)) return false;
  *out = static_cast<int64_t>(number);
  return true;
}

inline bool ReadArg(Napi::Value value, const char* name, bool* out) {
  if (!value.IsBoolean()) {
    ThrowArgType(value.Env(), name, "a boolean");
    return false;
  }
  *out = value.As<Napi::Boolean>().Value();
  return true;
}

inline bool ReadArg(Napi::Value value, const char* name, std::string* out) {
  if (!value.IsString()) {
    ThrowArgType(value.Env(), name, "a string");
    return false;
  }
  *out = value.As<Napi::String>().Utf8Value();
  return true;
}

inline bool ReadArg(Napi::Value value, const char* name, std::vector<int>* out) {
  if (!value.IsArray()) {
    ThrowArgType(value.Env(), name, "an array");
    return false;
  }
  Napi::Array array = value.As<Napi::Array>();
  out->resize(array.Length());
  for (uint32_t i = 0; i < out->size(); ++i) {
    if (!ReadArg(Napi::Value(array[i]), name, &(*out)[i])) return false;
  }
  return true;
}

inline bool ReadArg(Napi::Value value, const char* name, Bytes* out) {
  napi_typedarray_type type;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(value.Env(), value, &type, &out->length, reinterpret_cast<void**>(&out->data), nullptr,
                               nullptr) != napi_ok ||
      type != napi_uint8_array) {
    ThrowArgType(value.Env(), name, "a Uint8Array");
    return false;
  }
  return true;
}

inline bool ReadArg(Napi::Value value, const char* name, Napi::Function* out) {
  if (!value.IsFunction()) {
    ThrowArgType(value.Env(), name, "a function");
    return false;
  }
  *out = value.As<Napi::Function>();
  return true;
}

inline Napi::Value ToJs(Napi::Env env, int64_t result) { return Napi::Number::New(env, static_cast<double>(result)); }
inline Napi::Value ToJs(Napi::Env, Napi::Value value) { return value; }
inline Napi::Value ToJs(Napi::Env env, unique_fd fd) {
  if (!fd.ok()) return Errno(env);
  return Napi::Number::New(env, Environment::Of(env).fds.Own(std::move(fd)));
}
/** A pair of new descriptors: [first, second]. */
inline Napi::Value ToJs(Napi::Env env, unique_fd first, unique_fd second) {
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0u, ToJs(env, std::move(first)));
  pair.Set(1u, ToJs(env, std::move(second)));
  return pair;
}

namespace args {

template <typename R, typename... A, size_t... I>
Napi::Value Call(const Napi::CallbackInfo& info, R (*function)(A...), const char* const* names,
                 std::index_sequence<I...>) {
  static_assert(sizeof...(A) == sizeof...(I), "one name for each parameter");
  std::tuple<A...> values;
  if (!(ReadArg(info[I], names[I], &std::get<I>(values)) && ...)) return {};
  return ToJs(info.Env(), function(std::move(std::get<I>(values))...));
}

template <typename R, typename... A, size_t... I>
Napi::Value Call(const Napi::CallbackInfo& info, R (*function)(Napi::Env, A...), const char* const* names,
                 std::index_sequence<I...>) {
  static_assert(sizeof...(A) == sizeof...(I), "one name for each parameter");
  std::tuple<A...> values;
  if (!(ReadArg(info[I], names[I], &std::get<I>(values)) && ...)) return {};
  return ToJs(info.Env(), function(info.Env(), std::move(std::get<I>(values))...));
}

template <auto Function, FixedString... Names>
Napi::Value Callback(const Napi::CallbackInfo& info) {
  constexpr std::array<const char*, sizeof...(Names) + 1> names{Names.text...};
  return Call(info, Function, names.data(), std::make_index_sequence<sizeof...(Names)>());
}

}  // namespace args

/** Exports `Function` under `name`; `Names` are its parameters, for the errors. */
template <auto Function, FixedString... Names>
void Define(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<args::Callback<Function, Names...>>(exports.Env(), name));
}
