// The door of a listener: who is turned away there, before anything is made for him. Which users that are, and for how
// long, JavaScript says; here they are only known again.
#pragma once
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <vector>

/** uv_hrtime(), nanoseconds. */
using Moment = uint64_t;

class Door {
 public:
  /** Connections of this user are turned away until then: each is sent the bytes, and nobody is told. */
  void Refuse(uid_t uid, Moment until, const uint8_t* bytes, size_t length);

  /**
   * Whether an accepted connection is to be closed at once: whoever it was has gone, or is refused and has been told.
   * `who` is of the others, with pid -1 where the kernel says nothing.
   */
  bool TurnsAway(int fd, ucred* who);

 private:
  struct Refused {
    uid_t uid;
    Moment until;
  };
  bool IsRefused(uid_t uid) const;

  std::vector<Refused> refused_;
  std::vector<uint8_t> farewell_;
};
