// What has come for a hub's sockets: packets in one arena, what happened in a table, descriptors as numbers in another. All
// three are memory that JavaScript shares.
#pragma once
#include <node_api.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sockets.h"

/** The same as the constants of src/hub-events.ts. */
enum EventType : int32_t { kPacket = 1, kEnd = 2, kWritable = 3, kConnection = 4, kAcceptFailed = 5 };

/** Field by field the same as src/hub-events.ts reads. */
struct Event {
  int32_t slot, type, offset, length;
  int32_t flags;  // of a packet; of kEnd and kAcceptFailed the errno
  int32_t fd_start, fd_count, pid, uid, gid;
};
inline constexpr size_t kEventInts = 10;
static_assert(sizeof(Event) == kEventInts * sizeof(int32_t));

/** How much of the arena and the tables is taken. */
struct Extent {
  size_t events = 0, arena = 0, fds = 0;
};

class Inbox {
 public:
  Inbox(napi_env env, Sockets* sockets) : env_(env), sockets_(*sockets) {}
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  /** False: it has thrown. */
  bool TakeArrays(napi_value arrays);

  const Extent& used() const { return used_; }
  /** What came after this may be overwritten. */
  void Rewind(const Extent& to) { used_ = to; }
  /** What does not fit in is ready again in the next turn of the loop: it is level-triggered. */
  bool IsFull() const;

  /** Of those from `next` on the first that is a packet or the end of this socket; -1: none. */
  int FindUntold(int index, size_t next) const;
  /** One packet, or the end, if there is one now. */
  void ReceiveNow(int index) { ReceiveOne(index, false); }
  /** What a handle has become ready for. */
  void Receive(int index, int ready);
  /** All that came has been told. */
  void EndBatch();

 private:
  void ReceivePackets(int index, bool has_ended);
  bool ReceiveOne(int index, bool has_ended);
  ssize_t ReadPacket(const Slot& slot, msghdr* message);
  void AddControl(const Slot& slot, Event* event, msghdr* message);
  void Accept(int index);
  void AddConnection(int index, unique_fd fd, const ucred& who);
  Event* Add(int index, EventType type);
  void EndOf(int index, Event* event, int error);

  napi_env env_;
  Sockets& sockets_;
  uint8_t* arena_ = nullptr;
  size_t arena_size_ = 0;
  Event* events_ = nullptr;
  size_t events_capacity_ = 0;
  int32_t* fds_ = nullptr;
  size_t fds_capacity_ = 0;
  Extent used_;
  std::vector<int> ended_in_batch_;
};
