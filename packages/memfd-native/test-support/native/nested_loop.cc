// For tests only: runs the event loop from inside a callback, as deasync does, which libuv does not forbid a program.
#include <node_api.h>
#include <uv.h>

// (wait): one turn of the loop; it waits for something to happen, or not.
static napi_value RunLoop(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value wait;
  bool waits = false;
  uv_loop_s* loop;
  napi_get_cb_info(env, info, &count, &wait, nullptr, nullptr);
  napi_get_value_bool(env, wait, &waits);
  if (napi_get_uv_event_loop(env, &loop) == napi_ok) uv_run(loop, waits ? UV_RUN_ONCE : UV_RUN_NOWAIT);
  return nullptr;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "runLoop", NAPI_AUTO_LENGTH, RunLoop, nullptr, &function);
  napi_set_named_property(env, exports, "runLoop", function);
  return exports;
}
