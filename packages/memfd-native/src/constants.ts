/** Linux's numbers for x86-64 and arm64, named as in its headers. For open flags, `fs.constants` has the rest. */
import { constants as fs } from 'node:fs'

/** Constants of Linux, with their names in its man pages. */
export const constants = Object.freeze({
  // memfd_create(2); CLOEXEC is always added
  MFD_CLOEXEC: 0x1,
  MFD_ALLOW_SEALING: 0x2,
  MFD_HUGETLB: 0x4,
  /** Linux 6.3 and later; implies MFD_ALLOW_SEALING. Older kernels: EINVAL. */
  MFD_NOEXEC_SEAL: 0x8,
  /** Linux 6.3 and later. */
  MFD_EXEC: 0x10,
  MFD_HUGE_2MB: 21 << 26,
  MFD_HUGE_1GB: 30 << 26,

  // fcntl(2): F_ADD_SEALS, F_GET_SEALS
  F_SEAL_SEAL: 0x1,
  F_SEAL_SHRINK: 0x2,
  F_SEAL_GROW: 0x4,
  F_SEAL_WRITE: 0x8,
  F_SEAL_FUTURE_WRITE: 0x10,
  /** Linux 6.3 and later. */
  F_SEAL_EXEC: 0x20,

  // fallocate(2)
  FALLOC_FL_KEEP_SIZE: 0x1,
  FALLOC_FL_PUNCH_HOLE: 0x2,
  FALLOC_FL_COLLAPSE_RANGE: 0x8,
  FALLOC_FL_ZERO_RANGE: 0x10,
  FALLOC_FL_INSERT_RANGE: 0x20,
  FALLOC_FL_UNSHARE_RANGE: 0x40,

  // lseek(2)
  SEEK_SET: 0,
  SEEK_CUR: 1,
  SEEK_END: 2,
  SEEK_DATA: 3,
  SEEK_HOLE: 4,

  // getsockopt(2), socket(7)
  SO_TYPE: 3,
  SO_ERROR: 4,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_PASSCRED: 16,
  SO_ACCEPTCONN: 30,
  SO_SNDBUFFORCE: 32,
  SO_RCVBUFFORCE: 33,
  SO_PROTOCOL: 38,
  SO_DOMAIN: 39,

  // socket(2)
  AF_UNIX: 1,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_SEQPACKET: 5,

  // send(2), recv(2)
  MSG_PEEK: 0x2,
  MSG_CTRUNC: 0x8,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  MSG_EOR: 0x80,
  MSG_WAITALL: 0x100,
  MSG_NOSIGNAL: 0x4000,
  MSG_CMSG_CLOEXEC: 0x40000000,

  // open(2), for reopen() and pipe()
  O_RDONLY: fs.O_RDONLY,
  O_WRONLY: fs.O_WRONLY,
  O_RDWR: fs.O_RDWR,
  O_TRUNC: fs.O_TRUNC,
  O_APPEND: fs.O_APPEND,
  O_NONBLOCK: fs.O_NONBLOCK,
  O_PATH: 0x200000,

  // getrlimit(2)
  /** Bytes of the largest file that this process may make, memfds too: beyond it EFBIG. */
  RLIMIT_FSIZE: 1,
  /** One more than the highest number a new descriptor may get. */
  RLIMIT_NOFILE: 7,

  // kcmp(2)
  /** Whether two descriptors lead to the same open file. */
  KCMP_FILE: 0,
})
