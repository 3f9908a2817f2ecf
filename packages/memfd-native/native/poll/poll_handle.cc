#include "poll_handle.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <cerrno>

#include "../environment.h"

namespace {

constexpr struct {
  int uv;
  uint32_t epoll;
} kEvents[] = {{UV_READABLE, EPOLLIN}, {UV_WRITABLE, EPOLLOUT}, {UV_DISCONNECT, EPOLLRDHUP}};

uint32_t ToEpoll(int events) {
  uint32_t result = 0;
  for (const auto& [uv, epoll] : kEvents) result |= events & uv ? epoll : 0;
  return result;
}

int FromEpoll(uint32_t events) {
  int result = 0;
  for (const auto& [uv, epoll] : kEvents) result |= events & epoll ? uv : 0;
  return result;
}

// As uv_poll_init: EPERM of a regular file comes now, and from here on it never blocks.
int Prepare(PollThread* thread, int64_t id, int fd) {
  int error = thread->WaitFor(id, EPOLLIN);
  if (error < 0) return error;
  thread->WaitFor(id, 0);
  const int flags = fcntl(fd, F_GETFL);
  return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

}  // namespace

int EventLoop::Of(Napi::Env env, EventLoop* out) {
  Environment& environment = Environment::Of(env);
  if (!environment.polls_by_thread) return napi_get_uv_event_loop(env, &out->uv) == napi_ok ? 0 : -EINVAL;
  if (environment.poll_thread == nullptr) {
    const int error = PollThread::Start(env, &environment.poll_thread);
    if (error < 0) return error;
  }
  out->thread = environment.poll_thread;
  return 0;
}

int PollHandle::Init(const EventLoop& loop, int fd) {
  if (loop.thread == nullptr) {
    uv_.data = this;
    return uv_poll_init(loop.uv, &uv_, fd);
  }
  id_ = loop.thread->Add(this, fd);
  const int error = Prepare(loop.thread, id_, fd);
  if (error < 0) {
    loop.thread->Drop(id_);
    return error;
  }
  thread_ = loop.thread;
  thread_->Ref();
  return 0;
}

int PollHandle::Start(int events) {
  events_ = events;
  if (thread_ != nullptr) return thread_->WaitFor(id_, ToEpoll(events));
  return uv_poll_start(&uv_, events, [](uv_poll_t* poll, int status, int events) {
    static_cast<PollHandle*>(poll->data)->OnReady(status, events);
  });
}

int PollHandle::Stop() {
  events_ = 0;
  return thread_ != nullptr ? thread_->WaitFor(id_, 0) : uv_poll_stop(&uv_);
}

void PollHandle::Close() {
  if (is_closing_) return;
  if (thread_ != nullptr) {
    SetRef(false);
    thread_->Forget(id_);
  } else {
    uv_close(handle(), [](uv_handle_t* handle) { static_cast<PollHandle*>(handle->data)->OnClosed(); });
  }
  is_closing_ = true;
}

void PollHandle::SetRef(bool on) {
  if (is_closing_ || has_ref_ == on) return;
  has_ref_ = on;
  if (thread_ != nullptr) {
    on ? thread_->Ref() : thread_->Unref();
  } else {
    on ? uv_ref(handle()) : uv_unref(handle());
  }
}

// As libuv: an error, and a hang-up alone, count as ready for all that is waited for.
void PollHandle::OnEpoll(uint32_t events) {
  const int ready = FromEpoll(events);
  OnReady(events & EPOLLERR ? -EBADF : 0, ready == 0 ? events_ : ready);
}
