// The sockets of a hub, by slot: each with a poll handle of its own, what it is polled for, and the group with which
// it is received, or not.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "../poll/poll_handle.h"
#include "../unique_fd.h"
#include "door.h"

inline constexpr int kReading = UV_READABLE | UV_DISCONNECT;
/** Wake-ups between two looks for a second packet, or connection, at first; and at most. */
inline constexpr int kProbeInterval = 16;
inline constexpr int kLongestProbeInterval = 128;

class Sockets;

/** It outlives its socket by a turn of the loop: whoever takes a socket out of its slot closes the handle too. */
class Poll final : public PollHandle {
 public:
  Poll(Sockets* sockets, int slot) : slot(slot), sockets_(sockets) {}
  ~Poll() override = default;

  int slot;  // -1: taken out

 private:
  void OnReady(int status, int events) override;
  void OnClosed() override;

  Sockets* sockets_;
};

struct Slot {
  unique_fd fd;
  Poll* poll = nullptr;  // its own, until it has been closed
  std::unique_ptr<Door> door;  // of a listener
  bool accepts_file_descriptors = false;
  bool uses_reserve = false;  // what it brings may take the last numbers for descriptors
  bool refuses_file_descriptors = false;  // by the kernel's word
  bool blocked = false;  // a packet of this batch did not go: what comes after it must not either
  bool bursts = false;  // a wake-up found several packets; otherwise one is read, and the kernel is not asked for more
  bool is_new = true;   // nothing has come yet: a first packet has company, but only one
  bool ended = false;   // has been told; nothing more is read
  uint8_t wakes = 0;    // since a second packet was looked for
  uint8_t probe_interval = kProbeInterval;  // wake-ups until it is looked for again
  bool parked = false;  // something is ready, and waits in the kernel until its group may be received again
  uint32_t admitted = 0;  // the round of its group in which it may be received once, while that is closed
  int group = 0;
  uint64_t ticket = 0;  // its place among the parked ones of its group, until it is received
  size_t control_size = 0;  // room for control messages when receiving; 0 and refusing, nothing comes but bytes
  int interest = 0;         // of the handle; 0 is stopped
  int wanted = 0;           // the same, when it is not parked
};

/** Sockets that are received, or not, together. While it is closed, those that become ready wait here, in that order. */
struct Group {
  bool closed = false;
  uint32_t round = 1;  // a new one with each closing: what was admitted before is not any more
  std::set<std::pair<uint64_t, int>> parked;  // ticket, slot
};

/** When the slot of a socket that was taken out may be given out again. */
enum class Reuse { kNow, kAfterBatch };

/** Who is told what the sockets' handles have to say. */
class SocketsOwner {
 public:
  /** The last thing that is done with the handle: this may run the event loop, which frees those that were closed. */
  virtual void OnReady(int slot, int events) = 0;
  /** May end the sockets themselves. */
  virtual void OnHandleClosed() = 0;

 protected:
  ~SocketsOwner() = default;
};

class Sockets {
 public:
  explicit Sockets(SocketsOwner* owner) : owner_(owner) {}
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  void Start(const EventLoop& loop) { loop_ = loop; }
  /** Handles that are not closed yet. */
  size_t polls() const { return polls_; }
  int size() const { return static_cast<int>(slots_.size()); }
  bool IsOpen(int index) const;
  Slot& operator[](int index) { return slots_[index]; }

  /** Empty: the slot is. */
  unique_fd TakeOut(int index, Reuse reuse);
  /** What was taken out in this batch may be given out again. */
  void EndBatch();

  /** Whether its group is open, or it was admitted. */
  bool MayReceive(int index) const;
  void Park(int index);
  int UpdateInterest(int index, int interest);

  // As JavaScript calls them: a result >= 0, or a negative errno.
  int Add(int fd, int listener, int accepts_file_descriptors);
  int SetInterest(int index, int readable, int writable);
  int Renumber(int index, int lowest);
  int StopCredentials(int index);
  int WidenSendBuffer(int index, int bytes);
  int Unread(int index);
  int HasHungUp(int index);
  int Join(int index, int group);
  int CloseGroup(int group);
  int Admit(int group, int count);
  int OpenGroup(int group);

 private:
  friend class Poll;
  void OnReady(Poll* poll, int status, int events);
  void OnClosed(Poll* poll);
  int NewPoll(int index, int fd, Poll** out);
  void ClosePoll(int index);
  void Unpark(int index);
  Group* GroupOf(int number);

  SocketsOwner* owner_;
  EventLoop loop_;
  size_t polls_ = 0;
  uint64_t last_ticket_ = 0;
  std::vector<Group> groups_;
  std::vector<Slot> slots_;
  std::vector<int> free_;
  std::vector<int> freed_in_batch_;
};
