#pragma once
#include <node_api.h>

#include <cstddef>

/**
 * Calls a function of JavaScript from the event loop, in no async context. The status is that of napi_make_callback: an exception is
 * pending, or the thread is being ended, where it is not napi_ok.
 */
napi_status CallInNoContext(napi_env env, napi_value callback, size_t count, const napi_value* args, napi_value* result);
