#include "poll_thread.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <memory>

int PollThread::Start(napi_env env, PollThread** out) {
  std::unique_ptr<PollThread> thread(new PollThread(env));
  thread->epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  thread->ending_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!thread->epoll_.ok() || !thread->ending_.ok()) return -errno;
  epoll_event event = {EPOLLIN, {.u64 = 0}};  // no client's number
  if (epoll_ctl(thread->epoll_.get(), EPOLL_CTL_ADD, thread->ending_.get(), &event) < 0) return -errno;
  const int error = thread->StartThread();
  if (error < 0) return error;
  *out = thread.release();
  return 0;
}

int PollThread::StartThread() {
  napi_value name;
  napi_create_string_utf8(env_, "memfd-native:poll", NAPI_AUTO_LENGTH, &name);
  auto tell = [](napi_env env, napi_value, void* context, void*) {
    if (env != nullptr) static_cast<PollThread*>(context)->Tell();  // null: the environment ends
  };
  if (napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, tell, &tell_) != napi_ok) {
    return -ENOMEM;
  }
  napi_unref_threadsafe_function(env_, tell_);
  sem_init(&told_, 0, 0);
  auto wait = [](void* self) -> void* {
    static_cast<PollThread*>(self)->Wait();
    return nullptr;
  };
  const int error = pthread_create(&thread_, nullptr, wait, this);
  if (error != 0) {
    napi_release_threadsafe_function(tell_, napi_tsfn_abort);
    return -error;
  }
  // After that of the thread-safe function: what is added last runs first, and its function outlives the thread.
  napi_add_env_cleanup_hook(env_, [](void* self) { static_cast<PollThread*>(self)->End(); }, this);
  return 0;
}

// In the thread itself.
void PollThread::Wait() {
  while (!ends_) {
    const int count = epoll_wait(epoll_.get(), ready_, kMost, -1);
    if (ends_) return;
    if (count <= 0) continue;  // EINTR
    count_ = count;
    if (napi_call_threadsafe_function(tell_, nullptr, napi_tsfn_nonblocking) != napi_ok) return;
    while (sem_wait(&told_) < 0) {
    }
  }
}

void PollThread::Tell() {
  for (int i = 0; i < count_; i++) {
    const Entry* entry = entries_.Find(static_cast<int64_t>(ready_[i].data.u64));
    if (entry == nullptr) continue;  // forgotten meanwhile
    const uint32_t events = ready_[i].events & (entry->events | EPOLLERR | EPOLLHUP);
    if (entry->events != 0 && events != 0) entry->client->OnEpoll(events);
  }
  if (observer_ != nullptr) observer_->OnAllTold();
  TellForgotten();
  sem_post(&told_);
}

int64_t PollThread::Add(PollClient* client, int fd) {
  TellForgotten();
  return entries_.Insert({client, fd, 0});
}

int PollThread::WaitFor(int64_t id, uint32_t events) {
  Entry* entry = entries_.Find(id);
  if (entry == nullptr || entry->events == events) return 0;
  const int operation = events == 0 ? EPOLL_CTL_DEL : entry->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  epoll_event event = {events, {.u64 = static_cast<uint64_t>(id)}};
  if (epoll_ctl(epoll_.get(), operation, entry->fd, &event) < 0) return -errno;
  entry->events = events;
  return 0;
}

void PollThread::Forget(int64_t id) {
  WaitFor(id, 0);
  const Entry entry = entries_.Take(id);
  if (entry.client != nullptr) forgotten_.push_back(entry.client);
}

void PollThread::Drop(int64_t id) {
  WaitFor(id, 0);
  entries_.Take(id);
}

// Who is told may forget others.
void PollThread::TellForgotten() {
  const std::vector<PollClient*> clients = std::exchange(forgotten_, {});
  for (PollClient* client : clients) client->OnForgotten();
}

void PollThread::Ref() {
  if (refs_++ == 0) napi_ref_threadsafe_function(env_, tell_);
}

void PollThread::Unref() {
  if (--refs_ == 0) napi_unref_threadsafe_function(env_, tell_);
}

void PollThread::End() {
  ends_ = true;
  eventfd_write(ending_.get(), 1);
  sem_post(&told_);
  pthread_join(thread_, nullptr);
  napi_release_threadsafe_function(tell_, napi_tsfn_abort);
  TellForgotten();
  sem_destroy(&told_);
  delete this;
}
