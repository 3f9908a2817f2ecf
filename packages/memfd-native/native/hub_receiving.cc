// The receiving half of the hub: from what is ready to one call into JavaScript.
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "environment.h"
#include "hub.h"

namespace {

constexpr int kScmPidfd = 4;              // SCM_PIDFD, include/linux/socket.h
constexpr int kPacketsPerSocket = 16;     // fairness: more waits for the next wake-up

}  // namespace

// Called by libuv in the order in which they became ready: a death is told before the questions of those who have heard of it.
void Hub::OnReady(uv_poll_t* handle, int status, int events) {
  Poll* poll = reinterpret_cast<Poll*>(handle);  // SAFETY: the handle is its first member
  Hub* hub = poll->hub;
  if (poll->slot < 0) return;  // taken out meanwhile
  // An error (ECONNRESET) stops the handle. What came before it is still to be read.
  int interest = hub->slots_[poll->slot].interest;
  if (status < 0 && interest != 0) uv_poll_start(handle, interest, OnReady);
  if (hub->Full()) return;  // by the batches around this one
  hub->Receive(poll->slot, status < 0 ? UV_READABLE | UV_DISCONNECT : events);
  // Last: a handler may run the event loop, which frees the handles that it has closed.
  if (hub->used_.events - hub->handed_over_.events >= kBatch || hub->Full()) hub->Dispatch();
}

// Level-triggered: what does not fit into this batch is ready again in the next turn of the loop.
bool Hub::Full() const {
  return used_.events + kAcceptsPerWake + 2 > events_capacity_ || used_.arena + kMaxPacket + 8 > arena_size_ ||
         used_.fds + kMaxFds > fds_capacity_;
}

void Hub::Receive(int index, int ready) {
  if (slots_[index].listener) return Accept(index);
  if (ready & UV_WRITABLE) Add(index, kWritable);
  if (!(ready & kReading)) return;
  if (MayReceive(index)) ReceivePackets(index, (ready & UV_DISCONNECT) != 0);
  else Park(index);
}

// Most sockets have one packet at a time, and to be told that there is no second one costs a system call. So a second is
// looked for now and then, while there were several the last time, at first, and when the end must be behind the first.
void Hub::ReceivePackets(int index, bool has_ended) {
  Slot& slot = slots_[index];
  bool probes = has_ended || slot.bursts || ++slot.wakes >= kProbeInterval;
  bool admitted = slot.admitted != 0;  // its group is closed, or was
  int limit = admitted ? 1 : probes ? kPacketsPerSocket : slot.is_new ? 2 : 1;
  slot.admitted = 0;
  slot.ticket = 0;
  if (probes) slot.wakes = 0;
  slot.is_new = false;
  for (int i = 0; i < limit && !slot.ended && !Full(); i++) {
    bool more = ReceiveOne(index, has_ended);
    if (probes && i == 1) slot.bursts = more;
    if (!more) return;
  }
}

// One packet. False: nothing more to be had from this socket now.
bool Hub::ReceiveOne(int index, bool has_ended) {
  Slot& slot = slots_[index];
  bool plain = slot.refuses_fds && slot.control_size == 0;
  iovec iov = {arena_ + used_.arena, kMaxPacket};  // one byte more shows as MSG_TRUNC
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
    length = plain ? recv(slot.fd.get(), iov.iov_base, iov.iov_len, MSG_DONTWAIT | MSG_TRUNC)
                   : recvmsg(slot.fd.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    // ECONNRESET, told once: the peer went with packets of ours unread. What it sent before is still here, then its end.
  } while (length < 0 && (errno == EINTR || errno == ECONNRESET));
  if (length < 0) {
    if (errno != EAGAIN) EndOf(index, Add(index, kEnd), errno);
    return false;
  }
  if (plain) {
    message.msg_controllen = 0;
    message.msg_flags = length > static_cast<ssize_t>(kMaxPacket) ? MSG_TRUNC : 0;
    length = std::min(length, static_cast<ssize_t>(kMaxPacket));
  }

  Event* event = Add(index, kPacket);
  event->offset = static_cast<int32_t>(used_.arena);
  event->length = static_cast<int32_t>(length);
  event->flags = message.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
  event->fd_start = static_cast<int32_t>(used_.fds);
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_RIGHTS) {
      size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      memcpy(fds_ + used_.fds, CMSG_DATA(c), count * sizeof(int));
      // JavaScript's from here on, also if this thread ends before the callback.
      for (size_t i = 0; i < count; i++) Environment::Of(env_).fds.Own(unique_fd(fds_[used_.fds + i]));
      used_.fds += count;
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
    bool is_over = has_ended || (poll(&state, 1, 0) == 1 && (state.revents & (POLLRDHUP | POLLHUP)));
    if (event->fd_count == 0 && is_over) EndOf(index, event, 0);
    return false;
  }
  used_.arena += (static_cast<size_t>(length) + 7) & ~size_t{7};
  return true;
}

// Whoever is told mostly closes the socket at once, so that it is not taken out of what is polled before: see Dispatch.
void Hub::EndOf(int index, Event* event, int error) {
  event->type = kEnd;
  event->flags = error;
  slots_[index].ended = true;
  ended_in_batch_.push_back(index);
}

// Whether whoever connected has gone without a word. Of those there can be a hundred thousand a second, and to make
// anything for one of them takes fifty times as long as to find it out. An empty packet looks the same, and is no word.
static bool HasGone(int fd) {
  char byte;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void Hub::Accept(int index) {
  Slot& listener = slots_[index];
  bool probes = listener.bursts || ++listener.wakes >= kProbeInterval;
  if (probes) listener.wakes = 0;
  // accept4(2) has no MSG_DONTWAIT, and whoever holds the same listener (its parent, systemd) may have cleared O_NONBLOCK.
  int on = 1;
  ioctl(listener.fd.get(), FIONBIO, &on);
  int gone = 0;
  for (int i = 0; i < (probes ? kAcceptsPerWake : 1) && used_.fds < fds_capacity_; i++) {
    int fd = accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (probes && i == 1) listener.bursts = fd >= 0;
    if (fd >= 0 && HasGone(fd)) {
      ::close(fd);
      listener.bursts = true;
      if (++gone == kGonePerWake) return;  // the others wait for the next wake-up, as everybody else
      i--;
      continue;
    }
    if (fd < 0) {
      // The next connection has already gone away, or was never one: not the listener's fault.
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN) Add(index, kAcceptFailed)->flags = errno;
      return;
    }
    Event* event = Add(index, kConnection);
    event->fd_start = static_cast<int32_t>(used_.fds);
    event->fd_count = 1;
    fds_[used_.fds++] = Environment::Of(env_).fds.Own(unique_fd(fd));
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
  Event* event = &events_[used_.events++];
  *event = {index, type, 0, 0, 0, 0, 0, -1, -1, -1};
  return event;
}

// Between the first statement and the last a handler may run the event loop, and all of this once more.
void Hub::Dispatch() {
  const Extent outer = handed_over_;
  const size_t count = used_.events - outer.events;
  handed_over_ = used_;
  has_rest_ = has_rest_ || count > 1;
  HandOver(outer.events, count);
  if (used_.events > handed_over_.events) Dispatch();
  used_ = handed_over_ = outer;
  has_rest_ = false;
  OnBatchEnd();
}

void Hub::HandOver(size_t first, size_t count) {
  napi_handle_scope scope;
  napi_open_handle_scope(env_, &scope);
  napi_value callback, receiver, args[4];
  napi_get_reference_value(env_, callback_, &callback);
  napi_get_global(env_, &receiver);
  // Where handlers take their time, a finished answer must not wait for many of them.
  uint64_t may_wait = std::min<uint64_t>(deferred_capacity_, kLongestWait / std::max<uint64_t>(pace_, 1));
  napi_create_uint32(env_, static_cast<uint32_t>(first), &args[0]);
  napi_create_uint32(env_, static_cast<uint32_t>(count), &args[1]);
  napi_create_uint32(env_, static_cast<uint32_t>(may_wait), &args[2]);
  napi_create_uint32(env_, turn_, &args[3]);
  uint64_t start = uv_hrtime();
  // make_callback and not call_function: promises and nextTicks of the batch run before the next poll.
  napi_status status = napi_make_callback(env_, context_, receiver, callback, 4, args, nullptr);
  batch_time_ = uv_hrtime() - start;
  pace_ = batch_time_ / std::max<size_t>(count, 1);
  if (status == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env_, &error);
    napi_fatal_exception(env_, error);
  }
  napi_close_handle_scope(env_, scope);
}

// All that was handed over has been told, that of the batches around this one too.
void Hub::OnBatchEnd() {
  // One that has ended and is still there has nothing more to say, and would never stop being ready.
  for (int index : ended_in_batch_) {
    if (IsOpen(index) && slots_[index].ended) UpdateInterest(index, 0);
  }
  ended_in_batch_.clear();
  free_.insert(free_.end(), freed_in_batch_.begin(), freed_in_batch_.end());
  freed_in_batch_.clear();
}
