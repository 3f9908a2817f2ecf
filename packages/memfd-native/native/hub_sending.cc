// The sending half of the hub: one packet to one socket, one to many, and those that waited for the end of a batch.
#include <endian.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "hub.h"

// (slot, length, fdCount): one packet, the first bytes of the outgoing arena, the numbers of the shared array (borrowed).
napi_value Hub::Send(const int32_t* args) {
  size_t length = static_cast<size_t>(args[1]), count = static_cast<size_t>(args[2]);
  if (!IsOpen(args[0])) return Int(-EBADF);
  if (args[1] <= 0 || length > outgoing_size_ || args[2] < 0 || count > kMaxFds) return Int(-EINVAL);
  return Int(SendPacket(args[0], outgoing_, length, count));
}

// (count, length, wordAt): the first `length` bytes of the outgoing arena to each of the first `count` targets, with the
// target's word at `wordAt`, a multiple of 4 (negative: none). What came of each is in the target.
napi_value Hub::Broadcast(const int32_t* args) {
  size_t count = static_cast<size_t>(args[0]), length = static_cast<size_t>(args[1]);
  if (args[0] < 0 || count > targets_capacity_ || args[1] <= 0 || length > outgoing_size_) return Int(-EINVAL);
  if (args[2] >= 0 && (args[2] % 4 != 0 || static_cast<size_t>(args[2]) + sizeof(int32_t) > length)) return Int(-EINVAL);
  for (size_t i = 0; i < count; i++) {
    Target& target = targets_[i];
    if (args[2] >= 0) {
      uint32_t word = htole32(static_cast<uint32_t>(target.word));
      memcpy(outgoing_ + args[2], &word, sizeof(word));
    }
    target.result = IsOpen(target.slot) ? SendPacket(target.slot, outgoing_, length, 0) : -EBADF;
  }
  return Int(0);
}

// (count, last): the first `count` cells, each to its slot. What came of each is in its record. A slot that did not take one
// takes nothing more until the last of the batch. -> how many did not go
napi_value Hub::Flush(const int32_t* args) {
  size_t count = static_cast<size_t>(args[0]);
  if (args[0] < 0 || count > deferred_capacity_) return Int(-EINVAL);
  int failures = 0;
  for (size_t i = 0; i < count; i++) {
    Deferred& packet = deferred_[i];
    size_t length = static_cast<size_t>(packet.length);
    bool is_valid = packet.length > 0 && length <= cell_size_ && IsOpen(packet.slot);
    packet.result = is_valid ? SendPacket(packet.slot, cells_ + i * cell_size_, length, 0) : -EBADF;
    if (packet.result >= 0) continue;
    failures += 1;
    if (!is_valid || slots_[packet.slot].blocked) continue;
    slots_[packet.slot].blocked = true;
    blocked_in_batch_.push_back(packet.slot);
  }
  if (args[1]) {
    for (int index : blocked_in_batch_) slots_[index].blocked = false;
    blocked_in_batch_.clear();
  }
  return Int(failures);
}

int Hub::SendPacket(int index, const uint8_t* bytes, size_t length, size_t fd_count) {
  if (slots_[index].blocked) return -EAGAIN;
  int fd = slots_[index].fd.get();
  ssize_t sent;
  if (fd_count == 0) {
    do {
      sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : static_cast<int>(sent);
  }
  iovec iov = {const_cast<uint8_t*>(bytes), length};
  msghdr message = {};
  message.msg_iov = &iov;
  message.msg_iovlen = 1;
  union {
    char bytes[CMSG_SPACE(kMaxFds * sizeof(int))];
    cmsghdr align;
  } control;
  message.msg_control = control.bytes;
  message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
  cmsghdr* c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
  // SAFETY: fds_ + fds_capacity_ has kMaxFds more entries, for sending (see Create).
  memcpy(CMSG_DATA(c), fds_ + fds_capacity_, fd_count * sizeof(int));
  do {
    sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : static_cast<int>(sent);
}
