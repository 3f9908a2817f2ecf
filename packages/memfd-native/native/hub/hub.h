// The hub: every packet socket of one thread, each with a poll handle, and one call into JavaScript for all that are ready in
// one turn of the loop. Where our own thread polls, a turn is what it has told at one time.
//
// While libuv polls, what is ready is received into one arena that JavaScript shares; right after it (uv_check_t) the batch
// is handed over. The arena's bytes are valid until the callback returns. Descriptors are reported as numbers in a second
// shared array: the TypeScript side owns them from the first statement of the callback on.
//
// A slot that is removed while a batch is being handled is not given out again before the batch ends, so that an event
// can never reach a socket that it was not meant for.
//
// A handler may run the event loop itself. Then the rest of its batch is handed over first, before that loop waits, and what
// comes is a batch of its own, in what is left of the arena: the bytes that the outer handlers borrowed stay as they are.
// Where nothing is left, the sockets wait, ready, until the outer batch is over.
#pragma once
#include <node_api.h>
#include <uv.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "../poll/end_hook.h"
#include "inbox.h"
#include "outlet.h"
#include "sockets.h"

/** What JavaScript is told of a batch that is handed over. Field by field the same as src/hub.ts reads. */
struct Batch {
  int32_t first, count;  // of the events
  int32_t may_wait;      // packets of its answers
  int32_t turn;
  int32_t seconds, nanoseconds;  // of the monotonic clock: when it was handed over
};

class Hub final : SocketsOwner, PollObserver {
 public:
  static napi_value Create(napi_env env, napi_callback_info info);
  ~Hub() = default;

 private:
  explicit Hub(napi_env env) : env_(env) {}
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  bool TakeBatch(napi_value arrays);
  void Start();
  void StartHandles();
  void Shutdown();
  std::array<uv_handle_t*, 3> Own();
  void OnReady(int slot, int events) override;
  void OnHandleClosed() override;
  void OnAllTold() override { EndTurn(); }
  void EndTurn();

  size_t NewEvents() const { return inbox_.used().events - handed_over_.events; }
  Reuse ReuseNow() const { return inbox_.used().events == 0 ? Reuse::kNow : Reuse::kAfterBatch; }
  void Dispatch();
  void HandOver(size_t first, size_t count);

  template <auto Part, auto Method>
  static napi_value Call(napi_env env, napi_callback_info info);
  static napi_value SendWith(napi_env env, napi_callback_info info);
  int Remove(int slot);
  int Detach(int slot);
  int TakeIn(int slot, int next);
  int BatchTime();
  int SetRef(int on);

  napi_env env_;
  EndHook cleanup_;
  napi_ref callback_ = nullptr;
  EventLoop loop_;
  uv_check_t check_;      // hands the batch over; keeps the loop alive where the polls do not
  uv_prepare_t prepare_;  // hands the rest of a batch over before a loop inside it waits
  uv_idle_t idle_;        // keeps that loop from waiting: what was handed over may be all that it was run for
  size_t handles_ = 0;    // of those three, not closed yet; where our own thread polls there are none of them, and this is 1 until the end

  Sockets sockets_{this};
  Inbox inbox_{env_, &sockets_};
  Outlet outlet_{&sockets_};

  Batch* batch_ = nullptr;  // JavaScript's too
  Extent handed_over_;       // of the inbox, and not done with: more than nothing while a handler runs
  bool has_rest_ = false;    // JavaScript has not come to all of that yet
  uint64_t pace_ = 0;        // ns for each event of the last batch
  uint64_t batch_time_ = 0;  // ns that it took, with the microtasks that it left
  uint32_t turn_ = 0;        // of the event loop
};
