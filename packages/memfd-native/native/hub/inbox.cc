#include "inbox.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "../ancillary.h"
#include "../environment.h"
#include "shared_array.h"

namespace {

constexpr size_t kMaxPacket = 65536;   // MAX_PACKET_BYTES of src/hub-arrays.ts
constexpr int kAcceptsPerWake = 256;
constexpr int kTurnedAwayPerWake = 256;  // a millisecond: the others wait for the next turn, as everybody else
// Descriptors that come never take the last numbers, but for sockets that use the reserve; an eighth where few are allowed.
constexpr rlim_t kReservedFds = 24;
constexpr int kPacketsPerSocket = 16;  // fairness: more waits for the next wake-up
// And so many descriptors, and those of the packet that goes beyond: one that sends all it can leaves room for what comes to
// others in the same batch.
constexpr size_t kFdsPerSocket = 64;

// Whether it has one of the last numbers. They are given out from the lowest: hardly any is free then.
bool IsInReserve(int fd) {
  rlimit files = {};
  getrlimit(RLIMIT_NOFILE, &files);
  rlim_t reserved = std::min(kReservedFds, files.rlim_cur / 8);
  return static_cast<rlim_t>(fd) >= files.rlim_cur - reserved;
}

void SetCredentials(Event* event, const ucred& who) {
  event->pid = who.pid;
  event->uid = static_cast<int32_t>(who.uid);
  event->gid = static_cast<int32_t>(who.gid);
}

}  // namespace

// The last entries of fds are for sending: outlet.h.
bool Inbox::TakeArrays(napi_value arrays) {
  size_t events, fds;
  arena_ = SharedArray<uint8_t>(env_, arrays, "arena", &arena_size_);
  events_ = arena_ ? SharedArray<Event>(env_, arrays, "events", &events) : nullptr;
  fds_ = events_ ? SharedArray<int32_t>(env_, arrays, "fds", &fds) : nullptr;
  if (fds_ == nullptr) return false;
  events_capacity_ = events / kEventInts;
  fds_capacity_ = fds < kMaxFds ? 0 : fds - kMaxFds;
  return true;
}

bool Inbox::IsFull() const {
  return used_.events + kAcceptsPerWake + 2 > events_capacity_ || used_.arena + kMaxPacket + 8 > arena_size_ ||
         used_.fds + kMaxFds > fds_capacity_;
}

int Inbox::FindUntold(int index, size_t next) const {
  for (size_t i = next; i < used_.events; i++) {
    const bool is_kept = events_[i].type == kPacket || events_[i].type == kEnd;
    if (events_[i].slot == index && is_kept) return static_cast<int>(i);
  }
  return -1;
}

void Inbox::Receive(int index, int ready) {
  if (sockets_[index].door) return Accept(index);
  if (ready & UV_WRITABLE) Add(index, kWritable);
  if (!(ready & kReading)) return;
  if (sockets_.MayReceive(index)) ReceivePackets(index, (ready & UV_DISCONNECT) != 0);
  else sockets_.Park(index);
}

// Most sockets have one packet at a time, and to be told that there is no second one costs a system call. So a second is
// looked for now and then (the more rarely the more often there was none), while there were several the last time, at first, and when
// the end must be behind the first.
void Inbox::ReceivePackets(int index, bool has_ended) {
  Slot& slot = sockets_[index];
  bool probes = has_ended || slot.bursts || ++slot.wakes >= slot.probe_interval;
  bool admitted = slot.admitted != 0;  // its group is closed, or was
  int limit = admitted ? 1 : probes ? kPacketsPerSocket : slot.is_new ? 2 : 1;
  slot.admitted = 0;
  slot.ticket = 0;
  if (probes) slot.wakes = 0;
  slot.is_new = false;
  const size_t fds_before = used_.fds;
  for (int i = 0; i < limit && !slot.ended && !IsFull() && used_.fds - fds_before < kFdsPerSocket; i++) {
    bool more = ReceiveOne(index, has_ended);
    if (probes && i == 1) {
      slot.bursts = more;
      slot.probe_interval = more ? kProbeInterval : std::min(2 * slot.probe_interval, kLongestProbeInterval);
    }
    if (!more) return;
  }
}

// One packet. False: nothing more to be had from this socket now.
bool Inbox::ReceiveOne(int index, bool has_ended) {
  Slot& slot = sockets_[index];
  iovec iov = {arena_ + used_.arena, kMaxPacket};  // one byte more shows as MSG_TRUNC
  ControlBuffer<kCredentialsSpace + kRightsSpace> control;
  msghdr message = {};
  message.msg_iov = &iov;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = slot.control_size;
  ssize_t length = ReadPacket(slot, &message);
  if (length < 0) {
    if (errno != EAGAIN) EndOf(index, Add(index, kEnd), errno);
    return false;
  }

  Event* event = Add(index, kPacket);
  event->offset = static_cast<int32_t>(used_.arena);
  event->length = static_cast<int32_t>(length);
  event->flags = message.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
  AddControl(slot, event, &message);
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

// As recvmsg(2), into the message's first part.
ssize_t Inbox::ReadPacket(const Slot& slot, msghdr* message) {
  bool plain = slot.refuses_file_descriptors && slot.control_size == 0;
  ssize_t length;
  do {
    // Quicker, and tells the whole length of a packet that was cut (MSG_TRUNC).
    length = plain ? recv(slot.fd.get(), message->msg_iov->iov_base, kMaxPacket, MSG_DONTWAIT | MSG_TRUNC)
                   : recvmsg(slot.fd.get(), message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    // ECONNRESET, told once: the peer went with packets of ours unread. What it sent before is still here, then its end.
  } while (length < 0 && (errno == EINTR || errno == ECONNRESET));
  if (length < 0 || !plain) return length;
  message->msg_controllen = 0;
  message->msg_flags = length > static_cast<ssize_t>(kMaxPacket) ? MSG_TRUNC : 0;
  return std::min(length, static_cast<ssize_t>(kMaxPacket));
}

// All descriptors of a packet, or none: then it is as one that the kernel has cut.
void Inbox::AddControl(const Slot& slot, Event* event, msghdr* message) {
  event->fd_start = static_cast<int32_t>(used_.fds);
  int fds[kMaxFds];
  size_t count = 0;
  WalkAncillary(
      message, [&](unique_fd fd) { fds[count++] = fd.release(); }, [&](const ucred& who) { SetCredentials(event, who); });
  bool is_refused = !slot.uses_reserve && std::any_of(fds, fds + count, IsInReserve);
  if (is_refused) event->flags |= MSG_CTRUNC;
  for (size_t i = 0; i < count; i++) {
    unique_fd fd(fds[i]);
    if (is_refused) continue;
    // JavaScript's from here on, also if this thread ends before the callback.
    fds_[used_.fds++] = Environment::Of(env_).fds.Own(std::move(fd));
    event->fd_count += 1;
  }
}

void Inbox::Accept(int index) {
  Slot& listener = sockets_[index];
  bool probes = listener.bursts || ++listener.wakes >= kProbeInterval;
  if (probes) listener.wakes = 0;
  // accept4(2) has no MSG_DONTWAIT, and whoever holds the same listener (its parent, systemd) may have cleared O_NONBLOCK.
  int on = 1;
  ioctl(listener.fd.get(), FIONBIO, &on);
  int turned_away = 0;
  for (int i = 0; i < (probes ? kAcceptsPerWake : 1) && used_.fds < fds_capacity_; i++) {
    unique_fd fd(accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (probes && i == 1) listener.bursts = fd.ok();
    if (!fd.ok()) {
      // The next connection has already gone away, or was never one: not the listener's fault.
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN) Add(index, kAcceptFailed)->flags = errno;
      return;
    }
    ucred who;
    if (!listener.door->TurnsAway(fd.get(), &who)) {
      AddConnection(index, std::move(fd), who);
      continue;
    }
    listener.bursts = true;
    if (++turned_away == kTurnedAwayPerWake) return;
    i--;
  }
}

void Inbox::AddConnection(int index, unique_fd fd, const ucred& who) {
  Event* event = Add(index, kConnection);
  event->fd_start = static_cast<int32_t>(used_.fds);
  event->fd_count = 1;
  fds_[used_.fds++] = Environment::Of(env_).fds.Own(std::move(fd));
  if (who.pid >= 0) SetCredentials(event, who);
}

Event* Inbox::Add(int index, EventType type) {
  Event* event = &events_[used_.events++];
  *event = {index, type, 0, 0, 0, 0, 0, -1, -1, -1};
  return event;
}

// Whoever is told mostly closes the socket at once, so that it is not taken out of what is polled before: see EndBatch.
void Inbox::EndOf(int index, Event* event, int error) {
  event->type = kEnd;
  event->flags = error;
  sockets_[index].ended = true;
  ended_in_batch_.push_back(index);
}

// One that has ended and is still there has nothing more to say, and would never stop being ready.
void Inbox::EndBatch() {
  for (int index : ended_in_batch_) {
    if (sockets_.IsOpen(index) && sockets_[index].ended) sockets_.UpdateInterest(index, 0);
  }
  ended_in_batch_.clear();
}
