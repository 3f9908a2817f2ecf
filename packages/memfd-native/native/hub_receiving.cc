// The receiving half of the hub: from what is ready to one call into JavaScript.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "environment.h"
#include "hub.h"

namespace {

constexpr int kScmPidfd = 4;              // SCM_PIDFD, include/linux/socket.h
constexpr int kEpollBatch = 64;           // sockets looked at per wake-up
constexpr int kPacketsPerSocket = 16;     // fairness: more waits for the next wake-up

}  // namespace

void Hub::OnReadable() {
  // In the order in which they became ready: a death is told before the questions of those who have heard of it.
  epoll_event ready[kEpollBatch];
  int count = epoll_wait(epoll_.get(), ready, kEpollBatch, 0);
  for (int i = 0; i < count && !Full(); i++) Receive(static_cast<int>(ready[i].data.u32), ready[i].events);
  if (event_count_ > 0) Dispatch();
}

// Level-triggered: what does not fit into this batch makes the set readable again in the next turn of the loop.
bool Hub::Full() const {
  return event_count_ + kAcceptsPerWake + 2 > events_capacity_ || arena_used_ + kMaxPacket + 8 > arena_size_ ||
         fd_count_ + kMaxFds > fds_capacity_;
}

void Hub::Receive(int index, uint32_t ready) {
  if (slots_[index].listener) return Accept(index);
  if (ready & EPOLLOUT) Add(index, kWritable);
  constexpr uint32_t kEnded = EPOLLHUP | EPOLLRDHUP | EPOLLERR;
  if (ready & (EPOLLIN | kEnded)) ReceivePackets(index, (ready & kEnded) != 0);
}

// Most sockets have one packet at a time, and to be told that there is no second one costs a system call. So a second is
// looked for now and then, while there were several the last time, and when the end must be behind the first.
void Hub::ReceivePackets(int index, bool has_ended) {
  Slot& slot = slots_[index];
  bool probes = has_ended || slot.bursts || ++slot.wakes >= kProbeInterval;
  if (probes) slot.wakes = 0;
  for (int i = 0; i < (probes ? kPacketsPerSocket : 1) && !Full(); i++) {
    bool more = ReceiveOne(index);
    if (probes && i == 1) slot.bursts = more;
    if (!more) return;
  }
}

// One packet. False: nothing more to be had from this socket now.
bool Hub::ReceiveOne(int index) {
  Slot& slot = slots_[index];
  iovec iov = {arena_ + arena_used_, kMaxPacket};  // one byte more shows as MSG_TRUNC
  union {
    char bytes[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(kMaxFds * sizeof(int))];
    cmsghdr align;
  } control;
  msghdr message = {};
  message.msg_iov = &iov;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = slot.control_size;

  ssize_t length;
  do {
    // Quicker, and tells the whole length of a packet that was cut (MSG_TRUNC).
    length = slot.plain ? recv(slot.fd.get(), iov.iov_base, iov.iov_len, MSG_DONTWAIT | MSG_TRUNC)
                        : recvmsg(slot.fd.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    // ECONNRESET, told once: the peer went with packets of ours unread. What it sent before is still here, then its end.
  } while (length < 0 && (errno == EINTR || errno == ECONNRESET));
  if (length < 0) {
    if (errno != EAGAIN) EndOf(index, errno);
    return false;
  }
  if (slot.plain) {
    message.msg_controllen = 0;
    message.msg_flags = length > static_cast<ssize_t>(kMaxPacket) ? MSG_TRUNC : 0;
    length = std::min(length, static_cast<ssize_t>(kMaxPacket));
  }

  Event* event = Add(index, kPacket);
  event->offset = static_cast<int32_t>(arena_used_);
  event->length = static_cast<int32_t>(length);
  event->flags = message.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
  event->fd_start = static_cast<int32_t>(fd_count_);
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_RIGHTS) {
      size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      memcpy(fds_ + fd_count_, CMSG_DATA(c), count * sizeof(int));
      // JavaScript's from here on, also if this thread ends before the callback.
      for (size_t i = 0; i < count; i++) Environment::Of(env_).fds.Own(unique_fd(fds_[fd_count_ + i]));
      fd_count_ += count;
      event->fd_count += static_cast<int32_t>(count);
    } else if (c->cmsg_type == SCM_CREDENTIALS) {
      ucred who;
      memcpy(&who, CMSG_DATA(c), sizeof(who));
      event->pid = who.pid;
      event->uid = static_cast<int32_t>(who.uid);
      event->gid = static_cast<int32_t>(who.gid);
    } else if (c->cmsg_type == kScmPidfd) {
      int pidfd;
      memcpy(&pidfd, CMSG_DATA(c), sizeof(pidfd));
      ::close(pidfd);  // an inherited socket may have been told to pass them; nobody here asked
    }
  }
  if (length == 0) {
    // End-of-file and an empty packet both give 0; only the poll state tells them apart.
    pollfd state = {slot.fd.get(), POLLRDHUP, 0};
    if (event->fd_count == 0 && poll(&state, 1, 0) == 1 && (state.revents & (POLLRDHUP | POLLHUP))) {
      event->type = kEnd;
      UpdateInterest(index, 0);
    }
    return false;
  }
  arena_used_ += (static_cast<size_t>(length) + 7) & ~size_t{7};
  return true;
}

void Hub::EndOf(int index, int error) {
  Event* event = Add(index, kEnd);
  event->flags = error;
  UpdateInterest(index, 0);
}

void Hub::Accept(int index) {
  for (int i = 0; i < kAcceptsPerWake && fd_count_ < fds_capacity_; i++) {
    int fd = accept4(slots_[index].fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      // The next connection has already gone away, or was never one: not the listener's fault.
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN) Add(index, kAcceptFailed)->flags = errno;
      return;
    }
    Event* event = Add(index, kConnection);
    event->fd_start = static_cast<int32_t>(fd_count_);
    event->fd_count = 1;
    fds_[fd_count_++] = Environment::Of(env_).fds.Own(unique_fd(fd));
    ucred who;
    socklen_t size = sizeof(who);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0) {
      event->pid = who.pid;
      event->uid = static_cast<int32_t>(who.uid);
      event->gid = static_cast<int32_t>(who.gid);
    }
  }
}

Event* Hub::Add(int index, EventType type) {
  Event* event = &events_[event_count_++];
  *event = {index, type, 0, 0, 0, 0, 0, -1, -1, -1};
  return event;
}

void Hub::Dispatch() {
  napi_handle_scope scope;
  napi_open_handle_scope(env_, &scope);
  napi_value callback, receiver, count;
  napi_get_reference_value(env_, callback_, &callback);
  napi_get_global(env_, &receiver);
  napi_create_uint32(env_, static_cast<uint32_t>(event_count_), &count);
  // make_callback and not call_function: promises and nextTicks of the batch run before the next poll.
  napi_status status = napi_make_callback(env_, context_, receiver, callback, 1, &count, nullptr);
  if (status == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env_, &error);
    napi_fatal_exception(env_, error);
  }
  napi_close_handle_scope(env_, scope);
  event_count_ = arena_used_ = fd_count_ = 0;
  free_.insert(free_.end(), freed_in_batch_.begin(), freed_in_batch_.end());
  freed_in_batch_.clear();
}
