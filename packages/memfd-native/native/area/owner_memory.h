// The owner's memory of an area: its one writable mapping, whose pages are allocated before they are touched.
#pragma once
#include <fcntl.h>

#include <cerrno>

#include "live_memory.h"

namespace area {

class OwnerMemory : public LiveMemory {
 public:
  /** Borrows both. */
  OwnerMemory(uint8_t* base, int fd) : LiveMemory(base), fd_(fd) {}

  /** A full machine is an error here, and no SIGBUS later. 0 or a negative errno. fallocate(2) */
  int Allocate(uint64_t from, uint64_t count) {
    int result;
    do result = ::fallocate(fd_, 0, static_cast<off_t>(from), static_cast<off_t>(count));
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
  }

 private:
  int fd_;
};

}  // namespace area
