// One descriptor that is polled, level-triggered: by libuv, or by our own thread where the runtime has no libuv.
#pragma once
#include <napi.h>
#include <uv.h>

#include <cstdint>

#include "poll_thread.h"

/** What waits for descriptors in an environment: one of the two. */
struct EventLoop {
  uv_loop_t* uv = nullptr;
  PollThread* thread = nullptr;

  /** A negative errno: there is neither. */
  static int Of(Napi::Env env, EventLoop* out);
  /** libuv needs one more turn to let go of handles before their memory may go: the end of an environment is to wait for it. */
  bool ClosesLater() const { return thread == nullptr; }
  /** In an environment that ends: libuv waits for nothing more. */
  void Stop() const {
    if (uv != nullptr) uv_stop(uv);
  }
};

/** libuv, or the thread, may use it until OnClosed(): whoever owns it goes then, and not before. */
class PollHandle : private PollClient {
 public:
  /** Borrows the descriptor until Close(). A negative errno: it cannot be polled, and this was never one. Keeps the process alive while it waits. */
  int Init(const EventLoop& loop, int fd);
  /** @param events UV_READABLE, UV_WRITABLE, UV_DISCONNECT. After an error it is to be called again. */
  int Start(int events);
  int Stop();
  /** Before the descriptor is closed. */
  void Close();
  bool IsClosing() const { return is_closing_; }
  void SetRef(bool on);

 protected:
  PollHandle() = default;
  PollHandle(const PollHandle&) = delete;
  PollHandle& operator=(const PollHandle&) = delete;
  virtual ~PollHandle() = default;

  /** @param status negative: an error of the file's, which also says so when it is read. This may close it. */
  virtual void OnReady(int status, int events) = 0;
  virtual void OnClosed() = 0;

 private:
  void OnEpoll(uint32_t events) override;
  void OnForgotten() override { OnClosed(); }
  // SAFETY: every libuv handle begins with the members of uv_handle_t.
  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&uv_); }

  PollThread* thread_ = nullptr;  // null: libuv polls
  uv_poll_t uv_;
  int64_t id_ = 0;  // the thread's
  int events_ = 0;
  bool has_ref_ = true;
  bool is_closing_ = false;
};
