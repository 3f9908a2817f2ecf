#include "outlet.h"

#include <endian.h>
#include <uv.h>

#include <cerrno>
#include <cstring>

#include "../ancillary.h"
#include "shared_array.h"

// The last kMaxFds entries of fds are for sending.
bool Outlet::TakeArrays(napi_env env, napi_value arrays) {
  size_t fds, targets, cells, deferred;
  fds_ = SharedArray<int32_t>(env, arrays, "fds", &fds);
  outgoing_ = fds_ ? SharedArray<uint8_t>(env, arrays, "outgoing", &outgoing_size_) : nullptr;
  targets_ = outgoing_ ? SharedArray<Target>(env, arrays, "targets", &targets) : nullptr;
  cells_ = targets_ ? SharedArray<uint8_t>(env, arrays, "cells", &cells) : nullptr;
  deferred_ = cells_ ? SharedArray<Deferred>(env, arrays, "deferred", &deferred) : nullptr;
  if (deferred_ == nullptr) return false;
  fds_capacity_ = fds < kMaxFds ? 0 : kMaxFds;
  fds_ += fds - fds_capacity_;
  targets_capacity_ = targets / (sizeof(Target) / sizeof(int32_t));
  deferred_capacity_ = deferred / (sizeof(Deferred) / sizeof(int32_t));
  cell_size_ = deferred_capacity_ == 0 ? 0 : cells / deferred_capacity_;
  return true;
}

// (slot, length, fdCount): one packet, the first bytes of the outgoing arena, the numbers of the shared array (borrowed).
int Outlet::Send(int slot, int length, int fd_count) {
  if (!sockets_.IsOpen(slot)) return -EBADF;
  if (length <= 0 || static_cast<size_t>(length) > outgoing_size_) return -EINVAL;
  if (fd_count < 0 || static_cast<size_t>(fd_count) > fds_capacity_) return -EINVAL;
  return SendPacket(slot, outgoing_, static_cast<size_t>(length), static_cast<size_t>(fd_count));
}

// (slot, length, rest): one packet, the first bytes of the outgoing arena and behind them `rest`, from where it is.
int Outlet::SendWith(int slot, int length, const Bytes& rest) {
  if (!sockets_.IsOpen(slot)) return -EBADF;
  if (length <= 0 || static_cast<size_t>(length) > outgoing_size_) return -EINVAL;
  if (sockets_[slot].blocked) return -EAGAIN;
  iovec parts[] = {{outgoing_, static_cast<size_t>(length)}, {rest.data, rest.length}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  return SendMessage(slot, &message);
}

// (count, length, wordAt): the first `length` bytes of the outgoing arena to each of the first `count` targets, with the
// target's word at `wordAt`, a multiple of 4 (negative: none). What came of each is in the target.
int Outlet::Broadcast(int count, int length, int word_at) {
  if (count < 0 || static_cast<size_t>(count) > targets_capacity_) return -EINVAL;
  if (length <= 0 || static_cast<size_t>(length) > outgoing_size_) return -EINVAL;
  if (word_at >= 0 && (word_at % 4 != 0 || static_cast<size_t>(word_at) + sizeof(int32_t) > static_cast<size_t>(length))) {
    return -EINVAL;
  }
  for (int i = 0; i < count; i++) {
    Target& target = targets_[i];
    if (word_at >= 0) {
      uint32_t word = htole32(static_cast<uint32_t>(target.word));
      memcpy(outgoing_ + word_at, &word, sizeof(word));
    }
    bool is_open = sockets_.IsOpen(target.slot);
    target.result = is_open ? SendPacket(target.slot, outgoing_, static_cast<size_t>(length), 0) : -EBADF;
  }
  return 0;
}

// (count, last): the first `count` cells, each to its slot. What came of each is in its record. A slot that did not take one
// takes nothing more until the last of the batch. -> how many did not go
int Outlet::Flush(int count, int is_last) {
  if (count < 0 || static_cast<size_t>(count) > deferred_capacity_) return -EINVAL;
  int failures = 0;
  for (int i = 0; i < count; i++) {
    Deferred& packet = deferred_[i];
    size_t length = static_cast<size_t>(packet.length);
    bool is_valid = packet.length > 0 && length <= cell_size_ && sockets_.IsOpen(packet.slot);
    packet.result = is_valid ? SendPacket(packet.slot, cells_ + i * cell_size_, length, 0) : -EBADF;
    if (packet.result >= 0) continue;
    failures += 1;
    if (!is_valid || sockets_[packet.slot].blocked) continue;
    sockets_[packet.slot].blocked = true;
    blocked_in_batch_.push_back(packet.slot);
  }
  if (is_last) {
    for (int index : blocked_in_batch_) sockets_[index].blocked = false;
    blocked_in_batch_.clear();
  }
  return failures;
}

// (listener, uid, microseconds, length): connections of this user are turned away for so long, each with the first bytes of
// the outgoing arena.
int Outlet::Refuse(int listener, int uid, int microseconds, int length) {
  if (!sockets_.IsOpen(listener) || !sockets_[listener].door) return -EBADF;
  if (length <= 0 || static_cast<size_t>(length) > outgoing_size_ || microseconds < 0) return -EINVAL;
  Moment until = uv_hrtime() + uint64_t{1000} * static_cast<uint64_t>(microseconds);
  sockets_[listener].door->Refuse(static_cast<uid_t>(uid), until, outgoing_, static_cast<size_t>(length));
  return 0;
}

int Outlet::SendPacket(int index, const uint8_t* bytes, size_t length, size_t fd_count) {
  if (sockets_[index].blocked) return -EAGAIN;
  if (fd_count == 0) {
    const int fd = sockets_[index].fd.get();
    ssize_t sent;
    do {
      sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : static_cast<int>(sent);
  }
  iovec iov = {const_cast<uint8_t*>(bytes), length};
  msghdr message = {};
  message.msg_iov = &iov;
  message.msg_iovlen = 1;
  ControlBuffer<kRightsSpace> control;
  PutRights(&message, &control, fds_, fd_count);
  return SendMessage(index, &message);
}

int Outlet::SendMessage(int index, const msghdr* message) {
  ssize_t sent;
  do {
    sent = sendmsg(sockets_[index].fd.get(), message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : static_cast<int>(sent);
}
