// The hub: every packet socket of one thread, each with a libuv poll handle, and one call into JavaScript for all that
// are ready in one turn of the loop.
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
#include <sys/types.h>
#include <uv.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "unique_fd.h"

inline constexpr int kMaxFds = 253;              // SCM_MAX_FD, include/net/scm.h
inline constexpr size_t kMaxPacket = 65536;      // docs/protocol.md, section 2
inline constexpr int kAcceptsPerWake = 256;
inline constexpr int kGonePerWake = 1024;        // connections that were closed before they were accepted
inline constexpr int kProbeInterval = 16;        // wake-ups of a socket between two looks for a second packet
inline constexpr size_t kBatch = 64;             // events after which the others wait: their senders get on meanwhile
inline constexpr uint64_t kLongestWait = 1'000'000;  // ns that an answer of a batch may wait for those after it, more or less
inline constexpr size_t kEventInts = 10;         // slot type offset length flags fdStart fdCount pid uid gid

inline constexpr int kReading = UV_READABLE | UV_DISCONNECT;

enum EventType : int32_t { kPacket = 1, kEnd = 2, kWritable = 3, kConnection = 4, kAcceptFailed = 5 };

class Hub;

/** A libuv handle outlives its socket by a turn of the loop: whoever takes a socket out of its slot closes the handle too. */
struct Poll {
  uv_poll_t handle;
  Hub* hub;
  int slot;  // -1: taken out
};

struct Slot {
  unique_fd fd;
  Poll* poll = nullptr;  // libuv's, until it has been closed
  bool listener = false;
  bool takes_fds = false;
  bool refuses_fds = false;  // by the kernel's word
  bool blocked = false;  // a packet of this batch did not go: what comes after it must not either
  bool bursts = false;  // a wake-up found several packets; otherwise one is read, and the kernel is not asked for more
  bool is_new = true;   // nothing has come yet: HELLO has company, but only one
  bool ended = false;   // has been told; nothing more is read
  uint8_t wakes = 0;    // since a second packet was looked for
  bool parked = false;  // something is ready, and waits in the kernel until its group may be received again
  uint32_t admitted = 0;  // the round of its group in which it may be received once, while that is closed
  int group = 0;
  uint64_t ticket = 0;  // its place among the parked ones of its group, until it is received
  size_t control_size = 0;  // room for control messages when receiving; 0 and refusing, nothing comes but bytes
  int interest = 0;         // of uv_poll_start(); 0 is stopped
  int wanted = 0;           // the same, when it is not parked
};

/** Sockets that are received, or not, together. While it is closed, those that become ready wait here, in that order. */
struct Group {
  bool closed = false;
  uint32_t round = 1;  // a new one with each closing: what was admitted before is not any more
  std::set<std::pair<uint64_t, int>> parked;  // ticket, slot
};

struct Event {
  int32_t slot, type, offset, length, flags, fd_start, fd_count, pid, uid, gid;
};
static_assert(sizeof(Event) == kEventInts * sizeof(int32_t));

/** Of a broadcast: whom to send to, what to write into the packet for him, and what came of it (bytes, or an errno). */
struct Target {
  int32_t slot, word, result;
};

/** A short packet that waits in its cell for the end of the batch. */
struct Deferred {
  int32_t slot, length, result;
};

/** How much of the arena and the tables is taken. */
struct Extent {
  size_t events = 0, arena = 0, fds = 0;
};

class Hub {
 public:
  static napi_value Create(napi_env env, napi_callback_info info);

 private:
  Hub(napi_env env) : env_(env) {}
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  bool TakeArrays(napi_value arrays);
  void Start();
  void Shutdown();
  void OnClosed();
  std::array<uv_handle_t*, 3> Own();

  static void OnReady(uv_poll_t* handle, int status, int events);
  void Receive(int index, int ready);
  void ReceivePackets(int index, bool has_ended);
  bool ReceiveOne(int index, bool has_ended);
  void Accept(int index);
  bool MayReceive(int index) const;
  void Park(int index);
  void Unpark(int index);
  Group* GroupOf(int32_t number);
  void EndOf(int index, Event* event, int error);
  bool Full() const;
  bool IsOpen(int index) const;
  unique_fd TakeOut(int index);
  int SendPacket(int index, const uint8_t* bytes, size_t length, size_t fd_count);
  Event* Add(int index, EventType type);
  void Dispatch();
  void HandOver(size_t first, size_t count);
  void OnBatchEnd();
  int NewPoll(int index, int fd, Poll** out);
  void ClosePoll(int index);
  int UpdateInterest(int index, int interest);

  template <napi_value (Hub::*Method)(const int32_t*), size_t Count>
  static napi_value Call(napi_env env, napi_callback_info info);
  napi_value AddSocket(const int32_t* args);
  napi_value RemoveSocket(const int32_t* args);
  napi_value SetInterest(const int32_t* args);
  napi_value Renumber(const int32_t* args);
  napi_value StopCredentials(const int32_t* args);
  napi_value Unread(const int32_t* args);
  napi_value Detach(const int32_t* args);
  napi_value Send(const int32_t* args);
  napi_value Broadcast(const int32_t* args);
  napi_value Flush(const int32_t* args);
  napi_value SetRef(const int32_t* args);
  napi_value Join(const int32_t* args);
  napi_value CloseGroup(const int32_t* args);
  napi_value Admit(const int32_t* args);
  napi_value OpenGroup(const int32_t* args);
  napi_value BatchTime(const int32_t* args);
  napi_value Int(int32_t value);

  napi_env env_;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  napi_ref callback_ = nullptr;
  napi_async_context context_ = nullptr;
  uv_loop_t* loop_ = nullptr;
  uv_check_t check_;     // hands the batch over; keeps the loop alive where the polls do not
  uv_prepare_t prepare_;  // hands the rest of a batch over before a loop inside it waits
  uv_idle_t idle_;        // keeps that loop from waiting: what was handed over may be all that it was run for
  size_t handles_ = 0;   // of libuv, not closed yet

  uint8_t* arena_ = nullptr;
  size_t arena_size_ = 0;
  Event* events_ = nullptr;
  size_t events_capacity_ = 0;
  int32_t* fds_ = nullptr;  // received descriptors, and descriptors to send
  size_t fds_capacity_ = 0;
  Extent used_;
  Extent handed_over_;  // of it, and not done with: more than nothing while a handler runs
  bool has_rest_ = false;  // JavaScript has not come to all of that yet
  uint8_t* outgoing_ = nullptr;
  size_t outgoing_size_ = 0;
  Target* targets_ = nullptr;  // of a broadcast
  size_t targets_capacity_ = 0;
  uint8_t* cells_ = nullptr;  // of deferred packets, one after the other
  size_t cell_size_ = 0;
  Deferred* deferred_ = nullptr;
  size_t deferred_capacity_ = 0;
  std::vector<int> blocked_in_batch_;
  uint64_t pace_ = 0;  // ns for each event of the last batch
  uint64_t batch_time_ = 0;  // ns that it took, with the microtasks that it left
  uint32_t turn_ = 0;        // of the event loop
  uint64_t last_ticket_ = 0;
  std::vector<Group> groups_;

  std::vector<Slot> slots_;
  std::vector<int> free_;
  std::vector<int> freed_in_batch_;
  std::vector<int> ended_in_batch_;
};
