// An array that native code shares with JavaScript for the life of the thread.
#pragma once
#include <node_api.h>

#include <cstddef>

/**
 * Its memory, from here on there for as long as the thread; null when it is no such array. It must lie in a
 * SharedArrayBuffer: nobody can detach that (transfer it, say), so its memory is there for as long as the array, which is
 * referred to here.
 */
inline void* LastingArray(napi_env env, napi_value array, napi_typedarray_type wanted, size_t* length) {
  napi_typedarray_type type;
  void* data = nullptr;
  napi_value buffer;
  bool is_detachable = true;
  if (napi_get_typedarray_info(env, array, &type, length, &data, &buffer, nullptr) != napi_ok || type != wanted ||
      napi_is_arraybuffer(env, buffer, &is_detachable) != napi_ok || is_detachable) {
    return nullptr;
  }
  napi_ref forever;
  return napi_create_reference(env, array, 1, &forever) == napi_ok ? data : nullptr;
}
