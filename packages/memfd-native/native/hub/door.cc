#include "door.h"

#include <poll.h>
#include <uv.h>

#include <algorithm>

namespace {

constexpr size_t kMostRefused = 64;  // users; of one more JavaScript is asked each time

// Whether nobody would hear an answer any more. Of those there can be a hundred thousand a second, and to make anything for
// one of them takes fifty times as long as to find it out. What they said before does not matter: who wants an answer waits.
bool HasGone(int fd) {
  pollfd state = {fd, 0, 0};
  return poll(&state, 1, 0) == 1 && (state.revents & POLLHUP) != 0;
}

}  // namespace

void Door::Refuse(uid_t uid, Moment until, const uint8_t* bytes, size_t length) {
  Moment now = uv_hrtime();
  std::erase_if(refused_, [&](const Refused& each) { return each.uid == uid || each.until <= now; });
  if (refused_.size() == kMostRefused) return;
  refused_.push_back({uid, until});
  farewell_.assign(bytes, bytes + length);
}

bool Door::TurnsAway(int fd, ucred* who) {
  if (HasGone(fd)) return true;
  socklen_t size = sizeof(*who);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &size) < 0) {
    who->pid = -1;
    return false;
  }
  if (!IsRefused(who->uid)) return false;
  send(fd, farewell_.data(), farewell_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);  // who has gone meanwhile hears nothing
  return true;
}

bool Door::IsRefused(uid_t uid) const {
  auto entry = std::find_if(refused_.begin(), refused_.end(), [&](const Refused& each) { return each.uid == uid; });
  return entry != refused_.end() && uv_hrtime() < entry->until;
}
