// Functions that are called so often that unwrapping their arguments counts: they use Node-API itself, without CallbackInfo,
// and get the environment as the function's data pointer, several times cheaper than an unwrapped object (napi_unwrap).
#pragma once
#include <napi.h>

#include <memory>

#include "environment.h"

/** The arguments of one call; those that are missing are undefined. */
template <size_t N>
struct FastCall {
  FastCall(napi_env env, napi_callback_info info) : env(env) {
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

/** A call that mostly has no arguments: they are asked for only where they are used. */
template <>
struct FastCall<0> {
  FastCall(napi_env env, napi_callback_info info) : env(env), info(info) {
    void* data = nullptr;
    napi_get_instance_data(env, &data);
    environment = static_cast<Environment*>(data);
  }
  napi_value Argument(size_t which) const {
    napi_value argv[2];
    size_t count = 2;
    napi_get_cb_info(env, info, &count, argv, nullptr, nullptr);
    return argv[which];
  }

  napi_env env;
  napi_callback_info info;
  Environment* environment;
};

/** What a handle stands for. Throws ERR_CLOSED and answers null when it is closed. */
template <size_t N, typename Table>
auto* FindOpen(const FastCall<N>& call, Table& table, int64_t handle, const char* closed) {
  auto* found = table.Find(handle);
  if (found == nullptr) napi_throw_error(call.env, "ERR_CLOSED", closed);
  return found;
}

/** The same of the handle in a call's first argument. */
template <size_t N, typename Table>
auto* FindOpen(const FastCall<N>& call, Table& table, const char* closed) {
  int64_t number = 0;
  napi_get_value_int64(call.env, call.argv[0], &number);
  return FindOpen(call, table, number, closed);
}

/** Exports a function that reads its arguments by FastCall. */
inline void DefineFast(Napi::Object exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_env env = exports.Env();
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, &Environment::Of(env), &function);
  exports.Set(name, function);
}
