// Readiness of a descriptor through libuv: one uv_poll_t each, level-triggered, on a duplicate of what is borrowed. libuv
// aborts when a number that it polls is closed, or names another file, before its loop comes to it.
#include <fcntl.h>
#include <uv.h>

#include <cerrno>
#include <utility>

#include "define.h"
#include "families.h"
#include "unique_fd.h"

/**
 * Owns itself from Start() on: libuv may use the handle until uv_close() calls back, so that callback deletes it.
 * An environment that ends closes its watchers and waits for that callback.
 */
class Watcher {
 public:
  /** A negative errno when libuv cannot poll the descriptor (EPERM: a regular file), or there is no number for another one. */
  static int Start(Napi::Env env, int fd, int events, Napi::Function callback, Watcher** out) {
    uv_loop_s* loop;
    if (napi_get_uv_event_loop(env, &loop) != napi_ok) return -EINVAL;
    unique_fd duplicate(fcntl(fd, F_DUPFD_CLOEXEC, kLowestFd));
    if (!duplicate.ok()) return -errno;
    Watcher* watcher = new Watcher(env, std::move(duplicate), events);
    const int error = uv_poll_init(loop, &watcher->poll_, watcher->fd_.get());
    if (error < 0) {
      delete watcher;
      return error;
    }
    watcher->poll_.data = watcher;
    watcher->callback_ = Napi::Persistent(callback);
    napi_add_async_cleanup_hook(env, [](napi_async_cleanup_hook_handle, void* self) { static_cast<Watcher*>(self)->Close(); },
                                watcher, &watcher->hook_);
    watcher->Poll();
    *out = watcher;
    return 0;
  }

  void Close() {
    if (uv_is_closing(handle())) return;
    callback_.Reset();
    uv_close(handle(), [](uv_handle_t* handle) {
      Watcher* self = static_cast<Watcher*>(handle->data);
      napi_remove_async_cleanup_hook(self->hook_);
      delete self;
    });
    fd_.reset();  // libuv has left it already
  }

  void SetRef(bool on) { on ? uv_ref(handle()) : uv_unref(handle()); }

 private:
  static constexpr int kLowestFd = 3;  // 0 to 2 have a meaning even when they are free

  Watcher(Napi::Env env, unique_fd fd, int events) : env_(env), fd_(std::move(fd)), events_(events) {}
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // SAFETY: every libuv handle begins with the members of uv_handle_t.
  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&poll_); }

  void Poll() { uv_poll_start(&poll_, events_, OnEvent); }

  /** An error or a hang-up counts as ready: the call that the owner makes next says which. */
  static void OnEvent(uv_poll_t* poll, int error, int) {
    Watcher* self = static_cast<Watcher*>(poll->data);
    if (error < 0) self->Poll();  // libuv stops at POLLERR
    const Napi::Env env = self->env_;
    Napi::HandleScope scope(env);
    // In a handle of this scope: the callback may close its own watcher, and run the loop, which then frees it.
    const Napi::Function callback = self->callback_.Value();
    uv_loop_t* loop = poll->loop;
    // Not node-addon-api's: it makes an error of what a thread that is being ended answers.
    napi_status status = napi_make_callback(env, nullptr, env.Global(), callback, 0, nullptr, nullptr);
    if (status == napi_pending_exception) {
      napi_value error = nullptr;
      napi_get_and_clear_last_exception(env, &error);
      status = napi_fatal_exception(env, error);
    }
    // This thread is being ended. Node stops its loop once, which a loop that a callback ran may have taken for itself.
    if (status != napi_ok) uv_stop(loop);
  }

  uv_poll_t poll_;
  Napi::Env env_;
  unique_fd fd_;
  int events_;
  Napi::FunctionReference callback_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
};

namespace {

int64_t Watch(Napi::Env env, int fd, bool writable, Napi::Function callback) {
  if (fd < 0) return -EBADF;
  SlotTable<Watcher*>& watchers = Environment::Of(env).watchers;
  if (watchers.Full()) return -ENOMEM;
  Watcher* watcher = nullptr;
  const int error = Watcher::Start(env, fd, writable ? UV_WRITABLE : UV_READABLE, callback, &watcher);
  return error < 0 ? error : watchers.Insert(watcher);
}

int64_t Unwatch(Napi::Env env, int64_t handle) {
  Watcher* watcher = Environment::Of(env).watchers.Take(handle);
  if (watcher != nullptr) watcher->Close();
  return 0;
}

int64_t SetWatchRef(Napi::Env env, int64_t handle, bool on) {
  Watcher** watcher = Environment::Of(env).watchers.Find(handle);
  if (watcher != nullptr) (*watcher)->SetRef(on);
  return 0;
}

}  // namespace

void RegisterWatcher(Napi::Env env, Napi::Object exports) {
  Define<Watch, "fd", "writable", "callback">(exports, "watch");
  Define<Unwatch, "handle">(exports, "unwatch");
  Define<SetWatchRef, "handle", "on">(exports, "setWatchRef");
}
