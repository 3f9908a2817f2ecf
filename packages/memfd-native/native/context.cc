// Running JavaScript in no async context (async_hooks, AsyncLocalStorage): what this library does for itself must not see, nor
// hold, the context of whoever happened to be the first to ask for it.
#include "context.h"

#include "define.h"
#include "families.h"

napi_status CallInNoContext(napi_env env, napi_value callback, size_t count, const napi_value* args, napi_value* result) {
  // Without an async context the receiver stands for it: a new object, which nobody has put anything into.
  napi_value nothing;
  napi_create_object(env, &nothing);
  // make_callback and not call_function: promises and nextTicks of the callback run before the loop goes on.
  napi_value ignored;  // Deno writes it without asking
  return napi_make_callback(env, nullptr, nothing, callback, count, args, result == nullptr ? &ignored : result);
}

namespace {

/** What it throws goes on to the caller. */
Napi::Value InNoContext(Napi::Env env, Napi::Function callback) {
  napi_value result = nullptr;
  return CallInNoContext(env, callback, 0, nullptr, &result) == napi_ok ? Napi::Value(env, result) : Napi::Value();
}

}  // namespace

void RegisterContext(Napi::Env env, Napi::Object exports) { Define<InNoContext, "callback">(exports, "inNoContext"); }
