// Reads the arguments of native functions, first thing in each call. A wrong type throws TypeError with the code
// ERR_INVALID_ARG_TYPE, a number out of range RangeError with ERR_OUT_OF_RANGE.
#pragma once
#include <napi.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

/** A borrowed Uint8Array; valid while JavaScript does not run, so it comes after any array, whose reading may run some. */
struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

/** A borrowed Float64Array, as Bytes: where a function of many results puts them. */
struct Numbers {
  double* data = nullptr;
  size_t length = 0;
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

template <typename T>
bool ReadArg(Napi::Value value, const char* name, std::vector<T>* out) {
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

template <typename Span>
bool ReadTypedArray(Napi::Value value, napi_typedarray_type wanted, Span* out) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(value.Env(), value, &type, &out->length, reinterpret_cast<void**>(&out->data), nullptr,
                                  nullptr) == napi_ok &&
         type == wanted;
}

inline bool ReadArg(Napi::Value value, const char* name, Bytes* out) {
  if (ReadTypedArray(value, napi_uint8_array, out)) return true;
  ThrowArgType(value.Env(), name, "a Uint8Array");
  return false;
}

inline bool ReadArg(Napi::Value value, const char* name, Numbers* out) {
  if (ReadTypedArray(value, napi_float64_array, out)) return true;
  ThrowArgType(value.Env(), name, "a Float64Array");
  return false;
}

inline bool ReadArg(Napi::Value value, const char* name, Napi::Function* out) {
  if (!value.IsFunction()) {
    ThrowArgType(value.Env(), name, "a function");
    return false;
  }
  *out = value.As<Napi::Function>();
  return true;
}
