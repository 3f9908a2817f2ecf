// The arrays that a hub shares with JavaScript: src/hub-arrays.ts.
#pragma once
#include <node_api.h>

#include "../args.h"
#include "../lasting_array.h"

/** One of the arrays by its name, `length` in bytes or int32s. Throws and answers null when it is none that lasts. */
template <typename T>
T* SharedArray(napi_env env, napi_value arrays, const char* name, size_t* length) {
  napi_value array;
  void* data = nullptr;
  if (napi_get_named_property(env, arrays, name, &array) == napi_ok) {
    data = LastingArray(env, array, sizeof(T) == 1 ? napi_uint8_array : napi_int32_array, length);
  }
  if (data == nullptr) ThrowArgType(env, name, "an array of bytes, or of int32s, in a SharedArrayBuffer");
  // SAFETY: T is a byte, or consists of int32s; the array begins its buffer.
  return static_cast<T*>(data);
}
