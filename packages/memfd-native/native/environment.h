// The state of one environment (one thread that has loaded the addon). Node destroys it when the environment ends,
// also by worker.terminate(); whatever JavaScript still owned then is closed and unmapped here.
#pragma once
#include <napi.h>

#include <cerrno>
#include <vector>

#include "mapped_memory.h"
#include "slot_table.h"
#include "unique_fd.h"

class Watcher;

/** The descriptors that JavaScript owns: a number in here is closed by this environment and by nobody else. */
class OwnedFds {
 public:
  OwnedFds() = default;
  OwnedFds(const OwnedFds&) = delete;
  OwnedFds& operator=(const OwnedFds&) = delete;
  ~OwnedFds() {
    for (size_t fd = 0; fd < owned_.size(); ++fd) {
      if (owned_[fd]) ::close(static_cast<int>(fd));
    }
  }

  /** Hands a descriptor to JavaScript. Answers its number. */
  int Own(unique_fd fd) {
    const int number = fd.release();
    if (number < 0) return number;
    if (static_cast<size_t>(number) >= owned_.size()) owned_.resize(number + 1);
    owned_[number] = true;
    return number;
  }

  /** Takes a descriptor back from JavaScript; empty when it is not owned here. */
  unique_fd Take(int fd) {
    if (fd < 0 || static_cast<size_t>(fd) >= owned_.size() || !owned_[fd]) return unique_fd();
    owned_[fd] = false;
    return unique_fd(fd);
  }

 private:
  std::vector<bool> owned_;
};

struct Environment {
  OwnedFds fds;
  SlotTable<MappedMemory> mappings;
  SlotTable<Watcher*> watchers;
  double* copy_args = nullptr;  // of the call that comes: see mapping.cc

  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};
