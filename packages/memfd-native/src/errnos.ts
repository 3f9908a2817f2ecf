/** Linux's numbers for x86-64 and arm64, errno(3): only those that memsvc distinguishes. */

/** Errnos by name, negative as in `SyscallError.errno`. EWOULDBLOCK is EAGAIN. */
export const errnos = Object.freeze({
  EPERM: -1,
  ENOENT: -2,
  E2BIG: -7,
  EBADF: -9,
  EAGAIN: -11,
  EINVAL: -22,
  ENFILE: -23,
  EMFILE: -24,
  ENOTTY: -25,
  ENOSPC: -28,
  EPIPE: -32,
  ERANGE: -34,
  ENAMETOOLONG: -36,
  EXFULL: -54,
  EBADMSG: -74,
  ENOPROTOOPT: -92,
  ECONNRESET: -104,
  ESHUTDOWN: -108,
  ETOOMANYREFS: -109,
  EINPROGRESS: -115,
  ESTALE: -116,
})
