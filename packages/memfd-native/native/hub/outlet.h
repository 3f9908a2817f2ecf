// What leaves by a hub's sockets: one packet to one, one to many, and those that waited for the end of a batch. None of it
// ever waits. The packets are in memory that JavaScript shares.
#pragma once
#include <node_api.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../args.h"
#include "sockets.h"

/** Of a broadcast: whom to send to, what to write into the packet for him, and what came of it (bytes, or an errno). */
struct Target {
  int32_t slot, word, result;
};

/** A short packet that waits in its cell for the end of the batch. */
struct Deferred {
  int32_t slot, length, result;
};

class Outlet {
 public:
  explicit Outlet(Sockets* sockets) : sockets_(*sockets) {}
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  /** False: it has thrown. */
  bool TakeArrays(napi_env env, napi_value arrays);
  /** Packets that may wait. */
  size_t deferred_capacity() const { return deferred_capacity_; }

  // As JavaScript calls them: a result >= 0, or a negative errno.
  int Send(int slot, int length, int fd_count);
  int SendWith(int slot, int length, const Bytes& rest);
  int Broadcast(int count, int length, int word_at);
  int Flush(int count, int is_last);
  int Refuse(int listener, int uid, int microseconds, int length);

 private:
  int SendPacket(int index, const uint8_t* bytes, size_t length, size_t fd_count);
  int SendMessage(int index, const msghdr* message);

  Sockets& sockets_;
  uint8_t* outgoing_ = nullptr;
  size_t outgoing_size_ = 0;
  const int32_t* fds_ = nullptr;  // the last entries of that array
  size_t fds_capacity_ = 0;
  Target* targets_ = nullptr;
  size_t targets_capacity_ = 0;
  uint8_t* cells_ = nullptr;  // of deferred packets, one after the other
  size_t cell_size_ = 0;
  Deferred* deferred_ = nullptr;
  size_t deferred_capacity_ = 0;
  std::vector<int> blocked_in_batch_;
};
