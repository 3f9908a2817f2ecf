import { constants, type Fd, fstat, type OwnedFd, socketpair } from '../src/index.ts'

/** A connected pair; both are closed at the end of `use`. */
export function withPair<T>(use: (a: OwnedFd, b: OwnedFd) => T, type: number = constants.SOCK_SEQPACKET): T {
  const [a, b] = socketpair(type)
  try {
    return use(a, b)
  } finally {
    a.close()
    b.close()
  }
}

/** Which file a descriptor leads to, whatever its number. */
export function identity(fd: Fd): string {
  const { dev, ino } = fstat(fd)
  return `${dev}:${ino}`
}
