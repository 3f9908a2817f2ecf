// Groups of sockets: what JavaScript has no time for stays in the kernel. A group is closed and opened by one call, however
// many sockets it has; who they are, and when they have had their turn, is decided there.
#include <algorithm>
#include <cerrno>

#include "hub.h"

namespace {

constexpr int32_t kMaxGroups = 1 << 20;

}  // namespace

bool Hub::MayReceive(int index) const {
  const Slot& slot = slots_[index];
  // SAFETY: Join made its group; group 0 is nobody's until somebody joins it.
  if (static_cast<size_t>(slot.group) >= groups_.size()) return true;
  const Group& group = groups_[slot.group];
  return !group.closed || slot.admitted == group.round;
}

// It keeps its ticket until it is received: who was admitted and did not come to it comes first the next time.
void Hub::Park(int index) {
  Slot& slot = slots_[index];
  if (slot.parked) return;
  slot.parked = true;
  if (slot.ticket == 0) slot.ticket = ++last_ticket_;
  groups_[slot.group].parked.emplace(slot.ticket, index);
  UpdateInterest(index, slot.wanted);
}

// Level-triggered: it is ready again in the next turn of the loop.
void Hub::Unpark(int index) {
  Slot& slot = slots_[index];
  groups_[slot.group].parked.erase({slot.ticket, index});
  slot.parked = false;
  UpdateInterest(index, slot.wanted);
}

// nullptr: no number for one.
Group* Hub::GroupOf(int32_t number) {
  if (number < 0 || number >= kMaxGroups) return nullptr;
  if (static_cast<size_t>(number) >= groups_.size()) groups_.resize(number + 1);
  return &groups_[number];
}

// (slot, group)
napi_value Hub::Join(const int32_t* args) {
  if (!IsOpen(args[0])) return Int(-EBADF);
  if (GroupOf(args[1]) == nullptr) return Int(-EINVAL);
  Slot& slot = slots_[args[0]];
  if (slot.parked) Unpark(args[0]);
  slot.group = args[1];
  slot.admitted = 0;
  return Int(0);
}

// (group): nothing of its sockets is received from here on, also not of those that were admitted.
napi_value Hub::CloseGroup(const int32_t* args) {
  Group* group = GroupOf(args[0]);
  if (group == nullptr) return Int(-EINVAL);
  group->closed = true;
  group->round += 1;
  return Int(0);
}

// (group, count): the first `count` that are parked are received in the next turn of the loop, one packet each. -> how many
napi_value Hub::Admit(const int32_t* args) {
  Group* group = GroupOf(args[0]);
  if (group == nullptr) return Int(-EINVAL);
  int count = 0;
  for (; count < args[1] && !group->parked.empty(); count++) {
    int index = group->parked.begin()->second;
    slots_[index].admitted = group->round;
    Unpark(index);
  }
  return Int(count);
}

// (group)
napi_value Hub::OpenGroup(const int32_t* args) {
  Group* group = GroupOf(args[0]);
  if (group == nullptr) return Int(-EINVAL);
  group->closed = false;
  while (!group->parked.empty()) Unpark(group->parked.begin()->second);
  return Int(0);
}

// -> microseconds that the last batch took, with the microtasks that it left
napi_value Hub::BatchTime(const int32_t*) {
  return Int(static_cast<int32_t>(std::min<uint64_t>(batch_time_ / 1000, INT32_MAX)));
}
