// Descriptors of any kind: who owns them, and fcntl(2), open(2), lseek(2), fstat(2), stat(2), pipe2(2), flock(2).
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cstdio>
#include <string>

#include "define.h"
#include "families.h"

namespace {

/** JavaScript owns a number that came from outside. CLOEXEC from here on. EBADF: no open descriptor has it. */
Napi::Value Adopt(Napi::Env env, int fd) {
  if (fd < 0) {
    ThrowOutOfRange(env, "fd must be a descriptor (an integer >= 0), got " + std::to_string(fd));
    return {};
  }
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return Errno(env);
  return ToJs(env, unique_fd(fd));
}

/** Closes an owned descriptor. A number that JavaScript does not own (any more) is left alone: it may be somebody else's. */
int64_t Close(Napi::Env env, int fd) { return Environment::Of(env).fds.Take(fd).ok() ? 0 : -EBADF; }

/** JavaScript gives ownership away: the number stays open. */
int64_t Release(Napi::Env env, int fd) {
  unique_fd taken = Environment::Of(env).fds.Take(fd);
  return taken.ok() ? taken.release() : -EBADF;
}

unique_fd Dup(int fd, int lowest) { return unique_fd(::fcntl(fd, F_DUPFD_CLOEXEC, lowest)); }

unique_fd Reopen(int fd, int flags) {
  if (fd < 0) {
    errno = EBADF;
    return unique_fd();
  }
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return unique_fd(Retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0); }));
}

int64_t Lseek(int fd, int64_t offset, int whence) { return ResultOf(::lseek(fd, offset, whence)); }

/** FIONBIO and not F_SETFL: one call, and no other flag is read and written back. */
int64_t SetNonBlocking(int fd, bool on) {
  int value = on ? 1 : 0;
  return ResultOf(::ioctl(fd, FIONBIO, &value));
}

double Number(auto value) { return static_cast<double>(value); }

/** [dev, ino, mode, nlink, uid, size, blocks] */
int64_t PutStatus(const struct stat& stat, const Numbers& out) {
  return PutNumbers(out, {Number(stat.st_dev), Number(stat.st_ino), Number(stat.st_mode), Number(stat.st_nlink),
                          Number(stat.st_uid), Number(stat.st_size), Number(stat.st_blocks)});
}

int64_t Fstat(int fd, Numbers out) {
  struct stat stat;
  return ::fstat(fd, &stat) < 0 ? -errno : PutStatus(stat, out);
}

int64_t PathStatus(std::string path, bool follow, Numbers out) {
  struct stat stat;
  if (path.find('\0') != std::string::npos) return -ENOENT;  // no path has one
  return ::fstatat(AT_FDCWD, path.c_str(), &stat, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0 ? -errno : PutStatus(stat, out);
}

/** Of numbers that have more bits than a double: as a text, which is compared and not read. */
Napi::Value FileIdentity(Napi::Env env, std::string path) {
  struct stat stat;
  if (path.find('\0') != std::string::npos) return Napi::Number::New(env, -ENOENT);  // no path has one
  if (::stat(path.c_str(), &stat) < 0) return Errno(env);
  char text[80];  // four numbers of up to 16 digits
  const int length = std::snprintf(text, sizeof(text), "%lx:%lx:%lx.%lx", static_cast<unsigned long>(stat.st_dev),
                                   static_cast<unsigned long>(stat.st_ino), static_cast<unsigned long>(stat.st_ctim.tv_sec),
                                   static_cast<unsigned long>(stat.st_ctim.tv_nsec));
  return Napi::String::New(env, text, length);
}

/** [read end, write end] */
Napi::Value Pipe(Napi::Env env, int flags) {
  int ends[2];
  if (::pipe2(ends, flags | O_CLOEXEC) < 0) return Errno(env);
  return ToJs(env, unique_fd(ends[0]), unique_fd(ends[1]));
}

int64_t LockFile(int fd) {
  return ResultOf(Retry([&] { return ::flock(fd, LOCK_EX | LOCK_NB); }));
}

}  // namespace

void RegisterFd(Napi::Env env, Napi::Object exports) {
  Define<Adopt, "fd">(exports, "adopt");
  Define<Close, "fd">(exports, "close");
  Define<Release, "fd">(exports, "release");
  Define<Dup, "fd", "lowest">(exports, "dup");
  Define<Reopen, "fd", "flags">(exports, "reopen");
  Define<Lseek, "fd", "offset", "whence">(exports, "lseek");
  Define<SetNonBlocking, "fd", "on">(exports, "setNonBlocking");
  Define<Fstat, "fd", "out">(exports, "fstat");
  Define<PathStatus, "path", "follow", "out">(exports, "pathStatus");
  Define<FileIdentity, "path">(exports, "fileIdentity");
  Define<Pipe, "flags">(exports, "pipe");
  Define<LockFile, "fd">(exports, "lockFile");
}
