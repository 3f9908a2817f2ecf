// Addresses of Unix sockets, unix(7): a path, or with a leading NUL a name of the abstract namespace.
#pragma once
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>

struct UnixAddress {
  sockaddr_un name{};
  socklen_t length = 0;
};

/** Nothing, with errno, for what no address can be. An abstract name ends with its length, not with a NUL. */
inline std::optional<UnixAddress> AddressOf(const std::string& path) {
  UnixAddress address;
  const bool is_abstract = !path.empty() && path[0] == '\0';
  if (path.empty() || (!is_abstract && path.find('\0') != std::string::npos)) {
    errno = EINVAL;
    return std::nullopt;
  }
  if (path.size() >= sizeof(address.name.sun_path)) {
    errno = ENAMETOOLONG;
    return std::nullopt;
  }
  address.name.sun_family = AF_UNIX;
  std::memcpy(address.name.sun_path, path.data(), path.size());
  address.length = offsetof(sockaddr_un, sun_path) + path.size() + (is_abstract ? 0 : 1);
  return address;
}

// SAFETY: the socket calls take every address family through sockaddr; the length says which bytes are meant.
inline const sockaddr* Generic(const UnixAddress& address) { return reinterpret_cast<const sockaddr*>(&address.name); }

/** A path ends with a NUL or at the end of sun_path; an abstract name ends with the length; no name, or another family's: "". */
inline std::string PathOf(const UnixAddress& address) {
  constexpr size_t kStart = offsetof(sockaddr_un, sun_path);
  if (address.length <= kStart || address.name.sun_family != AF_UNIX) return {};
  const char* path = address.name.sun_path;
  const size_t room = std::min<size_t>(address.length, sizeof(address.name)) - kStart;
  return std::string(path, path[0] == '\0' ? room : strnlen(path, room));
}
