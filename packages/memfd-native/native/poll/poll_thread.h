// Waits for descriptors where the runtime has no libuv that would (Bun, Deno): a thread of our own polls (epoll(7)) and tells
// JavaScript's thread by a thread-safe function. It polls again only when everybody has been told, so what nobody has read
// is told again: level-triggered, as libuv's polls are. All but the waiting happens in JavaScript's thread.
#pragma once
#include <node_api.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "../slot_table.h"
#include "../unique_fd.h"

/** Who waits for a descriptor. */
class PollClient {
 public:
  /** @param events of epoll_ctl(2), of those that are waited for, EPOLLERR and EPOLLHUP. This may close the client. */
  virtual void OnEpoll(uint32_t events) = 0;
  /** Nobody knows it any more. */
  virtual void OnForgotten() = 0;

 protected:
  ~PollClient() = default;
};

/** Who wants to know when all that was ready at one time has been told. */
class PollObserver {
 public:
  virtual void OnAllTold() = 0;

 protected:
  ~PollObserver() = default;
};

class PollThread {
 public:
  /** Ends with the environment. A negative errno: there is no thread, or no descriptor for it. */
  static int Start(napi_env env, PollThread** out);

  /** A number for the client: it waits for nothing yet. */
  int64_t Add(PollClient* client, int fd);
  /** 0: for nothing. A negative errno: the descriptor cannot be polled. */
  int WaitFor(int64_t id, uint32_t events);
  /** Waits for nothing from here on. OnForgotten() follows later, not in this call. */
  void Forget(int64_t id);
  /** As Forget, of one that was never to be told anything. */
  void Drop(int64_t id);
  /** Tells those who were forgotten that they are. */
  void TellForgotten();

  void SetObserver(PollObserver* observer) { observer_ = observer; }

  /** Keeps the process alive, until as many Unref() have come. */
  void Ref();
  void Unref();

 private:
  static constexpr int kMost = 256;  // that are told at one time

  struct Entry {
    PollClient* client = nullptr;
    int fd = -1;
    uint32_t events = 0;
  };

  explicit PollThread(napi_env env) : env_(env) {}
  PollThread(const PollThread&) = delete;
  PollThread& operator=(const PollThread&) = delete;

  int StartThread();
  void Wait();
  void Tell();
  void End();

  napi_env env_;
  unique_fd epoll_;
  unique_fd ending_;  // eventfd(2): wakes the thread for the last time
  napi_threadsafe_function tell_ = nullptr;
  pthread_t thread_;
  sem_t told_;
  std::atomic<bool> ends_ = false;
  // Written by the thread, read by JavaScript's between `tell_` and `told_`.
  epoll_event ready_[kMost];
  int count_ = 0;

  SlotTable<Entry> entries_;
  std::vector<PollClient*> forgotten_;
  PollObserver* observer_ = nullptr;
  int refs_ = 0;
};
