// Readiness of a descriptor, level-triggered: a handle for each, on a duplicate of what is borrowed. libuv aborts when a number
// that it polls is closed, or names another file, before its loop comes to it.
#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "../context.h"
#include "../define.h"
#include "../families.h"
#include "../unique_fd.h"
#include "end_hook.h"
#include "poll_handle.h"

/**
 * Owns itself from Watch() on: the handle may be used until it says that it is closed, which deletes it.
 * An environment that ends closes its watchers and waits for that callback.
 */
class Watcher final : public PollHandle {
 public:
  /** A negative errno when the descriptor cannot be polled (EPERM: a regular file), or there is no number for another one. */
  static int Watch(Napi::Env env, int fd, int events, Napi::Function callback, Watcher** out) {
    EventLoop loop;
    const int missing = EventLoop::Of(env, &loop);
    if (missing < 0) return missing;
    unique_fd duplicate(fcntl(fd, F_DUPFD_CLOEXEC, kLowestFd));
    if (!duplicate.ok()) return -errno;
    Watcher* watcher = new Watcher(env, loop, std::move(duplicate), events);
    const int error = watcher->Init(loop, watcher->fd_.get());
    if (error < 0) {
      delete watcher;
      return error;
    }
    watcher->callback_ = Napi::Persistent(callback);
    watcher->hook_.Add<&Watcher::End>(env, loop.ClosesLater(), watcher);
    watcher->Start(events);
    *out = watcher;
    return 0;
  }

  void End() {
    if (IsClosing()) return;
    callback_.Reset();
    Close();
    fd_.reset();  // it is not polled any more
  }

 private:
  static constexpr int kLowestFd = 3;  // 0 to 2 have a meaning even when they are free

  Watcher(Napi::Env env, const EventLoop& loop, unique_fd fd, int events)
      : env_(env), loop_(loop), fd_(std::move(fd)), events_(events) {}
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher() override = default;

  void OnClosed() override {
    hook_.Remove();
    delete this;
  }

  /** An error or a hang-up counts as ready: the call that the owner makes next says which. */
  void OnReady(int status, int) override {
    if (status < 0) Start(events_);  // libuv stops at POLLERR
    const Napi::Env env = env_;
    const EventLoop loop = loop_;
    Napi::HandleScope scope(env);
    // In a handle of this scope: the callback may close its own watcher, and run the loop, which then frees it.
    const Napi::Function callback = callback_.Value();
    // Not node-addon-api's: it makes an error of what a thread that is being ended answers.
    napi_status status_of_call = CallInNoContext(env, callback, 0, nullptr, nullptr);
    if (status_of_call == napi_pending_exception) {
      napi_value error = nullptr;
      napi_get_and_clear_last_exception(env, &error);
      status_of_call = napi_fatal_exception(env, error);
    }
    // This thread is being ended. Node stops its loop once, which a loop that a callback ran may have taken for itself.
    if (status_of_call != napi_ok) loop.Stop();
  }

  Napi::Env env_;
  EventLoop loop_;
  unique_fd fd_;
  int events_;
  Napi::FunctionReference callback_;
  EndHook hook_;
};

namespace {

int64_t Watch(Napi::Env env, int fd, bool writable, Napi::Function callback) {
  if (fd < 0) return -EBADF;
  SlotTable<Watcher*>& watchers = Environment::Of(env).watchers;
  if (watchers.Full()) return -ENOMEM;
  Watcher* watcher = nullptr;
  const int error = Watcher::Watch(env, fd, writable ? UV_WRITABLE : UV_READABLE, callback, &watcher);
  return error < 0 ? error : watchers.Insert(watcher);
}

int64_t Unwatch(Napi::Env env, int64_t handle) {
  Watcher* watcher = Environment::Of(env).watchers.Take(handle);
  if (watcher != nullptr) watcher->End();
  return 0;
}

int64_t SetWatchRef(Napi::Env env, int64_t handle, bool on) {
  Watcher** watcher = Environment::Of(env).watchers.Find(handle);
  if (watcher != nullptr) (*watcher)->SetRef(on);
  return 0;
}

// Once, before anything else: for a runtime whose libuv does not poll, and whose finalizers come in any thread.
int64_t PollByThread(Napi::Env env) {
  Environment& environment = Environment::Of(env);
  environment.polls_by_thread = true;
  environment.lent.TrackNothing();
  return 0;
}

}  // namespace

void RegisterWatcher(Napi::Env env, Napi::Object exports) {
  Define<Watch, "fd", "writable", "callback">(exports, "watch");
  Define<Unwatch, "handle">(exports, "unwatch");
  Define<SetWatchRef, "handle", "on">(exports, "setWatchRef");
  Define<PollByThread>(exports, "pollByThread");
}
