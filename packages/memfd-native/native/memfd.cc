// Anonymous files: memfd_create(2), their seals, size and mode.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "define.h"
#include "families.h"

namespace {

unique_fd MemfdCreate(std::string name, unsigned flags) {
  if (name.find('\0') != std::string::npos) {
    errno = EINVAL;
    return unique_fd();
  }
  return unique_fd(::memfd_create(name.c_str(), flags | MFD_CLOEXEC));
}

int64_t AddSeals(int fd, int seals) { return ResultOf(::fcntl(fd, F_ADD_SEALS, seals)); }
int64_t GetSeals(int fd) { return ResultOf(::fcntl(fd, F_GET_SEALS)); }

int64_t Ftruncate(int fd, int64_t size) {
  return ResultOf(Retry([&] { return ::ftruncate(fd, size); }));
}

/** Interrupted by a signal, the kernel gives back what it had allocated, so that a second try starts afresh. */
int64_t Fallocate(int fd, int mode, int64_t offset, int64_t length) {
  return ResultOf(Retry([&] { return ::fallocate(fd, mode, offset, length); }));
}

int64_t Fchmod(int fd, int mode) { return ResultOf(::fchmod(fd, static_cast<mode_t>(mode))); }

}  // namespace

void RegisterMemfd(Napi::Env env, Napi::Object exports) {
  Define<MemfdCreate, "name", "flags">(exports, "memfdCreate");
  Define<AddSeals, "fd", "seals">(exports, "addSeals");
  Define<GetSeals, "fd">(exports, "getSeals");
  Define<Ftruncate, "fd", "size">(exports, "ftruncate");
  Define<Fallocate, "fd", "mode", "offset", "length">(exports, "fallocate");
  Define<Fchmod, "fd", "mode">(exports, "fchmod");
}
