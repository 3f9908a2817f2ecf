// Ancillary data of Unix sockets, unix(7): descriptors and credentials beside the bytes of a message.
#pragma once
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "unique_fd.h"

// Newer than some C libraries' headers; the kernel answers ENOPROTOOPT where it is older than the option.
#ifndef SCM_PIDFD
#define SCM_PIDFD 4  // Linux 6.5
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77  // Linux 6.5
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83  // Linux 6.16
#endif

/** Descriptors of one message: SCM_MAX_FD of the kernel, include/net/scm.h. */
inline constexpr size_t kMaxFds = 253;

inline constexpr size_t kCredentialsSpace = CMSG_SPACE(sizeof(ucred));
inline constexpr size_t kRightsSpace = CMSG_SPACE(kMaxFds * sizeof(int));

/** Room for control messages, aligned as they must be. */
template <size_t Size>
union ControlBuffer {
  cmsghdr align;
  uint8_t bytes[Size];
};

/** Adds `count` descriptors, at least one, to a message that has no other control data. They are borrowed. */
inline void PutRights(msghdr* message, ControlBuffer<kRightsSpace>* control, const int* fds, size_t count) {
  const size_t size = count * sizeof(int);
  message->msg_control = control->bytes;
  message->msg_controllen = CMSG_SPACE(size);
  cmsghdr* header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(header), fds, size);
}

/**
 * What came beside the bytes of a message: `on_fd(unique_fd)` for each descriptor, in order, `on_credentials(const ucred&)`.
 * All that the kernel has installed gets an owner, asked for or not. A pidfd is closed: an inherited socket may have been
 * told to pass them (SO_PASSPIDFD), and nobody here asked.
 */
template <typename OnFd, typename OnCredentials>
void WalkAncillary(msghdr* message, OnFd on_fd, OnCredentials on_credentials) {
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_RIGHTS || header->cmsg_type == SCM_PIDFD) {
      const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t i = 0; i < count; ++i) {
        int number;
        std::memcpy(&number, CMSG_DATA(header) + i * sizeof(int), sizeof(number));
        unique_fd fd(number);
        if (header->cmsg_type == SCM_RIGHTS) on_fd(std::move(fd));
      }
    } else if (header->cmsg_type == SCM_CREDENTIALS) {
      ucred who;
      std::memcpy(&who, CMSG_DATA(header), sizeof(who));
      on_credentials(who);
    }
  }
}
