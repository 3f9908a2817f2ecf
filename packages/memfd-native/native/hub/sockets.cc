#include "sockets.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <memory>

#include "../ancillary.h"

namespace {

constexpr int kMaxGroups = 1 << 20;

// Room for credentials where they come (SO_PASSCRED) and, only where descriptors are taken, for as many as the kernel ever
// sends. Credentials come first and with every packet, and fill their size exactly: rights cannot slip into its padding.
size_t ControlSize(int fd, bool accepts_file_descriptors) {
  if (accepts_file_descriptors) return kCredentialsSpace + kRightsSpace;
  int pass_credentials = 0;
  socklen_t size = sizeof(pass_credentials);
  getsockopt(fd, SOL_SOCKET, SO_PASSCRED, &pass_credentials, &size);
  return pass_credentials ? kCredentialsSpace : 0;
}

// Whether descriptors are refused where they are sent (Linux 6.16): elsewhere only recvmsg(2) tells that some came.
bool RefusesRights(int fd) {
  int pass_rights = 1;
  socklen_t size = sizeof(pass_rights);
  return getsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &pass_rights, &size) == 0 && pass_rights == 0;
}

}  // namespace

bool Sockets::IsOpen(int index) const {
  return index >= 0 && static_cast<size_t>(index) < slots_.size() && slots_[index].fd.ok();
}

// (fd, listener, acceptsFileDescriptors: 2 and uses the reserve) -> slot. The hub owns the descriptor from here on, also when it answers an errno.
int Sockets::Add(int number, int listener, int accepts_file_descriptors) {
  unique_fd fd(number);
  int index;
  if (free_.empty()) {
    index = static_cast<int>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.fd = std::move(fd);
  if (listener != 0) slot.door = std::make_unique<Door>();
  slot.accepts_file_descriptors = accepts_file_descriptors != 0;
  slot.uses_reserve = accepts_file_descriptors == 2;
  int error = NewPoll(index, slot.fd.get(), &slot.poll);
  if (error < 0) {
    slot = Slot();
    free_.push_back(index);
    return error;
  }
  slot.control_size = ControlSize(slot.fd.get(), slot.accepts_file_descriptors);
  slot.refuses_file_descriptors = !slot.door && !slot.accepts_file_descriptors && RefusesRights(slot.fd.get());
  UpdateInterest(index, kReading);
  return index;
}

unique_fd Sockets::TakeOut(int index, Reuse reuse) {
  if (!IsOpen(index)) return unique_fd();
  if (slots_[index].parked) groups_[slots_[index].group].parked.erase({slots_[index].ticket, index});
  ClosePoll(index);
  unique_fd fd = std::move(slots_[index].fd);
  slots_[index] = Slot();
  (reuse == Reuse::kNow ? free_ : freed_in_batch_).push_back(index);
  return fd;
}

void Sockets::EndBatch() {
  free_.insert(free_.end(), freed_in_batch_.begin(), freed_in_batch_.end());
  freed_in_batch_.clear();
}

// (slot): packets tell no more who sent them (SO_PASSCRED), which costs their sender and this side something each time.
int Sockets::StopCredentials(int index) {
  if (!IsOpen(index)) return -EBADF;
  Slot& slot = slots_[index];
  int off = 0;
  if (setsockopt(slot.fd.get(), SOL_SOCKET, SO_PASSCRED, &off, sizeof(off)) < 0) return -errno;
  if (!slot.accepts_file_descriptors) slot.control_size = 0;
  return 0;
}

// (slot, bytes): what the kernel takes before the peer has read it (SO_SNDBUF): so much and its own expense, which it puts at as much again.
// Never less than before.
int Sockets::WidenSendBuffer(int index, int bytes) {
  if (!IsOpen(index)) return -EBADF;
  const int fd = slots_[index].fd.get();
  int now = 0;
  socklen_t size = sizeof(now);
  if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &now, &size) < 0) return -errno;
  if (now / 2 >= bytes) return 0;
  return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) < 0 ? -errno : 0;
}

// (slot): bytes of the kernel's memory that the peer has not read.
int Sockets::Unread(int index) {
  if (!IsOpen(index)) return -EBADF;
  int bytes = 0;
  return ioctl(slots_[index].fd.get(), SIOCOUTQ, &bytes) < 0 ? -errno : bytes;
}

// (slot) -> 1: the peer's end has been closed, or shut down for sending, whatever of it is still to be read; 0: not
int Sockets::HasHungUp(int index) {
  if (!IsOpen(index)) return -EBADF;
  pollfd state = {slots_[index].fd.get(), POLLRDHUP, 0};
  return poll(&state, 1, 0) == 1 && (state.revents & (POLLRDHUP | POLLHUP)) != 0;  // EINTR: there was nothing
}

// (slot, lowest): another number for the same socket, the first free one from `lowest` up.
int Sockets::Renumber(int index, int lowest) {
  if (!IsOpen(index)) return -EBADF;
  Slot& slot = slots_[index];
  unique_fd fd(fcntl(slot.fd.get(), F_DUPFD_CLOEXEC, lowest));
  if (!fd.ok()) return -errno;
  Poll* poll;
  int error = NewPoll(index, fd.get(), &poll);
  if (error < 0) return error;
  int interest = slot.wanted;
  ClosePoll(index);
  slot.fd = std::move(fd);
  slot.poll = poll;
  return UpdateInterest(index, interest);
}

// --- polls -----------------------------------------------------------------------------------------------------------

void Poll::OnReady(int status, int events) { sockets_->OnReady(this, status, events); }

void Poll::OnClosed() { sockets_->OnClosed(this); }

// Called mostly in the order in which they became ready. A socket that was ready a moment ago keeps its place, so what it sends now may
// come before a death that came first: HasHungUp tells of that.
void Sockets::OnReady(Poll* poll, int status, int events) {
  if (poll->slot < 0) return;  // taken out meanwhile
  // An error (ECONNRESET) stops the handle. What came before it is still to be read.
  int interest = slots_[poll->slot].interest;
  if (status < 0 && interest != 0) poll->Start(interest);
  owner_->OnReady(poll->slot, status < 0 ? kReading : events);
}

void Sockets::OnClosed(Poll* poll) {
  delete poll;
  polls_ -= 1;
  owner_->OnHandleClosed();
}

// (slot, readable, writable)
int Sockets::SetInterest(int index, int readable, int writable) {
  if (!IsOpen(index)) return -EBADF;
  return UpdateInterest(index, (readable ? kReading : 0) | (writable ? UV_WRITABLE : 0));
}

int Sockets::UpdateInterest(int index, int interest) {
  Slot& slot = slots_[index];
  slot.wanted = interest;
  if (slot.parked) interest &= ~kReading;
  if (slot.interest == interest) return 0;
  slot.interest = interest;
  return interest == 0 ? slot.poll->Stop() : slot.poll->Start(interest);
}

// A handle for the descriptor, stopped. A negative errno: it cannot be polled.
int Sockets::NewPoll(int index, int fd, Poll** out) {
  auto poll = std::make_unique<Poll>(this, index);
  int error = poll->Init(loop_, fd);
  if (error < 0) return error;
  poll->SetRef(false);
  polls_ += 1;
  *out = poll.release();
  return 0;
}

// Before the descriptor closes: a description that somebody else still holds (a fork, a packet in flight) would go on to be
// polled. The memory goes in the next turn of the loop.
void Sockets::ClosePoll(int index) {
  Poll* poll = slots_[index].poll;
  poll->slot = -1;
  slots_[index].poll = nullptr;
  slots_[index].interest = 0;
  poll->Close();
}

// --- groups ----------------------------------------------------------------------------------------------------------
// What JavaScript has no time for stays in the kernel. A group is closed and opened by one call, however many sockets it has;
// who they are, and when they have had their turn, is decided there.

bool Sockets::MayReceive(int index) const {
  const Slot& slot = slots_[index];
  // SAFETY: Join made its group; group 0 is nobody's until somebody joins it.
  if (static_cast<size_t>(slot.group) >= groups_.size()) return true;
  const Group& group = groups_[slot.group];
  return !group.closed || slot.admitted == group.round;
}

// It keeps its ticket until it is received: who was admitted and did not come to it comes first the next time.
void Sockets::Park(int index) {
  Slot& slot = slots_[index];
  if (slot.parked) return;
  slot.parked = true;
  if (slot.ticket == 0) slot.ticket = ++last_ticket_;
  groups_[slot.group].parked.emplace(slot.ticket, index);
  UpdateInterest(index, slot.wanted);
}

// Level-triggered: it is ready again in the next turn of the loop.
void Sockets::Unpark(int index) {
  Slot& slot = slots_[index];
  groups_[slot.group].parked.erase({slot.ticket, index});
  slot.parked = false;
  UpdateInterest(index, slot.wanted);
}

// nullptr: no number for one.
Group* Sockets::GroupOf(int number) {
  if (number < 0 || number >= kMaxGroups) return nullptr;
  if (static_cast<size_t>(number) >= groups_.size()) groups_.resize(number + 1);
  return &groups_[number];
}

// (slot, group)
int Sockets::Join(int index, int group) {
  if (!IsOpen(index)) return -EBADF;
  if (GroupOf(group) == nullptr) return -EINVAL;
  Slot& slot = slots_[index];
  if (slot.parked) Unpark(index);
  slot.group = group;
  slot.admitted = 0;
  return 0;
}

// (group): nothing of its sockets is received from here on, also not of those that were admitted.
int Sockets::CloseGroup(int number) {
  Group* group = GroupOf(number);
  if (group == nullptr) return -EINVAL;
  group->closed = true;
  group->round += 1;
  return 0;
}

// (group, count): the first `count` that are parked are received in the next turn of the loop, one packet each. -> how many
int Sockets::Admit(int number, int most) {
  Group* group = GroupOf(number);
  if (group == nullptr) return -EINVAL;
  int count = 0;
  for (; count < most && !group->parked.empty(); count++) {
    int index = group->parked.begin()->second;
    slots_[index].admitted = group->round;
    Unpark(index);
  }
  return count;
}

// (group)
int Sockets::OpenGroup(int number) {
  Group* group = GroupOf(number);
  if (group == nullptr) return -EINVAL;
  group->closed = false;
  while (!group->parked.empty()) Unpark(group->parked.begin()->second);
  return 0;
}
