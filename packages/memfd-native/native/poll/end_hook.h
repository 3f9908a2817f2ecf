// What must end with the environment, unless it has ended before.
#pragma once
#include <node_api.h>

class EndHook {
 public:
  EndHook() = default;
  EndHook(const EndHook&) = delete;
  EndHook& operator=(const EndHook&) = delete;

  /** @param act called at the end; it, or what follows from it, calls Remove() */
  template <auto act, typename Owner>
  void Add(napi_env env, bool is_waited_for, Owner* owner) {
    env_ = env;
    owner_ = owner;
    act_ = [](void* owner) { (static_cast<Owner*>(owner)->*act)(); };
    if (is_waited_for) {
      auto run = [](napi_async_cleanup_hook_handle, void* self) { static_cast<EndHook*>(self)->Run(); };
      napi_add_async_cleanup_hook(env, run, this, &handle_);
    } else {
      napi_add_env_cleanup_hook(env, RunNow, this);
    }
  }

  /** The end has come about: nobody is called, or waits, any more. */
  void Remove() {
    if (handle_ != nullptr) {
      napi_remove_async_cleanup_hook(handle_);
    } else if (!has_begun_) {
      napi_remove_env_cleanup_hook(env_, RunNow, this);
    }
  }

 private:
  static void RunNow(void* self) { static_cast<EndHook*>(self)->Run(); }

  void Run() {
    has_begun_ = true;
    act_(owner_);  // may be the end of this
  }

  napi_env env_ = nullptr;
  void* owner_ = nullptr;
  void (*act_)(void*) = nullptr;
  napi_async_cleanup_hook_handle handle_ = nullptr;  // null: it is not waited for
  bool has_begun_ = false;
};
