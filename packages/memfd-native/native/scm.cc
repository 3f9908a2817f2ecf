// sendmsg(2) and recvmsg(2) with the control data of unix(7): descriptors and credentials. Neither ever waits, whatever
// became of O_NONBLOCK: all who hold a socket share it.
#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "ancillary.h"
#include "credentials.h"
#include "define.h"
#include "families.h"
#include "unix_address.h"

namespace {

/** Lends the descriptors to the kernel, which takes references of its own. `to` is empty where the socket is connected. */
int64_t SendMsg(int fd, std::vector<int> fds, Bytes data, int flags, std::string to) {
  // A packet of no bytes reads as the end of the connection, and a stream drops the descriptors with it.
  if (fds.size() > kMaxFds || (!fds.empty() && data.length == 0)) return -EINVAL;
  ControlBuffer<kRightsSpace> control;
  iovec part{data.data, data.length};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) PutRights(&message, &control, fds.data(), fds.size());
  std::optional<UnixAddress> address;
  if (!to.empty()) {
    address = AddressOf(to);
    if (!address) return -errno;
    message.msg_name = &address->name;
    message.msg_namelen = address->length;
  }
  return ResultOf(Retry([&] { return ::sendmsg(fd, &message, flags | MSG_NOSIGNAL | MSG_DONTWAIT); }));
}

struct Received {
  std::vector<unique_fd> fds;
  std::optional<ucred> credentials;
};

Received TakeControl(msghdr* message) {
  Received received;
  received.fds.reserve(kMaxFds + 1);
  WalkAncillary(
      message, [&](unique_fd fd) { received.fds.push_back(std::move(fd)); },
      [&](const ucred& who) { received.credentials = who; });
  return received;
}

/**
 * Receives one message into `data`: { size, flags, fds, credentials, address }.
 * The control buffer has room for `maxFds` and credentials. Where no credentials come, and by the padding of the last
 * header, the kernel finds room for a few descriptors more than asked for: they are closed here, and the message counts
 * as cut (MSG_CTRUNC), as it does when the kernel itself closes some.
 */
Napi::Value RecvMsg(Napi::Env env, int fd, Bytes data, int maxFds, int flags) {
  if (maxFds < 0 || static_cast<size_t>(maxFds) > kMaxFds) {
    ThrowOutOfRange(env, "maxFds must be an integer from 0 to 253");
    return {};
  }
  ControlBuffer<kCredentialsSpace + kRightsSpace> control;
  iovec part{data.data, data.length};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  UnixAddress from;
  message.msg_name = &from.name;
  message.msg_namelen = sizeof(from.name);
  message.msg_control = &control;
  message.msg_controllen = kCredentialsSpace + (maxFds > 0 ? CMSG_LEN(maxFds * sizeof(int)) : 0);
  const ssize_t size = Retry([&] { return ::recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC | MSG_DONTWAIT); });
  if (size < 0) return Errno(env);

  Received received = TakeControl(&message);
  message.msg_flags &= ~MSG_CMSG_CLOEXEC;
  if (received.fds.size() > static_cast<size_t>(maxFds)) {
    received.fds.resize(maxFds);
    message.msg_flags |= MSG_CTRUNC;
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("size", static_cast<double>(size));
  result.Set("flags", static_cast<double>(message.msg_flags));
  result.Set("credentials", received.credentials ? CredentialsToJs(env, *received.credentials) : env.Null());
  from.length = message.msg_namelen;
  result.Set("address", PathOf(from));
  Napi::Array fds = Napi::Array::New(env, received.fds.size());
  for (uint32_t i = 0; i < received.fds.size(); ++i) fds.Set(i, ToJs(env, std::move(received.fds[i])));
  result.Set("fds", fds);
  return result;
}

}  // namespace

void RegisterScm(Napi::Env env, Napi::Object exports) {
  Define<SendMsg, "fd", "fds", "data", "flags", "to">(exports, "sendmsg");
  Define<RecvMsg, "fd", "data", "maxFds", "flags">(exports, "recvmsg");
}
