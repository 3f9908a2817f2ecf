// Unix sockets: socketpair(2) to connect(2), and the options of unix(7). Everything is born non-blocking and CLOEXEC.
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <vector>

#include "ancillary.h"
#include "define.h"
#include "families.h"
#include "unix_address.h"

namespace {

constexpr int kBirthFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

Napi::Value SocketPair(Napi::Env env, int type) {
  int ends[2];
  if (::socketpair(AF_UNIX, type | kBirthFlags, 0, ends) < 0) return Errno(env);
  return ToJs(env, unique_fd(ends[0]), unique_fd(ends[1]));
}

unique_fd Socket(int type) { return unique_fd(::socket(AF_UNIX, type | kBirthFlags, 0)); }

int64_t Bind(int fd, std::string path) {
  const auto address = AddressOf(path);
  return address ? ResultOf(::bind(fd, Generic(*address), address->length)) : -errno;
}

int64_t Listen(int fd, int backlog) { return ResultOf(::listen(fd, backlog)); }

// accept(2) and connect(2) have no MSG_DONTWAIT, and whoever holds the same socket may have cleared its O_NONBLOCK.
bool MakeNonBlocking(int fd) {
  int on = 1;
  return ::ioctl(fd, FIONBIO, &on) == 0;
}

unique_fd Accept(int fd) {
  if (!MakeNonBlocking(fd)) return unique_fd();
  return unique_fd(Retry([&] { return ::accept4(fd, nullptr, nullptr, kBirthFlags); }));
}

int64_t Connect(int fd, std::string path) {
  const auto address = AddressOf(path);
  if (!address || !MakeNonBlocking(fd)) return -errno;
  return ResultOf(Retry([&] { return ::connect(fd, Generic(*address), address->length); }));
}

/** [pid, uid, gid] */
int64_t PeerCredentials(int fd, Numbers out) {
  ucred peer;
  socklen_t length = sizeof(peer);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
  return PutNumbers(out, {static_cast<double>(peer.pid), static_cast<double>(peer.uid), static_cast<double>(peer.gid)});
}

unique_fd PeerPidfd(int fd) {
  int pidfd = -1;
  socklen_t length = sizeof(pidfd);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) < 0) return unique_fd();
  return unique_fd(pidfd);
}

/** Too small a buffer answers ERANGE and the length that is needed; the groups of a peer never change. */
Napi::Value PeerGroups(Napi::Env env, int fd) {
  std::vector<gid_t> groups(16);
  socklen_t length;
  int result;
  do {
    length = groups.size() * sizeof(gid_t);
    result = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length);
    groups.resize(length / sizeof(gid_t));
  } while (result < 0 && errno == ERANGE);
  if (result < 0) return Errno(env);
  Napi::Array array = Napi::Array::New(env, groups.size());
  for (uint32_t i = 0; i < groups.size(); ++i) array.Set(i, static_cast<double>(groups[i]));
  return array;
}

/** An option that is an int, of either sign: its 32 bits, for a negative result is an errno. */
int64_t GetOption(int fd, int option) {
  int value = 0;
  socklen_t length = sizeof(value);
  if (::getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0) return -errno;
  return static_cast<uint32_t>(value);
}

int64_t SetOption(int fd, int option, int value) {
  return ResultOf(::setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)));
}

Napi::Value SocketName(Napi::Env env, int fd) {
  UnixAddress address;
  address.length = sizeof(address.name);
  // SAFETY: as in Generic().
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address.name), &address.length) < 0) return Errno(env);
  if (address.name.sun_family != AF_UNIX) return Napi::Number::New(env, -EAFNOSUPPORT);
  return Napi::String::New(env, PathOf(address));
}

int64_t SetPassCredentials(int fd, bool on) { return SetOption(fd, SO_PASSCRED, on); }
int64_t Shutdown(int fd, int how) { return ResultOf(::shutdown(fd, how)); }

int64_t UnreadBytes(int fd) {
  int bytes = 0;
  return ::ioctl(fd, SIOCOUTQ, &bytes) < 0 ? -errno : bytes;
}

int64_t SetPassRights(int fd, bool on) { return SetOption(fd, SO_PASSRIGHTS, on); }

}  // namespace

void RegisterSocket(Napi::Env env, Napi::Object exports) {
  Define<SocketPair, "type">(exports, "socketpair");
  Define<Socket, "type">(exports, "socket");
  Define<Bind, "fd", "path">(exports, "bind");
  Define<Listen, "fd", "backlog">(exports, "listen");
  Define<Accept, "fd">(exports, "accept");
  Define<Connect, "fd", "path">(exports, "connect");
  Define<PeerCredentials, "fd", "out">(exports, "peerCredentials");
  Define<PeerPidfd, "fd">(exports, "peerPidfd");
  Define<PeerGroups, "fd">(exports, "peerGroups");
  Define<GetOption, "fd", "option">(exports, "socketOption");
  Define<SetOption, "fd", "option", "value">(exports, "setSocketOption");
  Define<SocketName, "fd">(exports, "socketName");
  Define<SetPassCredentials, "fd", "on">(exports, "setPassCredentials");
  Define<Shutdown, "fd", "how">(exports, "shutdown");
  Define<UnreadBytes, "fd">(exports, "unreadBytes");
  Define<SetPassRights, "fd", "on">(exports, "setPassRights");
}
